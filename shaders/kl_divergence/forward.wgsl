// kl_divergence_forward: KL(softmax(t / T) ‖ softmax(z / T)) of each group and its gradient in z, in log space.
//   t (the target, constant) [rows, length, inner], z likewise, weight [rows] = [R, N], norm [R],
//   losses [rows, inner], d_z like z. G = inner groups per row: 1 over all features, C over positions per channel.
// One workgroup of 64 per group: strided loops, then trees in fixed order.
// Formula: with a_i = (t_i − max t) / T, log p_i = a_i − log Σ exp(a_j), and log q_i likewise from z:
// loss = weight / G · Σ_i p_i · (log p_i − log q_i), where 0 · log 0 = 0.
// Derivation of d_z: ∂(−Σ_j p_j · log q_j)/∂z_i = −Σ_j p_j · (δ_ij − q_i) / T = (q_i − p_i) / T, as Σ p = 1;
// with the mean Σ loss / norm, d_z_i = weight / (norm · G · T) · (q_i − p_i).
// Where weight or norm is 0, losses and d_z are exactly 0. A NaN in t or z comes through the sums;
// a q of 0 under a live p gives +∞, as it should. All is in log space, nothing is clamped.
// uses shared/grid
// uses shared/tree
// uses shared/kl_divergence
// uses shared/two_softmaxes

@group(0) @binding(0) var<uniform> params: KlDivergence;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> norm: array<f32>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_z: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let g = read_group(group, groups, local);
    var divergence = 0.0;
    for (var i = local; i < g.length; i += 64u) {
        let at = place(g, i);
        let x = exponents(g, at);
        let p = exp(x.x) / g.p_sum;
        let q = exp(x.y) / g.q_sum;
        divergence += select(p * ((x.x - g.p_log) - (x.y - g.q_log)), 0.0, p == 0.0);
        d_z[at] = select(g.factor * (q - p), 0.0, g.skipped);
    }
    divergence = tree_sum(local, divergence);
    if g.live && local == 0u {
        losses[g.index] = select(g.share * divergence, 0.0, g.skipped);
    }
}

// reverse_kl_forward: KL(softmax(z / T) ‖ softmax(t / T)) of each group and its gradient in z, in log space.
//   t (the target, constant) [rows, length, inner], z likewise, weight [rows] = [R, N], norm [R],
//   losses [rows, inner], d_z like z. G = inner groups per row: 1 over all features, C over positions per channel.
// One workgroup of 64 per group: strided loops, then trees in fixed order.
// Formula: with p = softmax(t / T), q = softmax(z / T) and r_i = log q_i − log p_i,
// loss = weight / G · Σ_i q_i r_i, where 0 · log 0 = 0.
// Derivation of d_z: ∂q_j/∂z_i = q_j (δ_ij − q_i) / T and ∂(q_j r_j)/∂q_j = r_j + 1, so
//   ∂(Σ_j q_j r_j)/∂z_i = q_i (r_i + 1) / T − q_i Σ_j q_j (r_j + 1) / T = q_i (r_i − Σ_j q_j r_j) / T;
// with the mean Σ loss / norm, d_z_i = weight / (norm · G · T) · q_i (r_i − Σ_j q_j r_j).
// Where weight or norm is 0, losses and d_z are exactly 0. A p that underflows has a finite logarithm; a target of −∞
// under a live q gives the loss +∞ and a d_z that is no number, for there is no slope there. Nothing is clamped.
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
        let q = exp(x.y) / g.q_sum;
        divergence += select(q * ((x.y - g.q_log) - (x.x - g.p_log)), 0.0, q == 0.0);
    }
    divergence = tree_sum(local, divergence);
    for (var i = local; i < g.length; i += 64u) {
        let at = place(g, i);
        let x = exponents(g, at);
        let q = exp(x.y) / g.q_sum;
        let slope = g.factor * (q * ((x.y - g.q_log) - (x.x - g.p_log) - divergence));
        d_z[at] = select(slope, 0.0, g.skipped || q == 0.0);
    }
    if g.live && local == 0u {
        losses[g.index] = select(g.share * divergence, 0.0, g.skipped);
    }
}

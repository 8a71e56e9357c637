// jensen_shannon_forward: Jensen–Shannon divergence of softmax(t / T) and softmax(z / T) in each group, and its
// gradient in z, in log space.
//   t (the target, constant) [rows, length, inner], z likewise, weight [rows] = [R, N], norm [R],
//   losses [rows, inner], d_z like z. G = inner groups per row: 1 over all features, C over positions per channel.
// One workgroup of 64 per group: strided loops, then trees in fixed order.
// Formula: with p = softmax(t / T), q = softmax(z / T), a = (p + q) / 2, k_i = log(p_i / a_i), l_i = log(q_i / a_i):
// loss = weight / G · ½ Σ_i (p_i k_i + q_i l_i), where 0 · log 0 = 0; it lies within [0, weight / G · ln 2].
// With e = log p − log q: l = ln 2 − log(1 + exp e), k = ln 2 − log(1 + exp(−e)), neither of which overflows when
// log(1 + exp e) is taken as max(e, 0) + log(1 + exp(−|e|)).
// Derivation of d_z: of ∂/∂q_i ½ (p_i k_i + q_i l_i) all but ½ l_i cancels, as −p_i / 2a_i − q_i / 2a_i + 1 = 0; with
// ∂q_j/∂z_i = q_j (δ_ij − q_i) / T and the mean Σ loss / norm,
//   d_z_i = weight / (norm · G · T) · ½ q_i (l_i − Σ_j q_j l_j).
// Where weight or norm is 0, losses and d_z are exactly 0. A NaN in t or z comes through the sums.
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

const LN_2 = 0.6931471805599453;

// log(1 + exp x).
fn softplus(x: f32) -> f32 {
    return max(x, 0.0) + log(1.0 + exp(-abs(x)));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let g = read_group(group, groups, local);
    var p_part = 0.0;
    var q_part = 0.0;
    for (var i = local; i < g.length; i += 64u) {
        let at = place(g, i);
        let x = exponents(g, at);
        let p = exp(x.x) / g.p_sum;
        let q = exp(x.y) / g.q_sum;
        let e = (x.x - g.p_log) - (x.y - g.q_log);
        p_part += select(p * (LN_2 - softplus(-e)), 0.0, p == 0.0);
        q_part += select(q * (LN_2 - softplus(e)), 0.0, q == 0.0);
    }
    p_part = tree_sum(local, p_part);
    q_part = tree_sum(local, q_part);
    for (var i = local; i < g.length; i += 64u) {
        let at = place(g, i);
        let x = exponents(g, at);
        let q = exp(x.y) / g.q_sum;
        let e = (x.x - g.p_log) - (x.y - g.q_log);
        let slope = g.factor * (0.5 * q * (LN_2 - softplus(e) - q_part));
        d_z[at] = select(slope, 0.0, g.skipped || q == 0.0);
    }
    if g.live && local == 0u {
        losses[g.index] = select(g.share * (0.5 * (p_part + q_part)), 0.0, g.skipped);
    }
}

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
    let index = group_index(group, groups);
    // A workgroup past the last group takes part in every barrier and touches nothing.
    let live = index < params.groups;
    let g = select(0u, index, live);
    let length = select(0u, params.length, live);
    let first = g / params.inner * params.length * params.inner + g % params.inner;

    var t_max = t[first];
    var z_max = z[first];
    for (var i = local; i < length; i += 64u) {
        let at = first + i * params.inner;
        t_max = max(t_max, t[at]);
        z_max = max(z_max, z[at]);
    }
    t_max = tree_max(local, t_max);
    z_max = tree_max(local, z_max);

    var p_sum = 0.0;
    var q_sum = 0.0;
    for (var i = local; i < length; i += 64u) {
        let at = first + i * params.inner;
        p_sum += exp((t[at] - t_max) / params.temperature);
        q_sum += exp((z[at] - z_max) / params.temperature);
    }
    p_sum = tree_sum(local, p_sum);
    q_sum = tree_sum(local, q_sum);
    let p_log = log(p_sum);
    let q_log = log(q_sum);

    let row = g / params.inner;
    let row_weight = weight[row];
    let total = norm[row / params.batch];
    let skipped = row_weight == 0.0 || total == 0.0;
    let share = row_weight / f32(params.inner);
    let factor = share / (total * params.temperature);

    var divergence = 0.0;
    for (var i = local; i < length; i += 64u) {
        let at = first + i * params.inner;
        let a = (t[at] - t_max) / params.temperature;
        let b = (z[at] - z_max) / params.temperature;
        let q = exp(b) / q_sum;
        divergence += select(q * ((b - q_log) - (a - p_log)), 0.0, q == 0.0);
    }
    divergence = tree_sum(local, divergence);
    for (var i = local; i < length; i += 64u) {
        let at = first + i * params.inner;
        let a = (t[at] - t_max) / params.temperature;
        let b = (z[at] - z_max) / params.temperature;
        let q = exp(b) / q_sum;
        let slope = factor * (q * ((b - q_log) - (a - p_log) - divergence));
        d_z[at] = select(slope, 0.0, skipped || q == 0.0);
    }
    if live && local == 0u {
        losses[g] = select(share * divergence, 0.0, skipped);
    }
}

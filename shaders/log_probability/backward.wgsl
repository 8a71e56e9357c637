// log_probability_backward: gradient of Σ_k log p_k in the logits, p = softmax(logits).
//   logits [R, N, K], weight [R, N], d_logits [R, N, K]
// One invocation per row: three loops over its K logits.
// Derivation: log p_j = z_j − log Σ_k exp(z_k) gives ∂log p_j/∂z_i = δ_ij − p_i; summed over j,
//   d_logits_i = 1 − K · p_i.
// Exactly 0 where the weight is 0, whatever the logits are; elsewhere the weight's size does not matter.
// uses shared/grid
// uses shared/log_probability

@group(0) @binding(0) var<uniform> params: LogProbability;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_logits: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group_index(group, groups) * 64u + local;
    if row >= params.rows {
        return;
    }
    let first = row * params.classes;
    let largest = largest_of(first);
    var sum = 0.0;
    for (var k = 0u; k < params.classes; k++) {
        sum += exp(logits[first + k] - largest);
    }
    let skipped = weight[row] == 0.0;
    for (var k = 0u; k < params.classes; k++) {
        let p = exp(logits[first + k] - largest) / sum;
        d_logits[first + k] = select(1.0 - f32(params.classes) * p, 0.0, skipped);
    }
}

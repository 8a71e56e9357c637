// log_probability_second_backward: adds the gradient, in the logits, of tᵀ v with v = 1 − K · softmax(logits) and t held
// constant: how a function of v (see log_probability_backward) moves with the logits, if t is its gradient in v.
//   logits [R, N, K], weight [R, N], t [R, N, K], d_logits [R, N, K] (added to)
// One invocation per row: three loops over its K logits.
// Derivation: ∂p_j/∂z_i = p_j · (δ_ij − p_i), so ∂(Σ_j t_j · (1 − K · p_j))/∂z_i = −K · p_i · (t_i − Σ_j p_j · t_j).
// Nothing is added where the weight is 0, whatever logits and t are.
// uses shared/grid
// uses shared/log_probability

@group(0) @binding(0) var<uniform> params: LogProbability;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> t: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_logits: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group_index(group, groups) * 64u + local;
    if row >= params.rows || weight[row] == 0.0 {
        return;
    }
    let first = row * params.classes;
    let largest = largest_of(first);
    var sum = 0.0;
    var weighted = 0.0;
    for (var k = 0u; k < params.classes; k++) {
        let e = exp(logits[first + k] - largest);
        sum += e;
        weighted += e * t[first + k];
    }
    let mean = weighted / sum;
    for (var k = 0u; k < params.classes; k++) {
        let p = exp(logits[first + k] - largest) / sum;
        d_logits[first + k] -= f32(params.classes) * p * (t[first + k] - mean);
    }
}

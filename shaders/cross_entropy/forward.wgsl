// cross_entropy_forward: losses of a batch and the gradient of their weighted mean, in log space.
//   logits [R, N, K], labels [R, N], weight [R, N], norm [R], losses [R, N], d_logits [R, N, K]
// One invocation per row: three loops over its K logits.
// Formula: loss = −weight · log softmax(z)_label = weight · (log Σ_k exp(z_k − max) − (z_label − max)).
// Derivation of d_logits: ∂(log Σ exp z)/∂z_k = softmax(z)_k and ∂z_label/∂z_k = δ_(k,label), so with the mean
// L = scale · Σ loss / norm, ∂L/∂z_k = scale · weight / norm · (softmax(z)_k − δ_(k,label)).
// Where weight or norm is 0, the gradient is 0, and where weight is 0, so is the loss, whatever the logits are.
// A label that is no class makes its row NaN: the host checks labels, and a NaN is seen.
// uses shared/grid

struct CrossEntropy {
    rows: u32,
    batch: u32,
    classes: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: CrossEntropy;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> norm: array<f32>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_logits: array<f32>;

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
    let label = labels[row];
    let known = label < params.classes;
    let nan = bitcast<f32>(0x7fc00000u | params.classes); // not a constant: WGSL has no constant NaN

    var largest = logits[first];
    for (var k = 1u; k < params.classes; k++) {
        largest = max(largest, logits[first + k]); // a NaN dropped here comes back through the sum
    }
    var sum = 0.0;
    for (var k = 0u; k < params.classes; k++) {
        sum += exp(logits[first + k] - largest);
    }

    let at_label = select(nan, logits[first + min(label, params.classes - 1u)], known);
    let row_weight = weight[row];
    losses[row] = select(row_weight * (log(sum) - (at_label - largest)), 0.0, row_weight == 0.0);

    let total = norm[row / params.batch];
    let factor = select(nan, params.scale * row_weight / total, known);
    let skipped = row_weight == 0.0 || total == 0.0;
    for (var k = 0u; k < params.classes; k++) {
        let probability = exp(logits[first + k] - largest) / sum;
        d_logits[first + k] = select(factor * (probability - select(0.0, 1.0, k == label)), 0.0, skipped);
    }
}

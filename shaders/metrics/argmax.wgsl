// metrics_argmax: the predicted class of each row.
//   logits [rows, K], predictions [rows]
// One invocation per row.
// Formula: the first k with the largest logit; K, which is no class, where a logit is NaN, so that such a row
// never counts as right.
// uses shared/grid
// uses shared/bits

struct Argmax {
    rows: u32,
    classes: u32,
}

@group(0) @binding(0) var<uniform> params: Argmax;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> predictions: array<u32>;

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
    var best = 0u;
    var largest = logits[first];
    var any_nan = is_nan(largest);
    for (var k = 1u; k < params.classes; k++) {
        let value = logits[first + k];
        any_nan = any_nan || is_nan(value);
        if value > largest {
            largest = value;
            best = k;
        }
    }
    predictions[row] = select(best, params.classes, any_nan);
}

// metrics_confusion: adds this step's batch to the confusion counts.
//   predictions [R, N], labels [R, N], weight [R, N], counts [R, K, K] (true class, predicted class)
// One invocation per cell, which loops over the batch: no atomics.
// Formula: counts[r, i, j] += |{n : weight[r, n] ≠ 0, labels[r, n] = i, predictions[r, n] = j}|.
// uses shared/grid

struct Confusion {
    cells: u32, // R·K·K
    batch: u32,
    classes: u32,
}

@group(0) @binding(0) var<uniform> params: Confusion;
@group(0) @binding(1) var<storage, read> predictions: array<u32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> counts: array<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let cell = group_index(group, groups) * 64u + local;
    if cell >= params.cells {
        return;
    }
    let predicted = cell % params.classes;
    let known = cell / params.classes % params.classes;
    let first = cell / (params.classes * params.classes) * params.batch;
    var found = 0u;
    for (var row = first; row < first + params.batch; row++) {
        if labels[row] == known && predictions[row] == predicted && weight[row] != 0.0 {
            found += 1u;
        }
    }
    counts[cell] += found;
}

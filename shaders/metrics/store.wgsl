// metrics_store: keeps the predictions of this step's batch.
//   predictions [R, N], clock [1] (number of the step), all_predictions [R, steps·N]
// One invocation per prediction.
// Formula: all_predictions[r, clock·N + n] = predictions[r, n]; nothing once the clock has passed the last step.
// uses shared/grid

struct Store {
    rows: u32, // R·N
    batch: u32,
    steps: u32,
}

@group(0) @binding(0) var<uniform> params: Store;
@group(0) @binding(1) var<storage, read> predictions: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read_write> all_predictions: array<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group_index(group, groups) * 64u + local;
    let step = clock[0];
    if row >= params.rows || step >= params.steps {
        return;
    }
    let r = row / params.batch;
    all_predictions[(r * params.steps + step) * params.batch + row % params.batch] = predictions[row];
}

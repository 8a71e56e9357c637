// metrics_record: keeps the mean loss of this step, for each replica.
//   losses [R, length], norm [R], clock [1] (number of the step), history [R, steps·slots]
// One workgroup of 64 per replica: a strided loop, then a tree in fixed order.
// Formula: history[r, clock·slots + slot] = Σ_i losses[r, i] / norm[r], 0 where norm is 0; nothing once the clock has
// passed the last step. A NaN comes through.
// uses shared/grid
// uses shared/tree

struct History {
    replicas: u32,
    length: u32,
    steps: u32,
    slots: u32,
    slot: u32,
}

@group(0) @binding(0) var<uniform> params: History;
@group(0) @binding(1) var<storage, read> losses: array<f32>;
@group(0) @binding(2) var<storage, read> norm: array<f32>;
@group(0) @binding(3) var<storage, read> clock: array<u32>;
@group(0) @binding(4) var<storage, read_write> history: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = group_index(group, groups);
    // A workgroup past the last replica takes part in every barrier and touches nothing.
    let live = index < params.replicas;
    let r = select(0u, index, live);
    let length = select(0u, params.length, live);

    var sum = 0.0;
    for (var i = local; i < length; i += 64u) {
        sum += losses[r * params.length + i];
    }
    sum = tree_sum(local, sum);

    let step = clock[0];
    if live && local == 0u && step < params.steps {
        let mean = select(sum / norm[r], 0.0, norm[r] == 0.0);
        history[(r * params.steps + step) * params.slots + params.slot] = mean;
    }
}

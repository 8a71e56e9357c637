// clock_advance: the next step of the epoch.
//   clock [1]
// One invocation.
// Formula: clock[0] += 1.

struct Clock {
    count: u32,
}

@group(0) @binding(0) var<uniform> params: Clock;
@group(0) @binding(1) var<storage, read_write> clock: array<u32>;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3<u32>) {
    if group.x < params.count {
        clock[group.x] += 1u;
    }
}

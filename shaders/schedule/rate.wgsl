// schedule_rate: the learning rate of this step, taken from those of the epoch.
//   clock [1] (number of the step), rates [steps], lr [R]
// One invocation per replica.
// Formula: lr[r] = rates[clock]; past the last step, that of the last one. The host works the rates out in f64 and rounds
// each once: a device's own cosine would be good to 2⁻¹¹ only.

struct Rate {
    replicas: u32,
    steps: u32,
}

@group(0) @binding(0) var<uniform> params: Rate;
@group(0) @binding(1) var<storage, read> clock: array<u32>;
@group(0) @binding(2) var<storage, read> rates: array<f32>;
@group(0) @binding(3) var<storage, read_write> lr: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let r = group.x * 64u + local;
    if r < params.replicas {
        lr[r] = rates[min(clock[0], params.steps - 1u)];
    }
}

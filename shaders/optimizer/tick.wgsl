// optimizer_tick: counts an update of each replica that takes one, with its bias corrections.
//   norm [R], tick [R, 4] = (t = updates so far, 1 − β1^t, 1 − β2^t, active)
// One invocation per replica.
// Formula: a replica is active where its batch counts for something, norm > 0 (a NaN counts, so that it is seen);
// then t += 1, and c = 1 − β^t follows from 1 − β·(1 − c) = β·c + (1 − β), where nothing cancels.
// Else only active = 0: Adam must not drift on its momentum. The moments follow the same recurrence with the same
// rounded β, so what rounding does to c it also does to them. t counts exactly up to 2^24.
// uses shared/grid
// uses shared/bits

struct Tick {
    replicas: u32,
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
}

@group(0) @binding(0) var<uniform> params: Tick;
@group(0) @binding(1) var<storage, read> norm: array<f32>;
@group(0) @binding(2) var<storage, read_write> tick: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let r = group_index(group, groups) * 64u + local;
    if r >= params.replicas {
        return;
    }
    let old = tick[r];
    if norm[r] > 0.0 || is_nan(norm[r]) {
        tick[r] = vec4<f32>(
            old.x + 1.0,
            params.beta1 * old.y + params.one_minus_beta1,
            params.beta2 * old.z + params.one_minus_beta2,
            1.0,
        );
    } else {
        tick[r] = vec4<f32>(old.xyz, 0.0);
    }
}

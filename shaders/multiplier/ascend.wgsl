// multiplier_ascend: one step of dual ascent on the multiplier of the constraint "mean loss ≤ epsilon".
//   total [R] (the batch's summed loss), norm [R] (what its mean divides by), multiplier [R]
// One invocation per replica.
// Formula: mu ← max(0, mu + rho · (total / norm − epsilon)); mu stays where norm is 0, since such a batch says nothing.
// Derivation: the Lagrangian CE + mu · (KL − epsilon) has the slope KL − epsilon in mu, and mu ≥ 0.
// max() may drop a NaN, so the sign is tested instead: a NaN stays one and is seen.
// uses shared/grid

struct Ascend {
    replicas: u32,
    epsilon: f32,
    rate: f32, // rho
}

@group(0) @binding(0) var<uniform> params: Ascend;
@group(0) @binding(1) var<storage, read> total: array<f32>;
@group(0) @binding(2) var<storage, read> norm: array<f32>;
@group(0) @binding(3) var<storage, read_write> multiplier: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let r = group_index(group, groups) * 64u + local;
    if r >= params.replicas || norm[r] == 0.0 {
        return;
    }
    let next = multiplier[r] + params.rate * (total[r] / norm[r] - params.epsilon);
    multiplier[r] = select(next, 0.0, next < 0.0);
}

// optimizer_sgd, four parameters at once: one update by gradient descent with momentum, in place.
//   gradient [R, size], tick [R, 4] = (t, …, active), lr [R], parameter, velocity [R, size]; size a multiple of 4
// One invocation per four parameters of a replica. Nothing changes for a replica that is not active.
// Formula (as PyTorch has it, dampening 0; the first velocity is 0):
//   g ← g + decay·p;  velocity ← momentum·velocity + g
//   p ← p − lr · (nesterov ? g + momentum·velocity : velocity)
// uses shared/grid
// uses shared/sgd

const COLUMNS: u32 = 4;

@group(0) @binding(0) var<uniform> params: Sgd;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> tick: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> lr: array<f32>;
@group(0) @binding(4) var<storage, read_write> parameter: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> velocity: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.count / 4u {
        return;
    }
    let r = i / (params.size / 4u);
    if tick[r].w == 0.0 {
        return;
    }
    let p = parameter[i];
    let g = gradient[i] + params.weight_decay * p;
    let speed = params.momentum * velocity[i] + g;
    velocity[i] = speed;
    var direction = speed;
    if params.nesterov == 1u {
        direction = g + params.momentum * speed;
    }
    parameter[i] = p - lr[r] * direction;
}

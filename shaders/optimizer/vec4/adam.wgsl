// optimizer_adam, four parameters at once: one update by Adam or AdamW, in place.
//   gradient [R, size], tick [R, 4] = (t, 1 − β1^t, 1 − β2^t, active), lr [R], parameter, m, v [R, size]; size a
//   multiple of 4
// One invocation per four parameters of a replica. Nothing changes for a replica that is not active.
// Formula (Kingma and Ba 2015; decoupled: Loshchilov and Hutter 2019), arranged as PyTorch does:
//   decoupled: p ← p · (1 − lr·decay); else g ← g + decay·p
//   m ← β1·m + (1 − β1)·g;  v ← β2·v + (1 − β2)·g²
//   p ← p − lr / (1 − β1^t) · m / (√v / √(1 − β2^t) + ε)
// uses shared/grid
// uses shared/adam

const COLUMNS: u32 = 4;

@group(0) @binding(0) var<uniform> params: Adam;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> tick: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> lr: array<f32>;
@group(0) @binding(4) var<storage, read_write> parameter: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> m: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> v: array<vec4<f32>>;

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
    let now = tick[r];
    if now.w == 0.0 {
        return;
    }
    var p = parameter[i];
    var g = gradient[i];
    if params.decoupled == 1u {
        p *= 1.0 - lr[r] * params.weight_decay;
    } else {
        g += params.weight_decay * p;
    }
    let first = params.beta1 * m[i] + params.one_minus_beta1 * g;
    let second = params.beta2 * v[i] + params.one_minus_beta2 * g * g;
    m[i] = first;
    v[i] = second;
    parameter[i] = p - lr[r] / now.y * (first / (sqrt(second) / sqrt(now.z) + params.epsilon));
}

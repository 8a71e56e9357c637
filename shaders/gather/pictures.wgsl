// gather_pictures: the pictures of this step's batch, x = scale · p + shift.
//   order [R, steps·N] (row of the data set, 0xffffffff = no picture), clock [1] (number of the step),
//   pixels [count, H, W, C] as f32 bits or as unorm8, four to a word, x [R, N, H, W, C]
// One invocation per value of x.
// Formula: x[r, n, i] = scale · pixels[order[r, clock·N + n], i] + shift; 0 where there is no picture.
// uses shared/grid
// uses shared/gather
// uses shared/pixel

@group(0) @binding(0) var<uniform> params: Gather;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> pixels: array<u32>;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = group_index(group, groups) * 64u + local;
    if at >= params.rows * params.size {
        return;
    }
    let picture = picture_of(at / params.size);
    if picture >= params.count {
        x[at] = 0.0;
        return;
    }
    x[at] = params.scale * pixel(picture * params.size + at % params.size) + params.shift;
}

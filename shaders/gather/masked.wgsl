// gather_masked: the pictures of this step's batch, with all that the explanation leaves out replaced by `fill`.
//   order [R, steps·N] (row of the data set, 0xffffffff = no picture), clock [1] (number of the step),
//   pixels [count, H, W, C] as f32 bits or as unorm8, masks [count, H, W] unorm8, four to a word (255 = relevant),
//   fill [C] in the scaled range, x [R, N, H, W, C]
// One invocation per value of x.
// Formula: x' = e · (scale · p + shift) + (1 − e) · fill, with e = mask / 255, or, where `hard` is 1,
// e = 1 for mask / 255 ≥ 1/2 and else 0; x' = 0 where there is no picture.
// e is exactly 1 at 255, so that a mask of ones gives the very bits of gather_pictures.
// uses shared/grid
// uses shared/gather
// uses shared/mask
// uses shared/pixel

@group(0) @binding(0) var<uniform> params: Gather;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> pixels: array<u32>;
@group(0) @binding(4) var<storage, read> masks: array<u32>;
@group(0) @binding(5) var<storage, read> fill: array<f32>;
@group(0) @binding(6) var<storage, read_write> x: array<f32>;

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
    let i = picture * params.size + at % params.size;
    let e = relevance(i / params.channels);
    x[at] = e * (params.scale * pixel(i) + params.shift) + (1.0 - e) * fill[i % params.channels];
}

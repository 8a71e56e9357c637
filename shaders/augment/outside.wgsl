// augment_outside: gather_outside, the mask turned as the geometry of its slot says.
//   order [R, steps·N] (row of the data set, 0xffffffff = no picture), clock [1] (number of the step),
//   geometry [R, steps·N, 7] (see shared/turned), masks [count, H, W] unorm8, four to a word (255 = relevant),
//   outside [R, N, H, W]
// One invocation per pixel.
// Formula: outside = 1 − e, with e as in augment_masked; 0 where there is no picture. Exactly 0 at a mask of 255.
// uses shared/grid
// uses shared/gather
// uses shared/mask
// uses shared/turned

@group(0) @binding(0) var<uniform> params: Gather;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> geometry: array<u32>;
@group(0) @binding(4) var<storage, read> masks: array<u32>;
@group(0) @binding(5) var<storage, read_write> outside: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = group_index(group, groups) * 64u + local;
    let pixels = params.size / params.channels;
    if at >= params.rows * pixels {
        return;
    }
    let row = at / pixels;
    let picture = picture_of(row);
    if picture >= params.count {
        outside[at] = 0.0;
        return;
    }
    outside[at] = irrelevance(nearest(picture, slot_of(row), at % pixels));
}

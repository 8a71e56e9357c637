// gather_outside: how far each pixel of this step's batch lies outside of its explanation.
//   order [R, steps·N] (row of the data set, 0xffffffff = no picture), clock [1] (number of the step),
//   masks [count, H, W] unorm8, four to a word (255 = relevant), outside [R, N, H, W]
// One invocation per pixel.
// Formula: outside = 1 − e, with e as in gather_masked: mask / 255, or, where `hard` is 1, e = 1 for
// mask / 255 ≥ 1/2 and else 0; outside = 0 where there is no picture. Exactly 0 at a mask of 255.
// uses shared/grid
// uses shared/gather
// uses shared/mask

@group(0) @binding(0) var<uniform> params: Gather;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> masks: array<u32>;
@group(0) @binding(4) var<storage, read_write> outside: array<f32>;

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
    let picture = picture_of(at / pixels);
    if picture >= params.count {
        outside[at] = 0.0;
        return;
    }
    outside[at] = irrelevance(picture * pixels + at % pixels);
}

// augment_masked: gather_masked, picture and mask turned alike as the geometry of the slot says.
//   order [R, steps·N] (row of the data set, 0xffffffff = no picture), clock [1] (number of the step),
//   geometry [R, steps·N, 7] (see shared/turned), pixels [count, H, W, C] as f32 bits or as unorm8,
//   masks [count, H, W] unorm8, four to a word (255 = relevant), fill [C] in the scaled range, x [R, N, H, W, C]
// One invocation per value of x.
// Formula: x' = e · (scale · p + shift) + (1 − e) · fill, with p as in augment_pictures and e as in gather_masked, of the
// mask's pixel nearest to the source; x' = 0 where there is no picture.
// e is exactly 1 at 255, so that a mask of ones gives the very bits of augment_pictures.
// uses shared/grid
// uses shared/gather
// uses shared/mask
// uses shared/pixel
// uses shared/turned
// uses shared/turned_pixel

@group(0) @binding(0) var<uniform> params: Gather;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> geometry: array<u32>;
@group(0) @binding(4) var<storage, read> pixels: array<u32>;
@group(0) @binding(5) var<storage, read> masks: array<u32>;
@group(0) @binding(6) var<storage, read> fill: array<f32>;
@group(0) @binding(7) var<storage, read_write> x: array<f32>;

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
    let row = at / params.size;
    let picture = picture_of(row);
    if picture >= params.count {
        x[at] = 0.0;
        return;
    }
    let slot = slot_of(row);
    let position = at % params.size / params.channels;
    let channel = at % params.channels;
    let near = nearest(picture, slot, position);
    let e = relevance(near);
    x[at] = e * (params.scale * turned(picture, slot, position, channel) + params.shift) + (1.0 - e) * fill[channel];
}

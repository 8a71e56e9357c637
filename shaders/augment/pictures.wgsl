// augment_pictures: gather_pictures, each picture turned, shifted, zoomed and lit as the geometry of its slot says.
//   order [R, steps·N] (row of the data set, 0xffffffff = no picture), clock [1] (number of the step),
//   geometry [R, steps·N, 7] (see shared/turned), pixels [count, H, W, C] as f32 bits or as unorm8, x [R, N, H, W, C]
// One invocation per value of x.
// Formula: x[r, n, i] = scale · p + shift, p = min(1, brightness · the picture at the source of i), bilinear, edges
// replicated; 0 where there is no picture. A geometry that moves nothing gives the bits of gather_pictures.
// uses shared/grid
// uses shared/gather
// uses shared/pixel
// uses shared/turned
// uses shared/turned_pixel

@group(0) @binding(0) var<uniform> params: Gather;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> geometry: array<u32>;
@group(0) @binding(4) var<storage, read> pixels: array<u32>;
@group(0) @binding(5) var<storage, read_write> x: array<f32>;

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
    let i = at % params.size;
    let p = turned(picture, slot_of(row), i / params.channels, i % params.channels);
    x[at] = params.scale * p + params.shift;
}

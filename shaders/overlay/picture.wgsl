// overlay_picture: a picture in the network's scale as the colours that it was made from.
//   x [positions, channels] in [-1, 1], texels [positions] (RGBA8, red in the lowest byte)
// One invocation per position.
// Formula: each channel's byte is ⌊127.5 · (x + 1) + 0.5⌋, held within 0 and 255; one channel is grey; alpha is 255.
// uses shared/grid

struct Picture {
    positions: u32,
    channels: u32,
}

@group(0) @binding(0) var<uniform> params: Picture;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> texels: array<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let p = group_index(group, groups) * 64u + local;
    if p >= params.positions {
        return;
    }
    var texel = 0xff000000u;
    for (var c = 0u; c < 3u; c++) {
        let value = x[p * params.channels + min(c, params.channels - 1u)];
        texel |= u32(clamp(127.5 * (value + 1.0) + 0.5, 0.0, 255.0)) << (8u * c);
    }
    texels[p] = texel;
}

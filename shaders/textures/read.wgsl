// A host's texture as RGBA8 texels in a buffer. It reads a texture, so it is no kernel over buffers and has no twin: its
// reference is in tests/embed/textures.rs.
//   image (2-d, any float format), texels [height, width] (RGBA8, red in the lowest byte)
// One invocation per texel.
// Formula: byte = ⌊255 · v + 1/2⌋ for the values v as loaded; where `code` is 1, R, G and B are coded as sRGB before, which the
// hardware has undone for a texture of an sRGB format, so that its very bytes come back; where `grey` is 1, red is all three.

struct Read {
    width: u32,
    height: u32,
    grey: u32,
    code: u32,
}

@group(0) @binding(0) var<uniform> params: Read;
@group(0) @binding(1) var image: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> texels: array<u32>;

// IEC 61966-2-1: linear light to coded values.
fn coded(v: vec3<f32>) -> vec3<f32> {
    return select(1.055 * pow(v, vec3(1.0 / 2.4)) - 0.055, 12.92 * v, v <= vec3(0.0031308));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= params.height {
        return;
    }
    var color = clamp(textureLoad(image, vec2<i32>(id.xy), 0), vec4(0.0), vec4(1.0));
    if params.grey == 1u {
        color = vec4(color.rrr, 1.0);
    }
    if params.code == 1u {
        color = vec4(coded(color.rgb), color.a);
    }
    let bytes = vec4<u32>(255.0 * color + 0.5);
    texels[id.y * params.width + id.x] = bytes.r | (bytes.g << 8u) | (bytes.b << 16u) | (bytes.a << 24u);
}

// Texels from a buffer, drawn over a host's texture. It draws, so it is no kernel over buffers and has no twin: its reference
// is in tests/embed/textures.rs.
//   texels [height, width] (RGBA8, red in the lowest byte)
// One triangle that covers the target; its size need not be that of the map.
// Formula: the pixel at column i of W shows column ⌊(2i + 1) · width / 2W⌋, the texel that lies under its centre; rows alike.
// Where `linear` is 1 the colour is decoded from sRGB, because a target of an sRGB format codes what it is given.

struct Draw {
    width: u32,
    height: u32,
    target_width: u32,
    target_height: u32,
    linear: u32,
}

@group(0) @binding(0) var<uniform> params: Draw;
@group(0) @binding(1) var<storage, read> texels: array<u32>;

@vertex
fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
    return vec4(f32(i32(i & 1u) * 4 - 1), f32(i32(i >> 1u) * 4 - 1), 0.0, 1.0);
}

// IEC 61966-2-1: coded values to linear light.
fn decoded(v: vec3<f32>) -> vec3<f32> {
    return select(pow((v + 0.055) / 1.055, vec3(2.4)), v / 12.92, v <= vec3(0.04045));
}

@fragment
fn color(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let i = vec2<u32>(position.xy);
    let column = min((2u * i.x + 1u) * params.width / (2u * params.target_width), params.width - 1u);
    let row = min((2u * i.y + 1u) * params.height / (2u * params.target_height), params.height - 1u);
    let texel = unpack4x8unorm(texels[row * params.width + column]);
    if params.linear == 1u {
        return vec4(decoded(texel.rgb), texel.a);
    }
    return texel;
}

// Offset down, offset across and first channel of four rows of the weight (C_in is a multiple of 4).
fn taps(quad: u32) -> vec3<u32> {
    let c_in = params.channels_in / 4u;
    let tap = quad / c_in;
    let across = tap % params.kernel_w * params.dilation_w;
    return vec3(tap / params.kernel_w * params.dilation_h, across, quad % c_in);
}

// The four channels of x that a tap meets at a position of y.
fn input(place: vec3<u32>, tap: vec3<u32>, within: bool) -> vec4<f32> {
    let h = place.y * params.stride_h + tap.x - params.padding_h; // huge where it is below 0
    let w = place.z * params.stride_w + tap.y - params.padding_w;
    let at = ((place.x * params.height + h) * params.width + w) * (params.channels_in / 4u) + tap.z;
    let inside = within && h < params.height && w < params.width;
    return select(vec4(0.0), x[select(0u, at, inside)], inside);
}

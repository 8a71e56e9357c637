// x channel by channel, under the taps of a window.
const PADDING: u32 = 0xffffffffu;

// Where the channels under one tap start in x.
fn source(window: vec3<u32>, tap: vec2<u32>) -> u32 {
    let h = window.y + tap.x - params.padding_h; // huge where it is below 0
    let w = window.z + tap.y - params.padding_w;
    let at = ((window.x * params.height + h) * params.width + w) * params.channels_in;
    return select(PADDING, at, h < params.height && w < params.width);
}

fn load(at: u32, c: u32) -> f32 {
    return select(x[select(at + c, 0u, at == PADDING)], 0.0, at == PADDING);
}

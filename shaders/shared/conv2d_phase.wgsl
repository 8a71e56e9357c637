// d_y in vec4, as the positions of x in one phase reach it.
const OUTSIDE: u32 = 0xffffffffu;

// Picture, row and column of the nth position of a phase. Row and column may lie just outside of x.
fn place(replica: u32, phase: vec2<u32>, nth: u32) -> vec3<u32> {
    let width = (params.width + params.stride_w - 1u) / params.stride_w;
    let height = (params.height + params.stride_h - 1u) / params.stride_h;
    let row = nth / width;
    let image = replica * params.batch + row / height;
    return vec3(image, row % height * params.stride_h + phase.x, nth % width * params.stride_w + phase.y);
}

// Where the channels of y that a tap reaches start, in vec4. The tap divides.
fn source(place: vec3<u32>, tap: vec2<u32>) -> u32 {
    let h = (place.y + params.padding_h - tap.x) / params.stride_h; // huge where it is below 0
    let w = (place.z + params.padding_w - tap.y) / params.stride_w;
    let above = place.y + params.padding_h < tap.x || place.z + params.padding_w < tap.y;
    let at = ((place.x * params.height_out + h) * params.width_out + w) * (params.channels_out / 4u);
    return select(at, OUTSIDE, above || h >= params.height_out || w >= params.width_out);
}

fn load(at: u32, o: u32) -> vec4<f32> {
    return select(d_y[select(at + o, 0u, at == OUTSIDE)], vec4(0.0), at == OUTSIDE);
}

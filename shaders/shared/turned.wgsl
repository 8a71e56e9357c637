// Where position `at` of the picture in a slot comes from: row and column in 2⁻¹⁷ of a pixel, 0 the middle of the first
// one. geometry = (yy, yx, xy, xx in 2⁻¹⁶, y, x in 2⁻¹⁷ of a pixel, brightness); positions count from the middle of the
// picture. Whole numbers, so that every device agrees to the bit.
fn came_from(slot: u32, at: u32) -> vec2<i32> {
    let size = vec2(i32(params.size / params.channels / params.width), i32(params.width));
    // In half pixels from the middle.
    let p = 2 * vec2(i32(at / params.width), i32(at % params.width)) + 1 - size;
    let g = slot * 7u;
    let y = bitcast<i32>(geometry[g]) * p.x + bitcast<i32>(geometry[g + 1u]) * p.y;
    let x = bitcast<i32>(geometry[g + 2u]) * p.x + bitcast<i32>(geometry[g + 3u]) * p.y;
    let offset = vec2(bitcast<i32>(geometry[g + 4u]), bitcast<i32>(geometry[g + 5u]));
    return vec2(y, x) + offset + (size - 1) * 65536;
}

// The pixel of a picture at a row and column; the edge goes on outside.
fn position_of(picture: u32, place: vec2<i32>) -> u32 {
    let height = params.size / params.channels / params.width;
    let inside = vec2<u32>(clamp(place, vec2(0), vec2(i32(height), i32(params.width)) - 1));
    return (picture * height + inside.x) * params.width + inside.y;
}

// The nearest pixel: masks are not blended.
fn nearest(picture: u32, slot: u32, at: u32) -> u32 {
    return position_of(picture, (came_from(slot, at) + 65536) >> vec2(17u));
}

// The pixel value p in [0, 1] at position `at` of the picture in a slot: blended from the four around its source, whose
// weights are whole multiples of 2⁻¹⁶, times the brightness, at most 1.
fn turned(picture: u32, slot: u32, at: u32, channel: u32) -> f32 {
    let source = (came_from(slot, at) + 256) >> vec2(9u);
    let place = source >> vec2(8u);
    let part = source & vec2(255);
    var sum = 0.0;
    for (var tap = 0; tap < 4; tap++) {
        let far = vec2(tap / 2, tap % 2);
        let weight = select(256 - part, part, far == vec2(1));
        let position = position_of(picture, place + far);
        sum += f32(weight.x * weight.y) / 65536.0 * pixel(position * params.channels + channel);
    }
    let value = bitcast<f32>(geometry[slot * 7u + 6u]) * sum;
    return select(value, 1.0, value > 1.0);
}

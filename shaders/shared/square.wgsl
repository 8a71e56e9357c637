// Four rows of four outputs of the weight. `at` and `row`, the length of a row, count in vec4.
fn square(at: u32, row: u32) -> mat4x4<f32> {
    return mat4x4(weight[at], weight[at + row], weight[at + 2u * row], weight[at + 3u * row]);
}

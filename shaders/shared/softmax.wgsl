// A tensor [rows, length, inner] cut into rows · inner groups of `length` values each, `inner` apart.
struct Softmax {
    groups: u32,
    length: u32,
    inner: u32,
    temperature: f32,
}

// Where the first value of a group lies.
fn first_of(g: u32) -> u32 {
    return g / params.inner * params.length * params.inner + g % params.inner;
}

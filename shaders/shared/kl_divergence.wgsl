// The divergences of t from z, both [rows, length, inner]: groups = rows · inner, T the temperature, rows = R · batch.
struct KlDivergence {
    groups: u32,
    length: u32,
    inner: u32,
    batch: u32,
    temperature: f32,
}

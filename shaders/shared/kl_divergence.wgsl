struct KlDivergence {
    groups: u32,
    length: u32,
    inner: u32,
    batch: u32,
    temperature: f32,
}

struct Gate {
    count: u32,
    slope: f32,
}

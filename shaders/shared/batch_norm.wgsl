// The numbers of a batch normalisation.
struct BatchNorm {
    replicas: u32,
    batch: u32,        // N
    positions: u32,    // P = H·W
    channels: u32,     // C
    slices: u32,       // S of a cut sum
    slice_length: u32, // rows per slice
    momentum: f32,
    epsilon: f32,
}

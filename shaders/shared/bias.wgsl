// The numbers of a bias gradient.
struct Bias {
    replicas: u32,
    rows: u32,
    channels: u32,
    slices: u32,
    slice_length: u32,
}

// The numbers of a diagonal linear layer, for all its kernels.
struct Diagonal {
    replicas: u32,
    batch: u32,
    features: u32,
    slices: u32,
    slice_length: u32,
}

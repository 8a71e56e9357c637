// The numbers of a linear layer, for all its kernels.
struct Linear {
    replicas: u32,
    batch: u32,
    features_in: u32,
    features_out: u32,
    slices: u32,
    slice_length: u32,
    relu: u32,
}

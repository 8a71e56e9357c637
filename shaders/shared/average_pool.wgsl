// The numbers of a global average pooling, for both its kernels. Replicas count as pictures.
struct AveragePool {
    images: u32,
    positions: u32,
    channels: u32,
}

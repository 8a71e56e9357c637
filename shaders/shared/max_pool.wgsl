// The numbers of a max pooling, for both its kernels. Replicas count as pictures.
struct MaxPool {
    images: u32,
    height: u32,
    width: u32,
    channels: u32,
    height_out: u32,
    width_out: u32,
    kernel_h: u32,
    kernel_w: u32,
    stride_h: u32,
    stride_w: u32,
    padding_h: u32,
    padding_w: u32,
}

// The numbers of a sum over slices.
struct SumSlices {
    replicas: u32,
    slices: u32,
    length: u32,
}

// The numbers of a normalisation, for the kernels that group and batch normalisation share.
struct Normalization {
    replicas: u32,
    batch: u32,        // N
    positions: u32,    // H·W
    channels: u32,     // C
    groups: u32,       // G, each of C / G neighbouring channels
    span: u32,         // pictures that share their statistics: 1, or N
    slices: u32,       // S, backward_weight only
    slice_length: u32, // rows per slice, backward_weight only
}

// Place of mean and inverse deviation of channel c in picture `row` = r·N + n.
fn statistics_of(row: u32, c: u32) -> u32 {
    return (row / params.span * params.groups + c / (params.channels / params.groups)) * 2u;
}

// Values of a channel that count: positions of the pictures of a replica whose weight is not 0. Padding has weight 0.
fn values_present(replica: u32) -> u32 {
    var pictures = 0u;
    for (var n = 0u; n < params.batch; n++) {
        pictures += select(0u, 1u, present[replica * params.batch + n] != 0.0);
    }
    return pictures * params.positions;
}

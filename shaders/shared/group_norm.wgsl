// The numbers of a group normalisation.
struct GroupNorm {
    rows: u32,      // R·N
    batch: u32,     // N
    positions: u32, // P = H·W
    channels: u32,  // C
    groups: u32,    // G
    epsilon: f32,
}

// Place of value i of a group, i < P·C/G, in [rows, P, C]: its C/G channels lie side by side at each position.
fn place_of(row: u32, group: u32, i: u32) -> u32 {
    let width = params.channels / params.groups;
    return (row * params.positions + i / width) * params.channels + group * width + i % width;
}

struct Gather {
    rows: u32,      // R·N
    batch: u32,     // N
    steps: u32,     // of an epoch: L / N
    count: u32,     // pictures in the data set
    size: u32,      // values of a picture: H·W·C
    width: u32,     // W
    channels: u32,  // C
    classes: u32,   // K
    packed: u32,    // 1: pixels are unorm8, four to a word
    hard: u32,      // 1: a mask counts as 1 from one half on, else as 0
    scale: f32,
    shift: f32,
}

// The slot of the order that batch row `row` = r·N + n takes at this step: [r, clock·N + n].
fn slot_of(row: u32) -> u32 {
    return (row / params.batch * params.steps + clock[0]) * params.batch + row % params.batch;
}

// The picture in that slot. What is `count` or more is no picture.
fn picture_of(row: u32) -> u32 {
    if clock[0] >= params.steps {
        return params.count;
    }
    return order[slot_of(row)];
}

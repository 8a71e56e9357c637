struct Gather {
    rows: u32,      // R·N
    batch: u32,     // N
    steps: u32,     // of an epoch: L / N
    count: u32,     // pictures in the data set
    size: u32,      // values of a picture: H·W·C
    channels: u32,  // C
    classes: u32,   // K
    packed: u32,    // 1: pixels are unorm8, four to a word
    hard: u32,      // 1: a mask counts as 1 from one half on, else as 0
    scale: f32,
    shift: f32,
}

// The picture in batch row `row` = r·N + n: order[r, clock·N + n]. What is `count` or more is no picture.
fn picture_of(row: u32) -> u32 {
    let step = clock[0];
    if step >= params.steps {
        return params.count;
    }
    return order[(row / params.batch * params.steps + step) * params.batch + row % params.batch];
}

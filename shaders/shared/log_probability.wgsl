// The numbers of the summed log-probability, for both its kernels.
struct LogProbability {
    rows: u32, // R·N
    classes: u32,
}

// The largest logit of a row, which is subtracted before exp; a NaN dropped here comes back through the sum.
fn largest_of(first: u32) -> f32 {
    var largest = logits[first];
    for (var k = 1u; k < params.classes; k++) {
        largest = max(largest, logits[first + k]);
    }
    return largest;
}

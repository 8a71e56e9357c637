// The ReLU behind a sum, where params.relu is 1. A NaN stays a NaN: max() may drop it.
fn activate(sum: f32) -> f32 {
    return select(sum, 0.0, sum < 0.0 && params.relu == 1u);
}

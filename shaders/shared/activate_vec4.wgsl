// The ReLU behind four sums, where params.relu is 1. A NaN stays a NaN: max() may drop it.
fn activate(sum: vec4<f32>) -> vec4<f32> {
    return select(sum, vec4(0.0), (sum < vec4(0.0)) & vec4(params.relu == 1u));
}

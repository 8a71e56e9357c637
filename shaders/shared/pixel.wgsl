// The pixel value p in [0, 1] at position i of the whole data set.
fn pixel(i: u32) -> f32 {
    if params.packed == 0u {
        return bitcast<f32>(pixels[i]);
    }
    return f32((pixels[i / 4u] >> (i % 4u * 8u)) & 255u) / 255.0;
}

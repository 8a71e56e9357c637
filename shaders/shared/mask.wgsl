// What a mask, unorm8 and four to a word, says of its pixel i: as it is, or, where `hard` is 1, from one half on or not.
fn mask_of(i: u32) -> u32 {
    return (masks[i / 4u] >> (i % 4u * 8u)) & 255u;
}

// 0 … 255 as 0 … 1, exact at either end.
fn share(mask: u32) -> f32 {
    if params.hard == 1u {
        return select(0.0, 1.0, mask >= 128u);
    }
    return select(f32(mask) / 255.0, 1.0, mask == 255u);
}

// e.
fn relevance(i: u32) -> f32 {
    return share(mask_of(i));
}

// 1 − e: 255 − mask is exact, and 128 and more on one side is 127 and less on the other.
fn irrelevance(i: u32) -> f32 {
    return share(255u - mask_of(i));
}

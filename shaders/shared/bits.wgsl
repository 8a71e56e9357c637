// WGSL may assume that there is no NaN, so x != x proves nothing: its bits do.
fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

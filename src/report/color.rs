//! Colours: a ramp that reads the same in grey, and blending.

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// Paper.
pub const WHITE: Rgb = [255, 255, 255];
/// Text.
pub const INK: Rgb = [28, 28, 32];
/// Secondary text.
pub const FAINT: Rgb = [105, 105, 112];
/// A prediction that is right. Blue and orange stay apart for every kind of colour vision.
pub const RIGHT: Rgb = [0, 90, 160];
/// A prediction that is wrong.
pub const WRONG: Rgb = [190, 70, 0];
/// The outline of a mask.
pub const OUTLINE: Rgb = [70, 225, 235];

/// Black, violet, red, orange, pale yellow: every stop lighter than the one before, so that a grey print keeps the
/// order.
const STOPS: [[f64; 3]; 6] = [
    [4.0, 4.0, 12.0],
    [62.0, 16.0, 104.0],
    [148.0, 40.0, 106.0],
    [222.0, 82.0, 52.0],
    [250.0, 168.0, 34.0],
    [252.0, 252.0, 186.0],
];

/// The colour of a value in [0, 1]; what lies outside takes the nearest end, NaN the low one.
pub fn heat(value: f64) -> Rgb {
    let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
    let at = value * (STOPS.len() - 1) as f64;
    let low = (at as usize).min(STOPS.len() - 2);
    std::array::from_fn(|i| {
        let (a, b) = (STOPS[low][i], STOPS[low + 1][i]);
        (a + (b - a) * (at - low as f64)).round() as u8
    })
}

/// The grey of a value in [0, 1].
pub fn grey(value: f64) -> Rgb {
    [(value.clamp(0.0, 1.0) * 255.0).round() as u8; 3]
}

/// `over` on `under`, with `alpha` in [0, 1].
pub fn blend(under: Rgb, over: Rgb, alpha: f64) -> Rgb {
    let alpha = if alpha.is_nan() { 0.0 } else { alpha.clamp(0.0, 1.0) };
    std::array::from_fn(|i| (f64::from(under[i]) * (1.0 - alpha) + f64::from(over[i]) * alpha).round() as u8)
}

/// How light a colour is, 0 to 255 (Rec. 709 weights on the coded values).
pub fn luminance(color: Rgb) -> f64 {
    0.2126 * f64::from(color[0]) + 0.7152 * f64::from(color[1]) + 0.0722 * f64::from(color[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_only_grows_lighter() {
        let lights: Vec<f64> = (0..=1000).map(|i| luminance(heat(f64::from(i) / 1000.0))).collect();
        // One step of rounding in green is 0.72.
        assert!(lights.windows(2).all(|pair| pair[1] >= pair[0] - 0.75));
        assert!(lights.iter().step_by(50).zip(lights.iter().skip(50).step_by(50)).all(|(a, b)| b > a));
        assert!(lights[0] < 10.0 && lights[1000] > 235.0);
    }

    #[test]
    fn values_outside_take_the_ends() {
        assert_eq!(heat(-3.0), heat(0.0));
        assert_eq!(heat(7.0), heat(1.0));
        assert_eq!(heat(f64::NAN), heat(0.0));
        assert_eq!(blend([10, 20, 30], [200, 200, 200], f64::NAN), [10, 20, 30]);
        assert_eq!(blend([10, 20, 30], [200, 200, 200], 2.0), [200, 200, 200]);
    }
}

//! e^x in f32 without a branch or a call, so that a loop over it runs in vector registers.

/// 1 / ln 2.
const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 to few bits, so that a small whole multiple of it is exact, and the rest.
const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];
/// Adding this rounds to a whole number, which then stands in the lowest bits.
const ROUND: f32 = 12_582_912.0;
/// Beyond ± this the result is exactly 0 or infinite.
const FAR: f32 = 150.0;

/// e^x = 2^n · e^r with n whole and |r| ≤ ln 2 / 2, e^r by its series up to r⁷ (what is left out is below 10⁻⁸). The
/// error is below 2⁻²³ of the result, or half a denormal; NaN and the infinities give what they should.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = if x < -FAR { -FAR } else { x };
    let x = if x > FAR { FAR } else { x };
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let series = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0))));
    let value = 1.0 + (r + r * r * (0.5 + r * series));
    // 2^n in two factors: either alone stays a normal number.
    let n = shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    let half = n >> 1;
    value * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23) as u32)
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn the_error_is_below_its_bound_everywhere() {
        const DENORMAL: f64 = 1.0 / (1u64 << 50) as f64 / (1u64 << 50) as f64 / (1u64 << 49) as f64;
        // Every 997th float of either sign, from 0 to beyond the infinite result.
        for bits in (0..200f32.to_bits()).step_by(997) {
            for x in [f32::from_bits(bits), -f32::from_bits(bits)] {
                let (found, expected) = (f64::from(exp(x)), f64::from(x).exp());
                if expected as f32 == f32::INFINITY || found == f64::INFINITY {
                    assert!(expected >= f64::from(f32::MAX) && found == f64::INFINITY, "{x}");
                    continue;
                }
                let bound = expected / f64::from(1u32 << 23) + 0.51 * DENORMAL;
                assert!((found - expected).abs() <= bound, "{x}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn special_values() {
        assert_eq!([0.0, -0.0].map(exp), [1.0; 2]);
        assert_eq!([f32::NEG_INFINITY, f32::MIN, -1e4].map(exp), [0.0; 3]);
        assert_eq!([f32::INFINITY, f32::MAX, 1e4].map(exp), [f32::INFINITY; 3]);
        assert!(exp(f32::NAN).is_nan() && exp(-f32::NAN).is_nan());
    }
}

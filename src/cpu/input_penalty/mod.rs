//! The squared input gradient outside of the mask.

pub mod forward;

crate::params! {
    /// Uniform of `input_penalty_forward`.
    pub struct InputPenalty {
        /// R·N.
        rows: u32,
        /// N.
        batch: u32,
        /// Values of a picture, H·W·C.
        size: u32,
        /// C.
        channels: u32,
        /// λ, the factor of the gradient.
        scale: f32,
    }
}

#[cfg(test)]
mod tests {
    use crate::cpu::testing::{assert_near, normals, run, slopes};
    use crate::ops::input_penalty;

    const DIMS: [usize; 5] = [2, 2, 3, 2, 2];
    const WEIGHT: [f64; 4] = [1.0, 0.5, 0.0, 2.0];
    const NORM: [f64; 2] = [1.5, 4.0];

    fn forward(g: &[f64], outside: &[f64]) -> [Vec<f64>; 2] {
        let inputs = [
            ("g", &DIMS[..], g),
            ("outside", &DIMS[..4], outside),
            ("weight", &DIMS[..2], &WEIGHT),
            ("norm", &DIMS[..1], &NORM),
        ];
        run::<f64, 2>(&inputs, |plan, x| {
            let (losses, d_g) = input_penalty::forward(plan, "penalty", x[0], x[1], x[2], x[3], 0.75)?;
            Ok([losses, d_g])
        })
    }

    #[test]
    fn losses_are_weighted_squares_outside_and_d_g_is_their_slope() {
        let (g, outside) = (normals(1, 48), normals(2, 24));
        let [losses, d_g] = forward(&g, &outside);
        for (row, loss) in losses.iter().enumerate() {
            let squares = (0..12).map(|i| (g[row * 12 + i] * outside[row * 6 + i / 2]).powi(2));
            assert_near(&[*loss], &[WEIGHT[row] * squares.sum::<f64>()], 1e-13, 0.0);
        }
        let expected = slopes(&g, |g| {
            let [losses, _] = forward(g, &outside);
            losses.iter().enumerate().map(|(row, loss)| 0.75 * loss / NORM[row / 2]).sum()
        });
        assert_near(&d_g, &expected, 1e-8, 1e-8);
    }

    #[test]
    fn a_nan_is_hidden_by_a_weight_of_0_alone() {
        let mut g = normals(1, 48);
        (g[1], g[25]) = (f64::NAN, f64::NAN);
        let [losses, d_g] = forward(&g, &[0.5; 24]);
        assert!(losses[0].is_nan() && d_g[1].is_nan() && d_g[0].is_finite());
        assert_eq!(losses[2], 0.0);
        assert_eq!(d_g[24..36], [0.0; 12]);
    }
}

//! What the model looks at, drawn into a texture of the host.

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// |d log p(predicted class) / dx| at each pixel, over the channels' root of squares, as a share of the picture's largest.
    InputGradient,
    /// What the mapping layer lets through at each position of f(x): |w| of the diagonal, or the gate's g for this picture, over
    /// the channels' root of squares, as a share of the largest.
    Mapping,
    /// x′: the picture with what its mask leaves out replaced by the fill. In its own colours.
    MaskedInput,
}

/// 256 colours, RGBA, for the values 0 to 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColorMap {
    pub(super) colors: Vec<[u8; 4]>,
}

impl ColorMap {
    /// Black, violet, red, orange, pale yellow: every colour lighter than the one before.
    pub fn heat() -> Self {
        Self::between(&[
            [4, 4, 12],
            [62, 16, 104],
            [148, 40, 106],
            [222, 82, 52],
            [250, 168, 34],
            [252, 252, 186],
        ])
    }

    /// Black to white.
    pub fn grey() -> Self {
        Self::between(&[[0, 0, 0], [255, 255, 255]])
    }

    /// Straight lines between these colours, evenly spaced. Without any: black.
    pub fn between(stops: &[[u8; 3]]) -> Self {
        let color = |i: usize| {
            let at = i as f64 / 255.0 * stops.len().saturating_sub(1) as f64;
            let low = stops.get(at as usize).copied().unwrap_or_default();
            let high = stops.get(at as usize + 1).copied().unwrap_or(low);
            let share = at.fract();
            let mix = |c: usize| f64::from(low[c]) * (1.0 - share) + f64::from(high[c]) * share;
            [mix(0).round() as u8, mix(1).round() as u8, mix(2).round() as u8, 255]
        };
        Self { colors: (0..256).map(color).collect() }
    }

    /// A table of one's own.
    pub fn custom(colors: &[[u8; 4]; 256]) -> Self {
        Self { colors: colors.to_vec() }
    }
}

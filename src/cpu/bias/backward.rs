//! Twin of `shaders/bias/backward.wgsl`: d_bias = sum of d_y over its rows, in slices.

use super::Bias;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads d_y `[R, M, C]`; writes d_bias `[R, S, C]`, each slice s the sum over its own rows.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Bias = args.params()?;
    let (d_y, d_bias) = (args.read()?, args.write()?);
    let (rows, channels) = (p.rows as usize, p.channels as usize);
    let (slices, length) = (p.slices as usize, p.slice_length as usize);
    parallel::chunks(d_bias, channels, |i, d_bias| {
        let (replica, first) = (i / slices, i % slices * length);
        let end = (first + length).min(rows);
        d_bias.fill(T::ZERO);
        for row in
            d_y[(replica * rows + first) * channels..(replica * rows + end) * channels].chunks(channels)
        {
            for (d_bias, &d_y) in d_bias.iter_mut().zip(row) {
                *d_bias += d_y;
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::check::{assert_close, call, differences, normal};

    #[test]
    fn is_the_derivative_of_adding_a_bias() {
        let p = Bias { replicas: 2, rows: 5, channels: 3, slices: 2, slice_length: 3 };
        let (bias, d_y) = (normal(6, 1), normal(30, 2));
        let parts = call(run::<f64>, &p, &[&d_y], 12);
        let sums: Vec<f64> =
            (0..6).map(|i| parts[i / 3 * 6 + i % 3] + parts[i / 3 * 6 + 3 + i % 3]).collect();
        let expected = differences(&bias, &d_y, |b| (0..30).map(|i| b[i / 15 * 3 + i % 3]).collect());
        assert_close(&sums, &expected, 1e-9);
    }
}

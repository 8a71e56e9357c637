//! Twin of `shaders/normalize/backward_weight.wgsl`: d_weight = Σ x̂ d_y, in slices over the positions of all pictures.

use super::{Normalization, channel_sums};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, P, C]`, statistics `[R·N / span, G, 2]`, d_y like x; writes d_weight `[R, S, C]`, each slice s the sum
/// over its own rows.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Normalization = args.params()?;
    let (x, statistics, d_y, d_weight) = (args.read()?, args.read()?, args.read()?, args.write()?);
    let (channels, positions) = (p.channels as usize, p.positions as usize);
    let (slices, length) = (p.slices as usize, p.slice_length as usize);
    let rows = p.batch as usize * positions;
    parallel::chunks(d_weight, channels, |i, d_weight| {
        let (replica, first) = (i / slices, i % slices * length);
        let end = (first + length).min(rows);
        d_weight.fill(T::ZERO);
        let mut at = first;
        while at < end {
            // As far as one picture goes, with one set of statistics.
            let picture = at / positions;
            let stop = ((picture + 1) * positions).min(end);
            let [mean, inverse] = p.channels(statistics, replica * p.batch as usize + picture);
            let sums = channel_sums(channels, at..stop, |m, sums| {
                let row = (replica * rows + m) * channels;
                let (x, d_y) = (&x[row..][..channels], &d_y[row..][..channels]);
                for c in 0..channels {
                    sums[c] += (x[c] - mean[c]) * inverse[c] * d_y[c];
                }
            });
            d_weight.iter_mut().zip(&sums).for_each(|(d_weight, &sum)| *d_weight += sum);
            at = stop;
        }
    });
    Ok(())
}

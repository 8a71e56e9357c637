//! Twin of `shaders/group_norm/backward_input.wgsl`: d_x = ρ (g − mean of g − x̂ · mean of g x̂), g = weight · d_y.

use super::{GroupNorm, of_groups};
use crate::cpu::normalize::channel_sums;
use crate::cpu::{ArgError, Args, Real, Scratch, parallel};

/// Reads x `[R·N, P, C]`, statistics `[R·N, G, 2]`, weight `[R, C]`, d_y like x; writes d_x like x.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: GroupNorm = args.params()?;
    let (x, statistics, weight, d_y) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let d_x = args.write()?;
    let [positions, channels, groups] = [p.positions, p.channels, p.groups].map(|n| n as usize);
    let width = channels / groups;
    let size = positions * channels;
    let count = T::from_usize(positions * width);
    parallel::chunks(d_x, size, |row, d_x| {
        let (x, d_y) = (&x[row * size..][..size], &d_y[row * size..][..size]);
        let own = &statistics[row * groups * 2..][..groups * 2];
        let wide = |values: &dyn Fn(usize) -> T| -> Scratch<T> {
            (0..channels).map(|c| values(c / width)).collect()
        };
        let (mean, inverse) = (wide(&|group| own[group * 2]), wide(&|group| own[group * 2 + 1]));
        let weight = &weight[row / p.batch as usize * channels..][..channels];
        let sums = channel_sums(channels, 0..positions, |position, sums: &mut [T]| {
            for (c, sum) in sums.iter_mut().enumerate() {
                *sum += weight[c] * d_y[position * channels + c];
            }
        });
        let along = channel_sums(channels, 0..positions, |position, sums: &mut [T]| {
            let (x, d_y) = (&x[position * channels..][..channels], &d_y[position * channels..][..channels]);
            for (c, sum) in sums.iter_mut().enumerate() {
                *sum += weight[c] * d_y[c] * ((x[c] - mean[c]) * inverse[c]);
            }
        });
        let (sums, along) = (of_groups(&sums, groups), of_groups(&along, groups));
        let (offset, slope) = (wide(&|group| sums[group] / count), wide(&|group| along[group] / count));
        let rows = x.chunks_exact(channels).zip(d_y.chunks_exact(channels));
        for (d_x, (x, d_y)) in d_x.chunks_exact_mut(channels).zip(rows) {
            for c in 0..channels {
                let normal = (x[c] - mean[c]) * inverse[c];
                d_x[c] = inverse[c] * (weight[c] * d_y[c] - offset[c] - normal * slope[c]);
            }
        }
    });
    Ok(())
}

//! Twin of `shaders/group_norm/statistics.wgsl`: mean and inverse deviation of each group in each picture.

use super::{GroupNorm, of_groups};
use crate::cpu::normalize::channel_sums;
use crate::cpu::{ArgError, Args, Real, Scratch, parallel};

/// Reads x `[R·N, P, C]`; writes statistics `[R·N, G, 2]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: GroupNorm = args.params()?;
    let (x, statistics) = (args.read()?, args.write()?);
    let [positions, channels, groups] = [p.positions, p.channels, p.groups].map(|n| n as usize);
    let width = channels / groups;
    let count = T::from_usize(positions * width);
    parallel::chunks(statistics, groups * 2, |row, statistics| {
        let x = &x[row * positions * channels..][..positions * channels];
        let at = |position: usize| &x[position * channels..][..channels];
        let sums = channel_sums(channels, 0..positions, |position, sums: &mut [T]| {
            sums.iter_mut().zip(at(position)).for_each(|(sum, &x)| *sum += x);
        });
        let means: Scratch<T> = of_groups(&sums, groups).iter().map(|&sum| sum / count).collect();
        let wide: Scratch<T> = (0..channels).map(|c| means[c / width]).collect();
        let squares = channel_sums(channels, 0..positions, |position, sums: &mut [T]| {
            for ((sum, &x), &mean) in sums.iter_mut().zip(at(position)).zip(&wide) {
                *sum += (x - mean) * (x - mean);
            }
        });
        let squares = of_groups(&squares, groups);
        for ((out, &mean), &squares) in statistics.chunks_exact_mut(2).zip(&means).zip(&squares) {
            out[0] = mean;
            out[1] = T::ONE / (squares / count + T::from_f32(p.epsilon)).sqrt();
        }
    });
    Ok(())
}

//! Twin of `shaders/reduce/sum_slices.wgsl`: adds the slices of a cut sum.

use super::SumSlices;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads partial `[R, S, L]`, writes out `[R, L]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: SumSlices = args.params()?;
    let (partial, out) = (args.read()?, args.write()?);
    let (slices, length) = (p.slices as usize, p.length as usize);
    let chunk = parallel::even_chunk(length);
    for (partial, out) in partial.chunks_exact(slices * length).zip(out.chunks_exact_mut(length)) {
        parallel::chunks(out, chunk, |i, out| {
            out.fill(T::ZERO);
            for slice in partial.chunks_exact(length) {
                for (out, &value) in out.iter_mut().zip(&slice[i * chunk..]) {
                    *out += value;
                }
            }
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::check::call;

    #[test]
    fn adds_slice_by_slice() {
        let p = SumSlices { replicas: 2, slices: 3, length: 2 };
        let partial: Vec<f64> = (0..12).map(f64::from).collect();
        assert_eq!(call(run::<f64>, &p, &[&partial], 4), [6.0, 9.0, 24.0, 27.0]);
    }
}

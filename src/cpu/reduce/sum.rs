//! Twin of `shaders/reduce/sum.wgsl`: one pass of a sum over everything but the replicas.

use super::Sum;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, L]`, writes out `[R, S]`: out s is the sum of the elements s, s + S, s + 2 S …
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Sum = args.params()?;
    let (x, out) = (args.read()?, args.write()?);
    let (length, slices) = (p.length as usize, p.slices as usize);
    parallel::chunks(out, slices, |replica, out| {
        out.fill(T::ZERO);
        for row in x[replica * length..][..length].chunks(slices) {
            for (out, &x) in out.iter_mut().zip(row) {
                *out += x;
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::check::call;

    #[test]
    fn strided_sums() {
        let x: Vec<f64> = (0..14).map(f64::from).collect();
        let p = Sum { replicas: 2, length: 7, slices: 3 };
        // 0+3+6, 1+4, 2+5, then the same seven higher.
        assert_eq!(call(run::<f64>, &p, &[&x], 6), [9.0, 5.0, 7.0, 30.0, 19.0, 21.0]);
        assert_eq!(call(run::<f64>, &Sum { slices: 1, ..p }, &[&x], 2), [21.0, 70.0]);
    }
}

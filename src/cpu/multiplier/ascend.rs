//! Twin of `shaders/multiplier/ascend.wgsl`: mu ← max(0, mu + rho · (total / norm − epsilon)).

use super::Ascend;
use crate::cpu::{ArgError, Args, Real};

/// Reads total and norm `[R]`, updates multiplier `[R]`; it stays where norm is 0. A NaN stays a NaN.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let Ascend { epsilon, rate, .. } = args.params()?;
    let (epsilon, rate) = (T::from_f32(epsilon), T::from_f32(rate));
    let (total, norm, multiplier) = (args.read()?, args.read()?, args.write()?);
    for ((&total, &norm), mu) in total.iter().zip(norm).zip(multiplier) {
        if norm == T::ZERO {
            continue;
        }
        let next = *mu + rate * (total / norm - epsilon);
        *mu = if next < T::ZERO { T::ZERO } else { next };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Slice;

    #[test]
    fn the_multiplier_rises_above_epsilon_falls_below_it_and_is_never_negative() {
        let params = Ascend { replicas: 6, epsilon: 0.25, rate: 0.5 };
        let total = [2.0, 0.5, 0.0, 9.0, f64::NAN, 1.0];
        let norm = [4.0, 4.0, 4.0, 0.0, 4.0, 4.0];
        let mut multiplier = [1.0, 1.0, 0.0625, 3.0, 1.0, f64::NAN];
        let slices = vec![Slice::Read(&total), Slice::Read(&norm), Slice::Write(&mut multiplier)];
        run(&mut Args::new(bytemuck::bytes_of(&params), slices)).unwrap();
        assert_eq!(multiplier[..4], [1.125, 0.9375, 0.0, 3.0]);
        assert!(multiplier[4].is_nan() && multiplier[5].is_nan());
    }
}

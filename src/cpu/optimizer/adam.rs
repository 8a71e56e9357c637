//! Twin of `shaders/optimizer/adam.wgsl`: one update by Adam or AdamW, in place.

use super::Adam;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads gradient `[R, size]`, tick `[R, 4]` and lr `[R]`; updates parameter, m and v `[R, size]` of the replicas
/// that are active.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let adam: Adam = args.params()?;
    let size = adam.size as usize;
    let (beta1, other1) = (T::from_f32(adam.beta1), T::from_f32(adam.one_minus_beta1));
    let (beta2, other2) = (T::from_f32(adam.beta2), T::from_f32(adam.one_minus_beta2));
    let (epsilon, decay) = (T::from_f32(adam.epsilon), T::from_f32(adam.weight_decay));
    let (gradient, tick, lr) = (args.read()?, args.read()?, args.read()?);
    let (parameter, m, v) = (args.write()?, args.write()?, args.write()?);
    let moments = m.chunks_mut(size).zip(v.chunks_mut(size));
    let replicas = gradient.chunks(size).zip(parameter.chunks_mut(size)).zip(moments);
    for (r, ((gradient, parameter), (m, v))) in replicas.enumerate() {
        let &[_, correction1, correction2, active] = &tick[r * 4..][..4] else { continue };
        if active == T::ZERO {
            continue;
        }
        let step = lr[r] / correction1;
        let root2 = correction2.sqrt();
        let (shrink, l2) =
            if adam.decoupled == 1 { (T::ONE - lr[r] * decay, T::ZERO) } else { (T::ONE, decay) };
        let chunk = parallel::even_chunk(size);
        parallel::chunks3([parameter, m, v], chunk, |i, [parameter, m, v]| {
            let gradient = &gradient[i * chunk..];
            for (((p, &g), m), v) in parameter.iter_mut().zip(gradient).zip(m).zip(v) {
                let g = g + l2 * *p;
                *m = beta1 * *m + other1 * g;
                *v = beta2 * *v + other2 * g * g;
                *p = *p * shrink - step * (*m / (v.sqrt() / root2 + epsilon));
            }
        });
    }
    Ok(())
}

//! Twin of `shaders/optimizer/sgd.wgsl`: one update by gradient descent with momentum, in place.

use super::Sgd;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads gradient `[R, size]`, tick `[R, 4]` and lr `[R]`; updates parameter and velocity `[R, size]` of the replicas
/// that are active.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let sgd: Sgd = args.params()?;
    let size = sgd.size as usize;
    let (momentum, decay) = (T::from_f32(sgd.momentum), T::from_f32(sgd.weight_decay));
    let (gradient, tick, lr) = (args.read()?, args.read()?, args.read()?);
    let (parameter, velocity) = (args.write()?, args.write()?);
    let replicas = gradient.chunks(size).zip(parameter.chunks_mut(size).zip(velocity.chunks_mut(size)));
    for (r, (gradient, (parameter, velocity))) in replicas.enumerate() {
        if tick[r * 4 + 3] == T::ZERO {
            continue;
        }
        let chunk = parallel::even_chunk(size);
        parallel::chunks2((parameter, chunk), (velocity, chunk), |i, parameter, velocity| {
            // By value, or each store might change them and nothing would go into vector registers.
            let (momentum, decay, rate, nesterov) = (momentum, decay, lr[r], sgd.nesterov == 1);
            let gradient = &gradient[i * chunk..];
            for ((p, &g), velocity) in parameter.iter_mut().zip(gradient).zip(velocity) {
                let g = g + decay * *p;
                *velocity = momentum * *velocity + g;
                let direction = if nesterov { g + momentum * *velocity } else { *velocity };
                *p = *p - rate * direction;
            }
        });
    }
    Ok(())
}

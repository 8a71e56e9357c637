//! Twin of `shaders/dropout/forward.wgsl`: y = scale · x where the element is kept, else 0.

use super::{Dropout, mix};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads key `[R, 2]`, clock `[1]`, x `[R, size]`; writes y like x.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Dropout = args.params()?;
    let (key, clock) = (args.read_index()?, args.read_index()?);
    let (x, y) = (args.read()?, args.write()?);
    let (size, scale) = (p.size as usize, T::from_f32(p.scale));
    let chunk = parallel::even_chunk(y.len());
    let step = |replica: usize| {
        mix(mix(mix(key[replica * 2] ^ p.layer).wrapping_add(clock[0])) ^ key[replica * 2 + 1])
    };
    parallel::chunks(y, chunk, |i, y| {
        let first = i * chunk;
        let mut replica = first / size;
        let mut own = step(replica);
        for (k, (y, &x)) in y.iter_mut().zip(&x[first..]).enumerate() {
            let at = first + k;
            if at / size != replica {
                replica = at / size;
                own = step(replica);
            }
            let dropped = mix(own.wrapping_add((at % size) as u32)) < p.threshold;
            *y = if dropped { T::ZERO } else { scale * x };
        }
    });
    Ok(())
}

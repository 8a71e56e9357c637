//! Twin of `shaders/kl_divergence/forward.wgsl`: KL(softmax(t / T) ‖ softmax(z / T)) and its gradient in z.

use super::KlDivergence;
use crate::cpu::softmax::log_sum_exp;
use crate::cpu::{ArgError, Args, Real, lanes, parallel};

/// Reads t and z `[rows, length, inner]`, weight `[rows]` and norm `[R]`; writes losses `[rows, inner]` and d_z
/// like z. Both are exactly 0 where weight or norm is 0.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let KlDivergence { length, inner, batch, temperature, .. } = args.params()?;
    let (length, inner, batch) = (length as usize, inner as usize, batch as usize);
    let temperature = T::from_f32(temperature);
    let (t, z, weight, norm) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let (losses, d_z) = (args.write()?, args.write()?);
    let size = length * inner;
    parallel::chunks2((losses, inner), (d_z, size), |row, losses, d_z| {
        let (weight, norm) = (weight[row], norm[row / batch]);
        if weight == T::ZERO || norm == T::ZERO {
            losses.fill(T::ZERO);
            d_z.fill(T::ZERO);
            return;
        }
        let (t, z) = (&t[row * size..][..size], &z[row * size..][..size]);
        let share = weight / T::from_usize(inner);
        let factor = share / (norm * temperature);
        for (g, loss) in losses.iter_mut().enumerate() {
            let (t_max, t_log) = log_sum_exp(length, temperature, |i| t[g + i * inner]);
            let (z_max, z_log) = log_sum_exp(length, temperature, |i| z[g + i * inner]);
            let divergence = lanes::sum(length, |i| {
                let at = g + i * inner;
                let log_p = (t[at] - t_max) / temperature - t_log;
                let log_q = (z[at] - z_max) / temperature - z_log;
                let p = log_p.exp();
                d_z[at] = factor * (log_q.exp() - p);
                // 0 · log 0 = 0, also where log p is −∞ or log q is.
                if p == T::ZERO { T::ZERO } else { p * (log_p - log_q) }
            });
            *loss = share * divergence;
        }
    });
    Ok(())
}

//! Twin of `shaders/kl_divergence/forward.wgsl` and its variants: KL(softmax(t / T) ‖ softmax(z / T)), its gradient in z.

use super::KlDivergence;
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
        let mut exp_t = vec![T::ZERO; length];
        for (g, loss) in losses.iter_mut().enumerate() {
            let t_max = lanes::max(length, |i| t[g + i * inner]);
            let z_max = lanes::max(length, |i| z[g + i * inner]);
            let p_sum = lanes::sum(length, |i| {
                exp_t[i] = ((t[g + i * inner] - t_max) / temperature).exp();
                exp_t[i]
            });
            let q_sum = lanes::sum(length, |i| {
                let at = g + i * inner;
                d_z[at] = ((z[at] - z_max) / temperature).exp();
                d_z[at]
            });
            let (p_log, q_log) = (p_sum.ln(), q_sum.ln());
            let divergence = lanes::sum(length, |i| {
                let at = g + i * inner;
                let log_p = (t[at] - t_max) / temperature - p_log;
                let log_q = (z[at] - z_max) / temperature - q_log;
                let (p, q) = (exp_t[i] / p_sum, d_z[at] / q_sum);
                d_z[at] = factor * (q - p);
                // 0 · log 0 = 0, also where log p is −∞ or log q is.
                if p == T::ZERO { T::ZERO } else { p * (log_p - log_q) }
            });
            *loss = share * divergence;
        }
    });
    Ok(())
}

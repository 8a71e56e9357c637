//! Twin of `shaders/kl_divergence/forward.wgsl` and its variants: KL(softmax(t / T) ‖ softmax(z / T)), its gradient in z.

use super::{Row, each_row};
use crate::cpu::lanes::{Groups, larger};
use crate::cpu::{ArgError, Args, Real, Scratch, simd};

/// Reads t and z `[rows, length, inner]`, weight `[rows]` and norm `[R]`; writes losses `[rows, inner]` and d_z
/// like z. Both are exactly 0 where weight or norm is 0.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    each_row(args, |row| simd::wide(row))
}

impl<T: Real> simd::Task for Row<'_, T> {
    #[inline(always)]
    fn run(self) {
        let Self { t, z, losses, d_z, temperature, share, factor } = self;
        let groups = Groups::new(losses.len());
        let width = groups.width();
        let room = || Scratch::<T>::stale(t.len());
        let mut p = room();
        // log p and log q, up to their constants.
        let (mut log_p, mut log_q) = (room(), room());
        for (x, log, exp) in [(t, &mut log_p, &mut p[..]), (z, &mut log_q, &mut d_z[..])] {
            let max = groups.reduce(x, T::NEG_INFINITY, larger);
            let values = x.chunks(width).zip(log.chunks_mut(width).zip(exp.chunks_mut(width)));
            for (x, (log, exp)) in values {
                for ((&x, &max), (log, exp)) in x.iter().zip(&max).zip(log.iter_mut().zip(exp)) {
                    *log = (x - max) / temperature;
                    *exp = log.exp();
                }
            }
        }
        let (p_sum, q_sum) =
            (groups.reduce(&p, T::ZERO, |a, b| a + b), groups.reduce(d_z, T::ZERO, |a, b| a + b));
        let (p_log, q_log) = (groups.each(&p_sum, T::ln), groups.each(&q_sum, T::ln));
        let logs = log_p.chunks(width).zip(log_q.chunks(width));
        for ((log_p, log_q), (p, d_z)) in logs.zip(p.chunks_mut(width).zip(d_z.chunks_mut(width))) {
            let n = log_p.len();
            let (log_q, p, d_z) = (&log_q[..n], &mut p[..n], &mut d_z[..n]);
            let (p_sum, q_sum, p_log, q_log) = (&p_sum[..n], &q_sum[..n], &p_log[..n], &q_log[..n]);
            for i in 0..n {
                let (p_i, q_i) = (p[i] / p_sum[i], d_z[i] / q_sum[i]);
                d_z[i] = factor * (q_i - p_i);
                let term = p_i * ((log_p[i] - p_log[i]) - (log_q[i] - q_log[i]));
                // 0 · log 0 = 0, also where log p is −∞ or log q is.
                p[i] = if p_i == T::ZERO { T::ZERO } else { term };
            }
        }
        for (loss, &divergence) in losses.iter_mut().zip(&groups.reduce(&p, T::ZERO, |a, b| a + b)) {
            *loss = share * divergence;
        }
    }
}

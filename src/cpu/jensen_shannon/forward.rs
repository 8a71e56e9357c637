//! Twin of `shaders/jensen_shannon/forward.wgsl`: the Jensen–Shannon divergence of softmax(t / T) and softmax(z / T), and its gradient in z.

use crate::cpu::kl_divergence::{Group, each_group};
use crate::cpu::{ArgError, Args, Real, lanes};

/// Reads t and z `[rows, length, inner]`, weight `[rows]` and norm `[R]`; writes losses `[rows, inner]` and d_z
/// like z. Both are exactly 0 where weight or norm is 0.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let half = T::from_f64(0.5);
    let ln_2 = T::from_f64(std::f64::consts::LN_2);
    each_group(args, |group: &Group<T>, slope: &mut dyn FnMut(usize, T)| {
        let e = |i| group.log_p(i) - group.log_q(i);
        // log(p / a) and log(q / a), a = (p + q) / 2.
        let k = |i| ln_2 - softplus(-e(i));
        let l = |i| ln_2 - softplus(e(i));
        // 0 · log 0 = 0.
        let term = |share: T, log: T| if share == T::ZERO { T::ZERO } else { share * log };
        let p_part = lanes::sum(group.length, |i| term(group.p(i), k(i)));
        let q_part = lanes::sum(group.length, |i| term(group.q(i), l(i)));
        for i in 0..group.length {
            slope(i, term(half * group.q(i), l(i) - q_part));
        }
        half * (p_part + q_part)
    })
}

/// log(1 + exp x), which does not overflow.
fn softplus<T: Real>(x: T) -> T {
    let size = if x < T::ZERO { -x } else { x };
    // A NaN that the maximum drops comes back in the exponential.
    x.max(T::ZERO) + (T::ONE + (-size).exp()).ln()
}

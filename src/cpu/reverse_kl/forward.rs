//! Twin of `shaders/reverse_kl/forward.wgsl`: KL(softmax(z / T) ‖ softmax(t / T)), and its gradient in z.

use crate::cpu::kl_divergence::{Group, each_group};
use crate::cpu::{ArgError, Args, Real, lanes};

/// Reads t and z `[rows, length, inner]`, weight `[rows]` and norm `[R]`; writes losses `[rows, inner]` and d_z
/// like z. Both are exactly 0 where weight or norm is 0.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    each_group(args, |group: &Group<T>, slope: &mut dyn FnMut(usize, T)| {
        let r = |i| group.log_q(i) - group.log_p(i);
        let divergence = lanes::sum(group.length, |i| match group.q(i) {
            // 0 · log 0 = 0.
            q if q == T::ZERO => T::ZERO,
            q => q * r(i),
        });
        for i in 0..group.length {
            let q = group.q(i);
            slope(i, if q == T::ZERO { T::ZERO } else { q * (r(i) - divergence) });
        }
        divergence
    })
}

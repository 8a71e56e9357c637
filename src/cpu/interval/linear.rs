//! Twin of `shaders/interval/linear.wgsl`: bounds of y = x W + b over a box.

use super::{IntervalLinear, Sums};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads lo and hi `[R, N, D_in]`, weight `[R, D_in, D_out]`, bias `[R, D_out]`; writes y_lo and y_hi `[R, N, D_out]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: IntervalLinear = args.params()?;
    let (lo, hi, weight, bias) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let (y_lo, y_hi) = (args.write()?, args.write()?);
    let [batch, d_in, d_out] = [p.batch, p.features_in, p.features_out].map(|n| n as usize);
    parallel::chunks2((y_lo, d_out), (y_hi, d_out), |n, y_lo, y_hi| {
        let replica = n / batch;
        let mut sums = Sums::new(&bias[replica * d_out..][..d_out]);
        let rows = weight[replica * d_in * d_out..].chunks_exact(d_out);
        for ((&lo, &hi), row) in lo[n * d_in..][..d_in].iter().zip(&hi[n * d_in..]).zip(rows) {
            sums.add(lo, hi, row);
        }
        sums.write(p.relative, p.absolute, p.relu, y_lo, y_hi);
    });
    Ok(())
}

//! How long a few commands take.

use crate::exec::{Device, ExecError};
use crate::plan::Plan;
use crate::time::Instant;

/// Seconds that one timing shall take at least, so that submitting and waiting hide in it.
const AT_LEAST: f64 = 0.01;
const REPEATED: usize = 4;

/// One run that takes so many times the best candidate's is enough to know.
const HOPELESS: f64 = 2.0;

/// Seconds of one run of a plan: the shortest of a few timings, the first run, which compiles, not among them. `best_so_far`
/// is that of the best candidate so far.
pub(super) fn seconds(device: &Device, plan: &Plan, best_so_far: f64) -> Result<f64, ExecError> {
    let mut session = device.session();
    let loaded = session.load(plan)?;
    let mut run = |times: usize| -> Result<f64, ExecError> {
        let start = Instant::now();
        session.run(loaded, times)?;
        session.wait()?;
        Ok(start.elapsed().as_secs_f64() / times as f64)
    };
    run(1)?;
    let mut best = run(1)?;
    if best > HOPELESS * best_so_far {
        return Ok(best);
    }
    let times = (AT_LEAST / best.max(1e-6)).ceil().clamp(1.0, 100.0) as usize;
    for _ in 0..REPEATED {
        best = best.min(run(times)?);
    }
    Ok(best)
}

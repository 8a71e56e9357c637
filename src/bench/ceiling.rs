//! What this device can do at most, by its own measurement, and proof that the timer is to be trusted.

use serde::Serialize;

use super::{BenchError, Timer};
use crate::cpu::{parallel, simd};
use crate::exec::{Device, Loaded, Session};
use crate::ops::ceiling;
use crate::plan::{Plan, Role};
use crate::shader::DType;
use crate::time::Instant;

/// A device's measured ceilings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ceilings {
    /// Bytes per second of a copy, read and written counted.
    pub copy: f64,
    /// FLOPs per second of multiply-adds in registers, each counted as two.
    pub fma: f64,
}

impl Ceilings {
    /// FLOPs per second that so many FLOPs per byte allow: the lower of the two roofs.
    pub fn roof(&self, intensity: f64) -> f64 {
        f64::min(self.fma, intensity * self.copy)
    }

    /// Seconds that so many FLOPs and bytes take at least.
    pub fn floor(&self, flops: u64, bytes: u64) -> f64 {
        f64::max(flops as f64 / self.fma, bytes as f64 / self.copy)
    }
}

/// A light pass and one of `work` times the work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Proof {
    /// Seconds of the light one, at least.
    pub light: f64,
    /// Seconds of the heavy one, at least.
    pub heavy: f64,
    /// The heavy one's work over the light one's.
    pub work: usize,
    /// Quotient of the two: should be `work`.
    pub found: f64,
    /// How far off the quotient may be, as a share.
    pub allowed: f64,
}

/// Rounds of multiply-adds of a light pass: enough of them that starting an invocation costs nothing beside them.
const ROUNDS: usize = 256;
/// Vectors of four, one per invocation, at most: enough to fill a data-centre card.
const VECTORS: usize = 1 << 20;
/// How much heavier the heavy pass of the proof is.
const WORK: usize = 8;
/// How often the two are timed until they agree.
const TRIALS: usize = 8;
/// How far off its time may be.
const ALLOWED: f64 = 0.25;

/// A plan of multiply-adds on so many vectors, one command per number of rounds.
fn multiply_adds(
    device: &Device,
    vectors: usize,
    rounds: &[usize],
) -> Result<(Box<dyn Session>, Loaded, Plan), BenchError> {
    let mut plan = Plan::new("multiply-adds");
    let x = plan.add("x", &[2, 4], DType::F32, Role::Data)?;
    for rounds in rounds {
        ceiling::fma(&mut plan, &format!("{rounds} rounds"), x, vectors, *rounds)?;
    }
    let mut session = device.session();
    let loaded = session.load(&plan)?;
    session.write("x", &[0.5, 0.25, 0.75, 0.5, 1.0, 2.0, 0.5, 0.25])?;
    Ok((session, loaded, plan))
}

/// Vectors with which a light pass takes about half a millisecond on this device.
fn enough_vectors(device: &Device, timer: &Timer) -> Result<usize, BenchError> {
    let mut vectors = 1024;
    loop {
        let (mut session, loaded, _) = multiply_adds(device, vectors, &[ROUNDS])?;
        session.run(loaded, 1)?;
        let mut seconds = f64::INFINITY;
        for _ in 0..3 {
            let time = session.time(loaded, 0, 1)?;
            seconds = seconds.min(time.device.unwrap_or(time.wall) - timer.submission);
        }
        // Shorter than a time slice, so that a busy host interrupts light and heavy passes alike.
        if seconds > 4e-4 || vectors >= VECTORS {
            return Ok(vectors);
        }
        vectors *= 2;
    }
}

/// Times a light pass and one of eight times the work, both in one plan: the timer must see the difference and lay each
/// time at the right pass. Fails where the shortest times of eight trials are off by more than a quarter.
pub fn prove_timer(device: &Device, timer: &Timer) -> Result<Proof, BenchError> {
    let vectors = enough_vectors(device, timer)?;
    let (mut session, loaded, _) = multiply_adds(device, vectors, &[ROUNDS, ROUNDS * WORK])?;
    session.run(loaded, 1)?;
    // Other programs only ever add to a time, so the shortest of all trials counts.
    let mut shortest = [f64::INFINITY; 2];
    for _ in 0..TRIALS {
        let [light, heavy] =
            [timer.gross(session.as_mut(), loaded, 0)?, timer.gross(session.as_mut(), loaded, 1)?];
        let [light, heavy] = [timer.net(&light), timer.net(&heavy)];
        shortest = [shortest[0].min(light.min), shortest[1].min(heavy.min)];
        let found = shortest[1] / shortest[0];
        if (found / WORK as f64 - 1.0).abs() <= ALLOWED {
            let [light, heavy] = shortest;
            return Ok(Proof { light, heavy, work: WORK, found, allowed: ALLOWED });
        }
    }
    let [light, heavy] = shortest.map(|seconds| seconds * 1e3);
    Err(BenchError::Timer { work: WORK, light, heavy, allowed: 100.0 * ALLOWED })
}

/// FLOPs per second of multiply-adds in the CPU's widest registers, on all its threads: the twin of `ceiling_fma` is plain
/// Rust and would measure the compiler.
fn cpu_multiply_adds(samples: usize) -> f64 {
    const ROUNDS: usize = 1 << 20;
    let mut best: f64 = 0.0;
    for _ in 0..samples.max(5) {
        let mut flops = vec![0u64; parallel::threads()];
        let start = Instant::now();
        parallel::in_pool(|| {
            parallel::chunks(&mut flops, 1, |_, flops| {
                let (sum, count) = simd::multiply_adds(ROUNDS, std::hint::black_box(0.5));
                std::hint::black_box(sum);
                flops[0] = count;
            });
        });
        best = best.max(flops.iter().sum::<u64>() as f64 / start.elapsed().as_secs_f64());
    }
    best
}

/// Measures both ceilings; of each the shortest time counts.
pub fn ceilings(device: &Device, timer: &Timer) -> Result<Ceilings, BenchError> {
    let fma = match device {
        Device::Cpu { .. } => cpu_multiply_adds(timer.effort.samples),
        Device::Gpu { .. } => {
            let vectors = enough_vectors(device, timer)?;
            let (mut session, loaded, plan) = multiply_adds(device, vectors, &[4 * ROUNDS])?;
            plan.flops() as f64 / timer.net(&timer.gross(session.as_mut(), loaded, 0)?).min
        }
    };

    // Larger than the caches: 64 MiB each way, or 512 MiB where that takes no time.
    let mut copy = 0.0;
    for len in [16 << 20, 128 << 20] {
        let mut plan = Plan::new("copy");
        let x = plan.add("x", &[len], DType::F32, Role::Data)?;
        ceiling::copy(&mut plan, "copy", x)?;
        if len > 16 << 20 && plan.check(&device.limits()).is_err() {
            break;
        }
        let mut session = device.session();
        let loaded = session.load(&plan)?;
        let seconds = timer.net(&timer.gross(session.as_mut(), loaded, 0)?).min;
        copy = plan.bytes() as f64 / seconds;
        if seconds > 1e-3 {
            break;
        }
    }
    Ok(Ceilings { copy, fma })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_roof_counts() {
        let ceilings = Ceilings { copy: 10.0, fma: 100.0 };
        assert_eq!(ceilings.roof(1.0), 10.0);
        assert_eq!(ceilings.roof(50.0), 100.0);
        assert_eq!(ceilings.floor(1000, 10), 10.0);
        assert_eq!(ceilings.floor(0, 10), 1.0);
    }
}

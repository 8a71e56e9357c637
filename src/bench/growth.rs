//! How the peer step's cost grows with batch, channels and replicas, next to its FLOPs.

use serde::Serialize;

use super::{BenchError, Spread, StepPlan, peer_step, step};
use crate::exec::Device;
use crate::plan::Variants;

/// One step of the growth.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// What is varied: `batch`, `channels` or `replicas`.
    pub axis: &'static str,
    /// Its value; of channels the factor.
    pub value: usize,
    /// FLOPs of the step.
    pub flops: u64,
    /// Seconds of the step.
    pub seconds: Spread,
}

/// Every point; those of one axis in its order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Growth {
    /// The points.
    pub points: Vec<Point>,
}

impl Growth {
    /// Time over time and FLOPs over FLOPs of a point, against the first one of its axis.
    pub fn relative(&self, point: &Point) -> Option<(f64, f64)> {
        let first = self.points.iter().find(|first| first.axis == point.axis)?;
        let time = point.seconds.median / first.seconds.median;
        Some((time, point.flops as f64 / first.flops as f64))
    }
}

/// Times the peer step at batch 16 to 128, once and twice the channels, and 1, 2 and 4 replicas.
pub fn growth(device: &Device, mut report: impl FnMut(&Point)) -> Result<Growth, BenchError> {
    let variants = Variants::new().on(device.limits().target);
    type Build = fn(usize, &Variants) -> Result<StepPlan, BenchError>;
    let axes: [(&'static str, &[usize], Build); 3] = [
        ("batch", &[16, 32, 64, 128], |n, v| peer_step(n, 1, 1, v)),
        ("channels", &[1, 2], |n, v| peer_step(64, n, 1, v)),
        ("replicas", &[1, 2, 4], |n, v| peer_step(64, 1, n, v)),
    ];
    let mut found = Growth::default();
    for (axis, values, build) in axes {
        for &value in values {
            let timed = step(device, &build(value, &variants)?, 7, 1.5)?;
            let point = Point { axis, value, flops: timed.flops, seconds: timed.seconds };
            report(&point);
            found.points.push(point);
        }
    }
    Ok(found)
}

//! How long the work of a frame took.

use std::time::Duration;

/// The last frames.
const KEPT: usize = 600;

/// Times of the last frames: the work of this program in each, without the wait for the screen.
#[derive(Clone, Debug, Default)]
pub struct FrameTimes {
    times: Vec<Duration>,
    next: usize,
}

impl FrameTimes {
    /// Notes a frame.
    pub fn push(&mut self, time: Duration) {
        if self.times.len() < KEPT {
            self.times.push(time);
        } else {
            self.times[self.next] = time;
        }
        self.next = (self.next + 1) % KEPT;
    }

    /// How many are kept.
    pub(super) fn count(&self) -> usize {
        self.times.len()
    }

    /// Median, 99th percentile and largest; `None` before the first frame.
    pub fn summary(&self) -> Option<[Duration; 3]> {
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        Some([sorted[last / 2], sorted[last * 99 / 100], sorted[last]])
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_of_the_last_frames() {
        let mut times = FrameTimes::default();
        assert_eq!(times.summary(), None);
        for i in 0..=1000 {
            times.push(Duration::from_micros(i));
        }
        // 401 to 1000 are kept.
        let micros = times.summary().unwrap().map(|time| time.as_micros());
        assert_eq!(micros, [401 + 299, 401 + 593, 1000]);
        times.clear();
        assert_eq!(times.summary(), None);
    }
}

//! Names of run folders, and the time in them.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A name as a part of a path.
pub fn tame(name: &str) -> String {
    let tame = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    name.chars().map(tame).collect()
}

/// A free folder `runs/<name>-<time>`.
pub fn default_folder(name: &str, now: SystemTime) -> PathBuf {
    let [year, month, day, hour, minute, second] = utc(now);
    let stem = format!("{name}-{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}");
    let at = |suffix: String| Path::new("runs").join(format!("{stem}{suffix}"));
    let mut path = at(String::new());
    let mut count = 2;
    while path.exists() {
        path = at(format!("-{count}"));
        count += 1;
    }
    path
}

/// `2026-11-21T08:30:00Z`.
pub fn timestamp(now: SystemTime) -> String {
    let [year, month, day, hour, minute, second] = utc(now);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month, day, hour, minute, second.
fn utc(now: SystemTime) -> [u64; 6] {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    [year, month, days + 1, second / 3600, second / 60 % 60, second % 60]
}

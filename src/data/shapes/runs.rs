//! COCO's run lengths: pixels in column-major order, in turn outside and inside, beginning outside.

use super::Bitmap;

/// Runs that do not describe a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunsError {
    /// The runs add up to another number of pixels.
    #[error("its runs cover {found} pixels where {width}×{height} are {}", *width as u64 * *height as u64)]
    Length {
        /// The sum of the runs.
        found: u64,
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// A compressed string that ends early, holds a strange character, or a run below 0 or past 32 bits.
    #[error("its compressed runs are damaged at character {at}")]
    Compressed {
        /// Where, from 0.
        at: usize,
    },
}

/// Adds the inside runs to a bitmap.
pub fn expand_runs(runs: &[u32], bitmap: &mut Bitmap) -> Result<(), RunsError> {
    let Bitmap { width, height, .. } = *bitmap;
    let found: u64 = runs.iter().map(|run| u64::from(*run)).sum();
    if found != width as u64 * height as u64 {
        return Err(RunsError::Length { found, width, height });
    }
    let (mut at, mut inside) = (0, false);
    for &run in runs {
        if inside {
            for i in at..at + run as usize {
                bitmap.values[i % height * width + i / height] = 255;
            }
        }
        at += run as usize;
        inside = !inside;
    }
    Ok(())
}

/// The runs of a compressed string: groups of six bits from `'0'` on, five for the value (low ones first) and one
/// that says whether more follow; from the third run on, the value is the difference to the run two before.
pub fn parse_compressed_runs(text: &str) -> Result<Vec<u32>, RunsError> {
    let mut runs: Vec<u32> = Vec::new();
    let (mut value, mut bits) = (0i64, 0u32);
    for (at, byte) in text.bytes().enumerate() {
        let damaged = RunsError::Compressed { at };
        let Some(group) = byte.checked_sub(b'0').filter(|group| *group < 64) else { return Err(damaged) };
        // Seven groups hold 32 bits and a sign.
        if bits >= 35 {
            return Err(damaged);
        }
        value |= i64::from(group & 31) << bits;
        bits += 5;
        if group & 32 != 0 {
            continue;
        }
        if group & 16 != 0 {
            value -= 1 << bits;
        }
        let before = if runs.len() > 2 { i64::from(runs[runs.len() - 2]) } else { 0 };
        runs.push(u32::try_from(value + before).map_err(|_| damaged)?);
        (value, bits) = (0, 0);
    }
    if bits > 0 { Err(RunsError::Compressed { at: text.len() }) } else { Ok(runs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_go_down_the_columns_and_begin_outside() {
        let mut bitmap = Bitmap::new(3, 2);
        expand_runs(&[1, 2, 3], &mut bitmap).unwrap();
        assert_eq!(bitmap.values, [0, 255, 0, 255, 0, 0]);
        let mut bitmap = Bitmap::new(3, 2);
        expand_runs(&[0, 6], &mut bitmap).unwrap();
        assert_eq!(bitmap.values, [255; 6]);
    }

    #[test]
    fn runs_of_another_length_are_refused() {
        let mut bitmap = Bitmap::new(3, 2);
        for runs in [&[1, 2, 2][..], &[7], &[], &[u32::MAX; 4]] {
            let error = expand_runs(runs, &mut bitmap).unwrap_err();
            assert!(error.to_string().contains("3×2 are 6"), "{error}");
        }
        expand_runs(&[], &mut Bitmap::new(0, 5)).unwrap();
    }

    #[test]
    fn damaged_strings_are_refused() {
        for (text, at) in [("P", 1), ("\u{1}", 0), ("1 1", 1), ("PPPPPPPPP", 7), ("O", 0), ("é", 0)] {
            assert_eq!(parse_compressed_runs(text), Err(RunsError::Compressed { at }), "{text:?}");
        }
        assert_eq!(parse_compressed_runs(""), Ok(vec![]));
        assert_eq!(parse_compressed_runs("0123"), Ok(vec![0, 1, 2, 4]));
    }
}

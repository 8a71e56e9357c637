//! The metrics for TensorBoard: a file of records, each an `Event` message with the scalars of one epoch.
//!
//! A record is its length (u64), a masked CRC-32C of the length, the message, and a masked CRC-32C of the message, all
//! little-endian. The same rows give the same bytes, so a file is brought up to date by what is missing at its end, or
//! shortened where rows were cut off, and a TensorBoard that has it open reads on.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::SystemTime;

use super::{EpochRow, TrainError, failed, write_atomically};
use crate::protobuf::Message;

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);
/// Where the first message begins with its time: after the length, its checksum and the field's key.
const FIRST_TIME: u64 = 8 + 4 + 1;

fn masked_crc(bytes: &[u8]) -> u32 {
    // The file format rotates and adds, so that a checksum of data that hold checksums says something.
    CRC.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn record(message: Message) -> Vec<u8> {
    let data = message.finish();
    let length = (data.len() as u64).to_le_bytes();
    let sums = [masked_crc(&length), masked_crc(&data)].map(u32::to_le_bytes);
    [&length[..], &sums[0], &data, &sums[1]].concat()
}

/// Seconds since 1970, and the scalars that a step has.
fn event(time: f64, step: usize, scalars: &[(&str, Option<f64>)]) -> Vec<u8> {
    let values = scalars
        .iter()
        .filter_map(|(tag, value)| Some(Message::default().text(1, tag).float(2, (*value)? as f32)));
    let summary = values.fold(Message::default(), |summary, value| summary.message(1, value));
    record(Message::default().double(1, time).int(2, step as i64).message(5, summary))
}

/// The whole file: `start` is the time of its first record, and epochs follow each other by the seconds they took.
fn file(start: f64, rows: &[EpochRow]) -> Vec<u8> {
    let mut bytes = record(Message::default().double(1, start).text(3, "brain.Event:2"));
    let mut time = start;
    for row in rows {
        time += row.seconds;
        bytes.extend(event(
            time,
            row.epoch,
            &[
                ("loss/label", Some(row.label_loss)),
                ("loss/alignment", row.alignment_loss),
                ("multiplier", row.multiplier),
                ("accuracy/train", Some(row.train_accuracy)),
                ("accuracy/validation", row.val_accuracy),
                ("balanced_accuracy/validation", row.val_balanced_accuracy),
                ("seconds", Some(row.seconds)),
            ],
        ));
        if row.test_accuracy.is_some() {
            let test = [
                ("accuracy/test", row.test_accuracy),
                ("balanced_accuracy/test", row.test_balanced_accuracy),
            ];
            bytes.extend(event(time, row.epoch, &test));
        }
    }
    bytes
}

/// The time of the first record of a file that is there.
fn started(file: &mut File) -> Option<f64> {
    let mut time = [0; 8];
    file.seek(SeekFrom::Start(FIRST_TIME)).ok()?;
    file.read_exact(&mut time).ok()?;
    Some(f64::from_le_bytes(time)).filter(|time| time.is_finite() && *time > 0.0)
}

/// Makes the file hold exactly these rows.
pub(super) fn write(path: &Path, rows: &[EpochRow]) -> Result<(), TrainError> {
    let cannot = |e: std::io::Error| {
        let remedy =
            "free some space there, or see to its permissions; the run goes on from its last checkpoint";
        failed(path, format!("cannot be written ({e}); {remedy}"))
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let mut there = OpenOptions::new().read(true).append(true).open(path).ok();
    let spent: f64 = rows.iter().map(|row| row.seconds).sum();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
    let start = there.as_mut().and_then(started).unwrap_or(now - spent);
    let wanted = file(start, rows);
    if let Some(mut there) = there {
        let mut found = Vec::new();
        there.seek(SeekFrom::Start(0)).and_then(|_| there.read_to_end(&mut found)).map_err(cannot)?;
        if let Some(rest) = wanted.strip_prefix(found.as_slice()) {
            return there.write_all(rest).and_then(|()| there.sync_data()).map_err(cannot);
        }
        if found.starts_with(&wanted) {
            return there.set_len(wanted.len() as u64).map_err(cannot);
        }
    }
    write_atomically(path, &wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(epoch: usize) -> EpochRow {
        EpochRow { epoch, label_loss: 0.5, train_accuracy: 0.25, seconds: 1.5, ..Default::default() }
    }

    /// Message and step of every record; the checksums must be right.
    fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let data = &bytes[12..12 + length];
            assert_eq!(bytes[8..12], masked_crc(&bytes[..8]).to_le_bytes());
            assert_eq!(bytes[12 + length..16 + length], masked_crc(data).to_le_bytes());
            found.push(data.to_vec());
            bytes = &bytes[16 + length..];
        }
        found
    }

    fn steps(path: &Path) -> Vec<u8> {
        records(&fs::read(path).unwrap())[1..].iter().map(|message| message[10]).collect()
    }

    /// The check value of CRC-32C, and the mask worked out by hand.
    #[test]
    fn the_checksum_is_that_of_the_format() {
        assert_eq!(CRC.checksum(b"123456789"), 0xe306_9283);
        assert_eq!(masked_crc(b"123456789"), 0x2507_c60du32.wrapping_add(0xa282_ead8));
    }

    #[test]
    fn a_file_grows_is_cut_and_is_healed_without_a_step_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tensorboard/events");
        let rows: Vec<EpochRow> = (1..=4).map(row).collect();
        for n in 1..=4 {
            write(&path, &rows[..n]).unwrap();
        }
        let whole = fs::read(&path).unwrap();
        assert_eq!(steps(&path), [1, 2, 3, 4]);
        assert_eq!(&records(&whole)[0][9..], b"\x1a\x0dbrain.Event:2");
        // Back to the checkpoint, and on again: the same bytes.
        write(&path, &rows[..2]).unwrap();
        assert_eq!(steps(&path), [1, 2]);
        write(&path, &rows).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
        // A torn end, then a damaged middle.
        fs::write(&path, &whole[..whole.len() - 7]).unwrap();
        write(&path, &rows).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
        let mut damaged = whole.clone();
        damaged[60] ^= 1;
        fs::write(&path, &damaged).unwrap();
        write(&path, &rows).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
        // The test result is an event of its own, once.
        let tested = EpochRow { test_accuracy: Some(0.5), ..row(4) };
        let rows = [&rows[..3], &[tested]].concat();
        write(&path, &rows).unwrap();
        write(&path, &rows).unwrap();
        assert_eq!(steps(&path), [1, 2, 3, 4, 4]);
    }
}

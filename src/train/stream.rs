//! Pictures that do not all fit on the device: an epoch's order is cut into chunks of whole batches, and the pictures of
//! one chunk at a time lie on the device, in the order in which they are needed. While a chunk trains, another thread lays
//! out the next one, and the queue copies it in behind the work that still reads the one before.
//!
//! A batch is gathered by row numbers: they count in the chunk instead of in the data set, and all else stays as it is, so
//! that every bit is that of a run with all pictures on the device.

use super::upload::{self, PADDING};
use std::ops::Range;

use super::TrainError;
use crate::data::{Dataset, Pixels};
use crate::exec::Session;
use crate::model::Dimensions;
use crate::plan::{Limits, show_bytes};

/// The largest chunk where no cap asks for smaller ones: enough to keep a device busy, little beside its memory.
const CHUNK_BYTES: u64 = 256 << 20;

/// How much room a data set has on the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes for the pictures of one data set, those on their way included.
    cap: Option<u64>,
    /// Bytes of one tensor.
    tensor: u64,
}

impl Room {
    /// Room for everything.
    pub const ALL: Room = Room { cap: None, tensor: u64::MAX };

    /// On a device, under a cap.
    pub fn on(limits: &Limits, cap: Option<u64>) -> Self {
        Self { cap, tensor: limits.storage_binding_bytes.min(limits.buffer_bytes) }
    }

    /// As many of `wanted` pictures to a batch as two chunks of one batch have room for; at least one.
    pub fn batch(&self, data: &Dataset, wanted: usize) -> usize {
        let half = self.cap.map_or(u64::MAX, |cap| cap / 2);
        let held = (half / picture_bytes(data).max(1)).min(self.tensor / pixel_bytes(data).max(1));
        wanted.min(usize::try_from(held).unwrap_or(wanted)).max(1)
    }

    /// The batches of a chunk, each of `rows` pictures (those of all replicas); `None` where all pictures fit at once.
    pub fn chunk(&self, data: &Dataset, rows: usize, steps: usize) -> Result<Option<usize>, TrainError> {
        let (pixels, all) = (pixel_bytes(data), picture_bytes(data));
        let count = data.len() as u64;
        // Pixels are counted in 32 bits, too.
        let values = data.picture_len() as u64;
        let fits =
            |pictures: u64| pictures * pixels <= self.tensor && pictures * values <= u64::from(u32::MAX);
        if fits(count) && self.cap.is_none_or(|cap| count * all <= cap) {
            return Ok(None);
        }
        // One chunk is in use while the next is on its way.
        let bytes = self.cap.map_or(CHUNK_BYTES, |cap| cap / 2);
        let batch = rows as u64 * all;
        let mut chunk = (bytes / batch).min(steps as u64);
        while chunk > 0 && !fits(chunk * rows as u64) {
            chunk -= 1;
        }
        if chunk == 0 {
            let least = show_bytes(2 * batch);
            return Err(TrainError::Setting {
                key: "memory_cap",
                value: show_bytes(bytes * 2),
                remedy: format!(
                    "two batches of {rows} pictures, one in use and one on its way, take {least}; allow as much, or use a \
                     smaller --batch or --size"
                ),
            });
        }
        Ok(Some(chunk as usize))
    }
}

/// Bytes of a picture's values on the device.
fn pixel_bytes(data: &Dataset) -> u64 {
    let size = match data.pixels {
        Pixels::Byte(_) => 1,
        Pixels::Float(_) => 4,
    };
    data.picture_len() as u64 * size
}

/// Bytes of a picture on the device: values, mask, label and whether it is explained.
fn picture_bytes(data: &Dataset) -> u64 {
    pixel_bytes(data) + (data.height * data.width) as u64 + 8
}

/// What a streamed run says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streaming {
    /// Bytes of all the pictures.
    pub bytes: u64,
    /// Bytes of a chunk.
    pub chunk_bytes: u64,
    /// Batches of a chunk.
    pub steps: usize,
    /// Chunks of an epoch.
    pub chunks: usize,
}

/// A data set in host memory, for the device chunk by chunk.
pub(super) struct Stream {
    data: Dataset,
    /// Rows of the order.
    replicas: usize,
    batch: usize,
    /// Batches of an epoch.
    steps: usize,
    /// Batches of a chunk.
    pub chunk: usize,
}

/// The pictures of a chunk as words for the device.
pub(super) struct Chunk {
    pixels: Vec<u32>,
    masks: Vec<u32>,
    labels: Vec<u32>,
    explained: Vec<u32>,
}

impl Stream {
    /// A data set in chunks of so many batches, for an order `[replicas, steps·N]`; and its dimensions on the device.
    pub fn new(data: &Dataset, replicas: usize, chunk: usize, whole: &Dimensions) -> (Self, Dimensions) {
        let Dimensions { batch, steps, .. } = *whole;
        let device = Dimensions { count: replicas * chunk * batch, ..*whole };
        (Self { data: data.clone(), replicas, batch, steps, chunk }, device)
    }

    pub fn describe(&self) -> Streaming {
        let picture = picture_bytes(&self.data);
        Streaming {
            bytes: self.data.len() as u64 * picture,
            chunk_bytes: (self.replicas * self.chunk * self.batch) as u64 * picture,
            steps: self.chunk,
            chunks: self.steps.div_ceil(self.chunk),
        }
    }

    /// The order with each picture's number in its chunk in the place of that in the data set.
    pub fn order(&self, order: &[u32]) -> Vec<u32> {
        let per_replica = self.steps * self.batch;
        let local = |(slot, &picture): (usize, &u32)| match picture {
            PADDING => PADDING,
            _ => {
                let (replica, place) = (slot / per_replica, slot % per_replica);
                (replica * self.chunk * self.batch + place % (self.chunk * self.batch)) as u32
            }
        };
        order.iter().enumerate().map(local).collect()
    }

    /// Lays out the chunk that begins with a batch; what is past the end of the epoch stays 0.
    pub fn lay_out(&self, order: &[u32], first: usize) -> Chunk {
        let (size, area) = (self.data.picture_len(), self.data.height * self.data.width);
        let rows = self.chunk * self.batch;
        let count = self.replicas * rows;
        let mut labels = vec![0; count];
        let mut explained = vec![0; count];
        let mut masks = vec![0u8; count * area];
        let taken = (self.steps.saturating_sub(first) * self.batch).min(rows);
        let places = (0..self.replicas).flat_map(|r| (0..taken).map(move |n| (r, n)));
        let pictures: Vec<(usize, usize)> = places
            .map(|(r, n)| (r * rows + n, order[(r * self.steps + first) * self.batch + n]))
            .filter(|(_, picture)| *picture != PADDING)
            .map(|(row, picture)| (row, picture as usize))
            .collect();
        for &(row, picture) in &pictures {
            labels[row] = self.data.labels[picture];
            explained[row] = u32::from(self.data.explained[picture]);
            masks[row * area..][..area].copy_from_slice(self.data.mask(picture));
        }
        let pixels = match &self.data.pixels {
            Pixels::Float(values) => {
                let mut words = vec![0; count * size];
                for &(row, picture) in &pictures {
                    let own = &values[picture * size..][..size];
                    words[row * size..][..size].iter_mut().zip(own).for_each(|(word, v)| *word = v.to_bits());
                }
                words
            }
            Pixels::Byte(values) => {
                let mut bytes = vec![0; count * size];
                for &(row, picture) in &pictures {
                    bytes[row * size..][..size].copy_from_slice(&values[picture * size..][..size]);
                }
                upload::pack(&bytes)
            }
        };
        Chunk { pixels, masks: upload::pack(&masks), labels, explained }
    }

    /// Has `work` done for those batches, chunk by chunk, while the next one is laid out. A range that begins within a chunk
    /// goes on with the one on the device.
    pub fn run(
        &self,
        session: &mut dyn Session,
        name: &str,
        order: &[u32],
        batches: Range<usize>,
        mut work: impl FnMut(&mut dyn Session, Range<usize>) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let mut at = batches.start;
        let mut next = at.is_multiple_of(self.chunk).then(|| self.lay_out(order, at));
        while at < batches.end {
            if let Some(chunk) = next.take() {
                chunk.write(session, name)?;
            }
            let end = (at - at % self.chunk + self.chunk).min(batches.end);
            if end == batches.end {
                return work(session, at..end);
            }
            let (chunk, done) = beside(|| self.lay_out(order, end), || work(session, at..end));
            done?;
            (next, at) = (Some(chunk), end);
        }
        Ok(())
    }
}

impl Chunk {
    /// Puts it on the device, behind all that is queued.
    pub fn write(&self, session: &mut dyn Session, name: &str) -> Result<(), TrainError> {
        for (field, words) in [
            ("pixels", &self.pixels),
            ("masks", &self.masks),
            ("labels", &self.labels),
            ("explained", &self.explained),
        ] {
            session.write_index(&format!("{name}.{field}"), words)?;
        }
        Ok(())
    }
}

/// Runs `work` here and `beside` on a thread of its own; here, too, where there is none to be had.
pub(super) fn beside<T: Send, R>(beside: impl Fn() -> T + Sync, work: impl FnOnce() -> R) -> (T, R) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, &beside);
        let result = work();
        let value = thread.ok().and_then(|thread| thread.join().ok());
        (value.unwrap_or_else(&beside), result)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::triangles::{self, Part, PatchRule, TriangleSet};

    fn pictures(count: usize) -> Dataset {
        let counts = triangles::balanced(count, 2);
        triangles::generate(TriangleSet::ES, &counts, 5, Part::Train, PatchRule::Follows(1.0)).unwrap()
    }

    #[test]
    fn what_fits_is_not_cut_and_a_cap_holds_two_chunks() {
        let data = pictures(20);
        let picture = 32 * 32 * 5 + 8;
        let room = |cap: u64| Room { cap: Some(cap), tensor: u64::MAX };
        assert_eq!(Room::ALL.chunk(&data, 4, 5).unwrap(), None);
        assert_eq!(room(20 * picture).chunk(&data, 4, 5).unwrap(), None);
        assert_eq!(room(20 * picture - 1).chunk(&data, 4, 5).unwrap(), Some(2));
        assert_eq!(room(2 * 4 * picture).chunk(&data, 4, 5).unwrap(), Some(1));
        let error = room(2 * 4 * picture - 1).chunk(&data, 4, 5).unwrap_err().to_string();
        assert!(error.contains("memory_cap is") && error.contains("smaller --batch"), "{error}");
        // A tensor that may hold 11 pictures: two batches of four.
        let tensor = Room { cap: None, tensor: 11 * 32 * 32 * 4 };
        assert_eq!(tensor.chunk(&data, 4, 5).unwrap(), Some(2));
    }

    /// Gathered through the order of the chunk, every slot finds the picture that the order of the data set names.
    #[test]
    fn every_slot_finds_its_picture() {
        let data = pictures(10);
        let whole = Dimensions { count: 10, batch: 4, steps: 3, packed: false, augmented: false };
        let (stream, device) = Stream::new(&data, 2, 2, &whole);
        assert_eq!((device.count, device.steps), (16, 3));
        let padded = |order: [u32; 10]| upload::padded(order, &whole);
        let order = [padded([3, 1, 4, 0, 5, 9, 2, 6, 8, 7]), padded([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])].concat();
        let local = stream.order(&order);
        let Pixels::Float(values) = &data.pixels else { panic!("triangles are floats") };
        for first in [0, 2] {
            let chunk = stream.lay_out(&order, first);
            assert_eq!((chunk.labels.len(), chunk.pixels.len()), (16, 16 * 1024));
            for (r, step, n) in (0..2)
                .flat_map(|r| (first..3.min(first + 2)).flat_map(move |s| (0..4).map(move |n| (r, s, n))))
            {
                let slot = (r * 3 + step) * 4 + n;
                let (picture, row) = (order[slot], local[slot]);
                assert_eq!(picture == PADDING, row == PADDING);
                if picture != PADDING {
                    let (picture, row) = (picture as usize, row as usize);
                    assert_eq!(chunk.labels[row], data.labels[picture]);
                    assert_eq!(chunk.pixels[row * 1024 + 77], values[picture * 1024 + 77].to_bits());
                    let mask: Vec<u8> = bytemuck::cast_slice(&chunk.masks[row * 256..][..256]).to_vec();
                    assert_eq!(mask, data.mask(picture));
                }
            }
        }
    }

    #[test]
    fn two_things_are_done_side_by_side() {
        assert_eq!(beside(|| 1 + 1, || "done"), (2, "done"));
    }
}

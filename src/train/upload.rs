//! A data set on its way to the device.

use super::{DataFill, TrainConfig, TrainError};
use crate::data::{Dataset, Pixels};
use crate::exec::Session;
use crate::model::{Dimensions, MapShape};

/// The row number that stands for no picture.
pub(crate) const PADDING: u32 = u32::MAX;

/// Describes the training pictures.
pub(super) fn training(data: &Dataset, config: &TrainConfig) -> Dimensions {
    Dimensions { augmented: !config.augment.is_none(), ..dimensions(data, config.batch) }
}

/// Describes a data set in batches of at most `batch`.
pub(super) fn dimensions(data: &Dataset, batch: usize) -> Dimensions {
    let count = data.len();
    let batch = batch.min(count).max(1);
    Dimensions {
        count,
        batch,
        steps: count.div_ceil(batch),
        packed: matches!(data.pixels, Pixels::Byte(_)),
        augmented: false,
    }
}

pub(super) fn shape(data: &Dataset) -> MapShape {
    MapShape { height: data.height, width: data.width, channels: data.channels }
}

/// Bytes as words, the lowest byte first.
pub(super) fn pack(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks(4)
        .map(|chunk| {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            u32::from_le_bytes(word)
        })
        .collect()
}

/// Writes everything but the order: pixels, masks, labels, class weights and the fill.
pub(super) fn write(
    session: &mut dyn Session,
    name: &str,
    data: &Dataset,
    fill: &[f32],
    class_weights: &[f64],
) -> Result<(), TrainError> {
    let field = |field: &str| format!("{name}.{field}");
    match &data.pixels {
        Pixels::Float(values) => {
            let words: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
            session.write_index(&field("pixels"), &words)?;
        }
        Pixels::Byte(bytes) => session.write_index(&field("pixels"), &pack(bytes))?,
    }
    let explained: Vec<u32> = data.explained.iter().map(|&explained| u32::from(explained)).collect();
    // A plan that has no use for masks does not know them: those writes are for the others.
    for (what, words) in
        [("masks", pack(&data.masks)), ("labels", data.labels.clone()), ("explained", explained)]
    {
        session.write_index(&field(what), &words)?;
    }
    write_constants(session, name, data, fill, class_weights)
}

/// Writes what no picture has of its own: class weights and the fill.
pub(super) fn write_constants(
    session: &mut dyn Session,
    name: &str,
    data: &Dataset,
    fill: &[f32],
    class_weights: &[f64],
) -> Result<(), TrainError> {
    let weights: Vec<f32> = match class_weights {
        [] => vec![1.0; data.classes.len()],
        weights => weights.iter().map(|&weight| weight as f32).collect(),
    };
    session.write(&format!("{name}.class_weights"), &weights)?;
    session.write(&format!("{name}.fill"), fill)?;
    Ok(())
}

/// The value of x′ outside of the mask, per channel, in the scale [−1, 1].
pub fn fill_values(fill: DataFill, data: &Dataset) -> Vec<f32> {
    match fill.constant() {
        Some(value) => vec![value; data.channels],
        None => data.channel_means().iter().map(|&mean| (2.0 * mean - 1.0) as f32).collect(),
    }
}

/// One replica's row of the order tensor: `indices`, then padding up to whole batches.
pub(crate) fn padded(indices: impl IntoIterator<Item = u32>, dimensions: &Dimensions) -> Vec<u32> {
    let mut order: Vec<u32> = indices.into_iter().collect();
    order.resize(dimensions.steps * dimensions.batch, PADDING);
    order
}

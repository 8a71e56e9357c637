//! What a model sees in a few pictures, and two models side by side.

use image::RgbImage;

use super::sheet::{Cell, Column, Row, Sheet, Tone};
use super::tile::{Scale, Size, Tile, channel_mean, channel_norm};
use crate::data::Dataset;
use crate::exec::Device;
use crate::train::{FeatureMaps, Predictor, TrainError, Trainer, most_probable, share_inside};

/// One replica's answers about a few pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Predicted class of each picture.
    pub predictions: Vec<u32>,
    /// `[n, H, W, C]`: d log p(predicted class) / d x.
    pub gradients: Vec<f32>,
    /// x, x′, f(x), f(x′) and, where there is a mapping, m(f(x)).
    pub maps: FeatureMaps,
}

/// Asks the first replica of a trainer about a few pictures.
pub fn look(trainer: &mut Trainer, device: &Device, pictures: &Dataset) -> Result<Look, TrainError> {
    const NAME: &str = "report";
    trainer.add_dataset(NAME, pictures)?;
    let evaluation = trainer.evaluate(NAME)?;
    Ok(Look {
        predictions: evaluation.predictions.into_iter().next().unwrap_or_default(),
        gradients: trainer.input_gradient(device, pictures, 0)?.gradients,
        maps: trainer.feature_maps(device, pictures, 0)?,
    })
}

/// Asks a trained model about a few pictures, at most [`Predictor::batch`]. `fill` and `hard` are those of
/// [`Predictor::feature_maps`].
pub fn look_with(
    predictor: &mut Predictor,
    pictures: &Dataset,
    fill: &[f32],
    hard: bool,
) -> Result<Look, TrainError> {
    let values: Vec<f32> = (0..pictures.len()).flat_map(|i| pictures.picture(i)).collect();
    let rows = predictor.probabilities(pictures)?;
    Ok(Look {
        predictions: rows.iter().map(|row| most_probable(row).map_or(u32::MAX, |k| k as u32)).collect(),
        gradients: predictor.input_gradient(&values)?,
        maps: predictor.feature_maps(pictures, fill, hard)?,
    })
}

/// A model's answers under the name that the sheet calls it by.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Such as `label-only`.
    pub name: &'a str,
    /// Its answers.
    pub look: &'a Look,
}

/// The values of picture `index` in a list of `[n, ...]`; empty past the end.
fn part(values: &[f32], index: usize, len: usize) -> &[f32] {
    values.get(index * len..(index + 1) * len).unwrap_or_default()
}

/// The tiles f(x), f(x′) and m(f(x)) of one picture on one scale, those that there are.
pub(super) fn feature_cells(maps: &FeatureMaps, index: usize) -> Vec<Cell> {
    let wanted = ["f(x)", "f(x')", "m(f(x))"];
    let found: Vec<(Vec<f64>, Size)> = wanted
        .iter()
        .filter_map(|name| maps.iter().find(|(found, ..)| found == name))
        .map(|(_, shape, values)| {
            (channel_mean(part(values, index, shape.len()), shape.channels), [shape.height, shape.width])
        })
        .collect();
    let scale = Scale::from_zero(&found.iter().map(|(map, _)| map.as_slice()).collect::<Vec<_>>());
    let cell =
        |(map, size): (Vec<f64>, Size)| Cell { tile: Some(Tile::map(&map, size, scale)), ..Cell::default() };
    found.into_iter().map(cell).collect()
}

pub(super) fn gradient_cell(look: &Look, picture: &Tile, data: &Dataset, index: usize) -> Cell {
    let gradient = part(&look.gradients, index, data.picture_len());
    let norms = channel_norm(gradient, data.channels);
    let tile = Tile::overlay(picture, &norms, Scale::without_peaks(&norms));
    let explained = data.explained.get(index) == Some(&true);
    let share = share_inside(gradient, data.mask(index), data.channels).filter(|_| explained);
    Cell {
        tile: Some(tile),
        outline: if explained { data.mask(index).to_vec() } else { Vec::new() },
        caption: share.map_or(String::new(), |share| format!("{:.0} % inside", 100.0 * share)),
    }
}

/// The smallest side of an overlay in pixels.
const OVERLAY: usize = 256;

/// A picture `[H, W, C]` in [0, 1] under the size of its input gradient `[H, W, C]`; small pictures are enlarged.
pub fn gradient_overlay(picture: &[f32], gradient: &[f32], size: Size, channels: usize) -> RgbImage {
    let norms = channel_norm(gradient, channels);
    let tile = Tile::overlay(&Tile::picture(picture, size, channels), &norms, Scale::without_peaks(&norms));
    let times = OVERLAY.div_ceil(size[0].min(size[1]).max(1)).max(1);
    tile.resized([size[0] * times, size[1] * times]).image()
}

pub(super) fn class(data: &Dataset, index: u32) -> &str {
    data.classes.get(index as usize).map_or("(no class)", String::as_str)
}

/// A sheet of one model without and one with explanations on the same pictures: what goes in, the features that
/// stage 2 compares (those of `after`), and where both models' predictions come from.
///
/// `sections` holds the number of the first picture of each section, and its heading.
pub fn before_after(
    title: &str,
    data: &Dataset,
    sections: &[(usize, String)],
    before: Named,
    after: Named,
) -> Sheet {
    let column = |group: &str, title: &str| Column { group: group.to_owned(), title: title.to_owned() };
    let inputs = "what goes in";
    let features = format!("features, {}", after.name);
    let gradients = "input gradient";
    let maps = &after.look.maps;
    let has = |name: &str| maps.iter().any(|(found, ..)| found == name);
    let mut columns = vec![column(inputs, "picture x"), column(inputs, "mask"), column(inputs, "x' masked")];
    columns.extend(["f(x)", "f(x')", "m(f(x))"].iter().filter(|n| has(n)).map(|n| column(&features, n)));
    columns.extend([before.name, after.name].map(|name| column(gradients, name)));

    let size = [data.height, data.width];
    let mut rows = Vec::new();
    for index in 0..data.len() {
        let picture = Tile::picture(&data.picture(index), size, data.channels);
        let masked = maps.iter().find(|(name, ..)| name == "x'").map(|(_, shape, values)| {
            let scaled: Vec<f32> =
                part(values, index, shape.len()).iter().map(|value| (value + 1.0) / 2.0).collect();
            Tile::picture(&scaled, size, data.channels)
        });
        let shown = |tile: Option<Tile>| Cell { tile, ..Cell::default() };
        let mut cells = vec![
            shown(Some(picture.clone())),
            shown(Some(Tile::mask(data.mask(index), size))),
            shown(masked),
        ];
        cells.extend(feature_cells(maps, index));
        cells.extend([before, after].map(|model| gradient_cell(model.look, &picture, data, index)));
        let truth = data.labels.get(index).copied().unwrap_or_default();
        let mut label = vec![(format!("true: {}", class(data, truth)), Tone::Strong)];
        for model in [before, after] {
            let predicted = model.look.predictions.get(index).copied().unwrap_or(u32::MAX);
            let (tone, word) =
                if predicted == truth { (Tone::Right, "right") } else { (Tone::Wrong, "wrong") };
            label.push((format!("{}:", model.name), Tone::Plain));
            label.push((format!("  {}, {word}", class(data, predicted)), tone));
        }
        let section = sections.iter().find(|(first, _)| *first == index).map(|(_, heading)| heading.clone());
        rows.push(Row { section, label, cells });
    }
    Sheet {
        title: title.to_owned(),
        columns,
        rows,
        scale: Some(["0".to_owned(), "largest".to_owned()]),
        notes: vec![
            "Features: mean over the channels of |value|; the tiles of a row share one scale, and colours follow the \
             square root. Stage 2 pulls m(f(x)) toward f(x')."
                .to_owned(),
            "Input gradient: |d log p(predicted class) / dx| over the dimmed picture, each tile on a scale of its own \
             that one pixel in a hundred exceeds; outline: the mask; below: the share of the squared gradient inside it."
                .to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;
    use crate::model::MapShape;

    fn data() -> Dataset {
        Dataset {
            height: 2,
            width: 2,
            channels: 1,
            classes: vec!["up".into(), "down".into()],
            pixels: Pixels::Byte(vec![0, 50, 100, 150, 200, 250, 0, 50]),
            labels: vec![0, 1],
            masks: vec![255, 0, 0, 0, 0, 0, 0, 0],
            explained: vec![true, false],
            names: vec!["a".into(), "b".into()],
            groups: Default::default(),
        }
    }

    fn example(names: &[&str]) -> Look {
        let shape = |name: &str| match name.starts_with('x') {
            true => MapShape { height: 2, width: 2, channels: 1 },
            false => MapShape { height: 1, width: 2, channels: 3 },
        };
        let map = |name: &&str| ((*name).to_owned(), shape(name), vec![0.5; 2 * shape(name).len()]);
        Look {
            predictions: vec![0, 0],
            gradients: vec![3.0, 0.0, -4.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            maps: names.iter().map(map).collect(),
        }
    }

    #[test]
    fn every_row_has_a_cell_for_every_column() {
        let data = data();
        for names in [&["x", "x'", "f(x)", "f(x')", "m(f(x))"][..], &["x", "x'", "f(x)", "f(x')"], &[]] {
            let look = example(names);
            let named = |name| Named { name, look: &look };
            let sections = [(1, "second".to_owned())];
            let sheet = before_after("t", &data, &sections, named("before"), named("after"));
            assert!(sheet.rows.iter().all(|row| row.cells.len() == sheet.columns.len()), "{names:?}");
            assert_eq!(sheet.columns.len(), 5 + names.len().saturating_sub(2));
            assert_eq!((&sheet.rows[0].section, &sheet.rows[1].section), (&None, &Some("second".to_owned())));
        }
    }

    #[test]
    fn predictions_are_marked_and_shares_are_those_computed_by_hand() {
        let look = example(&["x'"]);
        let named = |name| Named { name, look: &look };
        let sheet = before_after("t", &data(), &[], named("before"), named("after"));
        assert_eq!(sheet.rows[0].label[2], ("  up, right".to_owned(), Tone::Right));
        assert_eq!(sheet.rows[1].label[2], ("  up, wrong".to_owned(), Tone::Wrong));
        // 3² of 3² + 4².
        assert_eq!(sheet.rows[0].cells[3].caption, "36 % inside");
        // No mask and no gradient: nothing to say.
        assert_eq!(sheet.rows[1].cells[3].caption, "");
        assert!(sheet.rows[1].cells[3].outline.is_empty());
    }
}

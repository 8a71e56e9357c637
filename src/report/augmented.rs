//! What augmentation makes of a few pictures.

use super::sheet::{Cell, Column, Row, Sheet, Tone};
use super::tile::{Size, Tile};
use crate::data::Dataset;
use crate::train::{Augmentation, Augmented};

/// A sheet of pictures as they are and in the versions that training would see, each with the outline of its mask.
pub fn augmented_sheet(data: &Dataset, augment: &Augmentation, seen: &Augmented) -> Sheet {
    let (size, values, area): (Size, usize, usize) =
        ([data.height, data.width], data.picture_len(), data.height * data.width);
    let versions = seen.pixels.len() / (data.len() * values).max(1);
    let column = |group: &str, title: String| Column { group: group.to_owned(), title };
    let mut columns = vec![column("as it is", "picture".to_owned())];
    columns.extend((1..=versions).map(|version| column("as training sees it", format!("{version}"))));
    let rows = (0..data.len()).map(|i| {
        let explained = data.explained[i];
        let cell = |pixels: &[f32], mask: &[u8]| Cell {
            tile: Some(Tile::picture(pixels, size, data.channels)),
            outline: if explained { mask.to_vec() } else { Vec::new() },
            caption: String::new(),
        };
        let mut cells = vec![cell(&data.picture(i), data.mask(i))];
        cells.extend(
            (i * versions..(i + 1) * versions)
                .map(|at| cell(&seen.pixels[at * values..][..values], &seen.masks[at * area..][..area])),
        );
        let class = data.class_of(i).to_owned();
        let mut label = vec![(class, Tone::Strong)];
        if !explained {
            label.push(("no mask".to_owned(), Tone::Plain));
        }
        Row { section: None, label, cells }
    });
    Sheet {
        title: format!("Augmentation: {augment}"),
        columns,
        rows: rows.collect(),
        scale: None,
        notes: vec![
            "Outline: the mask, turned with its picture. Past the edge of a picture its edge goes on."
                .to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;

    #[test]
    fn every_picture_has_a_row_and_every_version_a_cell() {
        let data = Dataset {
            height: 1,
            width: 2,
            channels: 1,
            classes: vec!["a".into(), "b".into()],
            pixels: Pixels::Byte(vec![0, 255, 255, 0]),
            labels: vec![1, 0],
            masks: vec![255, 0, 0, 0],
            explained: vec![true, false],
            names: vec!["p".into(), "q".into()],
            groups: Default::default(),
        };
        let seen = Augmented {
            pixels: (0..12).map(|i| i as f32 / 11.0).collect(),
            masks: (0..12).map(|i| i as u8 * 20).collect(),
        };
        let sheet = augmented_sheet(&data, &"flip".parse().unwrap(), &seen);
        assert_eq!(
            (sheet.columns.len(), sheet.rows.len(), sheet.title.as_str()),
            (4, 2, "Augmentation: flip")
        );
        assert!(sheet.rows.iter().all(|row| row.cells.len() == 4));
        assert_eq!(sheet.rows[0].label[0].0, "b");
        assert_eq!(sheet.rows[0].cells[3].outline, [80, 100]);
        assert_eq!(sheet.rows[0].cells[3].tile, Some(Tile::picture(&[4.0 / 11.0, 5.0 / 11.0], [1, 2], 1)));
        assert!(sheet.rows[1].cells.iter().all(|cell| cell.outline.is_empty()));
    }
}

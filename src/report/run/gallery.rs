//! Which pictures are worth a look, and what is shown of each.

use image::RgbImage;

use crate::data::Dataset;
use crate::report::explain::{class, feature_cells, gradient_cell};
use crate::report::html::{data_uri, escape};
use crate::report::sheet::{Cell, cell_image, shown_size};
use crate::report::{Look, Tile};
use crate::train::{FeatureMaps, most_probable};

/// One small picture of a card.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is.
    pub caption: String,
    /// What there is to read off it.
    pub note: String,
    /// The picture.
    pub image: RgbImage,
}

/// A picture with what the model makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Its class.
    pub truth: String,
    /// The predicted class and its probability.
    pub predicted: Option<(String, f64)>,
    /// Where it came from.
    pub name: String,
    /// Its pictures.
    pub parts: Vec<Part>,
}

/// The wrongly predicted pictures by rising probability of their own class, at most `limit`.
pub fn most_wrong(rows: &[Vec<f64>], labels: &[u32], limit: usize) -> Vec<usize> {
    let own = |i: usize| rows[i].get(labels[i] as usize).copied().unwrap_or(f64::NAN);
    let mut wrong: Vec<usize> = (0..rows.len().min(labels.len()))
        .filter(|&i| most_probable(&rows[i]).is_some_and(|class| class != labels[i] as usize))
        .collect();
    wrong.sort_by(|&a, &b| own(a).total_cmp(&own(b)));
    wrong.truncate(limit);
    wrong
}

/// The pictures whose two most probable classes are closest to each other, but for those in `without`.
pub fn most_unsure(rows: &[Vec<f64>], without: &[usize], limit: usize) -> Vec<usize> {
    let gap = |i: usize| {
        let mut row = rows[i].clone();
        row.sort_by(|a, b| b.total_cmp(a));
        row[0] - row[1]
    };
    let sound = |i: &usize| rows[*i].len() > 1 && rows[*i].iter().all(|p| p.is_finite());
    let mut unsure: Vec<usize> = (0..rows.len()).filter(sound).filter(|i| !without.contains(i)).collect();
    unsure.sort_by(|&a, &b| gap(a).total_cmp(&gap(b)));
    unsure.truncate(limit);
    unsure
}

fn part(caption: &str, note: &str, cell: &Cell, data: &Dataset) -> Part {
    Part {
        caption: caption.to_owned(),
        note: note.to_owned(),
        image: cell_image(cell, shown_size([data.height, data.width])),
    }
}

fn plain(tile: Tile) -> Cell {
    Cell { tile: Some(tile), ..Cell::default() }
}

/// A card with picture, mask, feature maps and input gradient. `look` is of `data`, `row` the picture's probabilities.
pub fn seen(data: &Dataset, index: usize, look: &Look, row: &[f64]) -> Card {
    let size = [data.height, data.width];
    let explained = data.explained.get(index) == Some(&true);
    let picture = Tile::picture(&data.picture(index), size, data.channels);
    let mut parts = vec![part("picture", "", &plain(picture.clone()), data)];
    if explained {
        parts.push(part("mask", "", &plain(Tile::mask(data.mask(index), size)), data));
    }
    let wanted = |name: &str| explained || name != "f(x')";
    let maps: FeatureMaps = look.maps.iter().filter(|(name, ..)| wanted(name)).cloned().collect();
    let names =
        maps.iter().filter(|(name, ..)| !name.starts_with('x')).map(|(name, ..)| name.replace('\'', "′"));
    parts.extend(
        feature_cells(&maps, index).iter().zip(names).map(|(cell, name)| part(&name, "", cell, data)),
    );
    let gradient = gradient_cell(look, &picture, data, index);
    parts.push(part("gradient", &gradient.caption, &gradient, data));
    Card {
        predicted: most_probable(row).map(|k| (class(data, k as u32).to_owned(), row[k])),
        ..card(data, index, parts)
    }
}

/// A card with the picture and its input gradient in several states of a model, each under its name.
pub fn compared(data: &Dataset, index: usize, looks: &[(&str, &Look)]) -> Card {
    let picture = Tile::picture(&data.picture(index), [data.height, data.width], data.channels);
    let outlined = Cell { outline: data.mask(index).to_vec(), ..plain(picture.clone()) };
    let mut parts = vec![part("picture", "", &outlined, data)];
    for (name, look) in looks {
        let cell = gradient_cell(look, &picture, data, index);
        let predicted = look.predictions.get(index).copied().unwrap_or(u32::MAX);
        let right = if data.labels.get(index) == Some(&predicted) { "right" } else { "wrong" };
        let share = cell.caption.replace(' ', "\u{a0}");
        let note = format!("{}, {right}; {share}", class(data, predicted));
        parts.push(part(name, note.trim_end_matches("; "), &cell, data));
    }
    card(data, index, parts)
}

fn card(data: &Dataset, index: usize, parts: Vec<Part>) -> Card {
    Card {
        truth: data.labels.get(index).map_or("", |&label| class(data, label)).to_owned(),
        predicted: None,
        name: data.names.get(index).cloned().unwrap_or_default(),
        parts,
    }
}

/// The cards side by side.
pub(super) fn cards(cards: &[Card]) -> Result<String, image::ImageError> {
    let mut text = String::from("<div class=\"cards\">\n");
    for card in cards {
        let n = card.parts.len();
        let predicted = card.predicted.as_ref().map_or(String::new(), |(class, probability)| {
            let word = if *class == card.truth { "right" } else { "wrong" };
            format!(
                ", predicted <b>{}</b> with {:.1} % (<span class=\"{word}\">{word}</span>)",
                escape(class),
                100.0 * probability
            )
        });
        text.push_str(&format!(
            "<div class=\"card\">\n<h4>class <b>{}</b>{predicted}</h4>\n<p class=\"sub\">{}</p>\n\
             <div class=\"tiles\" style=\"--n: {n}; --m: {}\">\n",
            escape(&card.truth),
            escape(&card.name),
            // On a narrow screen six stand in two rows.
            if n > 4 { n.div_ceil(2) } else { n }
        ));
        for part in &card.parts {
            let [alt, note] = [&part.caption, &part.note].map(|text| escape(text));
            let note = if note.is_empty() { note } else { format!("<br>{note}") };
            text.push_str(&format!(
                "<figure><img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{alt}\"><figcaption>{alt}{note}</figcaption></figure>\n",
                data_uri(&part.image)?,
                part.image.width(),
                part.image.height()
            ));
        }
        text.push_str("</div>\n</div>\n");
    }
    text.push_str("</div>\n");
    Ok(text)
}

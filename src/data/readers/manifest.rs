//! Tables of pictures: CSV with a header, or one JSON object per line.
//!
//! Columns: `image` and `label`; if wanted `split` (train, val, test), `group`, `mask` (a file), and a box `x`, `y`, `w`,
//! `h` in pixels, which explains a picture that has no mask. Paths are relative to the table's folder. A training picture
//! with a mask or a box may go without a label: stage 2 learns from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::catalog::{Catalog, Explanation, Item, Part, Picture};
use super::fault::Fault;
use super::json;
use super::options::{Format, ReadOptions};
use super::paths::{Base, extension, file_name, list};
use super::regions::{Regions, sound_box};
use crate::data::DataError;

/// The most bytes of a line.
const LONGEST_LINE: usize = 1 << 20;
const COLUMNS: [&str; 9] = ["image", "label", "split", "group", "mask", "x", "y", "w", "h"];

/// One picture as the table says it; empty texts are left out.
#[derive(Debug, Default, Deserialize)]
struct Row {
    image: Option<String>,
    label: Option<Word>,
    split: Option<String>,
    group: Option<Word>,
    mask: Option<String>,
    x: Option<f64>,
    y: Option<f64>,
    w: Option<f64>,
    h: Option<f64>,
    #[serde(flatten)]
    unknown: BTreeMap<String, IgnoredAny>,
}

/// A name, which may be written as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Word {
    Text(String),
    Whole(i64),
    Flag(bool),
}

impl Word {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Whole(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }
}

/// Whether a file in a folder is such a table, and whether its first picture lies in a folder that is called as its label.
pub(super) fn looks_like(file: &Path) -> Option<(Format, bool)> {
    let (format, image, label) = match extension(file).as_str() {
        "csv" => {
            let bytes = json::text(file).ok()?;
            let header = headers(&bytes).ok()?;
            let column = |name: &str| header.iter().position(|column| column == name);
            let (image, label) = (column("image")?, column("label")?);
            let first = reader(&bytes).into_records().flatten().next().unwrap_or_default();
            let text = |column: usize| first.get(column).unwrap_or_default().to_owned();
            (Format::Csv, text(image), text(label))
        }
        "jsonl" | "ndjson" => {
            let bytes = json::text(file).ok()?;
            let first = bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
            let row: Row = serde_json::from_slice(first).ok()?;
            (Format::Jsonl, row.image?, row.label?.text())
        }
        _ => return None,
    };
    let folder = Path::new(&image).parent().map(file_name).unwrap_or_default();
    Some((format, folder == label))
}

pub(super) fn catalog(path: &Path, format: Format, options: &ReadOptions) -> Result<Catalog, DataError> {
    let file = if path.is_dir() { only_table(path, format)? } else { path.to_path_buf() };
    if !file.exists() {
        return Err(DataError::NotFound { path: file });
    }
    let bytes = json::text(&file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut table = Table {
        base: Base::new(folder, options.allow_outside),
        catalog: Catalog::new(folder),
        file: file.clone(),
        seen: BTreeSet::new(),
        unknown: BTreeSet::new(),
        classes: BTreeMap::new(),
    };
    match format {
        Format::Jsonl => table.json_lines(&bytes),
        _ => table.comma_separated(&bytes)?,
    }
    table.finish()
}

fn only_table(root: &Path, format: Format) -> Result<PathBuf, DataError> {
    let files = list(root)?.files;
    let fits = |file: &&PathBuf| looks_like(file).is_some_and(|(found, _)| found == format);
    let mut tables: Vec<PathBuf> = files.iter().filter(fits).cloned().collect();
    if tables.is_empty() {
        // The only file of this kind is the table that is meant; reading it says what is wrong with it.
        let named = |file: &&PathBuf| match extension(file).as_str() {
            "csv" => format == Format::Csv,
            "jsonl" | "ndjson" => format == Format::Jsonl,
            _ => false,
        };
        tables = files.iter().filter(named).cloned().collect();
        tables.truncate(usize::from(tables.len() == 1));
    }
    match tables.as_slice() {
        [table] => Ok(table.clone()),
        [] => Err(DataError::MissingPart {
            path: root.join(format!("*.{format}")),
            format: "of a table with the columns image and label",
        }),
        [first, second, ..] => Err(DataError::Entry {
            file: root.to_path_buf(),
            place: format!("{} and {}", file_name(first), file_name(second)),
            message: "several tables fit; give the one that is meant instead of the folder".to_owned(),
        }),
    }
}

/// The column names in lower case, by the separator that the first line has.
fn headers(bytes: &[u8]) -> Result<Vec<String>, csv::Error> {
    let record = reader(bytes).headers()?.clone();
    Ok(record.iter().map(str::to_lowercase).collect())
}

fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let separator = [b',', b';', b'\t'].into_iter().find(|separator| line.contains(separator));
    csv::ReaderBuilder::new().delimiter(separator.unwrap_or(b',')).trim(csv::Trim::All).from_reader(bytes)
}

struct Table {
    base: Base,
    catalog: Catalog,
    file: PathBuf,
    seen: BTreeSet<PathBuf>,
    unknown: BTreeSet<String>,
    classes: BTreeMap<String, Arc<str>>,
}

impl Table {
    fn entry(&self, line: u64, message: impl Into<String>) -> DataError {
        DataError::Entry { file: self.file.clone(), place: format!("line {line}"), message: message.into() }
    }

    fn json_lines(&mut self, bytes: &[u8]) {
        for (i, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.len() > LONGEST_LINE {
                let error =
                    self.entry(i as u64 + 1, "it is longer than 1 MiB; one object per line is expected");
                self.catalog.errors.push(error);
            } else if !line.trim_ascii().is_empty() {
                let row = json::parse::<Row>(line, &self.file, i).and_then(|row| self.add(row, i as u64 + 1));
                row.unwrap_or_else(|error| self.catalog.errors.push(error));
            }
        }
    }

    fn comma_separated(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        let header = headers(bytes).map_err(|error| self.entry(1, format!("{error}; save it as UTF-8")))?;
        let column = |name: &str| header.iter().position(|column| column == name);
        let (Some(image), Some(label)) = (column("image"), column("label")) else {
            return Err(self.entry(
                1,
                format!(
                    "the columns image and label are needed, and there are {}; rename them",
                    header.join(", ")
                ),
            ));
        };
        self.unknown.extend(header.iter().filter(|name| !COLUMNS.contains(&name.as_str())).cloned());
        let rest = ["split", "group", "mask"].map(column);
        let sides = ["x", "y", "w", "h"].map(column);
        for record in reader(bytes).into_records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    let error = self.entry(line, format!("{error}; mend the line"));
                    self.catalog.errors.push(error);
                    continue;
                }
            };
            let line = record.position().map_or(0, csv::Position::line);
            let text = |column: Option<usize>| {
                column.and_then(|i| record.get(i)).filter(|text| !text.is_empty()).map(str::to_owned)
            };
            let number = |column: Option<usize>| match text(column) {
                None => Ok(None),
                Some(text) => text
                    .parse()
                    .map(Some)
                    .map_err(|_| self.entry(line, format!("`{text}` is no number; mend the box"))),
            };
            let numbers: Result<Vec<Option<f64>>, DataError> = sides.into_iter().map(number).collect();
            let added = numbers.and_then(|sides| {
                let [split, group, mask] = rest.map(text);
                let row = Row {
                    image: text(Some(image)),
                    label: text(Some(label)).map(Word::Text),
                    split,
                    group: group.map(Word::Text),
                    mask,
                    x: sides[0],
                    y: sides[1],
                    w: sides[2],
                    h: sides[3],
                    unknown: BTreeMap::new(),
                };
                self.add(row, line)
            });
            added.unwrap_or_else(|error| self.catalog.errors.push(error));
        }
        Ok(())
    }

    fn add(&mut self, row: Row, line: u64) -> Result<(), DataError> {
        self.unknown.extend(row.unknown.into_keys());
        let place = format!("line {line}");
        let filled = |text: Option<String>| text.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        let name = filled(row.image).ok_or_else(|| self.entry(line, "it names no image; fill in `image`"))?;
        let label = filled(row.label.map(Word::text));
        let path = self.base.resolve(&name, &self.file, &place)?;
        if !self.seen.insert(path.clone()) {
            return Err(self.entry(line, format!("{name} is listed twice; remove one of the lines")));
        }
        let part = match filled(row.split) {
            None => None,
            Some(word) => Some(Part::named(&word).ok_or_else(|| {
                self.entry(line, format!("`{word}` is no part of the data; write train, val or test"))
            })?),
        };
        let class =
            label.map(|label| self.classes.entry(label.clone()).or_insert_with(|| label.into()).clone());
        let group = filled(row.group.map(Word::text)).map(Arc::from);
        let known_at = Some(format!("{}, {place}", file_name(&self.file)));
        let explanation = match (filled(row.mask), [row.x, row.y, row.w, row.h]) {
            (Some(mask), _) => Explanation::Mask(self.base.resolve(&mask, &self.file, &place)?),
            (None, [None, None, None, None]) => Explanation::None,
            (None, [Some(x), Some(y), Some(w), Some(h)]) if sound_box([x, y, w, h]) => {
                Explanation::Regions(Arc::new(Regions::boxed(self.file.clone(), place, [x, y, w, h])))
            }
            _ => {
                return Err(self.entry(
                    line,
                    "its box is not whole: give x, y, w and h, with w and h above 0, or none of them",
                ));
            }
        };
        if class.is_none()
            && (matches!(explanation, Explanation::None) || !matches!(part, None | Some(Part::Train)))
        {
            let message = format!(
                "{name} has no label; fill in `label`, or remove the line (only a training picture with a mask or a box may go without)"
            );
            return Err(self.entry(line, message));
        }
        let picture = Picture::File(path);
        self.catalog.items.push(Item { picture, explanation, name, class, part, group, place: known_at });
        Ok(())
    }

    /// Holds what lines must have in common.
    fn finish(mut self) -> Result<Catalog, DataError> {
        let file = file_name(&self.file);
        for column in std::mem::take(&mut self.unknown) {
            self.catalog.odd(Fault::UnknownColumn, format!("{file}: {column}"));
        }
        type Has = fn(&Item) -> bool;
        let both: [(Has, &str, &str); 2] = [
            (|item| item.part.is_some(), "split", "train, val or test"),
            (|item| item.group.is_some(), "group", "its name"),
        ];
        for (has, column, what) in both {
            let items = &self.catalog.items;
            if items.iter().any(has)
                && let Some(lacking) = items.iter().find(|item| !has(item))
            {
                let error = DataError::Entry {
                    file: self.file.clone(),
                    place: lacking.place.clone().unwrap_or_default(),
                    message: format!("other lines have a {column} and this one has none; fill in {what}"),
                };
                self.catalog.errors.push(error);
            }
        }
        if self.catalog.items.is_empty() && self.catalog.errors.is_empty() {
            return Err(self.entry(1, "it names no pictures; add a line for each"));
        }
        Ok(self.catalog)
    }
}

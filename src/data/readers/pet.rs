//! Oxford-IIIT Pet: lists of pictures with the number of their class, and trimaps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::catalog::{Catalog, Explanation, Item, Part, Picture};
use super::json;
use super::options::ReadOptions;
use super::paths::{Base, expect_folder, file_name};
use crate::data::DataError;

pub(super) fn catalog(root: &Path, options: &ReadOptions) -> Result<Catalog, DataError> {
    expect_folder(root)?;
    let mut catalog = Catalog::new(root);
    let base = Base::new(root, options.allow_outside);
    let folder = root.join("annotations");
    let lists: &[(&str, Option<Part>)] = if folder.join("trainval.txt").is_file() {
        &[("trainval.txt", Some(Part::Train)), ("test.txt", Some(Part::Test))]
    } else {
        &[("list.txt", None)]
    };
    let mut reader = Reader { base, names: BTreeMap::new(), seen: BTreeSet::new() };
    for (name, part) in lists {
        let path = folder.join(name);
        if !path.is_file() {
            return Err(DataError::MissingPart { path, format: "pet" });
        }
        let bytes = json::text(&path)?;
        for (i, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match reader.item(line, &path, i + 1, *part) {
                Ok(item) => catalog.items.push(item),
                Err(error) => catalog.errors.push(error),
            }
        }
    }
    Ok(catalog)
}

struct Reader {
    base: Base,
    /// The name of each class number, from its first picture.
    names: BTreeMap<u64, Arc<str>>,
    seen: BTreeSet<String>,
}

impl Reader {
    /// `Abyssinian_100 1 1 1`: a picture, the number of its class, its species, its breed in that.
    fn item(
        &mut self,
        line: &str,
        file: &Path,
        number: usize,
        part: Option<Part>,
    ) -> Result<Item, DataError> {
        let place = format!("line {number}");
        let entry =
            |message: String| DataError::Entry { file: file.to_path_buf(), place: place.clone(), message };
        let mut words = line.split_whitespace();
        let (Some(name), Some(Ok(class))) = (words.next(), words.next().map(str::parse)) else {
            return Err(entry(format!("`{line}` is no picture with the number of its class; mend it")));
        };
        if !self.seen.insert(name.to_owned()) {
            return Err(entry(format!("{name} is listed twice; remove one of the lines")));
        }
        let breed = name.rsplit_once('_').map_or(name, |(breed, _)| breed);
        let known = self.names.entry(class).or_insert_with(|| breed.into()).clone();
        if *known != *breed {
            let message = format!("class {class} is {known} above and {breed} here; mend one of the lines");
            return Err(entry(message));
        }
        let picture = self.base.resolve(&format!("images/{name}.jpg"), file, &place)?;
        let trimap = self.base.resolve(&format!("annotations/trimaps/{name}.png"), file, &place)?;
        let mut item = Item::new(Picture::File(picture), format!("images/{name}.jpg"), &known);
        item.part = part;
        item.place = Some(format!("{}, {place}", file_name(file)));
        if trimap.is_file() {
            item.explanation = Explanation::Trimap(trimap);
        }
        Ok(item)
    }
}

//! The four files of MNIST and its kin, as a catalog.

use std::path::Path;
use std::sync::Arc;

use super::catalog::{Catalog, Item, Part, Picture};
use super::paths::{expect_folder, file_name};
use crate::data::{DataError, idx};

pub(super) fn catalog(root: &Path) -> Result<Catalog, DataError> {
    expect_folder(root)?;
    let mut catalog = Catalog::new(root);
    let split = idx::has_test(root);
    for (number, part) in [Part::Train, Part::Test].into_iter().enumerate().take(1 + usize::from(split)) {
        let idx::RawPart { file, sizes: [_, height, width], pixels, labels } = idx::raw_part(root, number)?;
        let (Ok(wide), Ok(high)) = (u32::try_from(width), u32::try_from(height)) else {
            return Err(super::unreadable(&file, "its pictures have more than 2³² pixels a side"));
        };
        if width.saturating_mul(height) == 0 || width.saturating_mul(height) > 1 << 28 {
            return Err(super::unreadable(&file, format!("its pictures are {width}×{height}")));
        }
        let values = Arc::new(pixels);
        let classes: Vec<Arc<str>> = (0..=255u8).map(|class| class.to_string().into()).collect();
        for (i, label) in labels.into_iter().enumerate() {
            let values = values.clone();
            let picture =
                Picture::Grey { file: file.clone(), values, at: i * width * height, size: (wide, high) };
            let name = format!("{}#{i}", file_name(&file));
            let mut item = Item::new(picture, name, &classes[usize::from(label)]);
            item.part = split.then_some(part);
            catalog.items.push(item);
        }
    }
    Ok(catalog)
}

//! The contact sheet: a table of tiles with titles, labels and captions.

use image::{Rgb as Pixel, RgbImage};

use super::color::{FAINT, INK, OUTLINE, RIGHT, Rgb, WHITE, WRONG, heat};
use super::text::{self, LINE};
use super::tile::{Size, Tile};
use crate::data::RELEVANT;

/// Between the sheet's edge and what stands on it.
const MARGIN: usize = 16;
/// Between tiles.
const GAP: usize = 6;
/// Between groups of columns.
const GROUP_GAP: usize = 22;
/// The widest column of labels.
const MAX_LABEL: usize = 208;
/// Height and width of the scale's bar.
const BAR: Size = [10, 160];

/// How a line of a label is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The name of the row.
    Strong,
    /// Something said by the way.
    Plain,
    /// A right prediction.
    Right,
    /// A wrong prediction.
    Wrong,
}

impl Tone {
    fn color(self) -> Rgb {
        match self {
            Tone::Strong => INK,
            Tone::Plain => FAINT,
            Tone::Right => RIGHT,
            Tone::Wrong => WRONG,
        }
    }
}

/// A column; neighbours of one group stand together under its heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading of the group.
    pub group: String,
    /// The heading of the column.
    pub title: String,
}

/// What stands in one place of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The picture; an empty place without one.
    pub tile: Option<Tile>,
    /// A mask `[H, W]` whose outline is drawn over the tile; empty for none. from [`RELEVANT`] on is inside.
    pub outline: Vec<u8>,
    /// A few words under the tile.
    pub caption: String,
}

/// One row of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// A heading above the row, where a new section begins.
    pub section: Option<String>,
    /// Lines to the left of the tiles.
    pub label: Vec<(String, Tone)>,
    /// One for each column.
    pub cells: Vec<Cell>,
}

/// All that stands on a contact sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Above everything.
    pub title: String,
    /// Headings.
    pub columns: Vec<Column>,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// Ends of the scale of maps and overlays, drawn beside a bar of its colours; `None` for no bar.
    pub scale: Option<[String; 2]>,
    /// Small print below the table, one paragraph each.
    pub notes: Vec<String>,
}

/// Where everything stands, in pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layout {
    width: usize,
    height: usize,
    /// Height and width of a tile.
    tile: Size,
    /// Widest text of a label.
    label: usize,
    /// Left edge of each column.
    columns: Vec<usize>,
    /// Top of the group headings, of the column headings.
    headings: [usize; 2],
    /// Top of each row's tiles.
    rows: Vec<usize>,
    /// Top of the small print.
    notes: usize,
}

/// The size at which tiles are drawn: at least about 96 pixels, in whole multiples; at most 224.
fn tile_size(sheet: &Sheet) -> Size {
    let tiles = || sheet.rows.iter().flat_map(|row| &row.cells).filter_map(|cell| cell.tile.as_ref());
    let first = tiles().max_by_key(|tile| tile.pixels.len());
    shown_size(first.map_or([1, 1], |tile| [tile.height, tile.width]))
}

/// The size at which a picture of that size is drawn.
pub(super) fn shown_size(size: Size) -> Size {
    let [height, width] = size.map(|side| side.max(1));
    let largest = height.max(width);
    if largest > 224 {
        return [height, width].map(|side| (side * 224 / largest).max(1));
    }
    let times = 96usize.div_ceil(largest).max(1);
    [height * times, width * times]
}

impl Layout {
    fn new(sheet: &Sheet) -> Self {
        let tile = tile_size(sheet);
        let labels = sheet.rows.iter().flat_map(|row| &row.label).map(|(line, _)| text::width(line));
        let label = labels.max().unwrap_or(0).min(MAX_LABEL);
        let mut x = MARGIN + label + if label > 0 { GROUP_GAP / 2 } else { 0 };
        let mut columns = Vec::new();
        for (i, column) in sheet.columns.iter().enumerate() {
            if i > 0 {
                x += if sheet.columns[i - 1].group == column.group { GAP } else { GROUP_GAP };
            }
            columns.push(x);
            x += tile[1];
        }
        let width = x + MARGIN;
        let groups = MARGIN + if sheet.title.is_empty() { 0 } else { LINE + 2 * GAP };
        let titles = groups + LINE + GAP;
        let title_lines = sheet.columns.iter().map(|column| text::wrap(&column.title, tile[1]).len());
        let mut y = titles + title_lines.max().unwrap_or(0) * LINE + GAP;
        let mut rows = Vec::new();
        for row in &sheet.rows {
            if row.section.is_some() {
                y += LINE + 2 * GAP;
            }
            rows.push(y);
            let caption = if row.cells.iter().any(|cell| !cell.caption.is_empty()) { LINE } else { 0 };
            y += (tile[0] + caption).max(row.label.len() * LINE) + GAP;
        }
        let notes = y + GAP;
        let scale = if sheet.scale.is_some() { LINE + GAP } else { 0 };
        let lines: usize = sheet.notes.iter().map(|note| text::wrap(note, width - 2 * MARGIN).len()).sum();
        let height = notes + scale + lines * LINE + MARGIN;
        Self { width, height, tile, label, columns, headings: [groups, titles], rows, notes }
    }

    /// The first and the last column of each group.
    fn groups(sheet: &Sheet) -> Vec<[usize; 2]> {
        let mut groups: Vec<[usize; 2]> = Vec::new();
        for (i, column) in sheet.columns.iter().enumerate() {
            match groups.last_mut() {
                Some(group) if sheet.columns[group[1]].group == column.group => group[1] = i,
                _ => groups.push([i, i]),
            }
        }
        groups
    }
}

fn put(image: &mut RgbImage, [x, y]: [usize; 2], color: Rgb) {
    if let Some(pixel) = image.get_pixel_mut_checked(x as u32, y as u32) {
        *pixel = Pixel(color);
    }
}

/// The inner edge of a mask, one pixel wide at the size of the drawing.
fn draw_outline(image: &mut RgbImage, [left, top]: [usize; 2], mask: &[u8], from: Size, to: Size) {
    let inside = |y: usize, x: usize| {
        mask.get(y * from[0] / to[0] * from[1] + x * from[1] / to[1]).is_some_and(|&value| value >= RELEVANT)
    };
    for (y, x) in (0..to[0]).flat_map(|y| (0..to[1]).map(move |x| (y, x))) {
        let within = |y: usize, x: usize| y < to[0] && x < to[1] && inside(y, x);
        let edge = |y: usize, x: usize| {
            y == 0
                || x == 0
                || !(within(y - 1, x) && within(y + 1, x) && within(y, x - 1) && within(y, x + 1))
        };
        if inside(y, x) && edge(y, x) {
            put(image, [left + x, top + y], OUTLINE);
        }
    }
}

/// The picture of a cell with its outline.
fn draw_cell(image: &mut RgbImage, cell: &Cell, [left, top]: [usize; 2], size: Size) {
    if let Some(tile) = &cell.tile {
        for (i, &pixel) in tile.resized(size).pixels.iter().enumerate() {
            put(image, [left + i % size[1], top + i / size[1]], pixel);
        }
        draw_outline(image, [left, top], &cell.outline, [tile.height, tile.width], size);
    }
}

/// A cell alone.
pub(super) fn cell_image(cell: &Cell, size: Size) -> RgbImage {
    let mut image = RgbImage::from_pixel(size[1] as u32, size[0] as u32, Pixel(WHITE));
    draw_cell(&mut image, cell, [0, 0], size);
    image
}

fn draw_row(image: &mut RgbImage, layout: &Layout, row: &Row, top: usize) {
    if let Some(section) = &row.section {
        let fitted = text::fit(section, layout.width - 2 * MARGIN);
        text::draw(image, [MARGIN, top - LINE - GAP], &fitted, INK, true);
    }
    for (i, (line, tone)) in row.label.iter().enumerate() {
        let at = [MARGIN, top + i * LINE];
        text::draw(image, at, &text::fit(line, layout.label), tone.color(), *tone != Tone::Plain);
    }
    for (cell, &left) in row.cells.iter().zip(&layout.columns) {
        draw_cell(image, cell, [left, top], layout.tile);
        let caption = text::fit(&cell.caption, layout.tile[1]);
        text::draw(image, [left, top + layout.tile[0]], &caption, FAINT, false);
    }
}

/// Draws the sheet.
pub fn contact_sheet(sheet: &Sheet) -> RgbImage {
    let layout = Layout::new(sheet);
    let mut image = RgbImage::from_pixel(layout.width as u32, layout.height as u32, Pixel(WHITE));
    let inner = layout.width - 2 * MARGIN;
    text::draw(&mut image, [MARGIN, MARGIN], &text::fit(&sheet.title, inner), INK, true);
    for [first, last] in Layout::groups(sheet) {
        let (left, right) = (layout.columns[first], layout.columns[last] + layout.tile[1]);
        let heading = text::fit(&sheet.columns[first].group, right - left);
        text::draw(&mut image, [left, layout.headings[0]], &heading, FAINT, false);
        (left..right).for_each(|x| put(&mut image, [x, layout.headings[0] + LINE + 1], FAINT));
    }
    for (column, &left) in sheet.columns.iter().zip(&layout.columns) {
        for (i, line) in text::wrap(&column.title, layout.tile[1]).iter().enumerate() {
            text::draw(&mut image, [left, layout.headings[1] + i * LINE], line, INK, true);
        }
    }
    for (row, &top) in sheet.rows.iter().zip(&layout.rows) {
        draw_row(&mut image, &layout, row, top);
    }
    let mut y = layout.notes;
    if let Some([low, high]) = &sheet.scale {
        let left = MARGIN + text::width(low) + GAP;
        text::draw(&mut image, [MARGIN, y], low, FAINT, false);
        for (dy, dx) in (0..BAR[0]).flat_map(|dy| (0..BAR[1]).map(move |dx| (dy, dx))) {
            put(&mut image, [left + dx, y + 3 + dy], heat(dx as f64 / (BAR[1] - 1) as f64));
        }
        text::draw(&mut image, [left + BAR[1] + GAP, y], high, FAINT, false);
        y += LINE + GAP;
    }
    for line in sheet.notes.iter().flat_map(|note| text::wrap(note, inner)) {
        text::draw(&mut image, [MARGIN, y], &line, FAINT, false);
        y += LINE;
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(group: &str, title: &str) -> Column {
        Column { group: group.into(), title: title.into() }
    }

    fn cell(size: Size) -> Cell {
        Cell { tile: Some(Tile::picture(&[1.0; 4096], size, 1)), ..Cell::default() }
    }

    fn example() -> Sheet {
        Sheet {
            title: "a title".into(),
            columns: vec![column("a", "one"), column("a", "two words here"), column("b", "three")],
            rows: vec![
                Row {
                    section: Some("first".into()),
                    label: vec![("up".into(), Tone::Strong), ("a: down, wrong".into(), Tone::Wrong)],
                    cells: vec![cell([32, 32]), Cell::default(), cell([4, 4])],
                },
                Row {
                    cells: vec![Cell { caption: "12 % inside".into(), ..cell([32, 32]) }],
                    ..Row::default()
                },
            ],
            scale: Some(["0".into(), "largest".into()]),
            notes: vec!["a note ".repeat(30)],
        }
    }

    #[test]
    fn tiles_are_whole_multiples_until_they_are_large() {
        let of = |size| {
            let rows = vec![Row { cells: vec![cell([4, 4]), cell(size)], ..Row::default() }];
            tile_size(&Sheet { rows, ..Sheet::default() })
        };
        assert_eq!(of([32, 32]), [96, 96]);
        assert_eq!(of([28, 28]), [112, 112]);
        assert_eq!(of([200, 100]), [200, 100]);
        assert_eq!(of([448, 300]), [224, 150]);
        assert_eq!(tile_size(&Sheet::default()), [96, 96]);
    }

    #[test]
    fn nothing_overlaps_and_everything_is_on_the_sheet() {
        let sheet = example();
        let layout = Layout::new(&sheet);
        assert_eq!(Layout::groups(&sheet), [[0, 1], [2, 2]]);
        assert_eq!(layout.columns[1] - layout.columns[0], 96 + GAP);
        assert_eq!(layout.columns[2] - layout.columns[1], 96 + GROUP_GAP);
        assert_eq!(layout.width, layout.columns[2] + 96 + MARGIN);
        assert!(MARGIN + layout.label <= layout.columns[0]);
        // Two lines of column headings, then the section's heading, then tiles.
        assert_eq!(layout.rows[0], layout.headings[1] + 2 * LINE + GAP + LINE + 2 * GAP);
        assert_eq!(layout.rows[1], layout.rows[0] + 96 + GAP);
        assert_eq!(layout.notes, layout.rows[1] + 96 + LINE + 2 * GAP);
        let image = contact_sheet(&sheet);
        assert_eq!((image.width(), image.height()), (layout.width as u32, layout.height as u32));
        let white = |x: usize, y: usize| image.get_pixel(x as u32, y as u32).0 == WHITE;
        assert!((0..layout.height).all(|y| (0..MARGIN).all(|x| white(x, y))));
        assert!((0..layout.height).all(|y| (layout.width - MARGIN..layout.width).all(|x| white(x, y))));
        assert!((layout.height - MARGIN..layout.height).all(|y| (0..layout.width).all(|x| white(x, y))));
    }

    #[test]
    fn an_empty_sheet_is_a_small_white_picture() {
        let image = contact_sheet(&Sheet::default());
        assert!(image.width() > 0 && image.pixels().all(|pixel| pixel.0 == WHITE));
    }

    #[test]
    fn the_outline_follows_the_mask() {
        let mut image = RgbImage::new(6, 6);
        let mask = [0, 0, 0, 0, 255, 0, 0, 0, 0];
        draw_outline(&mut image, [0, 0], &mask, [3, 3], [6, 6]);
        let drawn: Vec<(u32, u32)> =
            image.enumerate_pixels().filter(|(_, _, p)| p.0 == OUTLINE).map(|(x, y, _)| (x, y)).collect();
        assert_eq!(drawn, [(2, 2), (3, 2), (2, 3), (3, 3)]);
        draw_outline(&mut image, [0, 0], &[], [3, 3], [6, 6]);
    }
}

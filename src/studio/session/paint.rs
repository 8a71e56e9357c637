//! The picture at hand: choosing it, painting its mask, undo and redo.

use super::Session;
use crate::data::Extent;
use crate::studio::album::Filter;
use crate::studio::canvas::{Canvas, INSIDE, OUTSIDE};
use crate::studio::history::Change;
use crate::studio::mask_tree;

/// What a press does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Makes pixels relevant.
    Brush,
    /// Makes pixels irrelevant.
    Eraser,
    /// Makes the region around a point relevant, up to what is painted already.
    Fill,
}

/// A stroke under way.
#[derive(Debug)]
pub(super) struct Stroke {
    before: Canvas,
    last: [f32; 2],
    value: u8,
}

/// A brush that covers about a tenth of a picture.
pub(super) fn first_radius((width, height): Extent) -> f32 {
    (width.min(height) as f32 / 20.0).max(1.0).round()
}

impl Session {
    /// The number of the picture at hand.
    pub fn current(&self) -> usize {
        self.current
    }

    /// Its mask.
    pub fn canvas(&self) -> &Canvas {
        &self.canvas
    }

    /// The lines around what is painted, in pixels of the mask.
    pub fn outline(&self) -> &[[[f32; 2]; 2]] {
        &self.outline.1
    }

    /// Changes whenever the mask does.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Which pictures are listed.
    pub fn filter(&self) -> Filter {
        self.filter
    }

    /// Lists other pictures; the one at hand stays.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
    }

    /// The pictures of the filter.
    pub fn listed(&self) -> Vec<usize> {
        self.album.listed(self.filter, &self.wrong())
    }

    /// For every picture whether the model with explanations gets it wrong now; empty before the first measurement.
    pub fn wrong(&self) -> Vec<bool> {
        self.results.wrong(&self.album.train.labels)
    }

    /// Takes a picture up.
    pub fn select(&mut self, index: usize) {
        self.release();
        if index >= self.album.len() || index == self.current {
            return;
        }
        if self.album.is_in_files(index) {
            // The stroke before may be on its way to the file that is about to be read.
            self.saver.wait();
        }
        let canvas = self.album.canvas(index);
        if let Some(canvas) = self.report(canvas) {
            self.current = index;
            self.canvas = canvas;
            self.version += 1;
        }
    }

    /// Takes the next or, with `false`, the previous picture of the list up; round the end.
    pub fn select_beside(&mut self, next: bool) {
        let listed = self.listed();
        let Some(last) = listed.len().checked_sub(1) else { return };
        let here = listed.partition_point(|&index| index < self.current);
        let at = match (next, listed.get(here) == Some(&self.current)) {
            (true, true) => here + 1,
            (true, false) => here,
            (false, _) => here.checked_sub(1).unwrap_or(last),
        };
        self.select(listed[if at > last { 0 } else { at }]);
    }

    /// A press at a point of the mask. `erase` turns the brush into the eraser and back for one stroke.
    pub fn press(&mut self, point: [f32; 2], erase: bool) {
        let before = self.canvas.clone();
        let value = match (self.tool, erase) {
            (Tool::Eraser, true) | (Tool::Brush | Tool::Fill, false) => INSIDE,
            _ => OUTSIDE,
        };
        match self.tool {
            Tool::Fill => self.canvas.fill(point, value),
            Tool::Brush | Tool::Eraser => self.canvas.stroke(point, point, self.radius, value),
        }
        self.version += 1;
        self.stroke = Some(Stroke { before, last: point, value });
    }

    /// The pointer moves while it is down.
    pub fn drag(&mut self, point: [f32; 2]) {
        if self.tool == Tool::Fill {
            return;
        }
        if let Some(stroke) = self.stroke.as_mut().filter(|stroke| stroke.last != point) {
            self.canvas.stroke(stroke.last, point, self.radius, stroke.value);
            stroke.last = point;
            self.version += 1;
        }
    }

    /// The end of a stroke: the mask is learned from and saved.
    pub fn release(&mut self) {
        if let Some(stroke) = self.stroke.take() {
            self.note(&stroke.before);
        }
    }

    /// Whether a stroke is under way.
    pub fn is_painting(&self) -> bool {
        self.stroke.is_some()
    }

    /// Makes the whole picture irrelevant, which removes its explanation.
    pub fn clear(&mut self) {
        self.release();
        let before = self.canvas.clone();
        self.canvas.clear(OUTSIDE);
        self.note(&before);
    }

    fn note(&mut self, before: &Canvas) {
        if let Some(change) = Change::between(self.current, before, &self.canvas) {
            self.history.push(change);
            self.commit();
        }
    }

    /// Whether there is something to undo, and to redo.
    pub fn can_undo(&self) -> (bool, bool) {
        (self.history.next_undo().is_some(), self.history.next_redo().is_some())
    }

    /// Takes the last change back, on whichever picture it was.
    pub fn undo(&mut self) {
        self.release();
        if let Some(picture) = self.history.next_undo() {
            self.select(picture);
            self.history.undo(&mut self.canvas);
            self.commit();
        }
    }

    /// Makes the change again that was taken back last.
    pub fn redo(&mut self) {
        self.release();
        if let Some(picture) = self.history.next_redo() {
            self.select(picture);
            self.history.redo(&mut self.canvas);
            self.commit();
        }
    }

    /// Hands the mask at hand to training and to the disk.
    fn commit(&mut self) {
        self.version += 1;
        let index = self.current;
        let mask = self.album.set_mask(index, &self.canvas);
        let has_mask = mask.is_some();
        if self.prepared.is_done() {
            let set = self.engine.set_mask(index, mask);
            self.report(set);
        }
        let file = self.album.mask_file(index);
        match self.report(file) {
            Some(Some(path)) => {
                let (canvas, black) = (self.canvas.clone(), self.album.black());
                if !has_mask {
                    self.album.forget_mask_file(index);
                }
                let queued = self.saver.run(move || {
                    match has_mask {
                        true => mask_tree::save(&path, &canvas, black)?,
                        false => mask_tree::remove(&path)?,
                    }
                    Ok(None)
                });
                self.report(queued);
            }
            Some(None) if has_mask => self.wants_folder = true,
            _ => {}
        }
    }
}

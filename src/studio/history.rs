//! Undo and redo: what a stroke changed, and of which picture.

use super::canvas::{Area, Canvas};

/// Bytes of changes that are kept; the oldest go first.
const LIMIT: usize = 64 << 20;

/// One change of one mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The number of the picture.
    pub picture: usize,
    area: Area,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Change {
    /// What leads from one canvas to the other; `None` where they are equal.
    pub fn between(picture: usize, before: &Canvas, after: &Canvas) -> Option<Self> {
        let area = after.difference(before)?;
        Some(Self { picture, area, before: before.cut(area), after: after.cut(area) })
    }

    fn bytes(&self) -> usize {
        self.before.len() + self.after.len()
    }
}

/// All changes of a session, over all of its pictures.
#[derive(Debug, Default)]
pub struct History {
    done: Vec<Change>,
    undone: Vec<Change>,
    bytes: usize,
}

impl History {
    /// Notes a change; what had been undone before it is gone.
    pub fn push(&mut self, change: Change) {
        self.bytes -= self.undone.drain(..).map(|change| change.bytes()).sum::<usize>();
        self.bytes += change.bytes();
        self.done.push(change);
        while self.bytes > LIMIT && self.done.len() > 1 {
            self.bytes -= self.done.remove(0).bytes();
        }
    }

    /// The picture that the next undo is about.
    pub fn next_undo(&self) -> Option<usize> {
        self.done.last().map(|change| change.picture)
    }

    /// The picture that the next redo is about.
    pub fn next_redo(&self) -> Option<usize> {
        self.undone.last().map(|change| change.picture)
    }

    /// Takes the last change back, on the canvas of its picture.
    pub fn undo(&mut self, canvas: &mut Canvas) {
        if let Some(change) = self.done.pop() {
            canvas.paste(change.area, &change.before);
            self.undone.push(change);
        }
    }

    /// Makes the change that was taken back last, on the canvas of its picture.
    pub fn redo(&mut self, canvas: &mut Canvas) {
        if let Some(change) = self.undone.pop() {
            canvas.paste(change.area, &change.after);
            self.done.push(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::canvas::{INSIDE, OUTSIDE};

    fn stroke(history: &mut History, canvas: &mut Canvas, x: f32, value: u8) {
        let before = canvas.clone();
        canvas.stroke([x, 1.5], [x, 6.5], 1.2, value);
        history.push(Change::between(3, &before, canvas).unwrap());
    }

    #[test]
    fn undo_and_redo_walk_the_same_states() {
        let (mut canvas, mut history) = (Canvas::new((12, 8)), History::default());
        let mut states = vec![canvas.clone()];
        for (x, value) in [(2.5, INSIDE), (5.5, INSIDE), (3.5, OUTSIDE), (9.5, INSIDE)] {
            stroke(&mut history, &mut canvas, x, value);
            states.push(canvas.clone());
        }
        for state in states.iter().rev().skip(1) {
            assert_eq!(history.next_undo(), Some(3));
            history.undo(&mut canvas);
            assert_eq!(&canvas, state);
        }
        assert_eq!(history.next_undo(), None);
        for state in &states[1..] {
            history.redo(&mut canvas);
            assert_eq!(&canvas, state);
        }
        assert_eq!(history.next_redo(), None);
    }

    #[test]
    fn a_new_stroke_ends_redo_and_nothing_changed_is_no_change() {
        let (mut canvas, mut history) = (Canvas::new((12, 8)), History::default());
        stroke(&mut history, &mut canvas, 2.5, INSIDE);
        history.undo(&mut canvas);
        stroke(&mut history, &mut canvas, 7.5, INSIDE);
        assert_eq!(history.next_redo(), None);
        assert_eq!(Change::between(0, &canvas, &canvas), None);
    }

    #[test]
    fn the_oldest_changes_go_when_there_are_too_many_bytes() {
        let (mut canvas, mut history) = (Canvas::new((4096, 2048)), History::default());
        for i in 0..6 {
            let before = canvas.clone();
            canvas.clear(if i % 2 == 0 { INSIDE } else { OUTSIDE });
            history.push(Change::between(i, &before, &canvas).unwrap());
        }
        // 16 MiB each.
        assert_eq!((history.done.len(), history.bytes), (4, LIMIT));
        assert_eq!(history.done[0].picture, 2);
    }
}

//! Where a model looks in the picture at hand. What was drawn stays until something newer is there.

use std::time::{Duration, Instant};

use super::Session;
use crate::studio::error::StudioError;
use crate::studio::training::Arm;

/// On the window's device the overlay is drawn anew this often while training runs.
const DRAW_EVERY: Duration = Duration::from_millis(150);

/// What is shown over the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlaySettings {
    /// Whether the input gradient is.
    pub on: bool,
    /// 0 to 1.
    pub opacity: f32,
    /// Of which model.
    pub arm: Arm,
    /// Whether the mask is.
    pub mask: bool,
}

impl Default for OverlaySettings {
    fn default() -> Self {
        Self { on: true, opacity: 0.55, arm: Arm::Explained, mask: true }
    }
}

/// The overlay at hand.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A texture of the window's device, colours premultiplied.
    Texture(wgpu::TextureView),
    /// `[H, W]` at the size of training.
    Values(Vec<f64>),
}

#[derive(Debug, Default)]
pub(super) struct Overlay {
    shown: Option<(Arm, usize, u64, Shown)>,
    asked: Option<(Arm, usize, u64)>,
    drawn: Option<Instant>,
}

impl Session {
    /// The overlay of the picture at hand, if there is one, and the training step that it shows.
    pub fn shown(&self) -> Option<(u64, &Shown)> {
        let (arm, index, steps, shown) = self.drawn.shown.as_ref()?;
        (*arm == self.overlay.arm && *index == self.current).then_some((*steps, shown))
    }

    pub(super) fn refresh_overlay(&mut self) -> Result<(), StudioError> {
        for look in self.look_judge.answers()?.1 {
            self.drawn.shown = Some((look.arm, look.index, look.steps, Shown::Values(look.values)));
        }
        if !self.overlay.on || !self.prepared.is_done() {
            return Ok(());
        }
        let (arm, index) = (self.overlay.arm, self.current);
        let same_picture = self.drawn.asked.is_some_and(|(of, at, _)| (of, at) == (arm, index));
        let steps = self.engine.position().steps;
        let is_new = self.drawn.asked != Some((arm, index, steps));
        let is_due = !same_picture || self.drawn.drawn.is_none_or(|at| at.elapsed() >= DRAW_EVERY);
        if !is_new || !is_due {
            return Ok(());
        }
        if let Some(view) = self.engine.overlay(arm, index)? {
            self.drawn.asked = Some((arm, index, steps));
            self.drawn.drawn = Some(Instant::now());
            self.drawn.shown = Some((arm, index, steps, Shown::Texture(view)));
            return Ok(());
        }
        let Some((steps, checkpoint)) = self.results.state(arm) else { return Ok(()) };
        if self.look_judge.open() == 0 && self.drawn.asked != Some((arm, index, steps)) {
            self.look_judge.look(arm, steps, checkpoint.clone(), index)?;
            self.drawn.asked = Some((arm, index, steps));
            self.drawn.drawn = Some(Instant::now());
        }
        Ok(())
    }
}

//! How far a run is: a bar on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::terminal;
use crate::train::run::EpochRow;

/// Parts of an epoch on the bar.
const PARTS: usize = 20;
/// Least time between two plain lines.
const PAUSE: Duration = Duration::from_secs(2);

pub struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    epochs: usize,
    /// Epochs done before this process.
    before: usize,
    done: usize,
    began: Instant,
    last_line: Option<Instant>,
    latest: String,
}

impl Progress {
    pub fn new(done: usize, epochs: usize, quiet: bool) -> Self {
        let bar = (!quiet && terminal::live() && done < epochs).then(|| {
            let bar = ProgressBar::new((epochs * PARTS) as u64).with_position((done * PARTS) as u64);
            if let Ok(style) = ProgressStyle::with_template("{bar:20} {wide_msg}") {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let latest = String::new();
        Self { bar, quiet, epochs, before: done, done, began: Instant::now(), last_line: None, latest }
    }

    /// A share of the epoch in progress.
    pub fn within(&self, share: f64) {
        if let Some(bar) = &self.bar {
            let parts = self.done as f64 + share;
            bar.set_position((parts * PARTS as f64) as u64);
            let left = match self.left(parts) {
                Some(left) => format!("  {left}"),
                None => String::new(),
            };
            bar.set_message(format!("epoch {}/{}{left}{}", self.done + 1, self.epochs, self.latest));
        }
    }

    /// Time left after so many epochs, by the mean so far.
    fn left(&self, done: f64) -> Option<String> {
        let here = done - self.before as f64;
        // The first epoch is the slowest: half of one is the least that says anything.
        (here >= 0.5).then(|| {
            let seconds = self.began.elapsed().as_secs_f64() / here * (self.epochs as f64 - done);
            format!("{} left", terminal::duration(seconds))
        })
    }

    /// An epoch is done.
    pub fn epoch(&mut self, row: &EpochRow) {
        self.done = row.epoch;
        self.latest = describe(row);
        if let Some(bar) = &self.bar {
            bar.set_position((self.done * PARTS) as u64);
            return;
        }
        let edge = self.last_line.is_none() || self.done == self.epochs;
        let due = self.last_line.is_none_or(|last| last.elapsed() >= PAUSE);
        if !self.quiet && (edge || due) {
            self.last_line = Some(Instant::now());
            let left = match self.left(self.done as f64) {
                Some(left) if self.done < self.epochs => format!("  {left}"),
                _ => String::new(),
            };
            let width = self.epochs.to_string().len();
            terminal::note(&format!("epoch {:>width$}/{}{}{left}", self.done, self.epochs, self.latest));
        }
    }

    /// Takes the bar away.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn describe(row: &EpochRow) -> String {
    let mut text = format!("  label loss {:.4}", row.label_loss);
    if let Some(loss) = row.alignment_loss {
        text.push_str(&format!("  alignment loss {loss:.4}"));
    }
    if let Some(mu) = row.multiplier {
        text.push_str(&format!("  mu {mu:.3}"));
    }
    text.push_str(&format!("  train {:.3}", row.train_accuracy));
    if let Some(accuracy) = row.val_accuracy {
        text.push_str(&format!("  val {accuracy:.3}"));
    }
    text
}

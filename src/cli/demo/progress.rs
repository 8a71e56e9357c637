//! Progress on stderr: a bar with the time left, or a line now and then where there is no terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// Progress over all epochs of all models.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
}

impl Progress {
    pub(super) fn new(epochs: usize, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && !quiet).then(|| {
            let bar = ProgressBar::new(epochs as u64);
            let template = "{elapsed:>4} {bar:30} {pos}/{len} epochs, {eta} left  {wide_msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        Self { bar, lines: !terminal && !quiet }
    }

    /// One more epoch of `name`.
    pub(super) fn epoch(&mut self, name: &str, epoch: usize, of: usize, losses: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{name}: {losses}"));
            bar.inc(1);
        } else if self.lines && (epoch == 1 || epoch == of || epoch.is_multiple_of((of / 4).max(1))) {
            eprintln!("{name}: epoch {epoch} of {of}, {losses}");
        }
    }

    /// What comes after the last epoch of `name`.
    pub(super) fn note(&mut self, name: &str, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{name}: {what}"));
        }
    }

    pub(super) fn finish(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

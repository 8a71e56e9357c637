//! A bar for work whose parts are alike, on a terminal; nothing elsewhere.

use std::sync::OnceLock;

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal;

/// Fewer parts than this are done before a bar could be read.
const FEW: usize = 200;

pub struct Bar {
    title: &'static str,
    bar: OnceLock<ProgressBar>,
}

impl Bar {
    pub fn new(title: &'static str) -> Self {
        Self { title, bar: OnceLock::new() }
    }

    /// So many are done, of so many; from any thread.
    pub fn at(&self, done: usize, all: usize) {
        if all < FEW || !terminal::live() {
            return;
        }
        let bar = self.bar.get_or_init(|| {
            let bar = ProgressBar::new(all as u64).with_message(self.title);
            if let Ok(style) = ProgressStyle::with_template("{msg} {bar:20} {pos}/{len}, {eta} left") {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        });
        bar.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

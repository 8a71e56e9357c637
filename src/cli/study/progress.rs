//! How far a study is.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::terminal::{self, duration};
use crate::exec::Device;
use crate::study::pace::Pace;
use crate::study::pictures::Library;
use crate::study::runner::Event;
use crate::study::{BASELINE, Cell, Job, Outcome, measure};

/// Least time between two plain lines.
const PAUSE: Duration = Duration::from_secs(10);
/// Epochs of the trial run that the first estimate rests on.
const TRIAL: usize = 2;

pub struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    workers: usize,
    total: usize,
    done: usize,
    pace: Pace,
    /// By name: cells that are not on the disk yet.
    pending: HashMap<String, Job>,
    /// By name: when it began, and the share it has done.
    running: HashMap<String, (Instant, f64)>,
    last_line: Instant,
}

impl Progress {
    pub fn new(pending: &[&Job], total: usize, workers: usize, quiet: bool) -> Self {
        let bar = (!quiet && terminal::live() && !pending.is_empty()).then(|| {
            let bar = ProgressBar::new(total as u64).with_position((total - pending.len()) as u64);
            if let Ok(style) = ProgressStyle::with_template("{bar:20} {wide_msg}") {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.enable_steady_tick(Duration::from_millis(300));
            bar
        });
        Self {
            bar,
            quiet,
            workers: workers.min(pending.len().max(1)),
            total,
            done: total - pending.len(),
            pace: Pace::default(),
            pending: pending.iter().map(|job| (job.name(), (*job).clone())).collect(),
            running: HashMap::new(),
            last_line: Instant::now(),
        }
    }

    /// Trains the lightest model for two epochs and says how long all of it may take. A trial that fails says nothing: the
    /// cells will.
    pub fn estimate(&mut self, device: &Device, library: &Library) {
        let light = |job: &&Job| (job.models, job.arm.name != BASELINE, job.name());
        let Some(job) = self.pending.values().min_by_key(light) else { return };
        let mut job = job.clone();
        job.arm.train.epochs = TRIAL;
        let Ok(data) = library.pictures(&job) else { return };
        let began = Instant::now();
        let outcome = measure::run(&job, &data, device, &AtomicBool::new(false), &mut |_| {});
        if !matches!(outcome, Some(Outcome::Done(_))) {
            return;
        }
        self.pace.note_trial(&job, began.elapsed().as_secs_f64());
        if let Some(left) = self.left().filter(|_| !self.quiet) {
            terminal::field("estimate", &format!("about {}", duration(left)));
        }
    }

    fn left(&self) -> Option<f64> {
        let mut seconds = self.pace.left(self.pending.values(), self.workers)?;
        for (name, (_, share)) in &self.running {
            let of = self.pending.get(name).and_then(|job| self.pace.seconds(job)).unwrap_or(0.0);
            seconds -= share * of / self.workers as f64;
        }
        Some(seconds.max(0.0))
    }

    pub fn on(&mut self, event: &Event) {
        match event {
            Event::Within(job, share) => {
                let running = self.running.entry(job.name()).or_insert((Instant::now(), 0.0));
                running.1 = *share;
                self.show(None);
            }
            Event::Done(cell) => {
                let name = cell.job.name();
                if let Some((began, _)) = self.running.remove(&name) {
                    self.pace.note(cell, began.elapsed().as_secs_f64());
                }
                self.pending.remove(&name);
                self.done += 1;
                self.show(Some(cell));
            }
        }
    }

    fn show(&mut self, cell: Option<&Cell>) {
        let left = self.left().map_or(String::new(), |left| format!(", {} left", duration(left)));
        let text = format!("{} of {} models{left}", self.done, self.total);
        if let Some(bar) = &self.bar {
            bar.set_position(self.done as u64);
            bar.set_message(text.clone());
        }
        let Some(cell) = cell else { return };
        let name = cell.job.name();
        let bad = match &cell.outcome {
            Outcome::Done(_) => None,
            Outcome::Diverged(reason) => Some(format!("{name} diverged: {reason}")),
            Outcome::Failed(reason) => Some(format!("{name} failed: {reason}")),
        };
        if let Some(bad) = bad {
            match &self.bar {
                Some(bar) => bar.suspend(|| terminal::warning(&bad)),
                None => terminal::warning(&bad),
            }
        }
        let due = self.last_line.elapsed() >= PAUSE || self.done == self.total;
        if self.bar.is_none() && !self.quiet && due {
            self.last_line = Instant::now();
            terminal::note(&text);
        }
    }

    /// Takes the bar away.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

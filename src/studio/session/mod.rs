//! One data set being painted and trained: all the state of the window that is not about drawing it.

mod keep;
mod overlay;
mod paint;
mod results;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use keep::ExportFormat;
pub use overlay::{OverlaySettings, Shown};
pub use paint::Tool;
pub use results::{Curves, Movement, Results};

use super::album::{Album, Filter, Opened};
use super::canvas::Canvas;
use super::error::StudioError;
use super::history::History;
use super::saver::Saver;
use super::training::{Engine, Judge, Judged, OnFrame, OnThread, Position, Recipe, Start};
use crate::data::readers::Part;
use crate::embed::Preparation;
use overlay::Overlay;
use paint::Stroke;

/// From frame to frame while something goes on beside them: where the processor draws, it may do little else while it does.
const BESIDE: Duration = Duration::from_millis(250);
/// While what training needs is made in frames, or an answer is awaited, where another processor draws.
const AWAITED: Duration = Duration::from_millis(30);
/// While training, the models are measured about this often.
const MEASURE_EVERY: Duration = Duration::from_millis(700);

/// Data with all that it takes to train on them.
pub struct Loaded {
    /// The data.
    pub opened: Opened,
    /// The models.
    pub recipe: Recipe,
    /// The text of a config file for these models and data at this path, which a saved run is to hold.
    pub config: Box<dyn Fn(&str) -> String + Send>,
    /// The folder under which `runs/` is; empty for the working directory.
    pub home: PathBuf,
}

/// The window's device, for training on it.
#[derive(Clone, Debug)]
pub struct FrameDevice {
    /// The device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// The adapter's name.
    pub name: String,
}

/// Something for the bar of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// A sentence.
    pub text: String,
    /// Whether something failed.
    pub error: bool,
}

/// One data set in the window.
pub struct Session {
    album: Album,
    judged_name: String,
    judged_part: Part,
    recipe: Recipe,
    config: Box<dyn Fn(&str) -> String + Send>,
    home: PathBuf,
    engine: Box<dyn Engine>,
    prepared: Preparation,
    running: bool,
    measure_judge: Judge,
    look_judge: Judge,
    judged: Arc<Judged>,
    measured: Option<Instant>,
    results: Results,
    saver: Saver,
    history: History,
    filter: Filter,
    current: usize,
    canvas: Canvas,
    version: u64,
    outline: (u64, Vec<[[f32; 2]; 2]>),
    stroke: Option<Stroke>,
    /// What a press paints with.
    pub tool: Tool,
    /// Radius of the brush in pixels of the mask.
    pub radius: f32,
    /// What is shown over the picture.
    pub overlay: OverlaySettings,
    drawn: Overlay,
    messages: Vec<Message>,
    wants_folder: bool,
    saved_run: Option<(u64, PathBuf)>,
}

impl Session {
    /// Starts on what was opened; with a device training runs there, else on a thread.
    pub fn new(loaded: Loaded, frame: Option<&FrameDevice>) -> Result<Self, StudioError> {
        let Loaded { opened, recipe, config, home } = loaded;
        let album = Album::new(&opened)?;
        let start = || Start { train: album.train.clone(), recipe: recipe.clone() };
        let mut messages: Vec<Message> =
            opened.notes.iter().map(|text| Message { text: text.clone(), error: false }).collect();
        let on_frame =
            frame.map(|frame| OnFrame::new(&frame.device, &frame.queue, frame.name.clone(), start()));
        let engine: Box<dyn Engine> = match on_frame {
            Some(Ok(engine)) => Box::new(engine),
            Some(Err(error)) => {
                messages.push(Message { text: format!("training on the CPU: {error}"), error: false });
                Box::new(OnThread::new(start())?)
            }
            None => Box::new(OnThread::new(start())?),
        };
        let Opened { judged, judged_name, judged_part, patched, .. } = opened;
        let judged = Arc::new(Judged { train: album.train.clone(), held_out: judged, patched });
        let canvas = album.canvas(0)?;
        let canvas_outline = canvas.outline();
        let mut session = Self {
            measure_judge: Judge::new(recipe.clone(), Arc::clone(&judged)),
            look_judge: Judge::new(recipe.clone(), Arc::clone(&judged)),
            judged,
            results: Results::new(engine.route()),
            album,
            judged_name,
            judged_part,
            recipe,
            config,
            home,
            engine,
            prepared: Preparation { done: 0, of: 1 },
            running: false,
            measured: None,
            saver: Saver::new(),
            history: History::default(),
            filter: Filter::All,
            current: 0,
            radius: paint::first_radius(canvas.size()),
            canvas,
            version: 0,
            outline: (0, canvas_outline),
            stroke: None,
            tool: Tool::Brush,
            overlay: OverlaySettings::default(),
            drawn: Overlay::default(),
            messages,
            wants_folder: false,
            saved_run: None,
        };
        session.offer_earlier_masks();
        Ok(session)
    }

    /// What a frame does beside drawing: training for about as long as the budget, and taking in what has arrived.
    pub fn tick(&mut self, budget: Duration) {
        if let Err(error) = self.try_tick(budget) {
            self.running = false;
            self.fail(&error);
        }
        for outcome in self.saver.outcomes() {
            match outcome {
                Ok(text) => self.say(text),
                Err(error) => {
                    // What was to be saved may not be there: the next time it is written again.
                    self.saved_run = None;
                    self.fail(&error);
                }
            }
        }
    }

    fn try_tick(&mut self, budget: Duration) -> Result<(), StudioError> {
        if !self.prepared.is_done() {
            self.prepared = self.engine.prepare(budget)?;
            if !self.prepared.is_done() {
                return Ok(());
            }
            // What was painted in the meantime is in the album; the engine began with the masks that were there before.
            for index in 0..self.album.len() {
                if self.album.train.explained[index] != self.judged.train.explained[index] {
                    let mask =
                        self.album.train.explained[index].then(|| self.album.train.mask(index).to_vec());
                    self.engine.set_mask(index, mask)?;
                }
            }
            self.results.set_route(self.engine.route());
            self.engine.ask_for_states()?;
        }
        if self.is_moving() {
            self.engine.advance(budget)?;
        }
        if self.running && self.measured.is_none_or(|at| at.elapsed() >= MEASURE_EVERY) {
            self.measured = Some(Instant::now());
            self.engine.ask_for_states()?;
        }
        for event in self.engine.events()? {
            self.results.take(event);
        }
        if self.measure_judge.open() == 0 {
            for measured in self.results.unmeasured() {
                self.measure_judge.measure(measured)?;
            }
        }
        for verdict in self.measure_judge.answers()?.0 {
            self.results.judge(verdict);
        }
        if self.outline.0 != self.version {
            self.outline = (self.version, self.canvas.outline());
        }
        self.refresh_overlay()
    }

    /// Whether training goes on: it runs, or is on its way to a stop.
    fn is_moving(&self) -> bool {
        self.running || self.engine.is_stopping()
    }

    /// When the next frame should be drawn without input: at once where training goes on with the frames, later where something is
    /// under way beside them. A frame too many takes time from what is: the processor may be drawing it.
    pub fn next_frame(&self) -> Option<Duration> {
        match (self.is_moving(), self.engine.in_frames()) {
            (true, true) => Some(Duration::ZERO),
            (true, false) => Some(BESIDE),
            (false, in_frames) => self.is_busy().then_some(if in_frames { AWAITED } else { BESIDE }),
        }
    }

    /// Whether something is under way.
    pub fn is_busy(&self) -> bool {
        self.is_moving()
            || !self.prepared.is_done()
            || self.measure_judge.open() > 0
            || self.look_judge.open() > 0
            || self.saver.pending() > 0
            || self.engine.is_waiting()
    }

    /// Starts or goes on with training.
    pub fn run(&mut self) {
        self.running = true;
        self.measured = Some(Instant::now());
    }

    /// Stops after what is under way.
    pub fn pause(&mut self) {
        self.running = false;
        let paused = self.engine.pause();
        self.report(paused);
    }

    /// One step of both models, while training is paused.
    pub fn step(&mut self) {
        if !self.running && self.prepared.is_done() {
            let done = self.engine.step();
            self.report(done);
        }
    }

    /// Whether training runs.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// How far the preparation is.
    pub fn prepared(&self) -> Preparation {
        self.prepared
    }

    /// Where training is.
    pub fn position(&self) -> Position {
        self.engine.position()
    }

    /// What training runs on.
    pub fn device(&self) -> String {
        self.engine.device()
    }

    /// What one step is.
    pub fn unit(&self) -> &'static str {
        self.engine.unit()
    }

    /// The pictures.
    pub fn album(&self) -> &Album {
        &self.album
    }

    /// What accuracy is measured on, and how many pictures that is.
    pub fn judged(&self) -> (&str, usize) {
        (&self.judged_name, self.judged.held_out.len())
    }

    /// Curves and measurements.
    pub fn results(&self) -> &Results {
        &self.results
    }

    /// The models.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Files that are still being written.
    pub fn saving(&self) -> usize {
        self.saver.pending()
    }

    /// Whether the user should be asked where masks go.
    pub fn wants_folder(&self) -> bool {
        self.wants_folder
    }

    /// Messages that have come up; they are handed over once.
    pub fn take_messages(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages)
    }

    fn say(&mut self, text: String) {
        self.messages.push(Message { text, error: false });
    }

    fn fail(&mut self, error: &StudioError) {
        self.messages.push(Message { text: error.to_string(), error: true });
    }

    fn report<T>(&mut self, result: Result<T, StudioError>) -> Option<T> {
        result.map_err(|error| self.fail(&error)).ok()
    }
}

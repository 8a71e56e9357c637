//! The window's state around a session, and what a frame does.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use eframe::egui;
use eframe::egui_wgpu::RenderState;

use super::error::StudioError;
use super::frame_times::FrameTimes;
use super::session::{FrameDevice, Loaded, Message, Session};
use super::view::{self, CanvasView, Textures};
use super::window::{TrainOn, borrowed};

/// What training may take of a frame.
const BUDGET: Duration = Duration::from_millis(4);
/// Frames between two lines of the log.
const TOLD: usize = 100;
/// The most messages that are shown.
const MESSAGES: usize = 4;

/// How the program reads data for the window: by the name that the user gave. It runs on a thread.
pub type Door = Arc<dyn Fn(&str) -> Result<Loaded, StudioError> + Send + Sync>;

/// The window.
pub struct App {
    door: Door,
    frame: Option<FrameDevice>,
    pub(super) textures: Textures,
    opening: Option<(String, Receiver<Result<Loaded, StudioError>>)>,
    pub(super) session: Option<Session>,
    pub(super) path: String,
    pub(super) folder: String,
    pub(super) help: bool,
    pub(super) canvas: CanvasView,
    pub(super) messages: Vec<Message>,
    frames: FrameTimes,
    /// From frame to frame of a stroke, without and with training.
    intervals: [FrameTimes; 2],
    last_painted: Option<Instant>,
}

impl App {
    /// A window with nothing in it, or with data on their way.
    pub fn new(door: Door, first: Option<String>, frame: Option<&RenderState>, train_on: TrainOn) -> Self {
        let mut app = Self {
            door,
            frame: borrowed(frame, train_on),
            textures: Textures::new(frame),
            opening: None,
            session: None,
            path: first.clone().unwrap_or_default(),
            folder: String::new(),
            help: false,
            canvas: CanvasView::default(),
            messages: Vec::new(),
            frames: FrameTimes::default(),
            intervals: Default::default(),
            last_painted: None,
        };
        if let Some(first) = first {
            app.open(&first);
        }
        app
    }

    /// Begins to open data; what is there now stays until they are read.
    pub fn open(&mut self, name: &str) {
        let name = name.trim().to_owned();
        if name.is_empty() {
            let text = "name a folder of pictures, or a built-in set such as triangles:ES".to_owned();
            return self.say(Message { text, error: true });
        }
        let (door, wanted) = (Arc::clone(&self.door), name.clone());
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            // The window may be closed by now.
            let _ = sender.send(door(&wanted));
        });
        self.path = name.clone();
        self.opening = Some((name, receiver));
    }

    /// What is being opened.
    pub fn opening(&self) -> Option<&str> {
        self.opening.as_ref().map(|(name, _)| name.as_str())
    }

    /// The data at hand.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The data at hand, to change something.
    pub fn session_mut(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }

    /// The messages in the bar.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// How long frames took.
    pub fn frames(&mut self) -> &mut FrameTimes {
        &mut self.frames
    }

    fn say(&mut self, message: Message) {
        self.messages.retain(|known| *known != message);
        self.messages.push(message);
        let surplus = self.messages.len().saturating_sub(MESSAGES);
        self.messages.drain(..surplus);
    }

    fn take_in(&mut self) {
        let Some((name, receiver)) = &self.opening else { return };
        let loaded = match receiver.try_recv() {
            Ok(loaded) => loaded,
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => Err(StudioError::Thread("reads pictures")),
        };
        let name = name.clone();
        self.opening = None;
        match loaded.and_then(|loaded| Session::new(loaded, self.frame.as_ref())) {
            Ok(session) => {
                self.textures.clear();
                self.canvas = CanvasView::default();
                self.folder = session.suggested_folder().display().to_string();
                self.messages.clear();
                self.path = name;
                self.session = Some(session);
            }
            Err(error) => self.say(Message { text: error.to_string(), error: true }),
        }
    }

    fn dropped(&mut self, context: &egui::Context) {
        let dropped =
            context.input(|input| input.raw.dropped_files.first().map(|file| file.path().to_owned()));
        if let Some(path) = dropped {
            // A file stands for the folder that it is in, unless it is a list of pictures.
            let is_list =
                path.extension().is_some_and(|it| ["csv", "json", "jsonl"].iter().any(|list| it == *list));
            let path: &Path = if path.is_dir() || is_list { &path } else { path.parent().unwrap_or(&path) };
            self.open(&path.display().to_string());
        }
    }

    /// For `--verbose`: how long a moving brush waits for its next frame, drawing and screen included, with and without training.
    fn tell_frames(&mut self, began: Instant, moving: bool) {
        let session = self.session.as_ref();
        let painting = moving && session.is_some_and(Session::is_painting);
        let training = session.is_some_and(Session::is_running);
        let Some(last) = std::mem::replace(&mut self.last_painted, painting.then_some(began)) else { return };
        let intervals = &mut self.intervals[usize::from(training)];
        if painting {
            intervals.push(began - last);
        }
        if intervals.count() < TOLD {
            return;
        }
        if let Some([median, most, longest]) = intervals.summary() {
            tracing::debug!(training, ?median, p99 = ?most, ?longest, "{TOLD} frames of painting");
        }
        intervals.clear();
    }

    /// One frame: training, then drawing.
    pub fn frame(&mut self, ui: &mut egui::Ui) {
        let began = Instant::now();
        let context = ui.ctx().clone();
        self.dropped(&context);
        self.take_in();
        if let Some(session) = &mut self.session {
            session.tick(BUDGET);
            for message in session.take_messages() {
                self.say(message);
            }
        }
        view::keys(self, &context);
        view::show(self, ui);
        self.frames.push(began.elapsed());
        self.tell_frames(began, context.input(|input| input.pointer.is_moving()));
        if self.opening.is_some() {
            context.request_repaint_after(Duration::from_millis(50));
        }
        match self.session.as_ref().and_then(Session::next_frame) {
            Some(Duration::ZERO) => context.request_repaint(),
            Some(wait) => context.request_repaint_after(wait),
            None => {}
        }
    }
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        self.frame(ui);
    }
}

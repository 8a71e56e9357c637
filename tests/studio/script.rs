//! A hand at the window: it opens, paints, presses buttons, and waits.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{self, Event, Modifiers, PointerButton, Pos2, Theme, Vec2, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state};
use rationale::cli::studio_door;
use rationale::data::Dataset;
use rationale::studio::{App, Arm, Door, Session, TrainOn, device_setup, style};

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(240);

pub struct Hand {
    pub harness: Harness<'static, App>,
}

/// How the program reads data, with its runs in a folder of the test.
fn door_into(home: &Path) -> Door {
    let (inner, home) = (studio_door(), home.to_owned());
    Arc::new(move |name| inner(name).map(|loaded| rationale::studio::Loaded { home: home.clone(), ..loaded }))
}

impl Hand {
    pub fn new(home: &Path, size: Vec2, scale: f32, theme: Theme, train_on: TrainOn) -> Self {
        let render = create_render_state(device_setup(), eframe::egui_wgpu::RendererOptions::PREDICTABLE);
        let app = App::new(door_into(home), None, Some(&render), train_on);
        let harness = Harness::builder()
            .with_size(size)
            .with_pixels_per_point(scale)
            .with_theme(theme)
            .with_step_dt(1.0 / 60.0)
            .with_render_cursor(false)
            .with_context_setup(style)
            .renderer(WgpuTestRenderer::from_render_state(render))
            .build_ui_state(
                |ui, app: &mut App| {
                    // As eframe has it: without the margin of the harness.
                    let whole = egui::UiBuilder::new().max_rect(ui.ctx().content_rect());
                    app.frame(&mut ui.new_child(whole));
                },
                app,
            );
        Self { harness }
    }

    pub fn session(&self) -> &Session {
        self.harness.state().session().unwrap()
    }

    pub fn change(&mut self) -> &mut Session {
        self.harness.state_mut().session_mut().unwrap()
    }

    /// Draws frames until something holds.
    pub fn until(&mut self, what: &str, holds: impl Fn(&App) -> bool) {
        let began = Instant::now();
        while !holds(self.harness.state()) {
            assert!(
                began.elapsed() < PATIENCE,
                "still waiting for {what}: {:?}",
                self.harness.state().messages()
            );
            self.harness.step();
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn open(&mut self, name: &str) {
        self.harness.state_mut().open(name);
        self.until("data", |app| app.opening().is_none());
        assert!(self.harness.state().session().is_some(), "{:?}", self.harness.state().messages());
        self.until("preparation", |app| app.session().is_some_and(|session| session.prepared().is_done()));
    }

    pub fn press(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.step();
        self.harness.step();
    }

    pub fn key(&mut self, key: egui::Key, modifiers: Modifiers) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.step();
    }

    /// Where a point of the mask is on the screen, with the whole picture in view.
    pub fn on_screen(&self, [x, y]: [f32; 2]) -> Pos2 {
        let rect = self.harness.get_by_label("canvas").rect();
        let (width, height) = self.session().canvas().size();
        let fit = (rect.width() / width as f32).min(rect.height() / height as f32);
        rect.center() + (pos2(x, y) - pos2(width as f32, height as f32) / 2.0) * fit
    }

    fn pointer(&mut self, at: Pos2, pressed: Option<bool>, button: PointerButton) {
        self.harness.event(Event::PointerMoved(at));
        if let Some(pressed) = pressed {
            self.harness.event(Event::PointerButton { pos: at, button, pressed, modifiers: Modifiers::NONE });
        }
        self.harness.step();
    }

    /// One stroke through points of the mask.
    pub fn stroke(&mut self, points: &[[f32; 2]], button: PointerButton) {
        let places: Vec<Pos2> = points.iter().map(|&point| self.on_screen(point)).collect();
        self.pointer(places[0], None, button);
        self.pointer(places[0], Some(true), button);
        for &place in &places {
            self.pointer(place, None, button);
        }
        self.pointer(*places.last().unwrap(), Some(false), button);
        self.harness.step();
    }

    /// The same, all of it in the time of one frame.
    pub fn stroke_in_one_frame(&mut self, points: &[[f32; 2]], button: PointerButton) {
        let press = |pos, pressed| Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE };
        let places: Vec<Pos2> = points.iter().map(|&point| self.on_screen(point)).collect();
        let input = self.harness.input_mut();
        input.events.extend([Event::PointerMoved(places[0]), press(places[0], true)]);
        input.events.extend(places.iter().map(|&place| Event::PointerMoved(place)));
        input.events.push(press(places[places.len() - 1], false));
        self.harness.step();
    }

    /// Paints the mask that a data set has for a picture, in one stroke that goes through its rows.
    pub fn paint(&mut self, data: &Dataset, index: usize) {
        self.change().select(index);
        self.change().radius = 0.6;
        self.harness.step();
        let mut points = Vec::new();
        for (y, row) in data.mask(index).chunks(data.width).enumerate() {
            let inside = |&x: &usize| row[x] >= rationale::data::RELEVANT;
            let (first, last) = ((0..data.width).find(inside), (0..data.width).rev().find(inside));
            if let (Some(first), Some(last)) = (first, last) {
                let mut ends = [[first as f32 + 0.5, y as f32 + 0.5], [last as f32 + 0.5, y as f32 + 0.5]];
                if y % 2 == 1 {
                    ends.reverse();
                }
                points.extend(ends);
            }
        }
        self.stroke(&points, PointerButton::Primary);
    }

    /// Trains until both models have so many steps behind them and have been measured since.
    pub fn train_to(&mut self, steps: u64) {
        self.press("Train");
        self.until("training", |app| app.session().unwrap().position().steps >= steps);
        self.press("Pause");
        self.until("a measurement", |app| {
            let session = app.session().unwrap();
            let is_new = |arm| session.results().verdict(arm).is_some_and(|verdict| verdict.steps >= steps);
            !session.is_busy() && Arm::BOTH.into_iter().all(is_new)
        });
    }

    pub fn accuracy(&self, arm: Arm) -> f64 {
        self.session().results().verdict(arm).unwrap().accuracy
    }

    /// What frames took, for people.
    pub fn frame_times(&mut self, what: &str) {
        let [median, most, largest] = self.harness.state_mut().frames().summary().unwrap();
        eprintln!("{what}: frames took {median:.1?} (median), {most:.1?} (99 %), {largest:.1?} (longest)");
        self.harness.state_mut().frames().clear();
    }
}

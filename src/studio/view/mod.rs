//! What the window looks like. Each file draws one part of it from the session, and hands on what is clicked.

mod bar;
mod canvas;
mod gallery;
mod help;
mod plots;
mod results;
mod textures;
pub(super) mod theme;
mod tools;
mod welcome;

pub use canvas::CanvasView;
pub use textures::Textures;

pub(super) use help::keys;

use eframe::egui::{self, CentralPanel, Panel, Ui};

use super::app::App;

/// Draws everything.
pub(super) fn show(app: &mut App, ui: &mut Ui) {
    Panel::top("bar").frame(theme::panel(ui)).show(ui, |ui| bar::show(app, ui));
    if !app.messages.is_empty() {
        Panel::bottom("messages").frame(theme::panel(ui)).show(ui, |ui| bar::messages(app, ui));
    }
    if app.session.is_none() {
        CentralPanel::default().show(ui, |ui| welcome::show(app, ui));
    } else {
        Panel::left("pictures")
            .exact_size(gallery::WIDTH)
            .resizable(false)
            .frame(theme::panel(ui))
            .show(ui, |ui| gallery::show(app, ui));
        Panel::right("results")
            .exact_size(results::WIDTH)
            .resizable(false)
            .frame(theme::panel(ui))
            .show(ui, |ui| results::show(app, ui));
        CentralPanel::default().show(ui, |ui| {
            tools::show(app, ui);
            ui.add_space(4.0);
            canvas::show(app, ui);
        });
    }
    welcome::folder_question(app, ui.ctx());
    if app.help {
        help::show(app, ui.ctx());
    }
}

/// A small heading.
pub(super) fn heading(ui: &mut Ui, text: &str) {
    ui.add(egui::Label::new(egui::RichText::new(text).strong()).selectable(false));
}

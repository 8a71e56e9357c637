//! The window before there is anything in it, and the question where masks go.

use std::path::PathBuf;

use eframe::egui::{self, Context, Id, Modal, RichText, TextEdit, Ui};

use super::bar;
use crate::studio::app::App;

pub(super) fn show(app: &mut App, ui: &mut Ui) {
    let height = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space(height * 0.22);
        if let Some(name) = app.opening() {
            ui.heading(format!("Reading {name}"));
            ui.add_space(10.0);
            ui.spinner();
            return;
        }
        ui.heading("Paint why each picture carries its label");
        ui.add_space(8.0);
        ui.label("Two models train while you paint: one on labels alone, one also on your masks.");
        ui.add_space(18.0);
        let width = 440.0_f32.min(ui.available_width());
        ui.allocate_ui(egui::vec2(width, 28.0), |ui| {
            ui.horizontal(|ui| bar::path_field(app, ui, width - 128.0));
        });
        ui.add_space(14.0);
        for line in [
            "Drop a folder here, or name one: one sub-folder for each class, pictures inside.",
            "Masks are kept beside the pictures, in masks/<class>/<picture>.png, white where the reason is.",
            "Nothing at hand? Take a built-in set: in triangles:ES a patch in the corner gives every label away.",
        ] {
            ui.label(RichText::new(line).weak());
        }
    });
}

/// Asks for a folder, once masks were painted that have no place yet.
pub(super) fn folder_question(app: &mut App, context: &Context) {
    let Some(session) =
        app.session.as_mut().filter(|session| session.wants_folder() && !session.is_painting())
    else {
        return;
    };
    let frame = egui::Frame::popup(&context.global_style()).inner_margin(18);
    let answer = Modal::new(Id::unique("folder")).frame(frame).show(context, |ui| {
        ui.set_width(460.0);
        ui.heading("Where should masks be kept?");
        ui.add_space(4.0);
        ui.label(
            "These pictures have no folder of their own. The pictures and the masks are written into a new one, which \
             `rationale train` reads; every further stroke is saved there.",
        );
        ui.add_space(8.0);
        let field = ui.add(TextEdit::singleline(&mut app.folder).desired_width(f32::INFINITY));
        field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "folder for masks"));
        ui.add_space(8.0);
        let mut answer = None;
        ui.horizontal(|ui| {
            if ui.button(RichText::new("Keep them there").strong()).clicked() {
                answer = Some(true);
            }
            if ui.button("Not now").on_hover_text("Masks stay in memory; the next stroke asks again").clicked() {
                answer = Some(false);
            }
        });
        answer
    });
    match answer.inner {
        Some(true) => session.keep_masks_in(&PathBuf::from(app.folder.trim())),
        Some(false) => session.ask_later(),
        None if answer.should_close() => session.ask_later(),
        None => {}
    }
}

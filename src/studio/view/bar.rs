//! The bar at the top and the bar of messages at the bottom.

use eframe::egui::{self, Align, Layout, RichText, TextEdit, Theme, Ui};

use crate::data::triangles::TriangleSet;
use crate::studio::app::App;
use crate::studio::session::ExportFormat;

pub(super) fn show(app: &mut App, ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.add(egui::Label::new(RichText::new("rationale studio").strong().size(15.0)).selectable(false));
        ui.add_space(6.0);
        path_field(app, ui, 330.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Help").on_hover_text("Keys and mouse (F1)").clicked() {
                app.help = !app.help;
            }
            let dark = ui.visuals().dark_mode;
            if ui.button(if dark { "Light" } else { "Dark" }).on_hover_text("Change the theme").clicked() {
                ui.ctx().set_theme(if dark { Theme::Light } else { Theme::Dark });
            }
            if let Some(session) = &mut app.session {
                ui.add_space(10.0);
                ui.menu_button("Export", |ui| {
                    for format in [ExportFormat::Onnx, ExportFormat::Safetensors] {
                        if ui.button(format.name()).clicked() {
                            session.export(format);
                        }
                    }
                })
                .response
                .on_hover_text("Write the model with explanations for other programs, into its run folder");
                let save = ui.button("Save run").on_hover_text(
                    "Write the model with explanations as a run folder, which `rationale predict` reads (Ctrl+S)",
                );
                if save.clicked() {
                    session.save_run();
                }
            }
        });
    });
}

/// A field for the path of data, and what opens it.
pub(super) fn path_field(app: &mut App, ui: &mut Ui, width: f32) {
    let field = TextEdit::singleline(&mut app.path)
        .hint_text("folder of pictures, or triangles:ES")
        .desired_width(width);
    let field = ui.add(field);
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "data"));
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if ui.button("Open").clicked() || entered {
        let path = app.path.clone();
        app.open(&path);
    }
    ui.menu_button("Built-in", |ui| {
        for set in TriangleSet::ALL {
            let definition = set.definition();
            if ui.button(format!("triangles:{}   {}", definition.name, definition.summary)).clicked() {
                app.open(&format!("triangles:{}", definition.name));
            }
        }
    });
    if app.opening().is_some() {
        ui.spinner();
    }
}

/// What has gone wrong, and what else is worth a word.
pub(super) fn messages(app: &mut App, ui: &mut Ui) {
    let mut gone = None;
    for (at, message) in app.messages.iter().enumerate() {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::TOP), |ui| {
                if ui.button("Dismiss").clicked() {
                    gone = Some(at);
                }
                ui.with_layout(Layout::left_to_right(Align::TOP).with_main_wrap(true), |ui| {
                    let text = RichText::new(&message.text);
                    let text = match message.error {
                        true => text.color(ui.visuals().error_fg_color),
                        false => text,
                    };
                    ui.add(egui::Label::new(text).wrap());
                });
            });
        });
    }
    if let Some(at) = gone {
        app.messages.remove(at);
    }
}

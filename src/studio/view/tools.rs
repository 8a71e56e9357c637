//! Brush, eraser and fill; undo and redo; what is shown over the picture.

use eframe::egui::{self, Button, Slider, Ui};

use crate::studio::app::App;
use crate::studio::session::Tool;
use crate::studio::training::Arm;

pub(super) fn show(app: &mut App, ui: &mut Ui) {
    let App { session: Some(session), canvas, .. } = app else { return };
    ui.horizontal_wrapped(|ui| {
        for (tool, name, help) in [
            (Tool::Brush, "Brush", "Paint what is relevant (B). Shift or the right button erases"),
            (Tool::Eraser, "Eraser", "Take paint away (E)"),
            (Tool::Fill, "Fill", "Fill inside a closed line (F)"),
        ] {
            let button = Button::selectable(session.tool == tool, name).min_size(egui::vec2(56.0, 24.0));
            if ui.add(button).on_hover_text(help).clicked() {
                session.tool = tool;
            }
        }
        let (width, height) = session.canvas().size();
        let largest = (width.min(height) as f32 / 3.0).max(2.0);
        ui.spacing_mut().slider_width = 84.0;
        let size = Slider::new(&mut session.radius, 0.5..=largest).fixed_decimals(1).text("size");
        ui.add(size).on_hover_text("Radius in pixels of the mask ([ and ])");
        ui.separator();
        let (undo, redo) = session.can_undo();
        if ui.add_enabled(undo, Button::new("Undo")).on_hover_text("Ctrl+Z").clicked() {
            session.undo();
        }
        if ui.add_enabled(redo, Button::new("Redo")).on_hover_text("Ctrl+Shift+Z").clicked() {
            session.redo();
        }
        let painted = session.canvas().marks_any();
        if ui.add_enabled(painted, Button::new("Clear")).on_hover_text("Remove the mask (Delete)").clicked() {
            session.clear();
        }
        if ui.button("Fit").on_hover_text("Show the whole picture (0)").clicked() {
            canvas.fit();
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.checkbox(&mut session.overlay.mask, "Mask").on_hover_text("M");
        ui.checkbox(&mut session.overlay.on, "Where it looks")
            .on_hover_text("|d log p / dx|: how strongly each pixel moves the predicted class (O)");
        ui.add_enabled_ui(session.overlay.on, |ui| {
            for arm in Arm::BOTH {
                let chosen = session.overlay.arm == arm;
                if ui.add(Button::selectable(chosen, arm.name())).clicked() {
                    session.overlay.arm = arm;
                }
            }
            ui.spacing_mut().slider_width = 70.0;
            ui.add(Slider::new(&mut session.overlay.opacity, 0.1..=1.0).show_value(false).text("opacity"));
        });
    });
}

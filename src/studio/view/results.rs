//! Training: its buttons, accuracy without and with explanations, curves, and which weights move.

use eframe::egui::{self, Button, Color32, Grid, RichText, ScrollArea, Ui};

use super::{heading, plots, theme};
use crate::studio::app::App;
use crate::studio::session::Session;
use crate::studio::training::Arm;

/// Width of the panel with its margins.
pub(super) const WIDTH: f32 = 344.0;

pub(super) fn show(app: &mut App, ui: &mut Ui) {
    let Some(session) = &mut app.session else { return };
    buttons(ui, session);
    ui.separator();
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        accuracy(ui, session);
        plots::accuracy(ui, session.results());
        ui.add_space(2.0);
        heading(ui, "Loss by training step");
        plots::losses(ui, session.results());
        legend(ui);
        ui.add_space(2.0);
        route(ui, session);
    });
}

fn buttons(ui: &mut Ui, session: &mut Session) {
    let prepared = session.prepared();
    ui.horizontal(|ui| {
        let running = session.is_running();
        let text = RichText::new(if running { "Pause" } else { "Train" }).strong().color(Color32::WHITE);
        let fill = if running { Color32::from_gray(96) } else { Color32::from_rgb(0, 105, 92) };
        let button = Button::new(text).fill(fill).min_size(egui::vec2(96.0, 30.0));
        let button = ui.add_enabled(prepared.is_done(), button).on_hover_text("Space");
        if button.clicked() {
            if running { session.pause() } else { session.run() }
        }
        let step = Button::new("One step").min_size(egui::vec2(80.0, 30.0));
        let help = format!("{} of both models (.)", session.unit());
        if ui.add_enabled(prepared.is_done() && !running, step).on_hover_text(help).clicked() {
            session.step();
        }
        let at = session.position();
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(format!("step {}", at.steps));
            ui.weak(format!("epoch {:.1}", at.epochs));
        });
    });
    if !prepared.is_done() {
        let share = prepared.done as f32 / prepared.of.max(1) as f32;
        let text = format!("preparing kernels, {} of {}", prepared.done, prepared.of);
        ui.add(egui::ProgressBar::new(share).text(text));
    }
    ui.add(egui::Label::new(RichText::new(format!("on {}", session.device())).weak().small()).truncate());
}

fn accuracy(ui: &mut Ui, session: &Session) {
    let (name, count) = session.judged();
    heading(ui, "Accuracy");
    ui.weak(format!("on {count} {name}"));
    let results = session.results();
    ui.columns_const(|columns: &mut [Ui; 2]| {
        for (ui, arm) in columns.iter_mut().zip(Arm::BOTH) {
            let color = theme::arm(ui, arm);
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(RichText::new(arm.name()).color(color));
            let figure =
                results.verdict(arm).map_or("–".to_owned(), |verdict| format!("{:.3}", verdict.accuracy));
            ui.label(RichText::new(figure).color(color).size(27.0).strong());
            if let Some(flips) = results.verdict(arm).and_then(|verdict| verdict.flips) {
                ui.weak(format!("{:.0} % flip with the patch", 100.0 * flips));
            }
        }
    });
    let both = Arm::BOTH.map(|arm| results.verdict(arm).map(|verdict| verdict.accuracy));
    let masks = session.album().train.explained_count();
    let word = match (both, masks) {
        ([Some(_), Some(_)], 0) => "Paint masks to set the two models apart.".to_owned(),
        ([Some(labels), Some(explained)], masks) => {
            format!("{:+.3} with {masks} {}", explained - labels, if masks == 1 { "mask" } else { "masks" })
        }
        _ => "Not measured yet.".to_owned(),
    };
    ui.label(word);
}

fn legend(ui: &mut Ui) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (name, arm) in [("stage 1, labels only", Arm::Labels), ("stage 1, explained", Arm::Explained)] {
            ui.label(RichText::new(format!("— {name}  ")).small().color(theme::arm(ui, arm)));
        }
        ui.label(RichText::new("- - stage 2").small().color(theme::arm(ui, Arm::Explained)));
    });
}

/// Which weights each stage moves, and how far they have moved.
fn route(ui: &mut Ui, session: &Session) {
    heading(ui, "What moves");
    ui.spacing_mut().interact_size.y = 15.0;
    Grid::new("route").num_columns(5).striped(true).spacing(egui::vec2(10.0, 2.0)).show(ui, |ui| {
        for (title, help) in [
            ("weights", "of the model with explanations"),
            ("stage 1", "labels write it"),
            ("stage 2", "explanations write it; everything else is bound read-only there"),
            ("so far", "length of the change since the start, over the length at the start"),
            ("lately", "the same since the measurement before"),
        ] {
            ui.label(RichText::new(title).small().weak()).on_hover_text(help);
        }
        ui.end_row();
        for movement in session.results().movements() {
            let row = &movement.row;
            let name = ui.label(RichText::new(&row.tensor).small());
            name.on_hover_text(format!("{} values of {}", row.elements, row.part.name()));
            let mark = |moves: bool| RichText::new(if moves { "moves" } else { "–" }).small();
            ui.label(mark(row.stage1));
            let stage2 = mark(row.stage2);
            ui.label(if row.stage2 { stage2.color(theme::arm(ui, Arm::Explained)) } else { stage2 });
            for change in [movement.since_start, movement.lately] {
                ui.label(RichText::new(format!("{change:.4}")).small().monospace());
            }
            ui.end_row();
        }
    });
}

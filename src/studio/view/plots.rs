//! Curves over training steps.

use eframe::egui::{Color32, Ui};
use egui_plot::{Line, LineStyle, Plot, PlotPoints};

use super::theme;
use crate::studio::curves::Curve;
use crate::studio::session::Results;
use crate::studio::training::Arm;

const HEIGHT: f32 = 100.0;

struct Drawn<'a> {
    name: &'static str,
    curve: &'a Curve,
    color: Color32,
    dashed: bool,
}

pub(super) fn accuracy(ui: &mut Ui, results: &Results) {
    let curves = Arm::BOTH.map(|arm| Drawn {
        name: arm.name(),
        curve: &results.curves(arm).accuracy,
        color: theme::arm(ui, arm),
        dashed: false,
    });
    draw(ui, "accuracy curves", &curves, Some([0.0, 1.0]));
}

pub(super) fn losses(ui: &mut Ui, results: &Results) {
    let label = |arm| Drawn {
        name: match arm {
            Arm::Labels => "stage 1, labels only",
            Arm::Explained => "stage 1, with explanations",
        },
        curve: &results.curves(arm).label_loss,
        color: theme::arm(ui, arm),
        dashed: false,
    };
    let alignment = Drawn {
        name: "stage 2",
        curve: &results.curves(Arm::Explained).alignment_loss,
        color: theme::arm(ui, Arm::Explained),
        dashed: true,
    };
    draw(ui, "loss curves", &[label(Arm::Labels), label(Arm::Explained), alignment], None);
}

fn draw(ui: &mut Ui, id: &str, curves: &[Drawn<'_>], bounds: Option<[f64; 2]>) {
    let mut plot = Plot::new(id)
        .height(HEIGHT)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_crosshair(false)
        .y_axis_min_width(30.0)
        .include_x(0.0)
        .include_x(10.0);
    plot = match bounds {
        Some([low, high]) => plot.include_y(low).include_y(high),
        None => plot.include_y(0.0).include_y(0.1),
    };
    plot.show(ui, |plot| {
        for Drawn { name, curve, color, dashed } in curves {
            let style = if *dashed { LineStyle::dashed_loose() } else { LineStyle::Solid };
            let line = Line::new(*name, PlotPoints::from(curve.points().to_vec()));
            plot.line(line.color(*color).width(1.8).style(style));
        }
    });
}

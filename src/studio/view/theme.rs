//! Colours and sizes, dark and light.

use eframe::egui::{self, Color32, FontFamily, FontId, Frame, Margin, Stroke, TextStyle, Theme, Ui, Visuals};

use crate::studio::training::Arm;

/// Sets both themes.
pub fn apply(context: &egui::Context) {
    for theme in [Theme::Dark, Theme::Light] {
        context.style_mut_of(theme, |style| {
            style.visuals = visuals(theme);
            let font = |size: f32| FontId::new(size, FontFamily::Proportional);
            style.text_styles = [
                (TextStyle::Small, font(11.5)),
                (TextStyle::Body, font(13.5)),
                (TextStyle::Button, font(13.5)),
                (TextStyle::Heading, font(20.0)),
                (TextStyle::Monospace, FontId::new(12.0, FontFamily::Monospace)),
            ]
            .into();
            style.spacing.item_spacing = egui::vec2(8.0, 6.0);
            style.spacing.button_padding = egui::vec2(9.0, 4.0);
            style.spacing.interact_size.y = 24.0;
        });
    }
}

fn visuals(theme: Theme) -> Visuals {
    let mut visuals = theme.default_visuals();
    let grey = Color32::from_gray;
    let (panel, field, line, text, weak) = match theme {
        Theme::Dark => (grey(27), grey(18), grey(58), grey(222), grey(160)),
        Theme::Light => (grey(248), grey(255), grey(205), grey(30), grey(92)),
    };
    visuals.panel_fill = panel;
    visuals.window_fill = panel;
    visuals.extreme_bg_color = field;
    visuals.weak_text_color = Some(weak);
    visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, line);
    visuals.widgets.noninteractive.fg_stroke.color = text;
    visuals.widgets.inactive.fg_stroke.color = text;
    visuals.error_fg_color = match theme {
        Theme::Dark => Color32::from_rgb(255, 120, 110),
        Theme::Light => Color32::from_rgb(176, 24, 20),
    };
    visuals.selection.bg_fill = match theme {
        Theme::Dark => Color32::from_rgb(30, 84, 128),
        Theme::Light => Color32::from_rgb(176, 213, 242),
    };
    visuals
}

/// The frame of a panel at the edge.
pub fn panel(ui: &Ui) -> Frame {
    Frame::new().fill(ui.visuals().panel_fill).inner_margin(Margin::symmetric(10, 8))
}

/// The colour of a model in curves and figures; told apart without red and green.
pub fn arm(ui: &Ui, arm: Arm) -> Color32 {
    match (arm, ui.visuals().dark_mode) {
        (Arm::Labels, true) => Color32::from_rgb(120, 170, 230),
        (Arm::Labels, false) => Color32::from_rgb(20, 90, 170),
        (Arm::Explained, true) => Color32::from_rgb(245, 170, 70),
        (Arm::Explained, false) => Color32::from_rgb(176, 84, 0),
    }
}

/// The colour of painted masks, on pictures of any brightness.
pub const MASK: Color32 = Color32::from_rgb(64, 224, 208);

/// What is wrong now.
pub fn wrong(ui: &Ui) -> Color32 {
    ui.visuals().error_fg_color
}

//! The picture at hand, large, with its mask and with what the model looks at; painting, zooming and moving it.

use eframe::egui::{
    self, Color32, CornerRadius, Event, PointerButton, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui,
    Vec2, pos2, vec2,
};

use super::theme;
use crate::studio::app::App;
use crate::studio::session::{Session, Tool};
use crate::studio::training::Arm;

/// How much of the picture is seen.
#[derive(Clone, Copy, Debug)]
pub struct CanvasView {
    /// 1: all of it.
    zoom: f32,
    /// What is in the middle, as a share of the picture.
    middle: Vec2,
    /// Another picture was taken up by the keyboard, so that the list is to follow.
    moved: bool,
}

impl Default for CanvasView {
    fn default() -> Self {
        Self { zoom: 1.0, middle: vec2(0.5, 0.5), moved: false }
    }
}

impl CanvasView {
    /// Shows all of the picture.
    pub(super) fn fit(&mut self) {
        *self = Self { moved: self.moved, ..Self::default() };
    }

    /// Zooms around the middle.
    pub(super) fn zoom_by(&mut self, factor: f32) {
        self.zoom = (self.zoom * factor).clamp(1.0, 32.0);
    }

    pub(super) fn moved(&mut self) {
        self.moved = true;
    }

    pub(super) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// The whole picture on the screen, for a picture of this size in this space.
    fn place(&mut self, space: Rect, size: Vec2) -> Rect {
        let fit = (space.width() / size.x).min(space.height() / size.y);
        let shown = size * fit * self.zoom;
        // A picture that is smaller than the space stays in its middle, a larger one covers it.
        for axis in 0..2 {
            let half = (space.size()[axis] / shown[axis] / 2.0).min(0.5);
            self.middle[axis] = self.middle[axis].clamp(half, 1.0 - half);
        }
        Rect::from_min_size(space.center() - self.middle * shown, shown)
    }
}

pub(super) fn show(app: &mut App, ui: &mut Ui) {
    let App { session: Some(session), textures, canvas, .. } = app else { return };
    let caption = 2.0 * ui.spacing().interact_size.y + 2.0 * ui.spacing().item_spacing.y + 8.0;
    let space = vec2(ui.available_width(), (ui.available_height() - caption).max(80.0));
    let (rect, response) = ui.allocate_exact_size(space, Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "canvas"));
    let (width, height) = session.canvas().size();
    let size = vec2(width as f32, height as f32);
    look_around(ui, canvas, &response, rect, size);
    let place = canvas.place(rect, size);
    paint(ui, session, &response, place, size);

    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_filled(rect, CornerRadius::same(4), ui.visuals().extreme_bg_color);
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    let context = ui.ctx().clone();
    if let Some(picture) = textures.picture(&context, session) {
        painter.image(picture, place, whole, Color32::WHITE);
    }
    let mut age = None;
    if session.overlay.on
        && let Some((steps, overlay)) = textures.overlay(&context, session)
    {
        let alpha = (session.overlay.opacity * 255.0) as u8;
        // The picture recedes, so that its own bright pixels are not taken for large gradients.
        painter.rect_filled(place, CornerRadius::ZERO, Color32::from_black_alpha(alpha / 2));
        painter.image(overlay, place, whole, Color32::from_white_alpha(alpha));
        age = Some(session.position().steps.saturating_sub(steps));
    }
    if session.overlay.mask {
        if let Some(mask) = textures.mask(&context, session) {
            painter.image(mask, place, whole, Color32::WHITE);
        }
        let on_screen = |[x, y]: [f32; 2]| place.min + vec2(x, y) * (place.size() / size);
        for [from, to] in session.outline() {
            let line = [on_screen(*from), on_screen(*to)];
            painter.line_segment(line, Stroke::new(3.0, Color32::from_black_alpha(150)));
        }
        for [from, to] in session.outline() {
            painter.line_segment([on_screen(*from), on_screen(*to)], Stroke::new(1.5, theme::MASK));
        }
    }
    painter.rect_stroke(
        rect,
        CornerRadius::same(4),
        ui.visuals().widgets.noninteractive.bg_stroke,
        StrokeKind::Inside,
    );
    if let Some(pointer) = response.hover_pos().filter(|_| session.tool != Tool::Fill) {
        let radius = (session.radius * place.width() / size.x).max(2.0);
        painter.circle_stroke(pointer, radius, Stroke::new(2.5, Color32::from_black_alpha(160)));
        painter.circle_stroke(pointer, radius, Stroke::new(1.2, Color32::WHITE));
    }
    ui.add_space(4.0);
    describe(ui, session, age);
}

fn look_around(ui: &Ui, canvas: &mut CanvasView, response: &Response, space: Rect, size: Vec2) {
    let shown = canvas.place(space, size).size();
    let panning = response.dragged_by(PointerButton::Middle)
        || (response.dragged_by(PointerButton::Primary) && ui.input(|input| input.modifiers.command));
    if panning {
        canvas.middle -= response.drag_delta() / shown;
    }
    let Some(pointer) = response.hover_pos() else { return };
    let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
    let factor = (scroll / 240.0).exp() * pinch;
    if factor != 1.0 {
        // The point under the pointer stays there.
        let before = canvas.place(space, size);
        let point = (pointer - before.min) / before.size();
        canvas.zoom_by(factor);
        let after = canvas.place(space, size);
        let now = (pointer - after.min) / after.size();
        canvas.middle += point - now;
    }
}

/// Follows the pointer event by event: in a slow frame a whole stroke may have come and gone.
fn paint(ui: &Ui, session: &mut Session, response: &Response, place: Rect, size: Vec2) {
    let on_mask = |pointer: Pos2| {
        let point = (pointer - place.min) / place.size() * size;
        [point.x, point.y]
    };
    let paints = |button| matches!(button, PointerButton::Primary | PointerButton::Secondary);
    let (events, held) = ui.input(|input| {
        let held = input.pointer.primary_down() || input.pointer.secondary_down();
        (input.events.clone(), held)
    });
    for event in events {
        match event {
            Event::PointerButton { pos, button, pressed: true, modifiers } if paints(button) => {
                // Where the button is still held, egui knows whose press it was, that of a panel's edge for one.
                let own = response.is_pointer_button_down_on()
                    || (!held && ui.ctx().layer_id_at(pos) == Some(response.layer_id));
                if own && response.rect.contains(pos) && !modifiers.command && !session.is_painting() {
                    session.press(on_mask(pos), button == PointerButton::Secondary || modifiers.shift);
                }
            }
            Event::PointerMoved(pointer) => session.drag(on_mask(pointer)),
            Event::PointerButton { pos, button, pressed: false, .. } if paints(button) => {
                session.drag(on_mask(pos));
                session.release();
            }
            _ => {}
        }
    }
    if !held {
        session.release();
    }
}

/// Two lines below the picture: what it is, and what the models take it for.
fn describe(ui: &mut Ui, session: &Session, age: Option<u64>) {
    let (album, index) = (session.album(), session.current());
    ui.horizontal(|ui| {
        ui.strong(album.class(index));
        ui.label(format!("{}, {} of {}", album.short_name(index), index + 1, album.len()));
        let share = session.canvas().share();
        ui.weak(match share {
            0.0 => "no mask".to_owned(),
            share => format!("mask: {:.1} % of the picture", 100.0 * share),
        });
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.weak(match (session.overlay.on, age) {
                (false, _) => String::new(),
                (true, None) => "where it looks: not there yet".to_owned(),
                (true, Some(0)) => format!("where `{}` looks now", session.overlay.arm.name()),
                (true, Some(1)) => format!("where `{}` looked 1 step ago", session.overlay.arm.name()),
                (true, Some(age)) => format!("where `{}` looked {age} steps ago", session.overlay.arm.name()),
            });
        });
    });
    ui.horizontal(|ui| {
        let label = album.train.labels.get(index).copied();
        for arm in Arm::BOTH {
            let Some(&(class, probability)) =
                session.results().verdict(arm).and_then(|verdict| verdict.train.get(index))
            else {
                continue;
            };
            ui.colored_label(theme::arm(ui, arm), format!("{}:", arm.name()));
            let name = album.train.classes.get(class as usize).map_or("", String::as_str);
            let right = Some(class) == label;
            let text = format!("{name} {:.2}, {}", probability, if right { "right" } else { "wrong" });
            ui.colored_label(if right { ui.visuals().text_color() } else { theme::wrong(ui) }, text);
            ui.add_space(10.0);
        }
        if session.results().verdict(Arm::Explained).is_none() {
            ui.weak("Predictions appear once the models have been measured.");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_fits_and_never_leaves_the_space_when_it_is_larger() {
        let space = Rect::from_min_size(pos2(10.0, 20.0), vec2(300.0, 200.0));
        let mut view = CanvasView::default();
        let fitted = view.place(space, vec2(32.0, 32.0));
        assert_eq!((fitted.size(), fitted.center()), (vec2(200.0, 200.0), space.center()));
        view.zoom_by(4.0);
        view.middle = vec2(-3.0, 7.0);
        let zoomed = view.place(space, vec2(32.0, 32.0));
        assert_eq!(zoomed.size(), vec2(800.0, 800.0));
        assert!(zoomed.contains_rect(space), "{zoomed:?}");
        view.zoom_by(0.01);
        assert_eq!(view.place(space, vec2(32.0, 32.0)), fitted);
    }
}

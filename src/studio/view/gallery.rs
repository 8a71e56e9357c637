//! Thumbnails with their labels.

use eframe::egui::{
    self, Color32, CornerRadius, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, pos2, vec2,
};

use super::theme;
use crate::studio::album::Filter;
use crate::studio::app::App;

/// Width of the panel with its margins.
pub(super) const WIDTH: f32 = 244.0;
const COLUMNS: usize = 3;
const THUMBNAIL: f32 = 66.0;
const ROW: f32 = THUMBNAIL + 20.0;

pub(super) fn show(app: &mut App, ui: &mut Ui) {
    let Some(session) = &mut app.session else { return };
    let wrong = session.wrong();
    ui.horizontal(|ui| {
        super::heading(ui, "Pictures");
        let masks = session.album().train.explained_count();
        ui.weak(format!("{masks} of {} with a mask", session.album().len()));
    });
    let mut filter = session.filter();
    egui::Grid::new("filters").num_columns(2).spacing(vec2(6.0, 4.0)).show(ui, |ui| {
        for (i, choice) in Filter::ALL.into_iter().enumerate() {
            let count = session.album().listed(choice, &wrong).len();
            let text = format!("{} {count}", choice.name());
            let button = egui::Button::selectable(filter == choice, text).min_size(vec2(104.0, 22.0));
            if ui.add(button).clicked() {
                filter = choice;
            }
            if i % 2 == 1 {
                ui.end_row();
            }
        }
    });
    session.set_filter(filter);
    ui.separator();
    let listed = session.album().listed(filter, &wrong);
    if listed.is_empty() {
        ui.add_space(12.0);
        ui.weak(match filter {
            Filter::All => "There are no pictures here.",
            Filter::Masked => "No picture has a mask yet. Choose All and paint what matters in some of them.",
            Filter::Unmasked => "Every picture has a mask.",
            Filter::Wrong if wrong.is_empty() => "Not measured yet: start training, or take one step.",
            Filter::Wrong => "The model with explanations gets every training picture right.",
        });
        return;
    }
    let (current, textures) = (session.current(), &mut app.textures);
    let follow = app.canvas.take_moved();
    let rows = listed.len().div_ceil(COLUMNS);
    let mut chosen = None;
    let mut area = ScrollArea::vertical().auto_shrink([false, false]);
    let spacing = ui.spacing().item_spacing.y;
    if let Some(at) = follow.then(|| listed.iter().position(|&index| index == current)).flatten() {
        let top = (at / COLUMNS) as f32 * (ROW + spacing) - ui.available_height() / 2.0 + ROW / 2.0;
        area = area.vertical_scroll_offset(top.max(0.0));
    }
    area.show_rows(ui, ROW, rows, |ui, range| {
        for row in range {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                for &index in listed.iter().skip(row * COLUMNS).take(COLUMNS) {
                    let (rect, response) = ui.allocate_exact_size(vec2(THUMBNAIL, ROW), Sense::click());
                    let (class, name) = (session.album().class(index), session.album().short_name(index));
                    response.widget_info(|| {
                        egui::WidgetInfo::labeled(egui::Role::Button, true, format!("{class} {name}"))
                    });
                    let texture = textures.thumbnail(ui.ctx(), session, index);
                    let seen = Seen {
                        selected: index == current,
                        masked: session.album().train.explained[index],
                        wrong: wrong.get(index) == Some(&true),
                    };
                    draw(ui, rect, texture, class, seen, session.album().thumbnail_aspect());
                    if response.on_hover_text(format!("{class}, {name}")).clicked() {
                        chosen = Some(index);
                    }
                }
            });
        }
    });
    if let Some(index) = chosen {
        session.select(index);
    }
}

struct Seen {
    selected: bool,
    masked: bool,
    wrong: bool,
}

fn draw(ui: &Ui, rect: Rect, texture: egui::TextureId, class: &str, seen: Seen, aspect: f32) {
    let painter = ui.painter();
    let square = Rect::from_min_size(rect.min, vec2(THUMBNAIL, THUMBNAIL));
    let size =
        if aspect >= 1.0 { vec2(THUMBNAIL, THUMBNAIL / aspect) } else { vec2(THUMBNAIL * aspect, THUMBNAIL) };
    let picture = Rect::from_center_size(square.center(), size - vec2(4.0, 4.0));
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    painter.image(texture, picture, whole, Color32::WHITE);
    if seen.masked {
        let dot = picture.right_top() + vec2(-7.0, 7.0);
        painter.circle(dot, 4.5, theme::MASK, Stroke::new(1.5, Color32::from_black_alpha(200)));
    }
    if seen.selected {
        let stroke = Stroke::new(2.5, ui.visuals().strong_text_color());
        painter.rect_stroke(picture.expand(1.0), CornerRadius::same(2), stroke, StrokeKind::Outside);
    }
    let color = if seen.wrong { theme::wrong(ui) } else { ui.visuals().text_color() };
    let text = match seen.wrong {
        true => format!("{class} ×"),
        false => class.to_owned(),
    };
    let font = egui::TextStyle::Small.resolve(ui.style());
    let galley = painter.layout(text, font, color, f32::INFINITY);
    let label = Rect::from_min_max(square.left_bottom(), rect.right_bottom());
    let shown = painter.with_clip_rect(label.intersect(ui.clip_rect()));
    let left = (label.center().x - galley.size().x / 2.0).max(label.left());
    shown.galley(pos2(left, label.top() + 1.0), galley, color);
}

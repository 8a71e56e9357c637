//! Keys, and the panel that lists them.

use eframe::egui::{Align2, Context, Grid, Key, KeyboardShortcut, Modifiers, RichText, Window};

use crate::studio::app::App;
use crate::studio::session::{Session, Tool};

const LINES: [(&str, &str); 18] = [
    ("Left button", "paint with the tool at hand"),
    ("Right button, or Shift", "erase"),
    ("Wheel, + and -", "zoom"),
    ("Middle button, or Ctrl", "move the picture"),
    ("B, E, F", "brush, eraser, fill"),
    ("[ and ]", "smaller and larger brush"),
    ("Ctrl+Z, Ctrl+Shift+Z", "undo and redo, over all pictures"),
    ("Delete", "remove the mask"),
    ("Right, Left", "next and previous picture of the list"),
    ("1, 2, 3, 4", "list all, with mask, without, wrong now"),
    ("Space", "train or pause"),
    (".", "one step"),
    ("O, M", "show or hide where the model looks, and the mask"),
    ("L", "look with the other model"),
    ("0", "show the whole picture"),
    ("Ctrl+S", "save the model as a run folder"),
    ("Ctrl and +, -", "larger and smaller text"),
    ("F1", "this list"),
];

pub(super) fn show(app: &mut App, context: &Context) {
    let mut open = true;
    Window::new("Keys and mouse")
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, [0.0, 0.0])
        .open(&mut open)
        .show(context, |ui| {
            Grid::new("keys").num_columns(2).spacing([24.0, 5.0]).show(ui, |ui| {
                for (keys, what) in LINES {
                    ui.label(RichText::new(keys).strong());
                    ui.label(what);
                    ui.end_row();
                }
            });
            ui.add_space(6.0);
            ui.weak("Masks are saved after every stroke, white where the reason is.");
        });
    app.help &= open;
}

/// Does what the keys of this frame say, unless something is being typed.
pub(in crate::studio) fn keys(app: &mut App, context: &Context) {
    let pressed = |key| context.input(|input| input.key_pressed(key) && input.modifiers.is_none());
    let consumed = |modifiers, key| {
        context.input_mut(|input| input.consume_shortcut(&KeyboardShortcut::new(modifiers, key)))
    };
    if pressed(Key::F1) {
        app.help = !app.help;
    }
    if context.text_edit_focused() {
        return;
    }
    let App { session: Some(session), canvas, .. } = app else { return };
    // Space also presses the widget that has the focus: here it trains.
    if pressed(Key::Space)
        && context.memory(|memory| memory.focused()).is_none()
        && session.prepared().is_done()
    {
        if session.is_running() { session.pause() } else { session.run() }
    }
    if consumed(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z) || consumed(Modifiers::COMMAND, Key::Y) {
        session.redo();
    } else if consumed(Modifiers::COMMAND, Key::Z) {
        session.undo();
    }
    if consumed(Modifiers::COMMAND, Key::S) {
        session.save_run();
    }
    for (key, next) in [(Key::ArrowRight, true), (Key::ArrowLeft, false)] {
        if pressed(key) {
            session.select_beside(next);
            canvas.moved();
        }
    }
    for (key, factor) in [(Key::Plus, 1.25), (Key::Equals, 1.25), (Key::Minus, 0.8)] {
        if pressed(key) {
            canvas.zoom_by(factor);
        }
    }
    if pressed(Key::Num0) {
        canvas.fit();
    }
    one_key(session, pressed);
}

fn one_key(session: &mut Session, pressed: impl Fn(Key) -> bool) {
    use crate::studio::album::Filter;
    use crate::studio::training::Arm;
    for (key, tool) in [(Key::B, Tool::Brush), (Key::E, Tool::Eraser), (Key::F, Tool::Fill)] {
        if pressed(key) {
            session.tool = tool;
        }
    }
    for (key, filter) in [Key::Num1, Key::Num2, Key::Num3, Key::Num4].into_iter().zip(Filter::ALL) {
        if pressed(key) {
            session.set_filter(filter);
        }
    }
    let (width, height) = session.canvas().size();
    let largest = (width.min(height) as f32 / 3.0).max(2.0);
    for (key, factor) in [(Key::OpenBracket, 0.8), (Key::CloseBracket, 1.25)] {
        if pressed(key) {
            session.radius = (session.radius * factor).clamp(0.5, largest);
        }
    }
    if pressed(Key::Period) {
        session.step();
    }
    if pressed(Key::Delete) {
        session.clear();
    }
    if pressed(Key::O) {
        session.overlay.on = !session.overlay.on;
    }
    if pressed(Key::M) {
        session.overlay.mask = !session.overlay.mask;
    }
    if pressed(Key::L) {
        session.overlay.arm = match session.overlay.arm {
            Arm::Labels => Arm::Explained,
            Arm::Explained => Arm::Labels,
        };
    }
}

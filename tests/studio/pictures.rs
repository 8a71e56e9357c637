//! The window as pictures, for the documentation: `RATIONALE_STUDIO_PICTURES=docs cargo test … pictures` writes them there. Without
//! that variable they are drawn at a small number of steps and only looked at for being drawn.

use std::path::PathBuf;

use eframe::egui::{Theme, Vec2, vec2};
use rationale::studio::TrainOn;

use crate::script::Hand;
use crate::sessions::triangles;

struct Shot {
    name: &'static str,
    theme: Theme,
    size: Vec2,
    scale: f32,
}

const SHOTS: [Shot; 4] = [
    Shot { name: "studio", theme: Theme::Dark, size: vec2(1280.0, 720.0), scale: 1.0 },
    Shot { name: "studio-light", theme: Theme::Light, size: vec2(1280.0, 720.0), scale: 1.0 },
    Shot { name: "studio-4k", theme: Theme::Dark, size: vec2(1920.0, 1080.0), scale: 2.0 },
    Shot { name: "studio-small-text-4k", theme: Theme::Light, size: vec2(2560.0, 1440.0), scale: 1.5 },
];

fn shoot(hand: &mut Hand, place: Option<&PathBuf>, name: &str) {
    hand.harness.step();
    hand.harness.step();
    let image = hand.harness.render().unwrap();
    let first = image.get_pixel(0, 0);
    assert!(image.pixels().any(|pixel| pixel != first), "{name} is empty");
    if let Some(place) = place {
        image.save(place.join(format!("{name}.png"))).unwrap();
    }
}

#[test]
fn pictures_of_the_window() {
    let place = std::env::var_os("RATIONALE_STUDIO_PICTURES").map(PathBuf::from);
    let (shots, masks, steps) = match &place {
        Some(_) => (&SHOTS[..], 40, 400),
        None => (&SHOTS[..1], 2, 10),
    };
    let folder = tempfile::tempdir().unwrap();
    let truth = triangles();
    let extra = place.as_ref().map(|_| std::env::temp_dir());
    for Shot { name, theme, size, scale } in shots {
        let mut hand = Hand::new(folder.path(), *size, *scale, *theme, TrainOn::Cpu);
        shoot(&mut hand, extra.as_ref(), &format!("{name}-empty"));
        hand.open("triangles:ES");
        shoot(&mut hand, extra.as_ref(), &format!("{name}-begun"));
        for index in 0..masks {
            hand.paint(&truth, index);
            if index == 0 {
                shoot(&mut hand, extra.as_ref(), &format!("{name}-question"));
            }
            hand.change().ask_later();
        }
        hand.train_to(steps);
        hand.change().select(2);
        hand.until("the overlay", |app| app.session().unwrap().shown().is_some());
        let into = if name.ends_with("4k") { extra.as_ref() } else { place.as_ref() };
        shoot(&mut hand, into, name);
        hand.key(eframe::egui::Key::F1, eframe::egui::Modifiers::NONE);
        shoot(&mut hand, extra.as_ref(), &format!("{name}-help"));
    }
}

//! Whole sessions.

use std::ffi::OsStr;
use std::process::Command;

use eframe::egui::{self, Key, Modifiers, PointerButton, Theme, vec2};
use egui_kittest::kittest::Queryable;
use rationale::data::triangles::TriangleSet;
use rationale::data::{Dataset, ReadOptions, read_folder};
use rationale::random::Seeds;
use rationale::studio::{Arm, Filter, Tool, TrainOn};
use rationale::train::run::RunFolder;

use crate::script::Hand;

const SIZE: egui::Vec2 = vec2(1280.0, 720.0);

/// The pictures of triangles:ES with the masks that the window leaves out.
pub fn triangles() -> Dataset {
    TriangleSet::ES.train(Seeds::from_seed(0).data).unwrap()
}

/// Opens the triangles, paints ten masks, trains, saves, and opens what was saved.
fn session(train_on: TrainOn, steps: u64) {
    let folder = tempfile::tempdir().unwrap();
    let truth = triangles();
    let mut hand = Hand::new(folder.path(), SIZE, 1.0, Theme::Dark, train_on);
    hand.open("triangles:ES");
    assert_eq!(hand.session().album().train.explained_count(), 0);
    eprintln!("on {}", hand.session().device());
    hand.frame_times("opening and preparing");

    hand.paint(&truth, 0);
    hand.frame_times("painting while paused");
    assert!(hand.session().wants_folder());
    let kept = folder.path().join("runs/triangles-ES-painted");
    hand.press("Keep them there");
    assert!(!hand.session().wants_folder());
    hand.press("Train");
    for index in 1..10 {
        hand.paint(&truth, index);
    }
    hand.frame_times("painting while training");
    let painted = &hand.session().album().train;
    assert_eq!(painted.explained_count(), 10);
    for index in 0..10 {
        let (mask, wanted) = (painted.mask(index), truth.mask(index));
        let both = mask.iter().zip(wanted).filter(|(a, b)| **a == 255 && **b == 255).count();
        let either = mask.iter().zip(wanted).filter(|(a, b)| **a == 255 || **b == 255).count();
        assert!(both as f64 > 0.8 * either as f64, "picture {index}: {both} of {either}");
    }
    hand.press("Pause");
    hand.train_to(steps);
    hand.frame_times("training");
    let [labels, explained] = Arm::BOTH.map(|arm| hand.accuracy(arm));
    eprintln!("after {steps} steps, ten masks: labels only {labels:.3}, with explanations {explained:.3}");
    // The two models share a seed and differ by their masks alone; so do their results.
    let checkpoints = Arm::BOTH.map(|arm| hand.session().results().state(arm).unwrap().1.clone());
    assert_ne!(checkpoints[0].tensors["features.0.weight"], checkpoints[1].tensors["features.0.weight"]);
    let moved = |tensor: &str| {
        let movements = hand.session().results().movements();
        movements.iter().find(|movement| movement.row.tensor.starts_with(tensor)).unwrap().since_start
    };
    assert!(moved("mapping") > 0.0 && moved("features") > 0.0);

    hand.press("Save run");
    hand.until("the run", |app| app.session().unwrap().saving() == 0);
    let messages = hand.harness.state().messages().to_vec();
    assert!(messages.iter().all(|message| !message.error), "{messages:?}");
    let run = std::fs::read_dir(folder.path().join("runs")).unwrap().flatten();
    let run = run.map(|entry| entry.path()).find(|path| path.join("run.json").exists()).unwrap();
    let saved = RunFolder::read(&run).unwrap();
    assert_eq!(saved.checkpoint.tensors, checkpoints[1].tensors);
    drop(hand);
    let picture = std::fs::read_dir(kept.join("test/up")).unwrap().flatten().next().unwrap().path();
    let predicted = Command::new(env!("CARGO_BIN_EXE_rationale"))
        .args([OsStr::new("predict"), run.as_os_str(), picture.as_os_str(), OsStr::new("--device=cpu")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&predicted.stdout);
    assert!(predicted.status.success() && (said.contains("up ") || said.contains("down ")), "{predicted:?}");

    // The file system has every mask, for `train` and for the next session.
    let read = read_folder(&kept, &ReadOptions::default()).unwrap();
    assert_eq!(read.train.explained_count(), 10);
    let mut again = Hand::new(folder.path(), SIZE, 1.0, Theme::Light, TrainOn::Cpu);
    again.open(kept.to_str().unwrap());
    let album = again.session().album();
    assert_eq!(album.train.explained_count(), 10);
    assert_eq!(album.listed(Filter::Masked, &[]).len(), 10);
}

#[test]
fn ten_masks_on_the_cpu() {
    session(TrainOn::Cpu, 60);
}

#[test]
fn ten_masks_on_the_window_device() {
    session(TrainOn::Window, 60);
}

#[test]
fn keys_paint_undo_and_walk() {
    let folder = tempfile::tempdir().unwrap();
    let mut hand = Hand::new(folder.path(), SIZE, 1.0, Theme::Dark, TrainOn::Cpu);
    hand.open("triangles:E");
    hand.change().radius = 2.0;
    hand.stroke(&[[8.0, 8.0], [20.0, 8.0]], PointerButton::Primary);
    hand.press("Not now");
    let one = hand.session().canvas().clone();
    assert!(one.marks_any());
    hand.stroke(&[[14.0, 4.0], [14.0, 12.0]], PointerButton::Secondary);
    assert!(hand.session().canvas().share() < one.share());
    hand.press("Not now");
    hand.key(Key::Z, Modifiers::COMMAND);
    assert_eq!(hand.session().canvas(), &one);
    hand.key(Key::ArrowRight, Modifiers::NONE);
    assert_eq!(hand.session().current(), 1);
    assert!(!hand.session().canvas().marks_any());
    // Undo goes back to the picture that the change was made on.
    hand.key(Key::Z, Modifiers::COMMAND);
    assert_eq!((hand.session().current(), hand.session().canvas().marks_any()), (0, false));
    hand.key(Key::Z, Modifiers::COMMAND | Modifiers::SHIFT);
    assert_eq!(hand.session().canvas(), &one);
    hand.press("Not now");
    hand.key(Key::F, Modifiers::NONE);
    assert_eq!(hand.session().tool, Tool::Fill);
    hand.stroke(&[[2.0, 28.0]], PointerButton::Primary);
    assert_eq!(hand.session().canvas().share(), 1.0);
    hand.press("Not now");
    hand.key(Key::ArrowLeft, Modifiers::NONE);
    assert_eq!(hand.session().current(), 499);
    hand.key(Key::Num2, Modifiers::NONE);
    assert_eq!(hand.session().listed(), [0]);
    hand.key(Key::F1, Modifiers::NONE);
    hand.harness.step();
    assert!(hand.harness.query_by_label("Keys and mouse").is_some());
}

/// Slow frames take in several events at once, be it a whole stroke.
#[test]
fn a_stroke_within_one_frame_is_the_stroke_of_many() {
    let folder = tempfile::tempdir().unwrap();
    let mut hand = Hand::new(folder.path(), SIZE, 1.0, Theme::Dark, TrainOn::Cpu);
    hand.open("triangles:E");
    let points = [[8.0, 8.0], [20.0, 8.0], [20.0, 24.0], [9.0, 22.0]];
    hand.stroke(&points, PointerButton::Primary);
    hand.press("Not now");
    let many = hand.session().canvas().clone();
    hand.key(Key::Z, Modifiers::COMMAND);
    assert!(!hand.session().canvas().marks_any());
    hand.stroke_in_one_frame(&points, PointerButton::Primary);
    assert_eq!(hand.session().canvas(), &many);
    // What a dialog lies over takes no paint.
    assert!(hand.session().wants_folder());
    hand.stroke_in_one_frame(&[[2.0, 2.0], [30.0, 2.0]], PointerButton::Primary);
    assert_eq!(hand.session().canvas(), &many);
}

#[test]
fn a_run_that_cannot_be_saved_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("runs"), "a file in the place of the folder").unwrap();
    let mut hand = Hand::new(folder.path(), SIZE, 1.0, Theme::Dark, TrainOn::Cpu);
    hand.open("triangles:E");
    hand.until("the first state", |app| app.session().unwrap().results().state(Arm::Explained).is_some());
    for _ in 0..2 {
        hand.change().save_run();
        hand.until("the answer", |app| app.session().unwrap().saving() == 0);
        hand.harness.step();
        let messages = hand.harness.state().messages();
        assert!(
            messages.len() == 1 && messages[0].error && messages[0].text.contains("runs"),
            "{messages:?}"
        );
        hand.press("Dismiss");
    }
}

#[test]
fn what_cannot_be_opened_is_said_and_the_window_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut hand = Hand::new(folder.path(), SIZE, 1.0, Theme::Dark, TrainOn::Cpu);
    let missing = folder.path().join("nothing");
    hand.harness.state_mut().open(missing.to_str().unwrap());
    hand.until("the answer", |app| app.opening().is_none());
    let messages = hand.harness.state().messages();
    assert!(messages[0].error && messages[0].text.contains("does not exist"), "{messages:?}");
    hand.harness.step();
    hand.press("Dismiss");
    assert!(hand.harness.state().messages().is_empty());
}

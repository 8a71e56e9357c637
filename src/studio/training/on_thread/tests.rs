use super::*;
use std::collections::BTreeMap;

use crate::data::triangles::{PatchRule, TriangleSet};
use crate::plan::Part;
use crate::random::Seeds;

fn start() -> Start {
    let mut train = TriangleSet::E.test(40, 1, PatchRule::None).unwrap();
    train.explained.fill(false);
    let recipe = Recipe {
        model: crate::model::ModelConfig::default(),
        train: TrainConfig { batch: 20, ..TrainConfig::default() },
        seeds: Seeds::from_seed(1),
    };
    Start { train, recipe }
}

fn wait(engine: &mut OnThread, states: usize) -> Vec<Event> {
    let mut events = Vec::new();
    while events.iter().filter(|event| matches!(event, Event::State { .. })).count() < states {
        events.extend(engine.events().unwrap());
        std::thread::yield_now();
    }
    events
}

fn tensors(events: &[Event], arm: Arm) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let found = events.iter().rev().find_map(|event| match event {
        Event::State { arm: of, checkpoint, .. } if *of == arm => Some(checkpoint.tensors.clone()),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn a_mask_sets_stage_2_going_and_the_control_does_not_see_it() {
    let run = |masked: bool| {
        let mut engine = OnThread::new(start()).unwrap();
        engine.step().unwrap();
        let first = wait(&mut engine, 2);
        if masked {
            let mut mask = vec![0; 32 * 32];
            mask[300..700].fill(255);
            engine.set_mask(3, Some(mask)).unwrap();
        }
        engine.step().unwrap();
        let second = wait(&mut engine, 2);
        assert_eq!(engine.position(), Position { steps: 4, epochs: 2.0 });
        (first, second)
    };
    let (without, with) = (run(false), run(true));
    assert_eq!(tensors(&without.0, Arm::Explained), tensors(&with.0, Arm::Explained));
    assert_eq!(tensors(&without.1, Arm::Labels), tensors(&with.1, Arm::Labels));
    let (plain, masked) = (tensors(&without.1, Arm::Explained), tensors(&with.1, Arm::Explained));
    assert_ne!(plain["mapping.weight"], masked["mapping.weight"]);
    let losses = |events: &[Event]| {
        events.iter().filter(|event| matches!(event, Event::Figures { alignment_loss: Some(_), .. })).count()
    };
    assert_eq!((losses(&without.1), losses(&with.1)), (0, 1));
}

#[test]
fn stage_2_is_said_to_move_the_mapping_alone() {
    let rows = OnThread::new(start()).unwrap().route();
    assert!(rows.iter().all(|row| row.stage1));
    assert!(rows.iter().all(|row| row.stage2 == (row.part == Part::Mapping)));
    assert!(rows.iter().any(|row| row.stage2) && rows.iter().map(|row| row.elements).sum::<usize>() > 10_000);
}

#[test]
fn after_a_divergence_the_last_good_states_come_before_the_error() {
    let mut start = start();
    start.recipe.train.label_lr = 1e30;
    let mut engine = OnThread::new(start).unwrap();
    engine.advance(Duration::ZERO).unwrap();
    let states = wait(&mut engine, 2);
    for arm in Arm::BOTH {
        let tensors = tensors(&states, arm);
        assert!(tensors.values().flat_map(|(_, values)| values).all(|value| value.is_finite()));
    }
    let error = loop {
        match engine.events() {
            Ok(_) => std::thread::yield_now(),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("not finite"), "{error}");
    assert!(!engine.is_waiting());
}

#[test]
fn while_it_runs_states_come_when_they_are_asked_for() {
    let mut engine = OnThread::new(start()).unwrap();
    engine.advance(Duration::ZERO).unwrap();
    let mut events = Vec::new();
    while events.len() < 6 {
        events.extend(engine.events().unwrap());
        std::thread::yield_now();
    }
    assert!(events.iter().all(|event| matches!(event, Event::Figures { .. })));
    engine.ask_for_states().unwrap();
    engine.ask_for_states().unwrap();
    let states = wait(&mut engine, 2);
    assert!(!tensors(&states, Arm::Labels).is_empty() && !tensors(&states, Arm::Explained).is_empty());
    engine.pause().unwrap();
    while engine.is_waiting() {
        events.extend(engine.events().unwrap());
        std::thread::yield_now();
    }
    // The two that came with the pause; the second question above had been under way with the first.
    assert_eq!(events.iter().filter(|event| matches!(event, Event::State { .. })).count(), 2);
}

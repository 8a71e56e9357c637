//! Lists with damage in them: no panic, no hang, and no more memory than a multiple of what is there.

use std::fs;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rationale::data::check::check;
use rationale::data::readers::{Format, ReadOptions, read};
use rationale::train::Checkpoint;

use crate::damage::{Damage, apply, damage};
use crate::layouts::{LAYOUTS, Layout};
use crate::memory::most_while;
use crate::scenes::Place;

/// Bytes that may be used for each byte of a list: gzip unpacks at most 1,032 to one, and is copied once.
const PER_BYTE: usize = 4 * 1032;
/// What small pictures, threads and the other tests use.
const BASE: usize = 64 << 20;
/// Far longer than any of the lists takes; a hang is what ends here.
const HANG: Duration = Duration::from_secs(20);

/// Inputs for each kind of file, the lists of all layouts and the checkpoint: `make verify` sets RATIONALE_TEST_INPUTS
/// to the number over all of them.
fn inputs() -> Config {
    let all: u32 = std::env::var("RATIONALE_TEST_INPUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(260);
    let cases = all.div_ceil(LAYOUTS.iter().filter(|layout| !layout.list.is_empty()).count() as u32 + 1);
    Config { cases, failure_persistence: None, ..Config::default() }
}

fn survives(layout: &Layout, whole: &[u8], place: &Place, damages: &[Damage]) -> Result<(), TestCaseError> {
    let mut bytes = whole.to_vec();
    damages.iter().for_each(|damage| apply(&mut bytes, damage));
    fs::write(place.at(layout.list), &bytes).unwrap();
    let format = Format::ALL.into_iter().find(|format| format.name() == layout.format);
    let options = ReadOptions { format, size: Some((8, 8)), ..ReadOptions::default() };
    let begun = Instant::now();
    let most = most_while(|| {
        // Errors are fine, and so are findings.
        let _ = check(place.root(), &options, None);
        let _ = read(place.root(), &ReadOptions { skip_unreadable: true, ..options.clone() }, None);
        let _ = read(place.root(), &ReadOptions { format: None, ..options }, None);
    });
    prop_assert!(begun.elapsed() < HANG, "{}: {} bytes took {:?}", layout.list, bytes.len(), begun.elapsed());
    prop_assert!(most < BASE + PER_BYTE * bytes.len(), "{}: {most} bytes for {}", layout.list, bytes.len());
    Ok(())
}

#[test]
fn damaged_lists_end_in_an_error_or_a_finding() {
    for layout in LAYOUTS.iter().filter(|layout| !layout.list.is_empty()) {
        let place = Place::new();
        (layout.write)(&place);
        let whole = fs::read(place.at(layout.list)).unwrap();
        TestRunner::new(inputs())
            .run(&prop::collection::vec(damage(), 1..4), |damages| survives(layout, &whole, &place, &damages))
            .unwrap();
    }
}

#[test]
fn a_damaged_checkpoint_ends_in_an_error_or_is_read() {
    let place = Place::new();
    let path = place.at("last.safetensors");
    let tensor = |len: usize| (vec![len], vec![0.5; len]);
    let checkpoint = Checkpoint {
        epoch: 3,
        tensors: [("conv1.weight", 40), ("mapping.weight", 8)]
            .map(|(name, len)| (name.to_owned(), tensor(len)))
            .into(),
        notes: [("seeds".to_owned(), "1 2 3".to_owned())].into(),
    };
    checkpoint.save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let survives = |damages: Vec<Damage>| {
        let mut bytes = whole.clone();
        damages.iter().for_each(|damage| apply(&mut bytes, damage));
        fs::write(&path, &bytes).unwrap();
        let begun = Instant::now();
        let mut read = None;
        let most = most_while(|| read = Some(Checkpoint::load(&path)));
        prop_assert!(begun.elapsed() < HANG, "{} bytes took {:?}", bytes.len(), begun.elapsed());
        prop_assert!(most < BASE + PER_BYTE * bytes.len(), "{most} bytes for {}", bytes.len());
        if let Some(Err(error)) = read {
            prop_assert!(error.to_string().contains("last.safetensors"), "{error}");
        }
        Ok(())
    };
    TestRunner::new(inputs()).run(&prop::collection::vec(damage(), 1..4), survives).unwrap();
}

#[test]
fn bombs_meet_their_limits() {
    let refused = |layout: usize, name: &str, bytes: &[u8]| {
        let place = Place::new();
        (LAYOUTS[layout].write)(&place);
        place.write(name, bytes);
        let format = Format::ALL.into_iter().find(|format| format.name() == LAYOUTS[layout].format);
        read(place.root(), &ReadOptions { format, ..ReadOptions::default() }, None).unwrap_err().to_string()
    };
    // Depth of JSON where it is read; where it is skipped, it costs nothing.
    let deep = format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20));
    let annotations = |field: &str| {
        format!(
            "{{\"images\":[],\"categories\":[],\"annotations\":[{{\"image_id\":1,\"category_id\":1,\"{field}\":{deep}}}]}}"
        )
    };
    let file = "train/_annotations.coco.json";
    let message = refused(10, file, annotations("segmentation").as_bytes());
    assert!(message.contains("recursion limit") && message.contains("line 1"), "{message}");
    let message = refused(10, file, annotations("extra").as_bytes());
    assert!(message.contains("annotation 1: there is no image 1"), "{message}");
    // A list where a shape is expected ends before its depth counts.
    let text = format!("{{\"shapes\":{deep}}}");
    let message = refused(11, "Acorn_2.json", text.as_bytes());
    assert!(
        message.contains("Acorn_2.json, line 1, column") && message.contains("invalid type"),
        "{message}"
    );
    let first = "{\"image\":\"a.png\",\"label\":\"a\"}";
    let line = format!("{first}\n{{\"image\":\"{}\"}}\n", "x".repeat(2 << 20));
    assert!(refused(3, "labels.jsonl", line.as_bytes()).contains("longer than 1 MiB"));
    // An IDX header that promises more than there is, plain and packed.
    let mut header = vec![0, 0, 8, 3];
    [u32::MAX, 1 << 16, 1 << 16].iter().for_each(|size| header.extend(size.to_be_bytes()));
    assert!(refused(7, "train-images-idx3-ubyte", &header).contains("promises"));
}

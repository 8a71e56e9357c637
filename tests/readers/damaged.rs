//! Lists with damage in them: no panic, no hang, and no more memory than a multiple of what is there.

use std::fs;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rationale::data::check::check;
use rationale::data::readers::{Format, ReadOptions, read};

use crate::layouts::{LAYOUTS, Layout};
use crate::memory::most_while;
use crate::scenes::Place;

/// Bytes that may be used for each byte of a list: gzip unpacks at most 1,032 to one, and is copied once.
const PER_BYTE: usize = 4 * 1032;
/// What small pictures, threads and the other tests use.
const BASE: usize = 64 << 20;
/// Far longer than any of the lists takes; a hang is what ends here.
const HANG: Duration = Duration::from_secs(20);

/// Inputs for each layout: `make verify` sets RATIONALE_TEST_INPUTS to the number over all of them.
fn inputs() -> u32 {
    let all: u32 = std::env::var("RATIONALE_TEST_INPUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(260);
    all.div_ceil(LAYOUTS.len() as u32)
}

/// One change to a list.
#[derive(Clone, Debug)]
enum Damage {
    Flip(f64, u8),
    Cut(f64),
    Repeat(f64, f64, u8),
    Insert(f64, Vec<u8>),
    Number(f64, &'static str),
    Replace(Vec<u8>),
}

const NUMBERS: [&str; 12] = [
    "-1",
    "0",
    "1e308",
    "-1e308",
    "4294967295",
    "4294967296",
    "99999999999999999999",
    "NaN",
    "null",
    "[[[[",
    "1e-300",
    "\"\\ud800\"",
];

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (0.0..1.0f64, any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        (0.0..1.0f64).prop_map(Damage::Cut),
        (0.0..1.0f64, 0.0..1.0f64, 1u8..20).prop_map(|(from, to, times)| Damage::Repeat(from, to, times)),
        (0.0..1.0f64, prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (0.0..1.0f64, prop::sample::select(&NUMBERS[..])).prop_map(|(at, word)| Damage::Number(at, word)),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Damage::Replace),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let place = |share: f64, len: usize| ((share * len as f64) as usize).min(len);
    match damage {
        Damage::Flip(at, byte) if !bytes.is_empty() => {
            let at = place(*at, bytes.len() - 1);
            bytes[at] ^= byte;
        }
        Damage::Flip(..) => {}
        Damage::Cut(at) => bytes.truncate(place(*at, bytes.len())),
        Damage::Repeat(from, to, times) => {
            let (from, to) = (place(from.min(*to), bytes.len()), place(from.max(*to), bytes.len()));
            let part = bytes[from..to].repeat(usize::from(*times));
            bytes.splice(to..to, part.into_iter().take(1 << 20));
        }
        Damage::Insert(at, extra) => {
            let at = place(*at, bytes.len());
            bytes.splice(at..at, extra.iter().copied());
        }
        Damage::Number(at, word) => {
            // In the place of the next number.
            let at = place(*at, bytes.len());
            let Some(from) = bytes[at..].iter().position(u8::is_ascii_digit).map(|from| at + from) else {
                return;
            };
            let len = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
            bytes.splice(from..from + len, word.bytes());
        }
        Damage::Replace(other) => other.clone_into(bytes),
    }
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
        let config = Config { cases: inputs(), failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&prop::collection::vec(damage(), 1..4), |damages| survives(layout, &whole, &place, &damages))
            .unwrap();
    }
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

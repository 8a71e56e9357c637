//! What may have happened to the bytes of a file.

use proptest::prelude::*;

/// One change to a file.
#[derive(Clone, Debug)]
pub enum Damage {
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

pub fn damage() -> impl Strategy<Value = Damage> {
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

pub fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
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

//! The seeds that the studies were given before their first run, and seeds as people write them.

use serde::Deserialize;

use super::StudyError;

const COMMITTED: &str = include_str!("seeds.toml");

/// What `seeds.toml` names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// For searches and choices.
    pub validation: Vec<u64>,
    /// For the tables.
    #[serde(rename = "final")]
    pub last: Vec<u64>,
    /// Test pictures of every generated set.
    pub test_pictures: usize,
    /// Trials per method and setting in a search.
    pub trials: usize,
}

/// The committed seeds.
pub fn committed() -> Result<Committed, StudyError> {
    toml::from_str(COMMITTED).map_err(|error| StudyError::Seeds {
        text: "src/study/seeds.toml".to_owned(),
        message: error.message().to_owned(),
    })
}

/// Reads `final`, `validation`, or numbers and ranges such as `201..205,7`; both ends of a range count.
pub fn parse(text: &str) -> Result<Vec<u64>, StudyError> {
    match text.trim() {
        "final" => return Ok(committed()?.last),
        "validation" => return Ok(committed()?.validation),
        _ => {}
    }
    let wrong = |message: String| StudyError::Seeds { text: text.to_owned(), message };
    let number = |word: &str| {
        word.trim().parse::<u64>().map_err(|_| {
            wrong(format!("`{word}` is no whole number; write final, validation, 11,12 or 201..220"))
        })
    };
    let mut seeds = Vec::new();
    for part in text.split(',') {
        match part.split_once("..") {
            None => seeds.push(number(part)?),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last.trim_start_matches('='))?);
                if first > last || last - first >= 10_000 {
                    return Err(wrong(format!(
                        "{first}..{last} should run upward over at most 10,000 seeds"
                    )));
                }
                seeds.extend(first..=last);
            }
        }
    }
    let mut sorted = seeds.clone();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(wrong(format!("seed {} stands there twice; name each seed once", twice[0])));
    }
    Ok(seeds)
}

/// Seeds as [`parse`] reads them, runs of neighbours as ranges.
pub fn show(seeds: &[u64]) -> String {
    let mut parts = Vec::new();
    let mut rest = seeds;
    while let Some(&first) = rest.first() {
        let run = rest.iter().zip(first..).take_while(|(seed, expected)| *seed == expected).count();
        match run {
            0..=2 => parts.push(first.to_string()),
            _ => parts.push(format!("{first}..{}", first + run as u64 - 1)),
        }
        rest = &rest[if run > 2 { run } else { 1 }..];
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_file_has_twenty_final_seeds_apart_from_the_validation_seeds() {
        let seeds = committed().unwrap();
        assert_eq!(seeds.last.len(), 20);
        assert!(seeds.validation.iter().all(|seed| !seeds.last.contains(seed)));
        assert_eq!((seeds.test_pictures, seeds.trials), (crate::study::TEST_PICTURES, 24));
    }

    #[test]
    fn seeds_are_read_as_they_are_shown() {
        assert_eq!(parse("final").unwrap(), (201..=220).collect::<Vec<_>>());
        assert_eq!(parse("11, 12").unwrap(), [11, 12]);
        assert_eq!(parse("3..5,9").unwrap(), [3, 4, 5, 9]);
        for text in ["201..220", "11,12", "3..5,9,12..14", "7"] {
            assert_eq!(show(&parse(text).unwrap()), text);
        }
        for bad in ["", "x", "5..3", "1,2,1", "-1", "0..18446744073709551615"] {
            assert!(matches!(parse(bad), Err(StudyError::Seeds { .. })), "{bad}");
        }
    }
}

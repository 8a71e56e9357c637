//! A user's own pictures through every method, and whether explanations helped there.

use super::arm::{Arm, pick};
use super::compose::{behind_table, dots, main_table, seeds_table, title};
use super::document::{Document, Section, signed};
use super::metric::MAIN;
use super::studies::document;
use super::summary::{CONFIDENCE, Row, rows};
use super::{Cell, Job, Judge, Manifest, Setting, StudyError};
use crate::train::statistics::{Summary, mean_interval};

/// Every method that a user would take, with the controls of the two mappings.
pub const ARMS: [&str; 10] = [
    "label-only",
    "diagonal",
    "diagonal-ones",
    "diagonal-other",
    "gate",
    "gate-ones",
    "gate-other",
    "grad-reg-0.1",
    "grad-reg-1",
    "masked-copies",
];
const VALIDATION: &str = "val_balanced_accuracy";

/// Its cells.
pub fn jobs(
    setting: &Setting,
    methods: &[String],
    seeds: &[u64],
    epochs: Option<usize>,
) -> Result<Vec<Job>, StudyError> {
    let all: Result<Vec<Arm>, StudyError> = ARMS.iter().map(|name| Arm::named(name, setting)).collect();
    let mut arms = pick(all?, methods)?;
    if let Some(epochs) = epochs {
        arms.iter_mut().for_each(|arm| arm.train.epochs = epochs);
    }
    let one =
        |seed: u64| arms.iter().map(move |arm| Job { judge: Judge::Both, ..Job::new(setting, arm, seed) });
    Ok(seeds.iter().flat_map(|seed| one(*seed)).collect())
}

/// Whether a row learns from the pictures' own explanations.
fn explains(row: &Row) -> bool {
    row.arm.train.method.explains() && !is_control(row)
}

fn is_control(row: &Row) -> bool {
    row.arm.tuned_as != row.arm.name
}

/// Whether explanations helped on the validation pictures, in sentences. "No" is an answer.
pub fn verdict(rows: &[Row]) -> Result<Vec<String>, StudyError> {
    fn gains(row: &Row) -> Option<(Summary, &Row)> {
        Some((row.statistic(VALIDATION)?.difference?, row))
    }
    let of = |which: fn(&Row) -> bool| rows.iter().filter(move |row| which(row));
    let best = of(explains)
        .filter_map(gains)
        .reduce(|best, next| if next.0.mean > best.0.mean { next } else { best });
    let Some((gain, row)) = best else {
        return Ok(vec![
            "Whether explanations help cannot be said: no method that uses them ended well on a validation split."
                .to_owned(),
        ]);
    };
    let amount = signed(gain.mean, gain.standard_error());
    let name = title(row);
    if gain.count < 2 {
        return Ok(vec![format!(
            "Did explanations help? One seed cannot say: {name} is {amount} beside label-only on the validation pictures. Ask for more with --seeds."
        )]);
    }
    let interval = mean_interval(&gain, CONFIDENCE)?;
    let (low, high) = (interval.low, interval.high);
    let bounds = format!("95 % interval [{low:+.3}, {high:+.3}], {} seeds", gain.count);
    let mut sentences = vec![if low > 0.0 {
        format!(
            "Did explanations help? Yes, on the validation pictures: {name} is {amount} beside label-only ({bounds})."
        )
    } else if high < 0.0 {
        format!(
            "Did explanations help? No, they hurt: the best of them, {name}, is {amount} beside label-only on the validation pictures ({bounds})."
        )
    } else {
        format!(
            "Did explanations help? No, not so that these seeds could show it: the best of them, {name}, is {amount} beside label-only on the validation pictures ({bounds})."
        )
    }];
    // Several methods were looked at, and the best of them was picked by chance too: the test set is the check.
    if let Some(test) = row.statistic(MAIN).and_then(|s| Some(signed(s.difference?.mean, s.difference_error)))
    {
        sentences.push(format!("On the test pictures {name} is {test} beside label-only."));
    }
    let controls = of(is_control).filter(|control| control.arm.tuned_as == row.arm.name);
    for (control, own) in controls.filter_map(|row| Some((gains(row)?.0, row))) {
        if low > 0.0 && control.mean >= 0.8 * gain.mean {
            sentences.push(format!(
                "But {} gains {} as well, so it is not the picture's own explanation that makes the difference.",
                title(own),
                signed(control.mean, control.standard_error())
            ));
        }
    }
    Ok(sentences)
}

/// What the cells say.
pub fn report(setting: &Setting, cells: &[Cell], manifest: &Manifest) -> Result<Document, StudyError> {
    let rows = rows(cells)?;
    let all: Vec<&Row> = rows.iter().collect();
    let tested = rows.iter().any(|row| row.statistic(MAIN).is_some());
    let caption = format!("{}: balanced accuracy, mean ± standard error; every dot is a seed", setting.name);
    let mut section = Section {
        heading: format!("{}: {}", setting.name, setting.title),
        plots: dots("accuracy", &caption, &all, if tested { MAIN } else { VALIDATION }, None)
            .into_iter()
            .collect(),
        ..Default::default()
    };
    if tested {
        section.tables.push(main_table(
            "accuracy",
            "Test pictures. Mean ± standard error over seeds; differences are paired by seed.",
            &all,
        ));
    }
    section.tables.push(behind_table("behind", "What lies behind it, mean ± standard error.", &all));
    section.tables.push(seeds_table(
        "validation-seeds",
        "Balanced accuracy of every seed on the validation pictures.",
        &all,
        VALIDATION,
    ));
    let lead = verdict(&rows)?;
    Ok(document(format!("Comparison: {}", setting.name), lead, vec![section], &rows, manifest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::Pictures;
    use crate::study::testing::{cell, scored};

    fn says(score: impl Fn(&str, u64) -> f64, seeds: &[u64]) -> String {
        let setting = Setting::of(Pictures::ES);
        let jobs = jobs(&setting, &[], seeds, None).unwrap();
        let cells: Vec<Cell> =
            jobs.iter().map(|job| cell(job, scored(score(&job.arm.name, job.seed)))).collect();
        verdict(&rows(&cells).unwrap()).unwrap().join(" ")
    }

    #[test]
    fn the_verdict_says_yes_no_and_that_a_control_does_as_well() {
        let seeds = [1, 2, 3, 4, 5];
        let noise = |name: &str, seed: u64| ((name.len() as u64 * 7 + seed * 13) % 5) as f64 * 0.002;
        let own = |name: &str, seed| if name == "gate" { 0.8 } else { 0.6 } + noise(name, seed);
        let text = says(own, &seeds);
        assert!(text.contains("Yes") && text.contains("two-stage, gate") && !text.contains("But"), "{text}");
        let any = |name: &str, seed| if name.starts_with("gate") { 0.8 } else { 0.6 } + noise(name, seed);
        let text = says(any, &seeds);
        assert!(text.contains("But control: gate, another picture's mask"), "{text}");
        let none = |name: &str, seed: u64| 0.6 + noise(name, seed);
        assert!(says(none, &seeds).contains("No, not so"));
        let hurt = |name: &str, seed| if name == "label-only" { 0.9 } else { 0.6 } + noise(name, seed);
        assert!(says(hurt, &seeds).contains("they hurt"));
        assert!(says(own, &[1]).contains("One seed cannot say"));
    }
}

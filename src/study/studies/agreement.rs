//! `agreement`: replicas of one plan that differ in initial weights and order alone.

use super::{Options, arm, by_setting, wanted};
use crate::study::compose::{dots, title};
use crate::study::document::{Section, Table, share, signed, with_error};
use crate::study::metric::MAIN;
use crate::study::summary::Row;
use crate::study::{Job, Pictures, Setting, StudyError};

const SETTINGS: [(Pictures, &[&str]); 3] = [
    (Pictures::E, &["label-only", "diagonal", "diagonal-other", "grad-reg-1"]),
    (Pictures::ES, &["label-only", "diagonal", "diagonal-other", "grad-reg-1"]),
    (Pictures::DS, &["label-only", "gate", "gate-other", "grad-reg-1"]),
];

/// For every arm one plan of replicas, and one single run to hold its time against.
pub(super) fn jobs(options: &Options) -> Result<Vec<Job>, StudyError> {
    if options.models < 2 {
        return Err(StudyError::Option {
            option: "--models",
            value: options.models.to_string(),
            remedy: "agreement is between models: ask for 2 or more".to_owned(),
        });
    }
    let wanted = wanted(SETTINGS, options)?;
    let mut jobs = Vec::new();
    for (pictures, names) in SETTINGS {
        let setting = Setting::of(pictures);
        for name in names.iter().filter(|name| wanted.iter().any(|wanted| wanted == *name)) {
            let single = Job::new(&setting, &arm(name, &setting, options)?, 0);
            jobs.extend([Job { models: options.models, predictions: true, ..single.clone() }, single]);
        }
    }
    Ok(jobs)
}

pub(super) fn sections(rows: &[Row]) -> Vec<Section> {
    let mut sections = Vec::new();
    for (setting, rows) in by_setting(rows) {
        let of = |models: fn(usize) -> bool| -> Vec<&Row> {
            rows.iter().copied().filter(|row| models(row.models)).collect()
        };
        let (plans, singles) = (of(|models| models > 1), of(|models| models == 1));
        let mean = |row: &Row, key: &str| row.statistic(key).map(|s| s.summary.mean);
        let body = plans.iter().map(|row| {
            let statistic = |key: &str| match row.statistic(key) {
                Some(s) => with_error(s.summary.mean, s.standard_error),
                None => "–".to_owned(),
            };
            let agreement = row.statistic("agreement");
            let difference = agreement.and_then(|s| s.difference.map(|d| signed(d.mean, s.difference_error)));
            let single = singles.iter().find(|single| single.arm_name == row.arm_name);
            let single = single.and_then(|row| mean(row, "seconds"));
            let together = mean(row, "seconds");
            let ratio = single.zip(together).map(|(single, together)| row.models as f64 * single / together);
            vec![
                title(row),
                row.models.to_string(),
                statistic("agreement"),
                statistic(MAIN),
                difference.unwrap_or_default(),
                agreement.and_then(|s| s.earlier).map_or(String::new(), |e| share(e.mean)),
                agreement.and_then(|s| s.paper).map_or(String::new(), share),
                together.map_or(String::new(), |seconds| format!("{seconds:.1}")),
                single.map_or(String::new(), |seconds| format!("{seconds:.1}")),
                ratio.map_or(String::new(), |ratio| format!("{ratio:.2}×")),
                row.counted(),
            ]
        });
        let head = [
            "method",
            "models",
            "agreement",
            "balanced accuracy",
            "agreement, difference to label-only",
            "earlier, 10 models",
            "the paper's",
            "one plan, s",
            "single run, s",
            "single runs ÷ plan",
            "data sets",
        ];
        let name = &setting.name;
        let table = Table {
            name: format!("{name}-agreement"),
            caption: "Agreement beside balanced accuracy (mean over the models), ± standard error over data sets; \"single runs ÷ plan\": how much longer as many single runs would take than the one plan.".to_owned(),
            head: head.map(str::to_owned).to_vec(),
            rows: body.collect(),
        }
        .without_empty_columns();
        let caption = format!("{name}: pairwise agreement of models on the same data");
        sections.push(Section {
            heading: format!("{name}: {}", setting.title),
            text: Vec::new(),
            plots: dots(&format!("{name}-agreement"), &caption, &plans, "agreement", None)
                .into_iter()
                .collect(),
            tables: vec![table],
        });
    }
    sections
}

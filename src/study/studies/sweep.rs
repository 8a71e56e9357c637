//! `sensitivity`, `samples`, `masks`: a method along an axis.

use super::{Options, Study, arm, by_setting, wanted};
use crate::report::plot::{Line, Plot, Scale};
use crate::study::compose::{main_table, title};
use crate::study::document::{Section, Table, with_error};
use crate::study::metric::{MAIN, metric};
use crate::study::pictures::MaskChange;
use crate::study::summary::Row;
use crate::study::{BASELINE, Job, Pictures, Point, Setting, StudyError};
use crate::train::Method;

/// An axis, its places, and what a place does to a job.
struct Sweep {
    key: &'static str,
    heading: &'static str,
    axis: &'static str,
    scale: Option<Scale>,
    points: &'static [(f64, &'static str)],
    /// Setting and arms; label-only takes part in the axis only where it is named.
    arms: &'static [(Pictures, &'static [&'static str])],
    apply: fn(&mut Job, f64),
}

const SENSITIVITY: [Sweep; 3] = [
    Sweep {
        key: "ratio",
        heading: "How fast stage 2 learns beside stage 1",
        axis: "η₂ / η₁",
        scale: Some(Scale::Log),
        points: &[(0.01, "0.01"), (0.1, "0.1"), (1.0, "1"), (10.0, "10"), (100.0, "100"), (1000.0, "1000")],
        arms: &[(Pictures::E, &["diagonal"]), (Pictures::ES, &["diagonal"]), (Pictures::DS, &["gate"])],
        apply: |job, x| job.arm.train.alignment_lr = job.arm.train.label_lr * x,
    },
    Sweep {
        key: "inner-steps",
        heading: "Inner steps",
        axis: "inner steps",
        scale: Some(Scale::Log),
        points: &[(1.0, "1"), (2.0, "2"), (5.0, "5"), (10.0, "10"), (20.0, "20")],
        arms: &[(Pictures::E, &["diagonal"]), (Pictures::ES, &["diagonal"]), (Pictures::DS, &["gate"])],
        apply: |job, x| job.arm.train.inner_steps = x as usize,
    },
    Sweep {
        key: "lambda",
        heading: "GradReg's λ",
        axis: "λ",
        scale: Some(Scale::Log),
        points: &[(0.001, "0.001"), (0.01, "0.01"), (0.1, "0.1"), (1.0, "1"), (10.0, "10"), (100.0, "100")],
        arms: &[
            (Pictures::E, &["grad-reg-1"]),
            (Pictures::ES, &["grad-reg-1"]),
            (Pictures::DS, &["grad-reg-1"]),
        ],
        apply: |job, x| job.arm.train.lambda = x,
    },
];

const SAMPLES: [Sweep; 1] = [Sweep {
    key: "pictures",
    heading: "Training pictures",
    axis: "training pictures",
    scale: Some(Scale::Log),
    points: &[
        (50.0, "50"),
        (100.0, "100"),
        (200.0, "200"),
        (500.0, "500"),
        (1000.0, "1000"),
        (2000.0, "2000"),
    ],
    arms: &[
        (Pictures::E, &["label-only", "diagonal", "grad-reg-1", "masked-copies"]),
        (Pictures::ES, &["label-only", "diagonal", "grad-reg-1", "masked-copies"]),
        (Pictures::DS, &["label-only", "gate", "grad-reg-1", "masked-copies"]),
    ],
    apply: |job, x| {
        job.change.train_pictures = Some(x as usize);
        let usual = job.setting.train_pictures().unwrap_or(500);
        // Small sets get as many steps as the setting has, large ones as many epochs.
        job.arm.train.epochs = (job.arm.train.epochs * usual).div_ceil(x as usize).max(job.arm.train.epochs);
    },
}];

const MASK_ARMS: &[(Pictures, &[&str])] = &[
    (Pictures::ES, &["diagonal", "grad-reg-1", "masked-copies"]),
    (Pictures::DS, &["gate", "grad-reg-1", "masked-copies"]),
];

const MASKS: [Sweep; 6] = [
    Sweep {
        key: "explained",
        heading: "Explanations for a share of the pictures",
        axis: "share of pictures with an explanation",
        scale: Some(Scale::Linear),
        points: &[(0.0, "0 %"), (0.1, "10 %"), (0.25, "25 %"), (0.5, "50 %"), (1.0, "100 %")],
        arms: MASK_ARMS,
        apply: |job, x| {
            job.change.masks = MaskChange::Kept(x);
            if x == 0.0 {
                // Nothing to learn from: the same network by labels alone.
                job.arm.train.method = Method::LabelOnly;
            }
        },
    },
    Sweep {
        key: "wrong",
        heading: "Wrong masks",
        axis: "share of pictures with another picture's mask",
        scale: Some(Scale::Linear),
        points: &[(0.0, "0 %"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (1.0, "100 %")],
        arms: MASK_ARMS,
        apply: |job, x| job.change.masks = MaskChange::Wrong(x),
    },
    Sweep {
        key: "dilated",
        heading: "Masks that are too large",
        axis: "pixels by which masks grow",
        scale: Some(Scale::Linear),
        points: &[(0.0, "0"), (1.0, "1"), (2.0, "2"), (4.0, "4"), (8.0, "8")],
        arms: MASK_ARMS,
        apply: |job, x| job.arm.train.mask_dilation = x as usize,
    },
    Sweep {
        key: "shifted",
        heading: "Masks beside their place",
        axis: "pixels by which masks are moved",
        scale: Some(Scale::Linear),
        points: &[(0.0, "0"), (1.0, "1"), (2.0, "2"), (4.0, "4"), (8.0, "8")],
        arms: MASK_ARMS,
        apply: |job, x| job.change.masks = MaskChange::Shifted(x as usize),
    },
    Sweep {
        key: "soft",
        heading: "Masks in shades",
        axis: "pixels over which masks are blurred",
        scale: Some(Scale::Linear),
        points: &[(0.0, "0"), (1.0, "1"), (2.0, "2"), (4.0, "4")],
        arms: MASK_ARMS,
        apply: |job, x| {
            job.change.masks = MaskChange::Softened(x as usize);
            job.arm.train.hard_masks = false;
        },
    },
    Sweep {
        key: "shape",
        heading: "Boxes",
        axis: "mask",
        scale: None,
        points: &[(0.0, "outline"), (1.0, "box")],
        arms: MASK_ARMS,
        apply: |job, x| job.arm.train.mask_boxes = x > 0.5,
    },
];

fn sweeps(study: Study) -> &'static [Sweep] {
    match study {
        Study::Sensitivity => &SENSITIVITY,
        Study::Samples => &SAMPLES,
        Study::Masks => &MASKS,
        _ => &[],
    }
}

pub(super) fn jobs(study: Study, options: &Options) -> Result<Vec<Job>, StudyError> {
    let sweeps = sweeps(study);
    let settings: Vec<(Pictures, &[&str])> =
        sweeps.iter().flat_map(|sweep| sweep.arms.iter().copied()).collect();
    let wanted = wanted(settings.iter().copied(), options)?;
    let mut found: Vec<Job> = Vec::new();
    // Label-only once per setting, away from the axes, unless it takes part in them.
    for (pictures, names) in &settings {
        let setting = Setting::of(*pictures);
        let there = found.iter().any(|job| job.setting.name == setting.name);
        if !there && !names.contains(&BASELINE) {
            found.push(Job::new(&setting, &arm(BASELINE, &setting, options)?, 0));
        }
    }
    for sweep in sweeps {
        for (pictures, names) in sweep.arms {
            let setting = Setting::of(*pictures);
            for name in names.iter().filter(|name| wanted.iter().any(|wanted| wanted == *name)) {
                let arm = arm(name, &setting, options)?;
                for &(x, label) in sweep.points {
                    let point = Point { sweep: sweep.key.to_owned(), x, label: label.to_owned() };
                    let mut job = Job { point: Some(point), ..Job::new(&setting, &arm, 0) };
                    (sweep.apply)(&mut job, x);
                    found.push(job);
                }
            }
        }
    }
    Ok(found)
}

pub(super) fn sections(study: Study, rows: &[Row]) -> Vec<Section> {
    let mut sections = Vec::new();
    for sweep in sweeps(study) {
        let on_axis = |row: &&Row| row.point.as_ref().is_some_and(|point| point.sweep == sweep.key);
        for (setting, all) in by_setting(rows) {
            let mut names: Vec<&str> = Vec::new();
            for row in all.iter().filter(|row| on_axis(row)) {
                if !names.contains(&row.arm_name.as_str()) {
                    names.push(&row.arm_name);
                }
            }
            if !names.is_empty() {
                sections.push(section(sweep, setting, &all, &names));
            }
        }
    }
    for (setting, all) in by_setting(rows) {
        let plain: Vec<&Row> = all.into_iter().filter(|row| row.point.is_none()).collect();
        if !plain.is_empty() {
            sections.push(Section {
                heading: format!("{}: away from the axes", setting.name),
                tables: vec![main_table(
                    &format!("{}-accuracy", setting.name),
                    "Mean ± standard error over seeds.",
                    &plain,
                )],
                ..Default::default()
            });
        }
    }
    sections
}

fn section(sweep: &Sweep, setting: &Setting, all: &[&Row], names: &[&str]) -> Section {
    let of = |name: &str| -> Vec<&Row> {
        let fits = |row: &&&Row| {
            row.arm_name == name && row.point.as_ref().is_some_and(|point| point.sweep == sweep.key)
        };
        all.iter().filter(fits).copied().collect()
    };
    let mut lines: Vec<Line> = names
        .iter()
        .map(|name| {
            let rows = of(name);
            let points = rows.iter().filter_map(|row| {
                let statistic = row.statistic(MAIN)?;
                Some((row.point.as_ref()?.x, statistic.summary.mean, statistic.standard_error))
            });
            Line { name: rows.first().map_or(String::new(), |row| title(row)), points: points.collect() }
        })
        .collect();
    // Label-only away from the axis, as a level.
    if let Some(statistic) = all
        .iter()
        .find(|row| row.arm_name == BASELINE && row.point.is_none())
        .and_then(|row| row.statistic(MAIN))
    {
        let level = |&(x, _): &(f64, &str)| (x, statistic.summary.mean, statistic.standard_error);
        lines.push(Line { name: "label-only".to_owned(), points: sweep.points.iter().map(level).collect() });
    }
    let tables = [MAIN, "flip_rate"]
        .into_iter()
        .map(|key| {
            let body = names.iter().map(|name| {
                let rows = of(name);
                let cell = |(x, _): &(f64, &str)| {
                    let row = rows.iter().find(|row| row.point.as_ref().is_some_and(|point| point.x == *x));
                    match row.and_then(|row| Some((row, row.statistic(key)?))) {
                        Some((row, s)) => {
                            let short = row.cells != s.summary.count;
                            let count = if short { format!(" ({})", row.counted()) } else { String::new() };
                            format!("{}{count}", with_error(s.summary.mean, s.standard_error))
                        }
                        None => String::new(),
                    }
                };
                let first = rows.first().map_or(String::new(), |row| title(row));
                std::iter::once(first).chain(sweep.points.iter().map(cell)).collect()
            });
            let named = metric(key).map_or(key, |metric| metric.title);
            Table {
                name: format!("{}-{}-{key}", setting.name, sweep.key),
                caption: format!("{named} by {}, mean ± standard error.", sweep.axis),
                head: std::iter::once("method")
                    .chain(sweep.points.iter().map(|(_, label)| *label))
                    .map(str::to_owned)
                    .collect(),
                rows: body.collect::<Vec<Vec<String>>>(),
            }
        })
        .filter(|table| table.rows.iter().any(|row| row[1..].iter().any(|cell| !cell.is_empty())));
    let plot = sweep.scale.map(|scale| Plot::Lines {
        name: format!("{}-{}", setting.name, sweep.key),
        caption: format!("{}: balanced accuracy on test pictures by {}", setting.name, sweep.axis),
        x: sweep.axis.to_owned(),
        y: "balanced accuracy".to_owned(),
        scale,
        ticks: sweep.points.iter().map(|(x, label)| (*x, (*label).to_owned())).collect(),
        lines,
    });
    Section {
        heading: format!("{}: {}", setting.name, sweep.heading),
        text: Vec::new(),
        plots: plot.into_iter().collect(),
        tables: tables.collect(),
    }
}

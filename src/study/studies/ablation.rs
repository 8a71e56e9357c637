//! `ablation`: one thing at a time taken from the method, or put in its place.

use super::{Options, arm, by_setting};
use crate::model::{AlignmentAxis, AlignmentLoss};
use crate::study::arm::{Arm, pick};
use crate::study::compose::comparison;
use crate::study::document::Section;
use crate::study::summary::Row;
use crate::study::{Job, Pictures, Setting, StudyError};
use crate::train::{Alternation, DataFill, MappingInStage1, Schedule, TrainConfig};

type Change = (&'static str, &'static str, fn(&mut TrainConfig));

/// What both mappings are put through.
const COMMON: [Change; 13] = [
    ("per-epoch", "stage 2 after each epoch", |t| t.alternation = Alternation::Epoch),
    ("one-step", "one inner step", |t| t.inner_steps = 1),
    ("reverse-kl", "reverse KL", |t| t.alignment_loss = AlignmentLoss::ReverseKl),
    ("jensen-shannon", "Jensen–Shannon", |t| t.alignment_loss = AlignmentLoss::JensenShannon),
    ("squared-distance", "squared distance", |t| t.alignment_loss = AlignmentLoss::SquaredDistance),
    ("temperature-0.3", "temperature 0.3", |t| t.temperature = 0.3),
    ("temperature-3", "temperature 3", |t| t.temperature = 3.0),
    ("fill-black", "fill black", |t| t.fill = DataFill::Black),
    ("fill-white", "fill white", |t| t.fill = DataFill::White),
    ("fill-mean", "fill with the mean", |t| t.fill = DataFill::Mean),
    ("cosine", "η₂ falls as a cosine", |t| t.alignment_schedule = Schedule::Cosine),
    ("stage1-leaves", "stage 1 leaves m, gradient through it", |t| {
        t.mapping_in_stage1 = MappingInStage1::Leave;
    }),
    ("other-axis", "softmax over the other axis", |t| {
        t.alignment_axis = match t.alignment_axis {
            AlignmentAxis::Positions => AlignmentAxis::Features,
            AlignmentAxis::Auto | AlignmentAxis::Features => AlignmentAxis::Positions,
        };
    }),
];

/// What only the gate knows.
const GATE: [Change; 3] = [
    ("no-first-epochs", "no epochs of stage 2 first", |t| t.alignment_epochs_first = 0),
    ("stage1-updates", "stage 1 updates m too", |t| t.mapping_in_stage1 = MappingInStage1::Update),
    ("stage1-constant", "stage 1 takes g as a constant (as it is)", |t| {
        t.mapping_in_stage1 = MappingInStage1::Constant;
    }),
];

fn variants(base: &Arm, changes: &[Change]) -> Vec<Arm> {
    let varied = changes.iter().map(|(name, what, change)| {
        let (name, title) = (format!("{}-{name}", base.name), format!("{}: {what}", base.title));
        base.varied(&name, &title, |arm| change(&mut arm.train))
    });
    std::iter::once(base.clone()).chain(varied).collect()
}

fn all(pictures: Pictures, options: &Options) -> Result<(Setting, Vec<Arm>), StudyError> {
    let setting = Setting::of(pictures);
    let named = |name| arm(name, &setting, options);
    let mut arms = vec![named("label-only")?];
    if pictures == Pictures::DS {
        arms.extend(variants(&named("gate")?, &[COMMON.as_slice(), &GATE].concat()));
        arms.push(named("gate-ce")?);
    } else {
        arms.extend(variants(&named("diagonal")?, &COMMON));
        for name in ["dense", "conv1x1", "diagonal-ce", "joint", "no-mapping"] {
            arms.push(named(name)?);
        }
    }
    Ok((setting, arms))
}

pub(super) fn jobs(options: &Options) -> Result<Vec<Job>, StudyError> {
    let mut jobs = Vec::new();
    let settings = [Pictures::E, Pictures::ES, Pictures::DS];
    let mut union = Vec::new();
    for pictures in settings {
        union.extend(all(pictures, options)?.1);
    }
    let wanted = pick(union, &options.methods)?;
    for pictures in settings {
        let (setting, arms) = all(pictures, options)?;
        let kept = arms.iter().filter(|arm| wanted.iter().any(|kept| kept.name == arm.name));
        jobs.extend(kept.map(|arm| Job::new(&setting, arm, 0)));
    }
    Ok(jobs)
}

pub(super) fn sections(rows: &[Row]) -> Vec<Section> {
    by_setting(rows)
        .into_iter()
        .map(|(setting, rows)| {
            comparison(&setting.name, &format!("{}: {}", setting.name, setting.title), &rows)
        })
        .collect()
}

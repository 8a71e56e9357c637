//! The studies: which cells each has, and what it says of them.

mod ablation;
mod agreement;
mod around;
mod convergence;
mod sweep;

use super::arm::{Arm, pick};
use super::compose;
use super::document::Document;
use super::summary::{Row, rows};
use super::tuned::Tuned;
use super::{Cell, Job, Manifest, Pictures, Setting, StudyError, seeds};
use Pictures::{BB, BS, D, DS, E, E4, EI, ES};
use around::beside;
pub(super) use around::document;

/// A study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Study {
    /// E.
    Balanced,
    /// EI.
    Imbalanced,
    /// ES.
    Spurious,
    /// E4.
    Multiclass,
    /// D, DS, BB, BS.
    Uniform,
    /// Decoy digits.
    Digits,
    /// Thirty models on the same data.
    Agreement,
    /// What each part of a method is good for.
    Ablation,
    /// eta2 / eta1, inner steps, and GradReg's lambda.
    Sensitivity,
    /// Epochs to a given accuracy.
    Convergence,
    /// Number of training pictures.
    Samples,
    /// Fewer and worse explanations.
    Masks,
}

/// What a study is run with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Arms or methods; empty for all.
    pub methods: Vec<String>,
    /// Data sets; empty for all that the study has.
    pub sets: Vec<String>,
    /// Epochs of every model, where they are not the setting's.
    pub epochs: Option<usize>,
    /// Replicas of an agreement study.
    pub models: usize,
    /// Test pictures of generated sets, where they are not the committed number.
    pub test_pictures: Option<usize>,
    /// What searches found.
    pub tuned: Option<Tuned>,
}

const LINEAR: [&str; 17] = [
    "label-only",
    "diagonal",
    "diagonal-ones",
    "diagonal-other",
    "diagonal-ce",
    "dense",
    "conv1x1",
    "gate",
    "gate-ones",
    "gate-other",
    "gate-ce",
    "joint",
    "no-mapping",
    "grad-reg-0.1",
    "grad-reg-1",
    "masked-copies",
    "constrained",
];
const ANYWHERE: [&str; 12] = [
    "label-only",
    "diagonal",
    "diagonal-other",
    "gate",
    "gate-ones",
    "gate-other",
    "gate-first-15",
    "gate-grad-reg-0.1",
    "gate-ce",
    "grad-reg-0.1",
    "grad-reg-1",
    "masked-copies",
];

impl Study {
    /// All of them.
    pub const ALL: [Study; 12] = [
        Study::Balanced,
        Study::Imbalanced,
        Study::Spurious,
        Study::Multiclass,
        Study::Uniform,
        Study::Digits,
        Study::Agreement,
        Study::Ablation,
        Study::Sensitivity,
        Study::Convergence,
        Study::Samples,
        Study::Masks,
    ];

    /// The study of that name.
    pub fn named(name: &str) -> Result<Self, StudyError> {
        Self::ALL.into_iter().find(|study| study.name() == name).ok_or_else(|| StudyError::Unknown {
            what: "study",
            name: name.to_owned(),
            known: Self::ALL.iter().map(|study| study.name().to_owned()).collect(),
        })
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Study::Balanced => "balanced",
            Study::Imbalanced => "imbalanced",
            Study::Spurious => "spurious",
            Study::Multiclass => "multiclass",
            Study::Uniform => "uniform",
            Study::Digits => "digits",
            Study::Agreement => "agreement",
            Study::Ablation => "ablation",
            Study::Sensitivity => "sensitivity",
            Study::Convergence => "convergence",
            Study::Samples => "samples",
            Study::Masks => "masks",
        }
    }

    /// What it asks.
    pub fn question(self) -> &'static str {
        match self {
            Study::Balanced => "Do explanations help where nothing misleads: 500 balanced triangles (E)?",
            Study::Imbalanced => "Do explanations help where one class is rare: 450 and 50 triangles (EI)?",
            Study::Spurious => {
                "Do explanations turn a model away from a shortcut: a patch that gives every training label away and is absent from the test (ES)?"
            }
            Study::Multiclass => "Does it hold for four classes with 125 pictures each (E4)?",
            Study::Uniform => {
                "Does it hold where the reason has no stable place: triangles anywhere, clean (D, BB) and with a shortcut (DS, BS)?"
            }
            Study::Digits => {
                "What does each method recover on ten handwritten digits whose decoy gives every training label away, after Ross et al. 2017?"
            }
            Study::Agreement => {
                "How far do models agree that differ in initial weights and order of pictures alone?"
            }
            Study::Ablation => "What is each part of the two-stage method good for?",
            Study::Sensitivity => {
                "How much does it matter how fast stage 2 learns beside stage 1 (η₂ / η₁), how many inner steps it takes, and how large λ is for GradReg?"
            }
            Study::Convergence => "After how many epochs does each method reach a given accuracy?",
            Study::Samples => "How does the gain depend on the number of training pictures?",
            Study::Masks => "What remains of the gain with fewer explanations, and with worse ones?",
        }
    }

    /// Its seeds where none are asked for: all twenty final ones where methods are compared, fewer of them where every
    /// seed stands for a whole sweep or thirty models.
    pub fn default_seeds(self) -> Result<Vec<u64>, StudyError> {
        let mut seeds = seeds::committed()?.last;
        seeds.truncate(match self {
            Study::Agreement => 1,
            Study::Ablation | Study::Sensitivity | Study::Convergence | Study::Samples | Study::Masks => 5,
            _ => seeds.len(),
        });
        Ok(seeds)
    }

    /// The settings that are compared in it, and their arms.
    fn compared(self) -> Vec<(Pictures, Vec<&'static str>)> {
        let linear = || LINEAR.to_vec();
        match self {
            Study::Balanced => vec![(E, linear())],
            Study::Imbalanced => {
                vec![(
                    EI,
                    ["label-only", "class-weighted"].into_iter().chain(LINEAR.into_iter().skip(1)).collect(),
                )]
            }
            Study::Spurious => vec![(ES, linear())],
            Study::Multiclass => vec![(E4, linear())],
            Study::Uniform => [D, DS, BB, BS].map(|set| (set, ANYWHERE.to_vec())).to_vec(),
            Study::Digits => {
                let with_decoys =
                    linear().into_iter().filter(|arm| *arm != "gate-ce" && *arm != "diagonal-ce");
                vec![(Pictures::Digits, with_decoys.collect()), (Pictures::DigitsClean, vec!["label-only"])]
            }
            _ => Vec::new(),
        }
    }

    /// Its cells, seed after seed, so that what is there of a stopped study is paired.
    pub fn jobs(self, options: &Options) -> Result<Vec<Job>, StudyError> {
        let mut one_seed = match self {
            Study::Agreement => agreement::jobs(options)?,
            Study::Ablation => ablation::jobs(options)?,
            Study::Convergence => convergence::jobs(options)?,
            Study::Sensitivity | Study::Samples | Study::Masks => sweep::jobs(self, options)?,
            _ => {
                let mut jobs = Vec::new();
                for (pictures, names) in self.compared() {
                    let setting = Setting::of(pictures);
                    let arms = if pictures == Pictures::DigitsClean {
                        vec![arm("label-only", &setting, options)?]
                    } else {
                        arms(&names, &setting, options)?
                    };
                    jobs.extend(arms.iter().map(|arm| Job::new(&setting, arm, 0)));
                }
                jobs
            }
        };
        let fits = |job: &Job, set: &String| job.setting.name.eq_ignore_ascii_case(set);
        for set in &options.sets {
            if !one_seed.iter().any(|job| fits(job, set)) {
                let mut known: Vec<String> = one_seed.iter().map(|job| job.setting.name.clone()).collect();
                known.dedup();
                let what = "data set in this study";
                return Err(StudyError::Unknown { what, name: set.clone(), known });
            }
        }
        one_seed.retain(|job| options.sets.is_empty() || options.sets.iter().any(|set| fits(job, set)));
        if let Some(epochs) = options.epochs {
            one_seed.iter_mut().for_each(|job| job.arm.train.epochs = epochs);
        }
        if let Some(pictures) = options.test_pictures {
            one_seed.iter_mut().for_each(|job| job.test_pictures = pictures);
        }
        let with_seed = |seed: &u64| {
            let seed = *seed;
            one_seed.iter().map(move |job| Job { seed, ..job.clone() }).collect::<Vec<_>>()
        };
        Ok(options.seeds.iter().flat_map(with_seed).collect())
    }

    /// Cells in the order of the study's own, whichever run they come from; strangers last.
    pub fn sorted(self, mut cells: Vec<Cell>, options: &Options) -> Result<Vec<Cell>, StudyError> {
        let mut seeds: Vec<u64> = cells.iter().map(|cell| cell.job.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let all = Options { seeds, methods: Vec::new(), ..options.clone() };
        let places: std::collections::HashMap<String, usize> =
            self.jobs(&all)?.iter().enumerate().map(|(place, job)| (job.name(), place)).collect();
        cells.sort_by_key(|cell| places.get(&cell.job.name()).copied().unwrap_or(usize::MAX));
        Ok(cells)
    }

    /// What the cells say.
    pub fn document(self, cells: &[Cell], manifest: &Manifest) -> Result<Document, StudyError> {
        let rows = rows(cells)?;
        let all: Vec<&Row> = rows.iter().collect();
        let mut sections = match self {
            Study::Agreement => agreement::sections(&rows),
            Study::Ablation => ablation::sections(&rows),
            Study::Convergence => convergence::sections(cells, &rows)?,
            Study::Sensitivity | Study::Samples | Study::Masks => sweep::sections(self, &rows),
            _ => by_setting(&rows)
                .into_iter()
                .map(|(setting, rows)| {
                    compose::comparison(&setting.name, &format!("{}: {}", setting.name, setting.title), &rows)
                })
                .collect(),
        };
        sections.extend(beside(&all));
        let title = format!("Study: {}", self.name());
        Ok(document(title, vec![self.question().to_owned()], sections, &rows, manifest))
    }
}

/// Rows by setting, in the order in which they come.
pub(super) fn by_setting(rows: &[Row]) -> Vec<(&Setting, Vec<&Row>)> {
    let mut groups: Vec<(&Setting, Vec<&Row>)> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|(setting, _)| setting.name == row.setting_name) {
            Some((_, group)) => group.push(row),
            None => groups.push((&row.setting, vec![row])),
        }
    }
    groups
}

/// One arm, with what a search found for it.
pub(super) fn arm(name: &str, setting: &Setting, options: &Options) -> Result<Arm, StudyError> {
    let mut arm = Arm::named(name, setting)?;
    if let Some(tuned) = &options.tuned {
        tuned.apply(setting, &mut arm);
    }
    Ok(arm)
}

/// The names that were asked for among the arms of several settings: a name must be known in one of them. Label-only is
/// always among them.
pub(super) fn wanted<'a>(
    settings: impl IntoIterator<Item = (Pictures, &'a [&'a str])>,
    options: &Options,
) -> Result<Vec<String>, StudyError> {
    let mut union: Vec<Arm> = Vec::new();
    for (pictures, names) in settings {
        let setting = Setting::of(pictures);
        for name in names {
            union.push(arm(name, &setting, options)?);
        }
    }
    let mut names: Vec<String> = pick(union, &options.methods)?.into_iter().map(|arm| arm.name).collect();
    names.push(super::BASELINE.to_owned());
    Ok(names)
}

/// Those of the named arms that were asked for.
pub(super) fn arms(names: &[&str], setting: &Setting, options: &Options) -> Result<Vec<Arm>, StudyError> {
    let all: Result<Vec<Arm>, StudyError> = names.iter().map(|name| arm(name, setting, options)).collect();
    pick(all?, &options.methods)
}

#[cfg(test)]
mod tests;

//! The linter: what is wrong with a data set, before an hour of training is lost.
//!
//! It walks the catalog that a reader makes, decodes every picture and mask once, and reports all it finds, where
//! reading for training would end at the first error.

mod catalog;
mod leak;
mod pictures;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::readers::catalog::{Explanation, Item};
use super::readers::load::{classes_by_name, in_parallel};
use super::readers::{self, Fault, Format, Part, Progress, ReadOptions, Severity};
use super::{DataError, Extent};
use pictures::Seen;

pub use leak::Leak;

/// What the linter found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The layout; `None` where none could be told.
    pub format: Option<Format>,
    /// Why it was taken for that.
    pub reason: String,
    /// Classes of train in natural order, then those that train lacks.
    pub classes: Vec<ClassCount>,
    /// Whether the data come with parts of their own.
    pub split: bool,
    /// All pictures.
    pub pictures: usize,
    /// Pictures with an explanation that can be read.
    pub explained: usize,
    /// Width and height of the smallest and the largest picture.
    pub sizes: Option<[Extent; 2]>,
    /// How far a class can be told without looking at the picture's content.
    pub leaks: Vec<Leak>,
    /// Errors first.
    pub findings: Vec<Finding>,
}

/// Pictures of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// The class.
    pub class: String,
    /// In train, val and test; without a split, all in train.
    pub pictures: [usize; 3],
    /// Of these, with an explanation.
    pub explained: [usize; 3],
}

/// All cases of one fault.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The kind.
    pub fault: Fault,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub title: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Each case.
    pub cases: Vec<Case>,
}

/// One case of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// What is affected: a file relative to the data's folder, a class, or a place in a list.
    pub what: String,
    /// More about it; empty for nothing.
    pub detail: String,
    /// The picture that shows it, for a thumbnail.
    #[serde(skip)]
    pub picture: Option<PathBuf>,
    /// Its mask file.
    #[serde(skip)]
    pub mask: Option<PathBuf>,
}

impl Report {
    /// The number of cases of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|it| it.severity == severity).map(|it| it.cases.len()).sum()
    }

    /// The cases of a fault.
    pub fn cases(&self, fault: Fault) -> &[Case] {
        self.findings.iter().find(|it| it.fault == fault).map(|it| it.cases.as_slice()).unwrap_or_default()
    }
}

/// Cases by their fault, while they are collected.
#[derive(Default)]
struct Cases(BTreeMap<Fault, Vec<Case>>);

impl Cases {
    fn add(&mut self, fault: Fault, what: impl Into<String>, detail: impl Into<String>) {
        self.push(fault, Case { what: what.into(), detail: detail.into(), picture: None, mask: None });
    }

    /// A case with its picture.
    fn of(&mut self, fault: Fault, item: &Item, detail: impl Into<String>) {
        let picture = Some(item.picture.path().to_path_buf());
        let mask = match &item.explanation {
            Explanation::Mask(path) => Some(path.clone()),
            _ => None,
        };
        self.push(fault, Case { what: item.name.clone(), detail: detail.into(), picture, mask });
    }

    fn push(&mut self, fault: Fault, case: Case) {
        self.0.entry(fault).or_default().push(case);
    }

    fn error(&mut self, error: &DataError) {
        let fault = match error {
            DataError::Entry { .. } => Fault::BadEntry,
            DataError::Outside { .. } => Fault::OutsidePath,
            DataError::EmptyClass { .. } => Fault::EmptyClass,
            DataError::OneClass { .. } => Fault::OneClass,
            DataError::ClassNotInTrain { .. } => Fault::ClassNotInTrain,
            DataError::Unreadable { .. } => Fault::UnreadablePicture,
            DataError::MaskSize { .. } => Fault::MaskSize,
            _ => Fault::Layout,
        };
        let what = match error {
            DataError::Entry { file, place, .. } | DataError::Outside { file, place, .. } => {
                format!("{}, {place}", file.display())
            }
            DataError::EmptyClass { path } | DataError::Unreadable { path, .. } => path.display().to_string(),
            DataError::ClassNotInTrain { class, .. } | DataError::OneClass { class, .. } => class.clone(),
            _ => String::new(),
        };
        let detail = match error {
            // The place stands before it already.
            DataError::Entry { message, .. } => message.clone(),
            error => error.to_string(),
        };
        self.add(fault, what, detail);
    }

    fn findings(self) -> Vec<Finding> {
        let finding = |(fault, cases): (Fault, Vec<Case>)| Finding {
            fault,
            severity: fault.severity(),
            title: fault.title(),
            remedy: fault.remedy(),
            cases,
        };
        let mut findings: Vec<Finding> = self.0.into_iter().map(finding).collect();
        findings.sort_by_key(|finding| finding.severity);
        findings
    }
}

/// Looks at all of a data set. An option that makes no sense is an error; all that is wrong with the data is a finding.
pub fn check(path: &Path, options: &ReadOptions, progress: Option<Progress>) -> Result<Report, DataError> {
    options.check()?;
    let mut cases = Cases::default();
    let found = match readers::found(path, options) {
        Ok(found) => found,
        Err(error) => {
            cases.error(&error);
            return Ok(Report::without_pictures(None, String::new(), cases));
        }
    };
    let catalog = match readers::catalog(path, found.0, options) {
        Ok(catalog) => catalog,
        Err(error @ DataError::Option { .. }) => return Err(error),
        Err(error) => {
            cases.error(&error);
            return Ok(Report::without_pictures(Some(found.0), found.1, cases));
        }
    };
    catalog.errors.iter().for_each(|error| cases.error(error));
    for oddity in &catalog.oddities {
        cases.add(oddity.fault, relative(&oddity.file, &catalog.root), "");
    }
    if let Err(error) = classes_by_name(&catalog) {
        // A class that was left empty is told already.
        let told = matches!(error, DataError::OneClass { .. }) && !catalog.errors.is_empty();
        if !told {
            cases.error(&error);
        }
    }
    let seen = look(&catalog.items, options, progress);
    catalog::judge(&catalog, options, &mut cases);
    pictures::judge(&catalog, &seen, options, &mut cases);
    let leaks = leak::judge(&catalog, &seen, &mut cases);
    let sizes: Vec<Extent> = seen.iter().filter_map(|seen| Some(seen.picture.as_ref().ok()?.size)).collect();
    let area = |size: &&Extent| u64::from(size.0) * u64::from(size.1);
    let sizes = sizes.iter().min_by_key(area).zip(sizes.iter().max_by_key(area)).map(|(a, b)| [*a, *b]);
    if let (Some([least, most]), None) = (sizes, options.size)
        && least != most
    {
        let show = |(width, height): Extent| format!("{width}×{height}");
        cases.add(Fault::SizesDiffer, "", format!("from {} to {}", show(least), show(most)));
    }
    Ok(Report {
        format: Some(found.0),
        reason: found.1,
        classes: catalog::counts(&catalog, &seen),
        split: catalog.is_split(),
        pictures: catalog.items.len(),
        explained: seen.iter().filter(|seen| seen.explained()).count(),
        sizes,
        leaks,
        findings: cases.findings(),
    })
}

impl Report {
    fn without_pictures(format: Option<Format>, reason: String, cases: Cases) -> Self {
        Self {
            format,
            reason,
            classes: Vec::new(),
            split: false,
            pictures: 0,
            explained: 0,
            sizes: None,
            leaks: Vec::new(),
            findings: cases.findings(),
        }
    }
}

/// Decodes everything once.
fn look(items: &[Item], options: &ReadOptions, progress: Option<Progress>) -> Vec<Seen> {
    let done = std::sync::atomic::AtomicUsize::new(0);
    in_parallel(items, |item| {
        let seen = Seen::of(item, options);
        let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        if let Some(progress) = progress {
            progress(done, items.len());
        }
        seen
    })
}

/// A path as text without the data's folder before it.
fn relative(file: &str, root: &Path) -> String {
    let root = root.display().to_string();
    file.strip_prefix(&root).map_or(file, |rest| rest.trim_start_matches(['/', '\\'])).to_owned()
}

/// `train`, or the part it is in.
fn part(item: &Item) -> Part {
    item.part.unwrap_or(Part::Train)
}

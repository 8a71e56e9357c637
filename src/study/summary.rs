//! Cells gathered into rows: for each arm, setting and place on an axis the statistics of every metric over the seeds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::published::{self, Earlier};
use super::{Arm, BASELINE, Cell, METRICS, Outcome, Point, Setting};
use crate::train::statistics::{Interval, StatisticsError, Summary, paired_difference, welch};

/// Confidence of the intervals in the tables.
pub const CONFIDENCE: f64 = 0.95;

/// One metric over the seeds of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistic {
    /// Seed and value of every cell that has one, in the order of the seeds.
    pub values: Vec<(u64, f64)>,
    /// Count, mean, standard deviation.
    pub summary: Summary,
    /// s / √n.
    pub standard_error: Option<f64>,
    /// The paired difference to label-only on the same seeds.
    pub difference: Option<Summary>,
    /// Its standard error.
    pub difference_error: Option<f64>,
    /// Our earlier figure.
    pub earlier: Option<Earlier>,
    /// Here − earlier, Welch's interval; absent where the earlier one has no spread.
    pub here_minus_earlier: Option<Interval>,
    /// The paper's figure.
    pub paper: Option<f64>,
}

/// The cells of one arm at one place.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its setting.
    #[serde(skip)]
    pub setting: Setting,
    /// The setting's name.
    #[serde(rename = "setting")]
    pub setting_name: String,
    /// Its arm.
    #[serde(skip)]
    pub arm: Arm,
    /// The arm's name.
    #[serde(rename = "method")]
    pub arm_name: String,
    /// Its place, in a sweep.
    pub point: Option<Point>,
    /// Replicas of every cell.
    pub models: usize,
    /// Cells, however they ended.
    pub cells: usize,
    /// Seeds whose model diverged, and why.
    pub diverged: Vec<(u64, String)>,
    /// Seeds whose cell failed, and why.
    pub failed: Vec<(u64, String)>,
    /// By key; metrics without a value are absent.
    pub statistics: BTreeMap<&'static str, Statistic>,
}

impl Row {
    /// A metric of the row.
    pub fn statistic(&self, key: &str) -> Option<&Statistic> {
        self.statistics.get(key)
    }

    /// `20`, or `19 of 20` where some did not end well.
    pub fn counted(&self) -> String {
        match self.cells - self.diverged.len() - self.failed.len() {
            all if all == self.cells => all.to_string(),
            done => format!("{done} of {}", self.cells),
        }
    }
}

/// Gathers cells into rows, in the order in which setting, place and arm first occur.
pub fn rows(cells: &[Cell]) -> Result<Vec<Row>, StatisticsError> {
    let same = |a: &Cell, b: &Cell| {
        a.job.setting.name == b.job.setting.name
            && a.job.arm.name == b.job.arm.name
            && a.job.point == b.job.point
            && a.job.models == b.job.models
    };
    let mut groups: Vec<Vec<&Cell>> = Vec::new();
    for cell in cells {
        match groups.iter_mut().find(|group| same(group[0], cell)) {
            Some(group) => group.push(cell),
            None => groups.push(vec![cell]),
        }
    }
    groups.iter().map(|group| row(group, baseline(&groups, group[0]))).collect()
}

/// Label-only at the same place, or away from the axis where it has no part in the sweep.
fn baseline<'a>(groups: &'a [Vec<&'a Cell>], cell: &Cell) -> Option<&'a [&'a Cell]> {
    let fits = |group: &&Vec<&Cell>, point: &Option<Point>| {
        let job = &group[0].job;
        job.arm.name == BASELINE
            && job.setting.name == cell.job.setting.name
            && job.models == cell.job.models
            && job.point == *point
    };
    let at = |point: &Option<Point>| groups.iter().find(|group| fits(group, point)).map(Vec::as_slice);
    at(&cell.job.point).or_else(|| at(&None))
}

fn row(group: &[&Cell], baseline: Option<&[&Cell]>) -> Result<Row, StatisticsError> {
    let job = &group[0].job;
    let is_baseline = job.arm.name == BASELINE;
    let ended = |which: fn(&Outcome) -> Option<&String>| {
        let of = |cell: &&Cell| which(&cell.outcome).map(|message| (cell.job.seed, message.clone()));
        group.iter().filter_map(of).collect()
    };
    let mut statistics = BTreeMap::new();
    for metric in &METRICS {
        let value = |cell: &Cell| cell.figures().and_then(metric.get).filter(|value| value.is_finite());
        let values: Vec<(u64, f64)> =
            group.iter().filter_map(|cell| Some((cell.job.seed, value(cell)?))).collect();
        if values.is_empty() {
            continue;
        }
        let summary = Summary::of(&values.iter().map(|(_, value)| *value).collect::<Vec<_>>())?;
        let pairs: Vec<(f64, f64)> = values
            .iter()
            .filter_map(|(seed, own)| {
                let other = baseline?.iter().find(|cell| cell.job.seed == *seed)?;
                Some((*own, value(other)?))
            })
            .collect();
        let difference = match pairs.is_empty() || is_baseline {
            true => None,
            false => {
                let (own, other): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
                Some(paired_difference(&own, &other)?)
            }
        };
        // Sweeps, searches and epochs set by hand have no counterpart there.
        let plain = job.point.is_none() && job.arm.train.epochs == job.setting.base.epochs;
        let (name, arm) = (job.setting.name.as_str(), job.arm.name.as_str());
        let earlier = published::earlier(name, arm, metric.key).filter(|_| plain);
        let here_minus_earlier = match earlier {
            Some(Earlier { mean, sd: sd @ Some(_), count }) if summary.count > 1 && count > 1 => {
                Some(welch(&summary, &Summary { count, mean, sd }, CONFIDENCE)?)
            }
            _ => None,
        };
        let statistic = Statistic {
            standard_error: summary.standard_error(),
            difference_error: difference.and_then(|d| d.standard_error()),
            values,
            summary,
            difference,
            earlier,
            here_minus_earlier,
            paper: published::paper(name, arm, metric.key).filter(|_| plain),
        };
        statistics.insert(metric.key, statistic);
    }
    Ok(Row {
        setting: job.setting.clone(),
        setting_name: job.setting.name.clone(),
        arm: job.arm.clone(),
        arm_name: job.arm.name.clone(),
        point: job.point.clone(),
        models: job.models,
        cells: group.len(),
        diverged: ended(|outcome| match outcome {
            Outcome::Diverged(message) => Some(message),
            _ => None,
        }),
        failed: ended(|outcome| match outcome {
            Outcome::Failed(message) => Some(message),
            _ => None,
        }),
        statistics,
    })
}

//! Plots as data: dots per method, lines over an axis, a confusion matrix, a reliability diagram. [`Plot::svg`] and [`Plot::bitmap`] draw them.

pub(crate) mod axis;
pub(crate) mod canvas;
mod draw;
mod matrix;
mod reliability;

use draw::{Dots, Lines};
use matrix::Matrix;
use reliability::Reliability;

use crate::train::statistics::ReliabilityBin;

/// A plot that the backend refused to draw.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plot `{name}` cannot be drawn: {message}")]
pub struct PlotError {
    /// The plot.
    pub name: String,
    /// What the backend said.
    pub message: String,
}

/// Width in points on paper and on wide screens.
pub const WIDE: f64 = 820.0;
/// Width in points on a telephone.
pub const NARROW: f64 = 380.0;

/// One method in a dot plot: every seed a dot, and mean ± standard error.
#[derive(Clone, Debug, PartialEq)]
pub struct DotRow {
    /// Its name.
    pub name: String,
    /// One value per seed.
    pub values: Vec<f64>,
    /// Mean and standard error.
    pub mean: f64,
    /// Absent for a single seed.
    pub error: Option<f64>,
    /// An earlier figure, drawn as an open diamond.
    pub earlier: Option<f64>,
    /// The paper's figure, drawn as a cross.
    pub paper: Option<f64>,
}

/// One method in a line plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// x, mean, standard error.
    pub points: Vec<(f64, f64, Option<f64>)>,
}

/// How the x axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// By powers of ten.
    Log,
}

/// A plot.
#[derive(Clone, Debug, PartialEq)]
pub enum Plot {
    /// Methods from top to bottom, a metric from left to right.
    Dots {
        /// Stem of its files.
        name: String,
        /// What it shows.
        caption: String,
        /// Name of the axis.
        axis: String,
        /// The methods.
        rows: Vec<DotRow>,
        /// A line at chance level, or what else is worth a line.
        reference: Option<f64>,
    },
    /// A metric over an axis, one line per method.
    Lines {
        /// Stem of its files.
        name: String,
        /// What it shows.
        caption: String,
        /// Name of the x axis.
        x: String,
        /// Name of the y axis.
        y: String,
        /// How x counts.
        scale: Scale,
        /// The places that are named on the x axis; empty for round numbers.
        ticks: Vec<(f64, String)>,
        /// The methods.
        lines: Vec<Line>,
    },
    /// True classes from top to bottom, predicted ones from left to right; shades follow the share of the true class.
    Matrix {
        /// Stem of its files.
        name: String,
        /// What it shows.
        caption: String,
        /// Names of the classes.
        classes: Vec<String>,
        /// `[true class][predicted class]`.
        counts: Vec<Vec<u32>>,
    },
    /// The share predicted right over the confidence.
    Reliability {
        /// Stem of its files.
        name: String,
        /// What it shows.
        caption: String,
        /// Ranges of confidence of equal width.
        bins: Vec<ReliabilityBin>,
    },
}

impl Plot {
    /// As an SVG of this width in points.
    pub fn svg(&self, width: f64) -> Result<String, PlotError> {
        match self.kind(width) {
            Kind::Dots(dots) => canvas::svg(self.name(), self.caption(), dots.size(), |c| dots.draw(c)),
            Kind::Lines(lines) => canvas::svg(self.name(), self.caption(), lines.size(), |c| lines.draw(c)),
            Kind::Matrix(plot) => canvas::svg(self.name(), self.caption(), plot.size(), |c| plot.draw(c)),
            Kind::Reliability(plot) => {
                canvas::svg(self.name(), self.caption(), plot.size(), |c| plot.draw(c))
            }
        }
    }

    /// As pixels, two per point.
    pub fn bitmap(&self, width: f64) -> Result<image::RgbImage, PlotError> {
        match self.kind(width) {
            Kind::Dots(dots) => canvas::bitmap(self.name(), dots.size(), |c| dots.draw(c)),
            Kind::Lines(lines) => canvas::bitmap(self.name(), lines.size(), |c| lines.draw(c)),
            Kind::Matrix(plot) => canvas::bitmap(self.name(), plot.size(), |c| plot.draw(c)),
            Kind::Reliability(plot) => canvas::bitmap(self.name(), plot.size(), |c| plot.draw(c)),
        }
    }

    fn kind(&self, width: f64) -> Kind<'_> {
        match self {
            Plot::Dots { axis, rows, reference, .. } => {
                Kind::Dots(Dots { rows, axis, reference: *reference, width })
            }
            Plot::Lines { x, y, scale, ticks, lines, .. } => {
                Kind::Lines(Lines { lines, x, y, scale: *scale, ticks, width })
            }
            Plot::Matrix { classes, counts, .. } => Kind::Matrix(Matrix { classes, counts, width }),
            Plot::Reliability { bins, .. } => Kind::Reliability(Reliability { bins, width }),
        }
    }

    /// Stem of its files.
    pub fn name(&self) -> &str {
        match self {
            Plot::Dots { name, .. }
            | Plot::Lines { name, .. }
            | Plot::Matrix { name, .. }
            | Plot::Reliability { name, .. } => name,
        }
    }

    /// What it shows.
    pub fn caption(&self) -> &str {
        match self {
            Plot::Dots { caption, .. }
            | Plot::Lines { caption, .. }
            | Plot::Matrix { caption, .. }
            | Plot::Reliability { caption, .. } => caption,
        }
    }
}

enum Kind<'a> {
    Dots(Dots<'a>),
    Lines(Lines<'a>),
    Matrix(Matrix<'a>),
    Reliability(Reliability<'a>),
}

#[cfg(test)]
mod tests;

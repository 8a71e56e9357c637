//! The page of a run: what came of it, how it went, what the model sees, and how to get it again, in one file that loads
//! nothing from anywhere.

mod gallery;
mod head;
mod parts;
mod plots;
mod words;

use crate::report::html::{document, escape};
use crate::report::plot::PlotError;
use crate::train::TrainError;
use crate::train::measures::Measures;
use crate::train::run::{EpochRow, RunRecord};

pub use gallery::{Card, Part, compared, most_unsure, most_wrong, seen};

/// Name of the page in a run folder.
pub const PAGE: &str = "report.html";
/// Name of the folder of plots beside it.
pub const PLOTS: &str = "plots";
const STYLE: &str = include_str!("page.css");

/// Why a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A plot.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// A picture that cannot become a PNG.
    #[error("a picture of the report cannot be encoded ({0}); this is a fault of the program")]
    Picture(#[from] image::ImageError),
    /// From the training room.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// The model at some moment, or with something taken away.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Such as `after epoch 1`.
    pub name: String,
    /// What that means.
    pub meaning: String,
    /// The start of a sentence about the share of the gradient inside the mask, such as `After epoch 1 that was`.
    pub words: String,
    /// Share of the test pictures predicted right.
    pub accuracy: f64,
    /// Mean share of the squared input gradient inside the mask, over explained test pictures.
    pub input_gradient_mass: Option<f64>,
}

/// All that the page shows.
#[derive(Clone, Debug)]
pub struct RunPage {
    /// Data and method.
    pub title: String,
    /// Name and value of what was trained: data, method, mapping, epochs.
    pub facts: Vec<(String, String)>,
    /// Name and definition of the loss that explanations bring; `None` where they bring none.
    pub second_loss: Option<[String; 2]>,
    /// Whether masks took part in the training.
    pub explained: bool,
    /// `run.json`.
    pub record: RunRecord,
    /// The metrics of every epoch.
    pub rows: Vec<EpochRow>,
    /// Every setting, in TOML.
    pub config: String,
    /// Such as `test pictures of triangles:ES`.
    pub judged_on: String,
    /// What the model comes to on them.
    pub measures: Measures,
    /// Pictures of each class among them, and how many are explained.
    pub class_counts: Vec<usize>,
    /// Explained ones among them, such as `25 explained pictures`.
    pub explained_on: String,
    /// Mean share of a picture that its mask covers, over the explained ones.
    pub mask_area: Option<f64>,
    /// Mean share of the squared input gradient inside the mask.
    pub input_gradient_mass: Option<f64>,
    /// Share of predictions that change with the patch of a built-in set.
    pub flip_rate: Option<f64>,
    /// The model now and then, the last state last.
    pub states: Vec<State>,
    /// Pictures with the input gradient in each of these states.
    pub compared: Vec<Card>,
    /// The surest of the wrong predictions.
    pub wrong: Vec<Card>,
    /// Predictions between two classes.
    pub unsure: Vec<Card>,
    /// Command lines that make the run again.
    pub reproduce: Vec<String>,
}

/// The whole page.
pub fn page(run: &RunPage) -> Result<String, ReportError> {
    let sections = [
        ("training", "Training", plots::training(run)?),
        ("classes", "Classes", parts::classes(run)?),
        ("confidence", "Confidence", parts::confidence(run)?),
        ("looks", "Where the model looks", parts::looks(run)?),
        ("mistakes", "Mistakes and doubts", parts::mistakes(run)?),
        ("settings", "Settings and environment", parts::settings(run)),
    ];
    let mut body = head::head(run);
    let shown = || sections.iter().filter(|(.., text)| !text.is_empty());
    let links = shown().map(|(id, heading, _)| format!("<a href=\"#{id}\">{heading}</a>\n"));
    body.push_str(&format!("<nav>\n{}</nav>\n", links.collect::<String>()));
    body.push_str(&head::figures(run));
    for (id, heading, text) in shown() {
        body.push_str(&format!("<section>\n<h2 id=\"{id}\">{}</h2>\n{text}</section>\n", escape(heading)));
    }
    Ok(document(&run.title, STYLE, &body))
}

pub use plots::plots;

#[cfg(test)]
mod tests;

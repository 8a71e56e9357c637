//! `rationale studio`: the window. This file reads data and settings for it; the window itself is [`crate::studio`].

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  rationale studio                      # an empty window; drop a folder into it
  rationale studio birds --size 64
  rationale studio triangles:ES         # a patch in the corner gives every label away: paint the triangles

Masks are saved after every stroke, as masks/<class>/<picture>.png beside the pictures. The settings are
those of `train`; a control that sees labels alone trains beside, with the same seed.";

/// Open a window to paint masks in while two models train: on labels alone, and on labels and masks
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StudioArgs {
    #[command(flatten)]
    settings: Settings,
    /// What trains: the window's own graphics device, or the CPU [default: the window's, unless it is a software one]
    #[arg(long, value_enum)]
    train_on: Option<TrainsOn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TrainsOn {
    Window,
    Cpu,
}

#[cfg(not(feature = "studio"))]
pub fn run(args: &StudioArgs) -> Result<(), CliError> {
    let _ = (&args.settings, args.train_on);
    Err(CliError::Usage(
        "this program was built without its window; `cargo install --path . --features studio` builds it with one"
            .to_owned(),
    ))
}

#[cfg(feature = "studio")]
pub use with_window::{run, studio_door};

#[cfg(feature = "studio")]
mod with_window {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;
    use crate::cli::config::Config;
    use crate::cli::source::{self, Source};
    use crate::cli::values::Size;
    use crate::data::readers::{Part, found};
    use crate::data::split::stratified;
    use crate::data::triangles::TriangleSet;
    use crate::data::{DataError, Dataset, Format};
    use crate::model::{MapShape, Mapping, Network};
    use crate::studio::{Door, Loaded, Opened, Recipe, StudioError, TrainOn, open_window};
    use crate::train::TrainError;

    /// Pictures that accuracy is measured on, at most: a measurement is to take no longer than a moment.
    const JUDGED: usize = 500;

    pub fn run(args: &StudioArgs) -> Result<(), CliError> {
        let settings = args.settings.clone();
        // What is wrong with the flags is said before a window opens.
        if settings.config()?.init.from.is_some() {
            return Err(CliError::Usage(
                "the window's models begin with random weights: leave out --init-from, or use `rationale train`"
                    .to_owned(),
            ));
        }
        let first = args.settings.data.as_deref().map(|data| data.to_string_lossy().into_owned());
        let train_on = match args.train_on {
            None => TrainOn::Auto,
            Some(TrainsOn::Window) => TrainOn::Window,
            Some(TrainsOn::Cpu) => TrainOn::Cpu,
        };
        Ok(open_window(Arc::new(move |name| load(&settings, name)), first, train_on)?)
    }

    /// How `rationale studio` without flags reads data: for programs and tests that open the window themselves.
    pub fn studio_door() -> Door {
        Arc::new(|name| load(&Settings::default(), name))
    }

    /// Reads data for the window, with the settings of the command line.
    fn load(settings: &Settings, name: &str) -> Result<Loaded, StudioError> {
        let words = |error: CliError| StudioError::Open(error.to_string());
        let settings = Settings { data: Some(name.into()), ..settings.clone() };
        let mut config = settings.config().map_err(words)?;
        let mut notes = Vec::new();
        let source = match source::load(&config, false) {
            // A window has no flags: the size that the message would suggest is as good as any.
            Err(CliError::Data(DataError::SizesDiffer { suggestion, .. })) => {
                let side = suggestion as usize;
                config.data.size = Some(Size(side, side));
                notes.push(format!(
                    "the pictures differ in size, so the models see them at {side}×{side}; masks keep their own shape. \
                     `rationale studio {name} --size N` sets another size"
                ));
                source::load(&config, false)
            }
            other => other,
        }
        .map_err(words)?;
        let opened = opened(name, &config, source, notes)?;
        let recipe = recipe(&mut config, &opened)?;
        let text = move |path: &str| {
            let mut config = config.clone();
            let is_built_in = TriangleSet::built_in(path).is_some();
            let absolute = std::path::absolute(path).ok().filter(|_| !is_built_in);
            let path = absolute.map_or_else(|| path.to_owned(), |path| path.display().to_string());
            config.data.path = Some(path);
            config.resolve();
            config.render()
        };
        Ok(Loaded { opened, recipe, config: Box::new(text), home: PathBuf::new() })
    }

    fn opened(
        name: &str,
        config: &Config,
        source: Source,
        mut notes: Vec<String>,
    ) -> Result<Opened, StudioError> {
        let Source { mut train, val, test, patched, warnings, .. } = source;
        notes.extend(warnings);
        // One of the two models learns from labels alone, and both are to have the same pictures.
        let without = train.unlabelled_count();
        if without == train.len() {
            return Err(TrainError::NoLabels { pictures: without }.into());
        }
        if without > 0 {
            notes.push(format!(
                "{without} pictures without a label are left out: the window has no place for them"
            ));
            train.retain_labelled().map_err(|error| StudioError::Open(error.to_string()))?;
        }
        let options = config.read_options();
        let is_built_in = TriangleSet::built_in(name).is_some();
        let folder = match is_built_in {
            true => {
                // Every picture of a built-in set comes with its mask: here they are for painting.
                train.masks.fill(0);
                train.explained.fill(false);
                None
            }
            false => {
                let (format, _) = found(Path::new(name), &options)?;
                (format == Format::Folder).then(|| Path::new(name).to_owned())
            }
        };
        let (judged, judged_part, judged_name) = match val {
            Some(val) => (val, Part::Val, "validation pictures"),
            None if is_built_in => (test, Part::Test, "clean test pictures"),
            None => (test, Part::Test, "test pictures"),
        };
        let patched = match patched {
            Some([first, second]) => Some([few(first, options.seed)?, few(second, options.seed)?]),
            None => None,
        };
        Ok(Opened {
            name: name.to_owned(),
            train,
            judged: few(judged, options.seed)?,
            judged_name: judged_name.to_owned(),
            judged_part,
            patched,
            folder,
            options,
            notes,
        })
    }

    /// At most [`JUDGED`] pictures, every class by its share; copies of a set with the same labels give the same pictures.
    fn few(data: Dataset, seed: u64) -> Result<Dataset, DataError> {
        let Some(rest) = data.len().checked_sub(JUDGED).filter(|&rest| rest > 0) else { return Ok(data) };
        let parts = stratified(&data, &[JUDGED as f64, rest as f64], seed)?;
        data.subset(&parts[0])
    }

    /// The models for these pictures. Settings that they leave open are settled in the config.
    fn recipe(config: &mut Config, opened: &Opened) -> Result<Recipe, StudioError> {
        let Dataset { height, width, channels, .. } = opened.train;
        config.train.batch = config.train.batch.min(opened.train.len());
        if config.model().mapping == Mapping::Auto {
            let input = MapShape { height, width, channels };
            let network = Network::new(&config.model(), input, opened.train.classes.len(), 1);
            let features = network.map_err(TrainError::from)?.features();
            config.settle_mapping(features.height, features.width);
        }
        config.train.check(opened.train.len(), opened.train.classes.len())?;
        Ok(Recipe { model: config.model(), train: config.train.clone(), seeds: config.seeds() })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn accuracy_is_measured_on_every_class_and_the_same_pictures_with_either_patch() {
            let Loaded { opened, recipe, .. } = load(&Settings::default(), "triangles:ES").unwrap();
            assert_eq!(opened.judged.class_counts(), [250, 250]);
            let [first, second] = opened.patched.unwrap();
            for patched in [first, second] {
                assert_eq!(
                    (patched.names, patched.labels),
                    (opened.judged.names.clone(), opened.judged.labels.clone())
                );
            }
            assert_eq!(opened.train.explained_count(), 0);
            assert!(recipe.train.method.has_stage2());
        }
    }
}

//! Example 1 of 5. Loads a run and classifies pictures.
//!
//! ```sh
//! rationale train birds --size 64 --run runs/birds
//! cargo run --release --example inference -- runs/birds birds/wren/*.jpg
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};

use rationale::data::readers::read_picture;
use rationale::exec::Device;
use rationale::gpu::Choice;
use rationale::model::{MapShape, ModelConfig};
use rationale::plan::Variants;
use rationale::train::run::RunFolder;
use rationale::train::{Method, Predictor, probabilities};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let run = arguments.next().ok_or("usage: inference RUN PICTURE...")?;
    let run = RunFolder::read(Path::new(&run))?;

    // The notes of a checkpoint say what the weights were trained on.
    let note = |key: &str| run.checkpoint.notes.get(key).ok_or(format!("the checkpoint has no `{key}`"));
    let classes: Vec<String> = serde_json::from_str(note("classes")?)?;
    let [height, width, channels]: [usize; 3] = serde_json::from_str(note("input")?)?;
    let variants: Variants = serde_json::from_str(note("variants")?)?;
    let model = model(&run.config)?;

    let device = Device::open(&Choice::Auto)?;
    println!("device: {}: {}", device.title(), device.reason());
    let input = MapShape { height, width, channels };
    let mut predictor = Predictor::new(&device, &model, input, classes.len(), &run.checkpoint, &variants, 1)?;

    for path in arguments.map(PathBuf::from) {
        let bytes = read_picture(&path, height, width, channels)?;
        let values: Vec<f32> = bytes.into_iter().map(|byte| f32::from(byte) / 255.0).collect();
        let probabilities = probabilities(&predictor.logits(&values)?);
        let best = (0..classes.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        if let Some(best) = best {
            println!("{}: {} ({:.3})", path.display(), classes[best], probabilities[best]);
        }
    }
    Ok(())
}

/// `[model]` of a run's config. Where it names no mapping, the method decides.
fn model(config: &str) -> Result<ModelConfig, Box<dyn Error>> {
    let config: toml::Table = config.parse()?;
    let mut model = config["model"].as_table().ok_or("[model] is no table")?.clone();
    if !model.contains_key("mapping") {
        let method: Method = config["train"]["method"].clone().try_into()?;
        model.insert("mapping".to_owned(), toml::Value::try_from(method.default_mapping())?);
    }
    Ok(toml::Value::Table(model).try_into()?)
}

//! `rationale export`: a trained model for other programs.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::terminal::{self, count};
use super::trained::Trained;
use crate::export::Model;
use crate::model::Network;
use crate::train::{TrainError, write_atomically};

const EXAMPLES: &str = "\
Examples:
  rationale export runs/mine --onnx model.onnx
  rationale export runs/mine --safetensors model.safetensors

ONNX (opset 17): input `pictures` [batch, C, H, W] with values in [0, 1], outputs `logits` and
`probabilities` [batch, K]; the class names stand in the metadata. The safetensors file has the
names and layouts that PyTorch uses; examples/load_in_pytorch.py builds the network around it.";

/// Write a trained model as ONNX, or as safetensors for PyTorch
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ExportArgs {
    /// The folder of a run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Write ONNX
    #[arg(long, value_name = "FILE", required_unless_present = "safetensors")]
    onnx: Option<PathBuf>,
    /// Write weights under PyTorch's names and in its layouts
    #[arg(long, value_name = "FILE")]
    safetensors: Option<PathBuf>,
}

pub fn run(args: &ExportArgs) -> Result<(), CliError> {
    let trained = Trained::read(&args.run)?;
    let (input, classes) = (trained.input()?, trained.classes()?);
    let layers = trained.config.model();
    let network = Network::new(&layers, input, classes.len(), 1).map_err(TrainError::from)?;
    let model = Model { network: &network, tensors: &trained.checkpoint.tensors };
    let json = |value: serde_json::Result<String>| value.unwrap_or_default();
    let metadata = [
        ("classes", json(serde_json::to_string(&classes))),
        ("input", json(serde_json::to_string(&[input.channels, input.height, input.width]))),
        ("model", json(serde_json::to_string(&layers))),
        ("epochs", trained.checkpoint.epoch.to_string()),
        ("program", concat!("rationale ", env!("CARGO_PKG_VERSION")).to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value));
    let refused =
        |error: crate::export::ExportError| CliError::Config(format!("{}: {error}", args.run.display()));
    let mut files = Vec::new();
    if let Some(path) = &args.onnx {
        files.push((path, model.onnx(&metadata).map_err(refused)?));
    }
    if let Some(path) = &args.safetensors {
        files.push((path, model.safetensors(&metadata).map_err(refused)?));
    }
    for (path, bytes) in files {
        write_atomically(path, &bytes)?;
        terminal::field("wrote", &format!("{}, {} bytes", path.display(), count(bytes.len())));
    }
    Ok(())
}

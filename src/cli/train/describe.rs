//! What is about to be trained, in a few lines.

use crate::cli::config::Config;
use crate::cli::terminal;
use crate::train::{Streaming, Trainer};

/// Method, model and memory. `bytes` is what the largest plan takes on the device.
pub fn training(config: &Config, trainer: &Trainer, pictures: usize, bytes: u64, capped: bool) {
    let train = &config.train;
    terminal::field(
        "training",
        &format!(
            "{}, mapping {}, {} of {} batches of {}; seed {}",
            train.method,
            config.model().mapping,
            terminal::plural(train.epochs, "epoch"),
            pictures.div_ceil(train.batch),
            train.batch,
            config.seeds.seed.0,
        ),
    );
    let weights: usize =
        trainer.network().parameters().iter().map(|p| p.dims.iter().product::<usize>()).sum();
    let frozen: Vec<&str> = train.freeze.iter().map(|part| part.name()).collect();
    terminal::field(
        "model",
        &format!(
            "{} weights{}; fits: {} on the device",
            terminal::count(weights),
            if frozen.is_empty() { String::new() } else { format!(", {} frozen", frozen.join(" and ")) },
            crate::plan::show_bytes(bytes)
        ),
    );
    if let Some(Streaming { bytes, chunk_bytes, steps, chunks }) = trainer.streaming() {
        let [bytes, chunk_bytes] = [bytes, chunk_bytes].map(crate::plan::show_bytes);
        let why = if capped { "--memory-cap" } else { "one buffer of the device" };
        terminal::field(
            "streaming",
            &format!(
                "the training pictures take {bytes}, more than {why} allows: {} of {} an epoch, {chunk_bytes} each",
                terminal::plural(chunks, "chunk"),
                if steps == 1 { "1 batch".to_owned() } else { format!("{} batches", terminal::count(steps)) },
            ),
        );
    }
}

//! Example 2 of 5. A training loop of one's own over plans: stage 1 and stage 2 with explicit routes, and what each may write.
//!
//! ```sh
//! cargo run --release --example train_step
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use rationale::data::triangles::{self, PatchRule, TriangleSet};
use rationale::data::{Dataset, Pixels, triangles::Part as Share};
use rationale::exec::{Device, Session};
use rationale::gpu::Choice;
use rationale::model::{
    AlignmentAxis, AlignmentLoss, Dimensions, MapShape, Mapping, ModelConfig, Network, OptimizerConfig,
    Route, Stage1, Stage2, advance, initial_weights, stage1, stage2,
};
use rationale::plan::{Part, Plan, Role, Variants};

const BATCH: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::open(&Choice::Auto)?;
    println!("device: {}", device.title());
    let counts = triangles::balanced(100, 2);
    let data = triangles::generate(TriangleSet::ES, &counts, 1, Share::Train, PatchRule::Follows(1.0))?;

    let input = MapShape { height: data.height, width: data.width, channels: data.channels };
    let network = Network::new(&ModelConfig::reference(Mapping::Diagonal), input, 2, 1)?;
    let steps = data.len() / BATCH;
    let dimensions = Dimensions { count: data.len(), batch: BATCH, steps, packed: false, augmented: false };
    let variants = Variants::new().on(device.limits().target);

    // Stage 1 updates f, m and c; stage 2 sends its gradient to m and stops there.
    let first = Stage1 {
        route: Route::to([Part::Features, Part::Mapping, Part::Classifier]),
        optimizer: OptimizerConfig::adam(1e-2),
    };
    let second = Stage2 {
        route: Route::to([Part::Mapping]),
        optimizer: OptimizerConfig::adam(0.0),
        inner_steps: 1,
        loss: AlignmentLoss::Kl,
        axis: AlignmentAxis::Features,
        temperature: 1.0,
        hard_masks: true,
    };
    let first = stage1(&network, &dimensions, &first, &variants)?;
    let second = stage2(&network, &dimensions, &second, &variants)?;
    let next = advance(&network, "train", &dimensions)?;
    for plan in [&first, &second] {
        println!("{}: {} commands, writes {}", plan.name(), plan.commands().len(), weights(plan).join(", "));
    }

    // Nothing has touched the device yet. Loading allocates and compiles; running does neither.
    let mut session = device.session();
    let (first, second, next) = (session.load(&first)?, session.load(&second)?, session.load(&next)?);
    for (name, values) in initial_weights(&network, &[7]) {
        session.write(&name, &values)?;
    }
    upload(session.as_mut(), &data)?;
    session.write("stage1.lr", &[1e-3])?;
    session.write("stage2.lr", &[1e-2])?;

    for epoch in 1..=10 {
        session.write_index("train.clock", &[0])?;
        for _ in 0..steps {
            // All of this is queued; nothing waits until the losses are read.
            session.run(first, 1)?;
            session.run(second, 1)?;
            session.run(next, 1)?;
        }
        let mean = |losses: Vec<f32>| losses.iter().sum::<f32>() / losses.len() as f32;
        let label = mean(session.read("stage1.losses")?);
        let alignment = mean(session.read("stage2.losses")?);
        println!("epoch {epoch:2}: cross-entropy {label:.4}, KL {alignment:.4}");
    }
    Ok(())
}

/// The weights that a plan writes.
fn weights(plan: &Plan) -> Vec<&str> {
    let written = plan.written().into_iter().map(|id| plan.tensor(id));
    written.filter(|tensor| matches!(tensor.role, Role::Parameter(_))).map(|t| t.name.as_str()).collect()
}

/// Puts a data set where `data_source` says that a plan looks for it.
fn upload(session: &mut dyn Session, data: &Dataset) -> Result<(), Box<dyn Error>> {
    let Pixels::Float(pixels) = &data.pixels else { return Err("expected floats".into()) };
    let bits: Vec<u32> = pixels.iter().map(|value| value.to_bits()).collect();
    let four = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let masks: Vec<u32> = data.masks.chunks_exact(4).map(four).collect();
    let explained: Vec<u32> = data.explained.iter().map(|&explained| explained.into()).collect();
    session.write_index("train.pixels", &bits)?;
    session.write_index("train.masks", &masks)?;
    session.write_index("train.labels", &data.labels)?;
    session.write_index("train.explained", &explained)?;
    // In the order in which they were generated; a real loop draws a new one for each epoch.
    session.write_index("train.order", &(0..data.len() as u32).collect::<Vec<u32>>())?;
    session.write("train.class_weights", &[1.0; 2])?;
    session.write("train.fill", &[0.0])?;
    Ok(())
}

//! From settings to the plans of a training epoch.

use crate::exec::Loaded;
use crate::model::{self, Constraint, Dimensions, Network, Route, Stage1, Stage2};
use crate::plan::{Part, Plan, Variants};
use crate::train::{Alternation, Method, TrainConfig, TrainError};

/// The plans of a training epoch, in order; each is repeated for every batch.
pub(crate) fn phases(
    network: &Network,
    data: &Dimensions,
    config: &TrainConfig,
    variants: &Variants,
) -> Result<Vec<Plan>, TrainError> {
    let label = Stage1 { route: config.stage1_route(network)?, optimizer: config.label_optimizer };
    let alignment = stage2_settings(config);
    let (lambda, hard) = (config.lambda as f32, config.hard_masks);
    let advance = model::advance(network, "train", data)?;
    let joined = |name: &str, parts: &[&Plan]| -> Result<Plan, TrainError> {
        let mut plan = Plan::new(name);
        if let Some(rates) = rates(network, data, config, parts)? {
            plan.append(&rates)?;
        }
        for part in parts {
            plan.append(part)?;
        }
        Ok(plan)
    };
    let single = |plan: Plan| Ok(vec![joined(plan.name(), &[&plan, &advance])?]);
    let second = match config.method {
        Method::LabelOnly => return single(model::stage1(network, data, &label, variants)?),
        Method::Joint => return single(model::joint(network, data, &label, &alignment, lambda, variants)?),
        Method::GradReg => {
            return single(model::grad_reg(network, data, &label, lambda, hard, 1, variants)?);
        }
        Method::MaskedCopies => return single(model::masked_copies(network, data, &label, hard, variants)?),
        Method::Constrained => {
            let constraint =
                Constraint { epsilon: config.constraint as f32, rate: config.multiplier_lr as f32 };
            return single(model::constrained(network, data, &label, &alignment, constraint, variants)?);
        }
        Method::TwoStage | Method::TwoStageGradReg | Method::NoMapping => {
            second_stage(network, data, config, variants)?
        }
    };
    let first = match config.method {
        // Its penalty stands in the history until stage 2 writes its own loss there.
        Method::TwoStageGradReg => {
            model::grad_reg(network, data, &label, lambda, hard, config.inner_steps, variants)?
        }
        _ => model::stage1(network, data, &label, variants)?,
    };
    Ok(match config.alternation {
        Alternation::Batch => vec![joined("stages 1 and 2", &[&first, &second, &advance])?],
        Alternation::Epoch => {
            vec![joined("stage 1", &[&first, &advance])?, joined("stage 2", &[&second, &advance])?]
        }
    })
}

/// The passes over the data that make up an epoch, counted from 0: a plan, and the stream that its order comes from. An epoch
/// takes its own number as the stream; stage 2 alone takes streams from the far end.
pub(crate) fn passes(
    first: Option<Loaded>,
    phases: &[Loaded],
    config: &TrainConfig,
    epoch: usize,
) -> Vec<(Loaded, u64)> {
    let alone = if epoch == 0 { config.alignment_epochs_first as u64 } else { 0 };
    let first = first.into_iter().flat_map(|plan| (0..alone).map(move |i| (plan, u64::MAX - i)));
    first.chain(phases.iter().map(|&plan| (plan, epoch as u64))).collect()
}

/// Stage 2 alone for each batch, where the run begins with it: `alignment_epochs_first`.
pub(crate) fn first_phase(
    network: &Network,
    data: &Dimensions,
    config: &TrainConfig,
    variants: &Variants,
) -> Result<Option<Plan>, TrainError> {
    if config.alignment_epochs_first == 0 || !config.method.has_stage2() {
        return Ok(None);
    }
    let mut plan = Plan::new("stage 2 alone");
    let second = second_stage(network, data, config, variants)?;
    if let Some(rates) = rates(network, data, config, &[&second])? {
        plan.append(&rates)?;
    }
    plan.append(&second)?;
    plan.append(&model::advance(network, "train", data)?)?;
    Ok(Some(plan))
}

/// Takes the learning rates of this step, of those stages of `parts` whose rate moves by step.
fn rates(
    network: &Network,
    data: &Dimensions,
    config: &TrainConfig,
    parts: &[&Plan],
) -> Result<Option<Plan>, TrainError> {
    let mut plan = Plan::new("schedule");
    for (stage, moving) in config.rates() {
        let lr = format!("{stage}.lr");
        if !moving.stands_still() && parts.iter().any(|part| part.find(&lr).is_some()) {
            model::scheduled_rate(&mut plan, network, data, stage)?;
        }
    }
    Ok((!plan.commands().is_empty()).then_some(plan))
}

/// Stage 2 of a method that has one.
fn second_stage(
    network: &Network,
    data: &Dimensions,
    config: &TrainConfig,
    variants: &Variants,
) -> Result<Plan, TrainError> {
    let alignment = stage2_settings(config);
    Ok(match config.method {
        Method::NoMapping => model::no_mapping(network, data, &alignment, variants)?,
        _ => model::stage2(network, data, &alignment, variants)?,
    })
}

fn stage2_settings(config: &TrainConfig) -> Stage2 {
    Stage2 {
        route: match config.method {
            Method::NoMapping => Route::to([Part::Features]),
            _ => Route::stage2(),
        },
        optimizer: config.alignment_optimizer,
        inner_steps: config.inner_steps,
        loss: config.alignment_loss,
        axis: config.alignment_axis,
        temperature: config.temperature as f32,
        hard_masks: config.hard_masks,
    }
}

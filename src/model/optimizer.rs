//! Which optimiser updates the weights, and its commands in a plan.

use serde::{Deserialize, Serialize};

use super::Network;
use crate::ops::optimizer;
use crate::plan::{Part, Plan, PlanError, Role, TensorId};
use crate::shader::DType;

fn beta1() -> f64 {
    0.9
}

fn beta2() -> f64 {
    0.999
}

fn epsilon() -> f64 {
    1e-8
}

/// An optimiser and its settings; the learning rate stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// Adam (Kingma and Ba 2015); weight decay is L2 added to the gradient.
    Adam {
        /// Decay of the first moment.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Decay of the second moment.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Added to the denominator.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// L2 coefficient.
        #[serde(default)]
        weight_decay: f64,
    },
    /// AdamW (Loshchilov and Hutter 2019); weight decay acts on the weights themselves.
    #[serde(rename = "adamw")]
    AdamW {
        /// Decay of the first moment.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Decay of the second moment.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Added to the denominator.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Decay per unit of learning rate.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Stochastic gradient descent.
    Sgd {
        /// Momentum.
        #[serde(default)]
        momentum: f64,
        /// Nesterov's form of it.
        #[serde(default)]
        nesterov: bool,
        /// L2 coefficient.
        #[serde(default)]
        weight_decay: f64,
    },
}

impl OptimizerConfig {
    /// Adam as the reference setting has it.
    pub fn adam(weight_decay: f64) -> Self {
        OptimizerConfig::Adam { beta1: beta1(), beta2: beta2(), epsilon: epsilon(), weight_decay }
    }

    /// Records the update of every parameter of the parts given: one tick, then one command per parameter.
    /// `stage` names the state, so that two stages that update one part keep two states.
    pub(super) fn record(
        &self,
        plan: &mut Plan,
        network: &Network,
        stage: &str,
        updated: impl Fn(Part) -> bool,
        norm: TensorId,
    ) -> Result<(), PlanError> {
        let replicas = network.replicas();
        let tick = plan.add(format!("{stage}.tick"), &[replicas, 4], DType::F32, Role::Control)?;
        let lr = plan.add(format!("{stage}.lr"), &[replicas], DType::F32, Role::Control)?;
        let (beta1, beta2) = match *self {
            OptimizerConfig::Adam { beta1, beta2, .. } | OptimizerConfig::AdamW { beta1, beta2, .. } => {
                (beta1, beta2)
            }
            OptimizerConfig::Sgd { .. } => (0.0, 0.0),
        };
        optimizer::tick(plan, &format!("{stage} tick"), tick, norm, beta1, beta2)?;
        for parameter in network.parameters().iter().filter(|parameter| updated(parameter.part)) {
            let value = network.parameter(plan, parameter)?;
            let gradient = network.gradient(plan, parameter)?;
            let dims = plan.dims(value).to_vec();
            let label = format!("{stage} {}", parameter.name);
            let mut state = |suffix: &str| {
                let name = format!("{stage}.{}.{suffix}", parameter.name);
                plan.add(name, &dims, DType::F32, Role::Optimizer(parameter.part))
            };
            match *self {
                OptimizerConfig::Adam { beta1, beta2, epsilon, weight_decay }
                | OptimizerConfig::AdamW { beta1, beta2, epsilon, weight_decay } => {
                    let (m, v) = (state("m")?, state("v")?);
                    let decoupled = matches!(self, OptimizerConfig::AdamW { .. });
                    let settings = optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled };
                    optimizer::adam(plan, &label, value, gradient, m, v, tick, lr, &settings)?;
                }
                OptimizerConfig::Sgd { momentum, nesterov, weight_decay } => {
                    let velocity = state("velocity")?;
                    let settings = optimizer::Sgd { momentum, nesterov, weight_decay };
                    optimizer::sgd(plan, &label, value, gradient, velocity, tick, lr, &settings)?;
                }
            }
        }
        Ok(())
    }
}

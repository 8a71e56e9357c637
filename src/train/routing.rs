//! What stage 1 updates, and how its gradient passes the mapping layer.

use super::{MappingInStage1, Method, TrainConfig, TrainError};
use crate::model::{GateGradient, Network, Route};
use crate::plan::Part;

impl TrainConfig {
    /// The route of stage 1. `label_route` says what is updated where it is given, else `mapping_in_stage1` whether m is;
    /// `mapping_in_stage1` says how the gradient passes a gate. What is frozen is not updated.
    pub fn stage1_route(&self, network: &Network) -> Result<Route, TrainError> {
        let updated = self.label_route.as_ref().map(|route| route.updates(Part::Mapping));
        let mode = match (self.mapping_in_stage1, updated) {
            // What a gate has learned from explanations, cross-entropy undoes (method-gate.md: BS .958 falls to .615);
            // a linear mapping is a part of the classifier like any other.
            (MappingInStage1::Auto, None) if network.has_gate() && self.method != Method::Joint => {
                MappingInStage1::Constant
            }
            // Joint optimisation has but one step, in which both losses update m.
            (MappingInStage1::Auto, None) => MappingInStage1::Update,
            (MappingInStage1::Auto, Some(true)) => MappingInStage1::Update,
            (MappingInStage1::Auto, Some(false)) => MappingInStage1::Constant,
            (mode, _) => mode,
        };
        if updated == Some(true) && mode == MappingInStage1::Constant && network.has_gate() {
            return Err(TrainError::Setting {
                key: "mapping_in_stage1",
                value: "constant".to_owned(),
                remedy: "a gate that counts as a constant cannot be updated: take \"mapping\" out of label_route, or use \
                         \"update\""
                    .to_owned(),
            });
        }
        let mut route = self
            .label_route
            .clone()
            .unwrap_or_else(|| Route::stage1(network.has_mapping() && mode == MappingInStage1::Update));
        route.update.retain(|part| !self.freeze.contains(part));
        if route.update.is_empty() && !self.freeze.is_empty() {
            return Err(TrainError::Setting {
                key: "freeze",
                value: self.freeze.iter().map(|part| part.name()).collect::<Vec<_>>().join(", "),
                remedy: "stage 1 has nothing left to update; leave out a part".to_owned(),
            });
        }
        Ok(route.through_gate(match mode {
            MappingInStage1::Constant => GateGradient::Constant,
            _ => GateGradient::Leaky,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MapShape, Mapping, ModelConfig};

    fn route(mapping: Mapping, mode: MappingInStage1, update: Option<&[Part]>) -> Result<Route, TrainError> {
        let input = MapShape { height: 32, width: 32, channels: 1 };
        let network = Network::new(&ModelConfig::anywhere(false, mapping), input, 2, 1)?;
        let label_route = update.map(|parts| Route::to(parts.iter().copied()));
        TrainConfig { mapping_in_stage1: mode, label_route, ..TrainConfig::default() }.stage1_route(&network)
    }

    #[test]
    fn auto_updates_a_linear_mapping_and_takes_a_gate_as_constant() {
        let linear = route(Mapping::Diagonal, MappingInStage1::Auto, None).unwrap();
        assert!(linear.updates(Part::Mapping));
        let gate = route(Mapping::Gate, MappingInStage1::Auto, None).unwrap();
        assert!(
            !gate.updates(Part::Mapping) && gate.updates(Part::Features) && gate.updates(Part::Classifier)
        );
        assert_eq!(gate.gate, GateGradient::Constant);
        assert!(!route(Mapping::None, MappingInStage1::Auto, None).unwrap().updates(Part::Mapping));
        let input = MapShape { height: 32, width: 32, channels: 1 };
        let network = Network::new(&ModelConfig::anywhere(false, Mapping::Gate), input, 2, 1).unwrap();
        let joint = TrainConfig { method: Method::Joint, ..TrainConfig::default() };
        let joint = joint.stage1_route(&network).unwrap();
        assert_eq!((joint.updates(Part::Mapping), joint.gate), (true, GateGradient::Leaky));
    }

    #[test]
    fn the_modes_differ_in_what_is_updated_and_in_the_way_through_the_gate() {
        for mapping in [Mapping::Diagonal, Mapping::Gate] {
            for (mode, updates, gate) in [
                (MappingInStage1::Update, true, GateGradient::Leaky),
                (MappingInStage1::Leave, false, GateGradient::Leaky),
                (MappingInStage1::Constant, false, GateGradient::Constant),
            ] {
                let route = route(mapping, mode, None).unwrap();
                assert_eq!((route.updates(Part::Mapping), route.gate), (updates, gate), "{mapping} {mode:?}");
            }
        }
    }

    #[test]
    fn what_is_frozen_is_not_updated() {
        let input = MapShape { height: 32, width: 32, channels: 1 };
        let network = Network::new(&ModelConfig::reference(Mapping::Diagonal), input, 2, 1).unwrap();
        let route = |freeze: &[Part]| {
            let freeze = freeze.iter().copied().collect();
            TrainConfig { freeze, ..TrainConfig::default() }.stage1_route(&network)
        };
        assert_eq!(route(&[Part::Features]).unwrap().update, [Part::Mapping, Part::Classifier].into());
        assert_eq!(route(&[Part::Classifier, Part::Features]).unwrap().update, [Part::Mapping].into());
        let error = route(&Part::ALL).unwrap_err().to_string();
        assert!(error.contains("features, mapping, classifier") && error.contains("leave out"), "{error}");
    }

    #[test]
    fn a_label_route_says_what_is_updated() {
        let all = Part::ALL;
        let open = route(Mapping::Gate, MappingInStage1::Auto, Some(&all)).unwrap();
        assert_eq!((open.updates(Part::Mapping), open.gate), (true, GateGradient::Leaky));
        let head = route(Mapping::Gate, MappingInStage1::Update, Some(&[Part::Classifier])).unwrap();
        assert!(!head.updates(Part::Mapping));
        let error = route(Mapping::Gate, MappingInStage1::Constant, Some(&all)).unwrap_err().to_string();
        assert!(error.contains("mapping_in_stage1") && error.contains("label_route"), "{error}");
        assert!(route(Mapping::Diagonal, MappingInStage1::Constant, Some(&all)).is_ok());
    }
}

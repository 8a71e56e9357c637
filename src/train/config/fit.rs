//! Settings held against the model and the data.

use super::{Method, TrainConfig};
use crate::data::Dataset;
use crate::model::Mapping;
use crate::plan::Part;
use crate::train::TrainError;

impl TrainConfig {
    /// With what the studies train a gate: a smaller rate in stage 2, and five epochs of stage 2 before stage 1 begins.
    pub fn for_gate(self) -> Self {
        Self { alignment_lr: 2e-3, alignment_epochs_first: 5, ..self }
    }

    /// Checks that the method and the mapping layer go together.
    pub fn check_mapping(&self, mapping: Mapping) -> Result<(), TrainError> {
        let remedy = match (self.method, mapping) {
            (Method::TwoStage | Method::TwoStageGradReg, Mapping::None) => {
                "the second stage trains the mapping layer: use --mapping diagonal, or --method no-mapping to train f itself"
            }
            (Method::Constrained, Mapping::None) => {
                "the constraint acts on the mapping layer: use --mapping diagonal"
            }
            (Method::NoMapping, Mapping::None) => return Ok(()),
            (Method::NoMapping, _) => {
                "this method trains f in its second stage and has no mapping layer: use --mapping none, or --method two-stage"
            }
            _ => return Ok(()),
        };
        let value = format!("{mapping} with method {}", self.method);
        Err(TrainError::Setting { key: "mapping", value, remedy: remedy.to_owned() })
    }

    /// Checks that no stage is left without weights to update: stage 2 has only those of one part.
    pub(super) fn check_freeze(&self) -> Result<(), TrainError> {
        let (part, remedy) = match self.method {
            Method::TwoStage | Method::TwoStageGradReg | Method::Constrained => (
                Part::Mapping,
                "explanations act through the mapping layer: leave it out, or use --method label-only",
            ),
            Method::NoMapping => {
                (Part::Features, "stage 2 of no-mapping updates f: leave it out, or use --method two-stage")
            }
            _ => return Ok(()),
        };
        if self.freeze.contains(&part) {
            return Err(TrainError::Setting {
                key: "freeze",
                value: part.name().to_owned(),
                remedy: remedy.to_owned(),
            });
        }
        Ok(())
    }

    /// The weight of each class in the cross-entropy; empty for equal weights. With `balance_classes` that of class k is
    /// n / (K · n_k), so that each class counts the same and the mean weight of a picture is 1.
    pub fn weights_of_classes(&self, data: &Dataset) -> Result<Vec<f64>, TrainError> {
        if !self.balance_classes {
            return Ok(self.class_weights.clone());
        }
        let counts = data.class_counts();
        if let Some(k) = counts.iter().position(|&count| count == 0) {
            return Err(TrainError::EmptyClass { class: data.classes[k].clone() });
        }
        let share = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
        Ok(counts.iter().map(|&count| share / count as f64).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_mappings_that_do_not_go_together_are_refused_with_a_remedy() {
        let check = |method, mapping| {
            let config = TrainConfig { method, ..TrainConfig::default() };
            config.check_mapping(mapping).map_err(|error| error.to_string())
        };
        for method in Method::ALL {
            assert_eq!(check(method, method.default_mapping()), Ok(()));
        }
        assert_eq!(check(Method::Joint, Mapping::None), Ok(()));
        assert!(check(Method::TwoStage, Mapping::None).unwrap_err().contains("--mapping diagonal"));
        assert!(check(Method::Constrained, Mapping::None).unwrap_err().contains("--mapping diagonal"));
        assert!(check(Method::NoMapping, Mapping::Dense).unwrap_err().contains("--mapping none"));
    }

    #[test]
    fn a_part_that_stage_2_updates_is_not_frozen() {
        let check = |method, part| {
            let config = TrainConfig { method, freeze: [part].into(), ..TrainConfig::default() };
            config.check(50, 2).map_err(|error| error.to_string())
        };
        for method in Method::ALL {
            for part in Part::ALL {
                let needed = match method {
                    Method::TwoStage | Method::TwoStageGradReg | Method::Constrained => part == Part::Mapping,
                    Method::NoMapping => part == Part::Features,
                    _ => false,
                };
                let found = check(method, part);
                assert_eq!(found.is_err(), needed, "{method} {part:?}");
                assert!(found.err().is_none_or(|e| e.starts_with(&format!("freeze is {}: ", part.name()))));
            }
        }
    }

    #[test]
    fn balanced_classes_weigh_the_same_in_all() {
        use crate::data::triangles::{self, Part, PatchRule, TriangleSet};
        let data = triangles::generate(TriangleSet::EI, &[9, 1], 5, Part::Train, PatchRule::None).unwrap();
        let mut config = TrainConfig { balance_classes: true, ..TrainConfig::default() };
        assert_eq!(config.weights_of_classes(&data).unwrap(), [10.0 / 18.0, 5.0]);
        let empty = data.subset(&(0..data.len()).filter(|&i| data.labels[i] == 0).collect::<Vec<_>>());
        let error = config.weights_of_classes(&empty.unwrap()).unwrap_err().to_string();
        assert!(error.contains(&data.classes[1]) && error.contains("balance_classes = false"), "{error}");
        config = TrainConfig { class_weights: vec![1.0, 2.0], ..TrainConfig::default() };
        assert_eq!(config.weights_of_classes(&data).unwrap(), [1.0, 2.0]);
    }
}

//! Arms: what stands in a row of a table. A method, a mapping, and the settings that both had in the reference study.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Setting, StudyError};
use crate::model::{AlignmentAxis, Mapping};
use crate::train::{MappingInStage1, MaskSource, Method, TrainConfig};

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Short name, part of file names and of `--methods`.
    pub name: String,
    /// For tables.
    pub title: String,
    /// m.
    pub mapping: Mapping,
    /// Every setting.
    pub train: TrainConfig,
    /// The arm whose tuned settings this one takes: its own name, or for a control that of the method it controls.
    pub tuned_as: String,
    /// Whether a search took part in the settings.
    pub tuned: bool,
}

const ARMS: [(&str, &str); 20] = [
    ("label-only", "label-only"),
    ("class-weighted", "label-only, classes weighted"),
    ("diagonal", "two-stage, diagonal m"),
    ("diagonal-ones", "control: diagonal m, all-ones mask"),
    ("diagonal-other", "control: diagonal m, another picture's mask"),
    ("diagonal-ce", "diagonal m trained by cross-entropy alone"),
    ("dense", "two-stage, dense m"),
    ("conv1x1", "two-stage, 1×1 convolution as m"),
    ("gate", "two-stage, gate"),
    ("gate-ones", "control: gate, all-ones mask"),
    ("gate-other", "control: gate, another picture's mask"),
    ("gate-first-15", "two-stage, gate, 15 epochs of stage 2 first"),
    ("gate-grad-reg-0.1", "two-stage, gate, with GradReg, λ = 0.1"),
    ("gate-ce", "gate trained by cross-entropy alone"),
    ("joint", "joint optimisation"),
    ("no-mapping", "no mapping layer, stage 2 updates f"),
    ("grad-reg-0.1", "GradReg, λ = 0.1"),
    ("grad-reg-1", "GradReg, λ = 1"),
    ("masked-copies", "cross-entropy on masked copies too"),
    ("constrained", "constrained: alignment loss below ε"),
];

impl Arm {
    /// The arm of that name on a setting.
    pub fn named(name: &str, setting: &Setting) -> Result<Self, StudyError> {
        let (name, title) =
            ARMS.into_iter().find(|(known, _)| *known == name).ok_or_else(|| unknown(name))?;
        let plain = |method| (Mapping::None, TrainConfig { method, ..setting.base.clone() });
        let linear = |mapping| (mapping, TrainConfig { method: Method::TwoStage, ..setting.base.clone() });
        let gate = || {
            let train = TrainConfig {
                method: Method::TwoStage,
                alignment_axis: AlignmentAxis::Positions,
                ..setting.base.clone().for_gate()
            };
            (Mapping::Gate, train)
        };
        let masks =
            |(mapping, train): (Mapping, TrainConfig), masks| (mapping, TrainConfig { masks, ..train });
        let by_labels = |(mapping, train): (Mapping, TrainConfig)| {
            let mapping_in_stage1 = MappingInStage1::Update;
            let train = TrainConfig {
                method: Method::LabelOnly,
                mapping_in_stage1,
                alignment_epochs_first: 0,
                ..train
            };
            (mapping, train)
        };
        let weighed = |lambda| {
            let (mapping, train) = plain(Method::GradReg);
            (mapping, TrainConfig { lambda, ..train })
        };
        let (mapping, train) = match name {
            "class-weighted" => {
                let (mapping, train) = plain(Method::LabelOnly);
                (mapping, TrainConfig { balance_classes: true, ..train })
            }
            "diagonal" => linear(Mapping::Diagonal),
            "diagonal-ones" => masks(linear(Mapping::Diagonal), MaskSource::Ones),
            "diagonal-other" => masks(linear(Mapping::Diagonal), MaskSource::Other),
            "diagonal-ce" => by_labels(linear(Mapping::Diagonal)),
            "dense" => linear(Mapping::Dense),
            "conv1x1" => linear(Mapping::Conv1x1),
            "gate" => gate(),
            "gate-ones" => masks(gate(), MaskSource::Ones),
            "gate-other" => masks(gate(), MaskSource::Other),
            "gate-first-15" => {
                let (mapping, train) = gate();
                (mapping, TrainConfig { alignment_epochs_first: 15, ..train })
            }
            "gate-grad-reg-0.1" => {
                let (mapping, train) = gate();
                (mapping, TrainConfig { method: Method::TwoStageGradReg, lambda: 0.1, ..train })
            }
            "gate-ce" => by_labels(gate()),
            "joint" => {
                let (_, train) = plain(Method::Joint);
                (Mapping::Diagonal, train)
            }
            "no-mapping" => plain(Method::NoMapping),
            "grad-reg-0.1" => weighed(0.1),
            "grad-reg-1" => weighed(1.0),
            "masked-copies" => plain(Method::MaskedCopies),
            "constrained" => {
                let (_, train) = plain(Method::Constrained);
                (Mapping::Diagonal, train)
            }
            _ => plain(Method::LabelOnly),
        };
        let tuned_as = match name {
            "diagonal-ones" | "diagonal-other" => "diagonal",
            "gate-ones" | "gate-other" => "gate",
            own => own,
        };
        Ok(Self {
            name: name.to_owned(),
            title: title.to_owned(),
            mapping,
            train,
            tuned_as: tuned_as.to_owned(),
            tuned: false,
        })
    }

    /// The same arm under another name with changed settings, for ablations.
    pub fn varied(&self, name: &str, title: &str, change: impl FnOnce(&mut Self)) -> Self {
        let mut arm = Self { name: name.to_owned(), title: title.to_owned(), ..self.clone() };
        change(&mut arm);
        arm
    }
}

/// The names of all arms.
pub fn names() -> Vec<String> {
    ARMS.into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn unknown(name: &str) -> StudyError {
    StudyError::Unknown { what: "method", name: name.to_owned(), known: names() }
}

/// Of the arms that a study has, those that `wanted` names, by arm or by method (`two-stage`, `grad-reg`), and
/// label-only, to which all are compared. A name that is no arm at all is an error; one of another study is one too.
pub fn pick(arms: Vec<Arm>, wanted: &[String]) -> Result<Vec<Arm>, StudyError> {
    let fits = |arm: &Arm, word: &str| arm.name == word || arm.train.method.to_string() == word;
    for word in wanted {
        if !arms.iter().any(|arm| fits(arm, word)) {
            let known: BTreeSet<String> = arms.iter().map(|arm| arm.name.clone()).collect();
            let known = known.into_iter().collect();
            return Err(StudyError::Unknown { what: "method in this study", name: word.clone(), known });
        }
    }
    let kept =
        |arm: &Arm| wanted.is_empty() || arm.name == BASELINE || wanted.iter().any(|word| fits(arm, word));
    Ok(arms.into_iter().filter(kept).collect())
}

/// The arm that all others are compared to.
pub const BASELINE: &str = "label-only";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::Pictures;

    fn all(pictures: Pictures) -> Vec<Arm> {
        let setting = Setting::of(pictures);
        names().iter().map(|name| Arm::named(name, &setting).unwrap()).collect()
    }

    #[test]
    fn controls_differ_from_their_method_in_the_masks_alone() {
        let arms = all(Pictures::DS);
        let arm = |name: &str| arms.iter().find(|arm| arm.name == name).unwrap().clone();
        for method in ["diagonal", "gate"] {
            for control in ["ones", "other"] {
                let control = arm(&format!("{method}-{control}"));
                assert_ne!(control.train.masks, MaskSource::Own);
                assert_eq!(control.tuned_as, method);
                let train = TrainConfig { masks: MaskSource::Own, ..control.train };
                assert_eq!((train, control.mapping), (arm(method).train, arm(method).mapping));
            }
        }
        assert_eq!(arm("gate").train.epochs, 50);
        assert_eq!(arm("label-only").train.method, Method::LabelOnly);
    }

    #[test]
    fn methods_are_picked_by_arm_or_by_method_and_label_only_stays() {
        let picked = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            pick(all(Pictures::ES), &words).map(|arms| arms.into_iter().map(|a| a.name).collect::<Vec<_>>())
        };
        assert_eq!(picked(&["gate"]).unwrap(), ["label-only", "gate"]);
        assert_eq!(picked(&["grad-reg"]).unwrap(), ["label-only", "grad-reg-0.1", "grad-reg-1"]);
        assert_eq!(picked(&[]).unwrap().len(), ARMS.len());
        assert!(matches!(picked(&["gates"]), Err(StudyError::Unknown { .. })));
    }
}

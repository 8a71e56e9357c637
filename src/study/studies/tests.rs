use super::*;

fn options(methods: &[&str]) -> Options {
    Options {
        seeds: vec![11, 12],
        methods: methods.iter().map(|word| (*word).to_owned()).collect(),
        models: 30,
        ..Default::default()
    }
}

#[test]
fn every_study_has_cells_of_its_own_names_and_label_only_among_them() {
    for study in Study::ALL {
        let jobs = study.jobs(&options(&[])).unwrap();
        let mut names: Vec<String> = jobs.iter().map(Job::name).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{}", study.name());
        for job in &jobs {
            let has = jobs.iter().any(|other| {
                other.arm.name == "label-only"
                    && (&other.setting.name, other.seed) == (&job.setting.name, job.seed)
            });
            assert!(has, "{}: {}", study.name(), job.name());
        }
        assert_eq!(Study::named(study.name()).unwrap(), study);
        assert!(!study.default_seeds().unwrap().is_empty());
    }
}

#[test]
fn unknown_names_list_the_known_ones() {
    let error = Study::named("balance").unwrap_err().to_string();
    assert!(error.contains("`balance`") && error.contains("balanced, imbalanced"), "{error}");
    for study in Study::ALL {
        let error = study.jobs(&options(&["diagnal"])).unwrap_err().to_string();
        assert!(
            error.contains("`diagnal`; known are") && error.contains("diagonal"),
            "{}: {error}",
            study.name()
        );
    }
}

#[test]
fn methods_may_be_known_to_one_setting_or_axis_alone() {
    for (study, method) in [
        (Study::Agreement, "gate"),
        (Study::Convergence, "gate"),
        (Study::Sensitivity, "grad-reg"),
        (Study::Masks, "gate"),
        (Study::Ablation, "gate-one-step"),
    ] {
        let jobs = study.jobs(&options(&[method])).unwrap();
        assert!(jobs.iter().any(|job| job.arm.name != "label-only"), "{}", study.name());
    }
}

#[test]
fn epochs_can_be_set_for_all() {
    let jobs = Study::Samples.jobs(&Options { epochs: Some(1), ..options(&[]) }).unwrap();
    assert!(jobs.iter().all(|job| job.arm.train.epochs == 1));
}

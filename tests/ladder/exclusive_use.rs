//! The exclusive-use report of a trained model: bounds hold what is observed, and what has no report is refused.

use rationale::data::Dataset;
use rationale::exec::Device;
use rationale::model::Mapping;
use rationale::plan::Variants;
use rationale::random::Seeds;
use rationale::train::{ExclusiveUseOptions, TrainError, Trainer};

use crate::support;

fn trained(device: &Device, data: &Dataset) -> Trainer {
    let seeds = [Seeds::from_seed(1), Seeds::from_seed(2)];
    let model = support::small_model(Mapping::Diagonal);
    let mut trainer =
        Trainer::new(device, &model, &support::small_config(), data, &seeds, &Variants::new()).unwrap();
    trainer.train_epoch().unwrap();
    trainer
}

#[test]
fn a_trained_model_stays_within_its_report() {
    let mut data = support::pictures(24);
    data.explained[3] = false;
    let options = ExclusiveUseOptions { samples: 3, swaps: 2, seed: 4, bounds: true };
    for device in support::devices() {
        let mut trainer = trained(&device, &data);
        let report = trainer.exclusive_use(&device, &data, 1, &options).unwrap();
        assert_eq!((report.pictures.len(), report.unexplained), (23, 1));
        assert!(report.pictures.iter().all(|picture| picture.picture != 3));
        let summary = report.summary();
        assert_eq!(summary.outside, 0);
        assert!(summary.mean_width >= summary.mean_observed && summary.mean_observed > 0.0, "{summary:?}");
        for picture in &report.pictures {
            assert!(picture.width().is_finite() && picture.observed_width() > 0.0);
            assert!(!picture.certified || picture.flips == 0);
        }
        // The predictions of the report are those of an ordinary evaluation.
        trainer.add_dataset("all", &data).unwrap();
        let predictions = &trainer.evaluate("all").unwrap().predictions[1];
        assert!(report.pictures.iter().all(|p| predictions[p.picture] == p.prediction));
        assert_eq!(trainer.exclusive_use(&device, &data, 1, &options).unwrap(), report, "the same again");

        let mut full = data.clone();
        full.masks.fill(255);
        let report = trainer.exclusive_use(&device, &full, 1, &options).unwrap();
        let still = report.summary();
        assert_eq!((still.mean_observed, still.flip_rate), (0.0, Some(0.0)));
        assert!(still.mean_width < 1e-3 * summary.mean_width, "{still:?}");
        let sure =
            |p: &&rationale::train::PictureUse| (p.logits[0] - p.logits[1]).abs() > 2.0 * p.width() as f32;
        assert!(report.pictures.iter().filter(sure).count() > 10);
        assert!(report.pictures.iter().filter(sure).all(|picture| picture.certified));
    }
}

#[test]
fn what_has_no_report_is_refused() {
    let device = support::cpu();
    let data = support::pictures(16);
    let mut trainer = trained(&device, &data);
    let options = ExclusiveUseOptions::default();
    let refused =
        |result: Result<_, TrainError>| result.map(|_: rationale::train::ExclusiveUse| ()).unwrap_err();
    let error = refused(trainer.exclusive_use(&device, &data, 2, &options));
    assert!(error.to_string().contains("no replica 2"), "{error}");
    let mut bare = data.clone();
    bare.explained.fill(false);
    let error = refused(trainer.exclusive_use(&device, &bare, 0, &options));
    assert!(error.to_string().contains("none of the 16 pictures has a mask"), "{error}");
    let error = refused(trainer.exclusive_use(&device, &data.subset(&[0]).unwrap(), 0, &options));
    assert!(error.to_string().contains("at least 2 explained"), "{error}");
    let mut other = data;
    other.width = 16;
    other.height = 64;
    assert!(trainer.exclusive_use(&device, &other, 0, &options).is_err());
}

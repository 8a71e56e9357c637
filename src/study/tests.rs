//! Whole studies of tiny models: resumed, diverging, written.

use std::sync::atomic::{AtomicBool, Ordering};

use super::pictures::{Change, Library};
use super::runner::{Event, Running, run};
use super::summary::rows;
use super::testing::{cell, figures, scored};
use super::*;
use crate::exec::Device;
use crate::model::{Conv, Layer, Mapping, ModelConfig};

fn tiny(pictures: Pictures) -> Setting {
    let conv = Layer::Conv(Conv { out: 2, kernel: 5, stride: 4, padding: 0, dilation: 1 });
    let model = ModelConfig {
        features: vec![conv, Layer::Relu],
        mapping: Mapping::None,
        classifier: vec![Layer::Output],
    };
    let mut setting = Setting { layers: Layers::Own(model), ..Setting::of(pictures) };
    setting.base.epochs = 2;
    setting.base.batch = 10;
    setting
}

/// Label-only, two-stage, and a label-only whose learning rate is beyond all numbers.
fn jobs() -> Vec<Job> {
    let setting = tiny(Pictures::ES);
    let named = |name| Arm::named(name, &setting).unwrap();
    let wild = named("label-only").varied("wild", "wild", |arm| arm.train.label_lr = 1e38);
    let arms = [named("label-only"), named("diagonal"), wild];
    let change = Change { train_pictures: Some(40), ..Change::default() };
    let job = |seed| {
        let with =
            move |arm: &Arm| Job { change, test_pictures: 30, ..Job::new(&tiny(Pictures::ES), arm, seed) };
        arms.iter().map(with).collect::<Vec<_>>()
    };
    [11, 12].into_iter().flat_map(job).collect()
}

fn manifest() -> Manifest {
    Manifest { kind: "study".into(), name: "spurious".into(), seeds: vec![11, 12], ..Default::default() }
}

fn cpu() -> Device {
    Device::Cpu { reason: "a test".to_owned() }
}

/// Runs the jobs in a folder; stops once so many cells are there.
fn run_in(
    path: &std::path::Path,
    jobs: &[Job],
    workers: usize,
    stop_after: usize,
) -> Result<Vec<Cell>, StudyError> {
    let folder = StudyFolder::open(path, &mut manifest()).unwrap();
    let stop = AtomicBool::new(stop_after == 0);
    let mut done = 0;
    let device = cpu();
    let running = Running { device: &device, workers, stop: &stop };
    run(jobs, &folder, &Library::default(), running, &mut |event| {
        if matches!(event, Event::Done(_)) {
            done += 1;
            stop.store(done >= stop_after, Ordering::SeqCst);
        }
    })
}

/// All that a table may be made of.
fn results(cells: &[Cell]) -> serde_json::Value {
    let document = Study::Spurious.document(cells, &manifest()).unwrap();
    let mut value = write::results(&document, &rows(cells).unwrap());
    // Time is the one thing that two runs do not share.
    for row in value["rows"].as_array_mut().unwrap() {
        row["statistics"].as_object_mut().unwrap().remove("seconds");
    }
    value
}

#[test]
fn a_study_that_was_stopped_comes_to_the_same_and_a_diverging_model_is_counted() {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let jobs = jobs();
    let at_once = run_in(whole.path(), &jobs, 2, usize::MAX).unwrap();
    let stopped = run_in(parts.path(), &jobs, 1, 3);
    assert!(matches!(stopped, Err(StudyError::Stopped { done: 3, total: 6 })), "{stopped:?}");
    let before =
        std::fs::metadata(parts.path().join("cells/ES.label-only.11.json")).unwrap().modified().unwrap();
    // A file that a full disk or a hand has damaged is run again.
    std::fs::write(parts.path().join("cells/ES.diagonal.11.json"), "{").unwrap();
    let resumed = run_in(parts.path(), &jobs, 2, usize::MAX).unwrap();
    let after =
        std::fs::metadata(parts.path().join("cells/ES.label-only.11.json")).unwrap().modified().unwrap();
    assert_eq!(before, after, "what was there stays");
    assert_eq!(results(&at_once), results(&resumed));

    let rows = rows(&at_once).unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row.arm_name.as_str()).collect();
    assert_eq!(names, ["label-only", "diagonal", "wild"]);
    assert_eq!((rows[0].counted(), rows[2].counted()), ("2".to_owned(), "0 of 2".to_owned()));
    assert_eq!(rows[2].diverged.len(), 2);
    assert!(rows[2].statistics.is_empty());
    for key in ["balanced_accuracy", "flip_rate", "worst_group", "input_gradient_mass"] {
        assert_eq!(rows[1].statistic(key).unwrap().summary.count, 2, "{key}");
        assert_eq!(rows[1].statistic(key).unwrap().difference.unwrap().count, 2, "{key}");
    }
    let text = Study::Spurious.document(&at_once, &manifest()).unwrap().markdown();
    for words in ["2 of 6 models did not end well", "wild: 2 of 2 diverged (seeds 11,12)", "| 0 of 2 |"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_refused_cell_is_told_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut jobs = jobs()[..1].to_vec();
    jobs[0].arm.train.batch = 1000;
    let cells = run_in(folder.path(), &jobs, 1, usize::MAX).unwrap();
    assert!(matches!(&cells[0].outcome, Outcome::Failed(reason) if reason.contains("batch")), "{cells:?}");
    let opened = StudyFolder::open(folder.path(), &mut manifest()).unwrap();
    assert!(!opened.cell(&jobs[0]).unwrap().unwrap().is_settled());
}

#[test]
fn a_folder_of_another_study_or_other_settings_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("study");
    let job = &jobs()[0];
    {
        let folder = StudyFolder::open(&path, &mut manifest()).unwrap();
        folder.write_cell(&cell(job, scored(0.5))).unwrap();
        assert!(folder.cell(job).unwrap().is_some());
        let mut other = job.clone();
        other.arm.train.epochs += 1;
        let error = folder.cell(&other).unwrap_err().to_string();
        assert!(error.contains("ES.label-only.11.json") && error.contains("--out"), "{error}");
        let second = StudyFolder::open(&path, &mut manifest()).unwrap_err().to_string();
        assert!(second.contains("in use"), "{second}");
    }
    let mut other = Manifest { name: "balanced".into(), ..manifest() };
    let error = StudyFolder::open(&path, &mut other).unwrap_err().to_string();
    assert!(error.contains("study spurious, not study balanced"), "{error}");
    std::fs::write(root.path().join("mine.txt"), "x").unwrap();
    let error = StudyFolder::open(root.path(), &mut manifest()).unwrap_err().to_string();
    assert!(error.contains("other files"), "{error}");
}

#[test]
fn statistics_are_those_computed_by_hand() {
    let setting = Setting::of(Pictures::ES);
    let values = [("label-only", [0.50, 0.60, 0.55]), ("diagonal", [0.80, 0.84, 0.82]), ("gate", [0.7; 3])];
    let mut cells = Vec::new();
    for (name, scores) in values {
        let arm = Arm::named(name, &setting).unwrap();
        for (seed, score) in [201, 202, 203].into_iter().zip(scores) {
            cells.push(cell(&Job::new(&setting, &arm, seed), scored(score)));
        }
    }
    // One gate diverged: its pair leaves the difference too.
    cells[7].outcome = Outcome::Diverged("a reason".into());
    let rows = rows(&cells).unwrap();
    let main = |row: usize| rows[row].statistic("balanced_accuracy").unwrap();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
    close(main(1).summary.mean, 0.82);
    close(main(1).standard_error.unwrap(), 0.02 / 3f64.sqrt());
    // Differences .30, .24, .27.
    close(main(1).difference.unwrap().mean, 0.27);
    close(main(1).difference_error.unwrap(), 0.03 / 3f64.sqrt());
    assert_eq!(main(0).difference, None);
    assert_eq!((rows[2].counted().as_str(), main(2).difference.unwrap().count), ("2 of 3", 2));
    close(main(2).difference.unwrap().mean, 0.7 - 0.525);
    assert_eq!(main(1).paper, Some(0.708));
    let interval = main(1).here_minus_earlier.unwrap();
    close(interval.estimate, 0.82 - 0.807);
    assert!(interval.contains(0.0));
    let label = main(0).here_minus_earlier.unwrap();
    close(label.estimate, 0.55 - 0.596);
}

#[test]
fn everything_is_written_from_cells_and_reads_back() {
    let root = tempfile::tempdir().unwrap();
    let folder = StudyFolder::open(root.path(), &mut manifest()).unwrap();
    let options = Options { seeds: vec![201, 202], models: 30, ..Default::default() };
    for study in Study::ALL {
        let jobs = study.jobs(&options).unwrap();
        let cells: Vec<Cell> = jobs
            .iter()
            .enumerate()
            .map(|(i, job)| {
                let Outcome::Done(mut figures) = scored(0.5 + 0.001 * (i % 97) as f64) else {
                    unreachable!()
                };
                figures.curve = if job.curve { vec![0.5, 0.6, 0.7] } else { Vec::new() };
                let pairwise = 0.9;
                figures.agreement = (job.models > 1)
                    .then(|| Agreement { pairwise, balanced_accuracy: vec![0.5; job.models] });
                cell(job, Outcome::Done(figures))
            })
            .collect();
        let rows = rows(&cells).unwrap();
        let document = study.document(&cells, &manifest()).unwrap();
        write::write(&folder, &document, &cells, &rows).unwrap();
        let read = |name: &str| std::fs::read_to_string(root.path().join(name)).unwrap();
        let mut table = csv::Reader::from_reader(std::io::Cursor::new(read("cells.csv")));
        assert_eq!(table.records().filter(Result::is_ok).count(), cells.len(), "{}", study.name());
        let results: serde_json::Value = serde_json::from_str(&read("results.json")).unwrap();
        assert_eq!(results["rows"].as_array().unwrap().len(), rows.len());
        let text = read(write::TABLES);
        for section in &document.sections {
            for plot in &section.plots {
                assert!(root.path().join(format!("plots/{}.png", plot.name())).exists());
                assert!(text.contains(&format!("plots/{}.svg", plot.name())));
            }
            for table in &section.tables {
                assert!(table.rows.iter().all(|row| row.len() == table.head.len()), "{}", table.name);
            }
        }
        assert!(read(write::PAGE).contains("</html>"));
        // The same cells in another order are the same study.
        let mut turned = cells.clone();
        turned.reverse();
        let sorted = study.sorted(turned, &options).unwrap();
        assert_eq!(sorted, cells, "{}", study.name());
    }
    let _ = figures();
}

#[test]
fn replicas_share_the_data_and_differ_in_all_else() {
    let job = Job { models: 4, ..jobs()[0].clone() };
    let seeds = measure::replica_seeds(&job);
    assert_eq!(seeds.len(), 4);
    assert_eq!(seeds[0], crate::random::Seeds::from_seed(11));
    for i in 1..4 {
        assert_eq!(seeds[i].data, seeds[0].data);
        assert!((0..i).all(|j| seeds[j].init != seeds[i].init && seeds[j].order != seeds[i].order));
    }
    let folder = tempfile::tempdir().unwrap();
    let single = Job { models: 1, ..job.clone() };
    let cells = run_in(folder.path(), &[Job { predictions: true, ..job }, single], 2, usize::MAX).unwrap();
    let [together, alone] = [0, 1].map(|i| cells[i].figures().unwrap());
    let agreement = together.agreement.as_ref().unwrap();
    assert_eq!((agreement.balanced_accuracy.len(), together.predictions.len()), (4, 4));
    assert_eq!(together.predictions[0].len(), 30);
    // The first replica is the single run.
    assert_eq!(agreement.balanced_accuracy[0], alone.test.as_ref().unwrap().balanced_accuracy);
    let share =
        together.predictions[0].chars().zip(together.predictions[1].chars()).filter(|(a, b)| a == b).count();
    assert!(share <= 30 && (0.0..=1.0).contains(&agreement.pairwise));
}

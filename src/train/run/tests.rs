use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::*;

fn row(epoch: usize) -> EpochRow {
    EpochRow {
        epoch,
        label_loss: 1.0 / 3.0,
        train_accuracy: 0.1 + 0.2,
        seconds: 1.23456,
        ..Default::default()
    }
}

fn checkpoint(epoch: usize) -> Checkpoint {
    let tensors = BTreeMap::from([("w".to_owned(), (vec![1], vec![epoch as f32]))]);
    Checkpoint { epoch, tensors, notes: BTreeMap::new() }
}

fn begun(path: &Path, epochs: usize) -> RunFolder {
    let mut run = RunFolder::create(path).unwrap();
    run.write_config("# settings\n").unwrap();
    run.write_record(&RunRecord::default()).unwrap();
    run.write_checkpoint(&checkpoint(0)).unwrap();
    for epoch in 1..=epochs {
        run.write_epoch(row(epoch), &checkpoint(epoch)).unwrap();
    }
    run
}

#[test]
fn dates_are_those_of_the_calendar() {
    let at = |seconds| timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!(at(0), "1970-01-01T00:00:00Z");
    assert_eq!(at(951_782_399), "2000-02-28T23:59:59Z");
    assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
    assert_eq!(at(1_735_689_599), "2024-12-31T23:59:59Z");
    assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00Z");
}

#[test]
fn a_folder_in_use_is_refused_and_an_unused_one_leaves_no_trace() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a/run");
    drop(RunFolder::create(&path).unwrap());
    assert!(!path.exists());
    let first = begun(&path, 1);
    let message = RunFolder::create(&path).unwrap_err().to_string();
    assert!(message.contains("--resume") && message.contains("run"), "{message}");
    let message = RunFolder::resume(&path).unwrap_err().to_string();
    assert!(message.contains("in use"), "{message}");
    drop(first);
    RunFolder::resume(&path).unwrap();
    let other = temp.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("letter.txt"), "dear").unwrap();
    assert!(RunFolder::create(&other).unwrap_err().to_string().contains("not empty"));
    assert!(RunFolder::resume(&other).unwrap_err().to_string().contains("no run folder"));
}

#[test]
fn a_run_killed_before_its_config_was_whole_may_begin_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    fs::create_dir(&path).unwrap();
    fs::write(path.join(LOCK), "").unwrap();
    fs::write(path.join(".tmpAbC123"), "seed =").unwrap();
    let run = begun(&path, 1);
    assert!(!path.join(".tmpAbC123").exists());
    drop(run);
}

#[test]
fn metrics_never_run_ahead_of_the_checkpoint() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("run");
    let mut run = begun(&path, 3);
    // Killed after the row of epoch 4, before its checkpoint, and in the middle of a write.
    run.rows.push(row(4).rounded());
    run.write_rows().unwrap();
    drop(run);
    fs::write(path.join(".tmpAb3"), "half").unwrap();
    fs::write(path.join("checkpoints/.tmpXyz"), "half").unwrap();
    let before = fs::read_to_string(path.join(METRICS)).unwrap();
    let found = RunFolder::resume(&path).unwrap();
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert_eq!(found.checkpoint.unwrap().epoch, 3);
    assert_eq!(found.folder.rows().iter().map(|row| row.epoch).collect::<Vec<_>>(), [1, 2, 3]);
    let after = fs::read_to_string(path.join(METRICS)).unwrap();
    assert!(before.starts_with(&after) && after.lines().count() == 3, "{after}");
    let table = fs::read_to_string(path.join(METRICS_CSV)).unwrap();
    assert_eq!(table.lines().count(), 4);
    assert!(
        table.starts_with("epoch,label_loss,alignment_loss,multiplier,train_accuracy,val_accuracy"),
        "{table}"
    );
    assert!(!path.join(".tmpAb3").exists() && !path.join("checkpoints/.tmpXyz").exists());
}

#[test]
fn a_missing_row_is_said_and_a_missing_checkpoint_refused() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("run");
    drop(begun(&path, 3));
    let text = fs::read_to_string(path.join(METRICS)).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("\"epoch\":2,")).collect();
    fs::write(path.join(METRICS), kept.join("\n")).unwrap();
    fs::write(path.join(RECORD), "{").unwrap();
    let found = RunFolder::resume(&path).unwrap();
    assert!(found.record.is_none());
    assert!(found.warnings.iter().any(|w| w.contains("lacks 1 of the 3 epochs")), "{:?}", found.warnings);
    assert!(found.warnings.iter().any(|w| w.contains("run.json")), "{:?}", found.warnings);
    drop(found);
    fs::remove_file(path.join(CHECKPOINT)).unwrap();
    let message = RunFolder::resume(&path).unwrap_err().to_string();
    assert!(message.contains("last.safetensors") && message.contains("missing"), "{message}");
}

#[test]
fn a_run_stopped_before_its_first_checkpoint_starts_from_its_config() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("run");
    let mut run = RunFolder::create(&path).unwrap();
    run.write_config("# settings\n").unwrap();
    drop(run);
    let found = RunFolder::resume(&path).unwrap();
    assert_eq!(found.config, "# settings\n");
    assert!(found.checkpoint.is_none());
}

#[test]
fn the_best_state_is_read_and_another_epochs_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("run");
    let mut run = begun(&path, 3);
    let message = run.read_best(2).unwrap_err().to_string();
    assert!(message.contains("best.safetensors") && message.contains("is missing"), "{message}");
    run.write_best(&checkpoint(2)).unwrap();
    assert_eq!(run.read_best(2).unwrap(), checkpoint(2));
    let message = run.read_best(1).unwrap_err().to_string();
    assert!(message.contains("after epoch 2") && message.contains("epoch 1"), "{message}");
    // Others read the best state; going on starts from the last.
    assert_eq!(RunFolder::read(&path).unwrap().checkpoint.epoch, 2);
    drop(run);
    assert_eq!(RunFolder::resume(&path).unwrap().checkpoint.unwrap().epoch, 3);
}

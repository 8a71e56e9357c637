//! A run that is stopped in any way goes on to the bits of a run that was not.

use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{Place, answer};

const EPOCHS: &str = "25";

fn arguments<'a>(run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["pictures", "--batch", "5", "--seed", "3", "--epochs", EPOCHS, "--run", run], more].concat()
}

/// The columns of the metrics that do not tell the time.
fn metrics(place: &Place, run: &str) -> Vec<String> {
    let table = place.read(&format!("{run}/metrics.csv"));
    table.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
}

/// How many times runs are killed, over all of them: `make verify` sets RATIONALE_TEST_KILLS.
fn kills() -> u32 {
    std::env::var("RATIONALE_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(5)
}

/// Only what was still at work counts as killed; a run that ends sooner is held against the undisturbed one, and
/// the next begins.
#[test]
fn killed_at_random_moments_it_ends_with_the_same_bits() {
    let place = Place::with_pictures();
    let straight = place.trained(&arguments("straight", &[]));
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let mut delays = vec![];
    let (mut killed, mut run) = (0, 0);
    while killed < kills() {
        run += 1;
        let name = format!("killed-{run}");
        for round in 0.. {
            let done = round == 5 || killed == kills();
            let started = place.at(&name).join("config.toml").exists();
            let resumed = ["--resume", &name];
            let fresh = arguments(&name, &[]);
            let start = if started { &resumed[..] } else { &fresh };
            if done {
                let ended = place.trained(start);
                assert_eq!(ended["digest"], straight["digest"], "{name}: killed after {delays:?}");
                assert_eq!(ended["test"], straight["test"], "{name}: killed after {delays:?}");
                assert_eq!(metrics(&place, &name), metrics(&place, "straight"), "killed after {delays:?}");
                break;
            }
            let mut child = place
                .command(&[&["train", "--device", "cpu", "--quiet"], start].concat())
                .stderr(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            let delay =
                Duration::from_micros(u64::from(clock.rotate_left(7 * (killed + round)) % 250_000) + 5_000);
            std::thread::sleep(delay);
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                killed += 1;
                delays.push(delay);
            }
            child.wait().unwrap();
        }
    }
}

#[test]
fn more_epochs_later_are_the_epochs_of_one_longer_run() {
    let place = Place::with_pictures();
    let long = place.trained(&arguments("long", &[]));
    place.trained(&["pictures", "--batch", "5", "--seed", "3", "--epochs", "9", "--run", "short"]);
    let resumed = place.trained(&["--resume", "short", "--epochs", EPOCHS]);
    assert_eq!(resumed["digest"], long["digest"]);
    assert_eq!(place.read("short/metrics.jsonl").lines().count(), 25);
    // Once more: nothing is left to train, the result stays.
    assert_eq!(place.trained(&["--resume", "short"])["digest"], long["digest"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_after_the_epoch_and_says_how_to_go_on() {
    let place = Place::with_pictures();
    let arguments =
        ["train", "--device", "cpu", "pictures", "--batch", "5", "--epochs", "100000", "--run", "run"];
    let mut child = place.command(&arguments).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let metrics = place.at("run/metrics.jsonl");
    while !metrics.exists() {
        assert!(child.try_wait().unwrap().is_none(), "ended before its first epoch");
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let answer = answer(child.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(130), "{}", answer.err);
    assert!(answer.err.contains("rationale train --resume run\n"), "{}", answer.err);
    assert_eq!(answer.out, "");
    let record: serde_json::Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    assert_eq!(record["status"], "stopped");
    let done = record["epochs"].as_u64().unwrap();
    let next = (done + 1).to_string();
    assert_eq!(place.trained(&["--resume", "run", "--epochs", &next])["epochs"], done + 1);
}

/// A write that fails in the middle, as on a full disk: the shell forbids files above sixteen KiB.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let place = Place::with_pictures();
    place.write(
        "small.toml",
        "[model]\nfeatures = [{ conv = { out = 2, kernel = 3, stride = 4 } }, \"relu\"]\n[train]\nbatch = 10\nepochs = 150\n",
    );
    let straight = place.trained(&["pictures", "--config", "small.toml", "--run", "straight"]);
    let script = "trap '' XFSZ; ulimit -f 32; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_rationale"), "train", "pictures", "--config", "small.toml"])
        .args(["--run", "full", "--device", "cpu"])
        .current_dir(place.path())
        .output()
        .unwrap();
    let answer = answer(output);
    answer.refuses(&["full/", "cannot be written", "space"]);
    assert!(answer.err.contains("rationale train --resume full\n"), "{}", answer.err);
    let done = place.read("full/metrics.jsonl").lines().count();
    assert!(done > 5 && done < 150, "{done} epochs");
    let resumed = place.trained(&["--resume", "full"]);
    assert_eq!(resumed["digest"], straight["digest"]);
    assert_eq!(metrics(&place, "full"), metrics(&place, "straight"));
}

#[test]
fn a_diverged_run_keeps_its_last_good_state() {
    let place = Place::with_pictures();
    let start = ["pictures", "--run", "run", "--batch", "5"];
    place.trained(&[&start[..], &["--epochs", "2"]].concat());
    let answer = place.train(&["--resume", "run", "--epochs", "6", "--label-lr", "1e30"]);
    answer.refuses(&["epoch 3, step", "first tensor that went bad", "end of epoch 2", "--label-lr"]);
    assert!(answer.err.contains("--resume run --label-lr"), "{}", answer.err);
    let record: serde_json::Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    assert_eq!((record["status"].as_str(), record["epochs"].as_u64()), (Some("diverged"), Some(2)));
    let resumed = place.trained(&["--resume", "run", "--label-lr", "1e-3"]);
    assert_eq!(resumed["epochs"], 6);
    // Back at the first rate: the same as if nothing had been.
    let straight = place.trained(&["pictures", "--run", "other", "--batch", "5", "--epochs", "6"]);
    assert_eq!(resumed["digest"], straight["digest"]);
}

/// On an adapter several variants of one kernel run side by side; the run goes on with the very same ones.
#[test]
fn on_an_adapter_a_resumed_run_has_the_same_bits() {
    let place = Place::with_pictures();
    let listed: serde_json::Value = serde_json::from_str(&place.run(&["devices", "--json"]).out).unwrap();
    if listed["adapters"].as_array().unwrap().is_empty() {
        return; // The ladder of tests is where a missing adapter fails.
    }
    let on_adapter = |arguments: &[&str]| -> serde_json::Value {
        let answer = place.run(&[&["train"], arguments, &["--json"]].concat());
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        serde_json::from_str(&answer.out).unwrap()
    };
    let start = |run, epochs| ["pictures", "--batch", "5", "--device", "0", "--run", run, "--epochs", epochs];
    let straight = on_adapter(&start("straight", "3"));
    on_adapter(&start("halved", "1"));
    let resumed = on_adapter(&["--resume", "halved", "--epochs", "3"]);
    assert_eq!(resumed["digest"], straight["digest"]);
    assert_eq!(resumed["device"], straight["device"]);
}

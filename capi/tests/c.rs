//! The header is what the code says, and a C program trains with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `RATIONALE_WRITE_HEADER=1` writes it anew.
#[test]
fn the_header_is_that_of_the_code() {
    let config = cbindgen::Config::from_file(here().join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(here().join("src/lib.rs"))
        .with_src(here().join("src/error.rs"))
        .generate()
        .unwrap();
    let mut text = Vec::new();
    bindings.write(&mut text);
    let path = here().join("include/rationale.h");
    if std::env::var_os("RATIONALE_WRITE_HEADER").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(kept, String::from_utf8(text).unwrap(), "run this test with RATIONALE_WRITE_HEADER=1");
}

/// Where cargo put the shared library: beside this test, or one folder up.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let name = format!("{}rationale_c{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let folders = test.ancestors().skip(1).take(2).map(Path::to_owned);
    folders.into_iter().find(|folder| folder.join(&name).exists()).expect("the shared library")
}

fn built(folder: &Path) -> PathBuf {
    let (program, library) = (folder.join("learn"), library());
    let status = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()))
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-g"])
        .arg(here().join("tests/learn.c"))
        .arg("-I")
        .arg(here().join("include"))
        .arg("-L")
        .arg(&library)
        .arg("-lrationale_c")
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .arg("-o")
        .arg(&program)
        .status()
        .unwrap();
    assert!(status.success());
    program
}

#[cfg(unix)]
#[test]
fn a_c_program_trains_predicts_looks_saves_and_loads() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(built(folder.path()))
        .arg("cpu")
        .arg(folder.path().join("state.safetensors"))
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("`pixels` has 3 values; this trainer needs 256"), "{out}");
}

/// Where valgrind is installed; said where it is not.
#[cfg(unix)]
#[test]
fn nothing_is_read_or_written_past_its_end() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("SKIP: valgrind is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("valgrind")
        .args(["--error-exitcode=99", "--quiet"])
        .arg(built(folder.path()))
        .arg("cpu")
        .arg(folder.path().join("state.safetensors"))
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
}

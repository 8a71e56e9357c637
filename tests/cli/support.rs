//! Small image folders, and the program run in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{GrayImage, Luma};

/// A folder that vanishes at the end of a test.
pub struct Place {
    folder: tempfile::TempDir,
}

/// What the program answered.
#[derive(Debug)]
pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Side of every picture.
const SIDE: u32 = 8;

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// `pictures/{bright,dark}`, twelve each, and a mask for all but two of them.
    pub fn with_pictures() -> Self {
        let place = Self::new();
        for (class, base) in [("bright", 150), ("dark", 40)] {
            for i in 0..12u32 {
                let noise = |x: u32, y: u32| (x * 37 + y * 59 + i * 101) % 60;
                let picture = GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([(base + noise(x, y)) as u8]));
                place.picture(&format!("pictures/{class}/{i}.png"), &picture);
                if i > 0 {
                    let mask =
                        GrayImage::from_fn(SIDE, SIDE, |x, _| Luma([if x < SIDE / 2 { 255 } else { 0 }]));
                    place.picture(&format!("pictures/masks/{class}/{i}.png"), &mask);
                }
            }
        }
        place
    }

    pub fn picture(&self, name: &str, picture: &GrayImage) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.save(path).unwrap();
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.at(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap()
    }

    /// The program, to be run in this place.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rationale"));
        command.args(arguments).current_dir(self.path()).env_remove("RATIONALE_LOG");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Answer {
        answer(self.command(arguments).output().unwrap())
    }

    /// `train` on the CPU with small batches.
    pub fn train(&self, arguments: &[&str]) -> Answer {
        self.run(&[&["train", "--device", "cpu"], arguments].concat())
    }

    /// The same, expected to end well; the JSON it prints.
    pub fn trained(&self, arguments: &[&str]) -> serde_json::Value {
        let answer = self.train(&[arguments, &["--json"]].concat());
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        serde_json::from_str(&answer.out).unwrap()
    }
}

pub fn answer(output: Output) -> Answer {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Answer {
    /// One error line that holds every one of these words, status 1, and no result.
    pub fn refuses(&self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.out, "", "a failure has no result");
        let errors: Vec<&str> = self.err.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{}", self.err);
        for word in words {
            assert!(errors[0].contains(word), "`{word}` is missing: {}", errors[0]);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

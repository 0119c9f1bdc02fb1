//! Runs `forney learn`, and reads what it saved.

use std::io::Write;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Ran, forney, number, root};

pub(crate) const BARS: &str = "examples/data/bars.npy";
pub(crate) const FAITHFUL: &str = "examples/data/faithful.csv";
pub(crate) const ASIA: &str = "examples/data/asia.csv";
pub(crate) const NETWORK: &str = "examples/models/asia.uai";

/// A folder for the files of a test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.file(name)
    }

    /// An archive of numpy with one array.
    pub(crate) fn write_npz(&self, name: &str, array: &[u8]) -> String {
        let mut archive = zip::ZipWriter::new(std::fs::File::create(self.path(name)).unwrap());
        let stored = zip::write::SimpleFileOptions::default();
        archive.start_file("x.npy", stored).unwrap();
        archive.write_all(array).unwrap();
        archive.finish().unwrap();
        self.file(name)
    }
}

/// An array of numpy with this header, and some bytes.
pub(crate) fn npy(header: &str, bytes: usize) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.resize(file.len() + bytes, 0);
    file
}

/// `learn words --json`, and what it printed.
#[track_caller]
pub(crate) fn learn(words: &str) -> Value {
    let ran = run(words);
    assert_eq!(ran.code, Some(0), "{words}: {} {}", ran.stdout, ran.stderr);
    assert_eq!(ran.stderr, "", "{words}");
    ran.json()
}

pub(crate) fn run(words: &str) -> Ran {
    let words: Vec<&str> = ["learn"]
        .into_iter()
        .chain(words.split_whitespace())
        .chain(["--json"])
        .collect();
    forney(&words)
}

/// The error of a run that must fail, with nothing else on standard output.
#[track_caller]
pub(crate) fn refused(words: &str, kind: &str, message: &str) {
    let ran = run(words);
    let code = if kind == "too-large" { 3 } else { 2 };
    assert_eq!(
        ran.code,
        Some(code),
        "{words}: {} {}",
        ran.stdout,
        ran.stderr
    );
    let error = ran.json()["error"].take();
    assert_eq!(error["kind"], kind, "{words}: {error}");
    let told = error["message"].as_str().expect("a sentence");
    assert!(told.contains(message), "{told:?} lacks {message:?}");
}

pub(crate) fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The model in a file.
pub(crate) fn load<M: DeserializeOwned>(path: &Path, kind: &str) -> M {
    let mut file = json_file(path);
    assert_eq!(file["format"], "forney model");
    assert_eq!(file["version"], 1);
    assert_eq!(file["kind"], kind);
    serde_json::from_value(file["model"].take()).unwrap()
}

pub(crate) fn csv(path: &str) -> Array2<f64> {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| {
            let field = |field: &str| field.parse().unwrap_or(f64::NAN);
            line.split(',').map(field).collect()
        })
        .collect();
    let columns = rows[0].len();
    Array2::from_shape_vec((rows.len(), columns), rows.concat()).unwrap()
}

pub(crate) fn bars() -> Array2<f64> {
    let bars: Array2<f32> = ndarray_npy::read_npy(root().join(BARS)).unwrap();
    bars.mapv(f64::from)
}

#[track_caller]
pub(crate) fn close(objective: &Value, score: f64) {
    let objective = number(objective);
    assert!(
        (objective - score).abs() <= 1e-9 * score.abs(),
        "{objective} {score}"
    );
}

//! Finished runs on disk, so that an interrupted report goes on where it stopped.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::records::Record;

/// One line of the store.
#[derive(Serialize, Deserialize)]
struct Line {
    /// Experiment, options and the version of the code.
    key: String,
    records: Vec<Record>,
}

/// The store: a file of lines, each a finished run.
pub(crate) struct Store {
    /// Hash of this very program: runs of any other version are done again.
    version: u64,
    known: HashMap<String, Vec<Record>>,
    file: Mutex<File>,
}

impl Store {
    /// Opens the store, or begins one.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        std::fs::read(std::env::current_exe()?)?.hash(&mut hasher);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        // A last line that was cut off is no run.
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let known = lines.map(|line| (line.key, line.records)).collect();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        Ok(Self {
            version: hasher.finish(),
            known,
            file: Mutex::new(file),
        })
    }

    fn key(&self, experiment: &str, run: &str) -> String {
        format!("{experiment}/{run}/{:016x}", self.version)
    }

    /// What a finished run found.
    pub(crate) fn get(&self, experiment: &str, run: &str) -> Option<&Vec<Record>> {
        self.known.get(&self.key(experiment, run))
    }

    /// Keeps what a run found.
    pub(crate) fn keep(&self, experiment: &str, run: &str, records: &[Record]) -> Result<()> {
        let key = self.key(experiment, run);
        let records = records.to_vec();
        let mut line = serde_json::to_string(&Line { key, records })?;
        line.push('\n');
        let mut file = self.file.lock().expect("no writer panics");
        file.write_all(line.as_bytes())
            .context("the store of finished runs")
    }
}

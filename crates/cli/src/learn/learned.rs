//! A learned model, and the files it goes to.

use std::io::Cursor;
use std::path::Path;

use ndarray::{Array2, ArrayD};
use ndarray_npy::NpzWriter;
use serde_json::{Map, Value, json};

use crate::done::Output;
use crate::error::Failure;

/// What was learned.
pub(super) struct Learned {
    /// The name of the model.
    pub(super) kind: &'static str,
    /// The model as the library saves it.
    pub(super) model: Value,
    /// How the data were prepared, if they were.
    pub(super) center_rows: bool,
    /// The parameters as arrays.
    pub(super) arrays: Vec<(&'static str, ArrayD<f64>)>,
    /// The model as a UAI file, if it can be one.
    pub(super) uai: Option<Vec<u8>>,
    /// The objective of the model.
    pub(super) objective: f64,
    /// The objective after every iteration of the start that was kept.
    pub(super) curve: Vec<f64>,
    /// One row for each atom or component, for a picture.
    pub(super) atoms: Option<Array2<f64>>,
    /// What else is worth telling.
    pub(super) facts: Map<String, Value>,
}

/// What a file must say of itself.
const FORMAT: &str = "forney model";
const VERSION: u32 = 1;

/// Whether the name of a file ends so.
pub(super) fn ends(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

impl Learned {
    /// The model in the format that the name of the file asks for.
    pub(super) fn output(&self, path: &Path) -> Result<Output, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Output {
            path: path.to_owned(),
            source: std::io::Error::other(error.to_string()),
        };
        let bytes = if ends(path, "npz") {
            let mut archive = NpzWriter::new_compressed(Cursor::new(Vec::new()));
            for (name, array) in &self.arrays {
                archive
                    .add_array(*name, array)
                    .map_err(|error| failed(&error))?;
            }
            archive
                .finish()
                .map_err(|error| failed(&error))?
                .into_inner()
        } else if let (true, Some(uai)) = (ends(path, "uai"), &self.uai) {
            uai.clone()
        } else {
            let mut file = json!({
                "format": FORMAT,
                "version": VERSION,
                "kind": self.kind,
                "model": self.model,
            });
            if self.center_rows {
                file["center_rows"] = Value::Bool(true);
            }
            let mut bytes = serde_json::to_vec(&file).map_err(|error| failed(&error))?;
            bytes.push(b'\n');
            bytes
        };
        Ok(Output {
            path: path.to_owned(),
            bytes,
        })
    }
}

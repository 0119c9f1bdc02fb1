//! A learned model, and the files it goes to.

use std::fmt::Display;
use std::io::Cursor;
use std::path::Path;

use ndarray::{Array2, ArrayD};
use ndarray_npy::NpzWriter;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::done::Output;
use crate::error::Failure;

/// What there is to tell of a model, beside what the library saves.
#[derive(Default)]
pub(super) struct Described {
    /// The parameters as arrays.
    pub(super) arrays: Vec<(&'static str, ArrayD<f64>)>,
    /// The model as a UAI file, if it can be one.
    pub(super) uai: Option<Vec<u8>>,
    /// The objective of the model, where it is not that of the last iteration.
    pub(super) objective: Option<f64>,
    /// One row for each atom or component, for a picture.
    pub(super) atoms: Option<Array2<f64>>,
    /// What else is worth telling.
    pub(super) facts: Map<String, Value>,
}

/// As JSON.
pub(super) fn plain(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::Internal(error.to_string()))
}

/// What a file must say of itself.
const FORMAT: &str = "forney model";
const VERSION: u32 = 1;

/// Whether the name of a file ends so.
pub(super) fn ends(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// The model in the format that the name of the file asks for.
pub(super) fn output(
    path: &Path,
    kind: &str,
    center_rows: bool,
    model: &impl Serialize,
    told: &Described,
) -> Result<Output, Failure> {
    let failed = |error: &dyn Display| Failure::Output {
        path: path.to_owned(),
        source: std::io::Error::other(error.to_string()),
    };
    let bytes = if ends(path, "npz") {
        let mut archive = NpzWriter::new_compressed(Cursor::new(Vec::new()));
        for (name, array) in &told.arrays {
            archive
                .add_array(*name, array)
                .map_err(|error| failed(&error))?;
        }
        archive
            .finish()
            .map_err(|error| failed(&error))?
            .into_inner()
    } else if let (true, Some(uai)) = (ends(path, "uai"), &told.uai) {
        uai.clone()
    } else {
        let mut file = json!({
            "format": FORMAT,
            "version": VERSION,
            "kind": kind,
            "model": plain(model)?,
        });
        if center_rows {
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

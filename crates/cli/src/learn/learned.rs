//! A learned model, and the files it goes to.

use std::error::Error;
use std::io::Cursor;
use std::path::Path;

use ndarray::{Array, Array2, ArrayD, Dimension};
use ndarray_npy::NpzWriter;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::done::Output;
use crate::error::Failure;

/// A parameter and its name.
pub(super) type Named = (&'static str, ArrayD<f64>);

/// What there is to tell of a model, beside what the library saves.
#[derive(Default)]
pub(super) struct Described {
    /// The parameters as arrays.
    pub(super) arrays: Vec<Named>,
    /// The model as a UAI file, if it can be one.
    pub(super) uai: Option<Vec<u8>>,
    /// The objective of the model, where it is not that of the last iteration.
    pub(super) objective: Option<f64>,
    /// One row for each atom or component, for a picture.
    pub(super) atoms: Option<Array2<f64>>,
    /// What else is worth telling.
    pub(super) facts: Map<String, Value>,
}

/// A parameter under a name.
pub(super) fn named<D: Dimension>(name: &'static str, a: &Array<f64, D>) -> Named {
    (name, a.clone().into_dyn())
}

impl Described {
    /// A model with these parameters.
    pub(super) fn new(arrays: Vec<Named>) -> Self {
        Self {
            arrays,
            ..Self::default()
        }
    }

    /// One that is also worth telling this.
    pub(super) fn with_fact(mut self, name: &str, fact: Value) -> Self {
        self.facts.insert(name.to_owned(), fact);
        self
    }

    /// One with an atom in each column.
    pub(super) fn with_atoms(mut self, columns: &Array2<f64>) -> Self {
        self.atoms = Some(columns.t().as_standard_layout().into_owned());
        self
    }
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
    let encoded = || -> Result<Vec<u8>, Box<dyn Error>> {
        if ends(path, "npz") {
            let mut archive = NpzWriter::new_compressed(Cursor::new(Vec::new()));
            for (name, array) in &told.arrays {
                archive.add_array(*name, array)?;
            }
            return Ok(archive.finish()?.into_inner());
        }
        if let (true, Some(uai)) = (ends(path, "uai"), &told.uai) {
            return Ok(uai.clone());
        }
        let mut file = json!({
            "format": FORMAT,
            "version": VERSION,
            "kind": kind,
            "model": serde_json::to_value(model)?,
        });
        if center_rows {
            file["center_rows"] = Value::Bool(true);
        }
        let mut bytes = serde_json::to_vec(&file)?;
        bytes.push(b'\n');
        Ok(bytes)
    };
    let path = path.to_owned();
    match encoded() {
        Ok(bytes) => Ok(Output { path, bytes }),
        Err(error) => Err(Failure::Output {
            source: std::io::Error::other(error.to_string()),
            path,
        }),
    }
}

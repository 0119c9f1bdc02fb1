//! The state of learning in a file: complete, or the one before; and whether it is still what was
//! written.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use forney_uai::{UaiError, write_atomic};
use ndarray::Array2;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::renewal::renewed;
use crate::error::Failure;

/// What a file must say of itself.
const FORMAT: &str = "forney checkpoint";
const VERSION: u32 = 3;
/// The last one that is read, too.
const BEFORE: u32 = 2;

/// All but the state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    format: String,
    version: u32,
    /// What is learned.
    kind: String,
    /// The options that decide about the numbers.
    options: Value,
    data: Fingerprint,
    /// Time spent until now.
    pub(super) elapsed_s: f64,
}

/// Which data these are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    rows: usize,
    columns: usize,
    /// Of the bits of all numbers, in hexadecimal.
    hash: String,
}

impl Fingerprint {
    /// FNV-1a over the numbers as words of 64 bits.
    pub(super) fn of(data: &Array2<f64>) -> Self {
        let hash = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, x| {
            (hash ^ x.to_bits())
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(29)
        });
        Self {
            rows: data.nrows(),
            columns: data.ncols(),
            hash: format!("{hash:016x}"),
        }
    }
}

#[derive(Serialize)]
struct Written<'a, S> {
    #[serde(flatten)]
    header: &'a Header,
    state: &'a S,
}

/// What a file says of itself, whatever else is in it.
#[derive(Deserialize)]
struct Format {
    format: String,
    version: u32,
}

/// The state alone; what a file says of itself was checked before.
#[derive(Deserialize)]
struct State<S> {
    state: S,
}

/// The last line: a checksum of all bytes before it.
#[derive(Serialize, Deserialize)]
struct Seal {
    /// In hexadecimal.
    crc32: String,
}

impl Seal {
    fn of(bytes: &[u8]) -> Self {
        Self {
            crc32: format!("{:08x}", crc32fast::hash(bytes)),
        }
    }

    /// The bytes that are sealed, and whether the seal is whole.
    fn broken_up(bytes: &[u8]) -> (&[u8], bool) {
        let Some(lines) = bytes.strip_suffix(b"\n") else {
            return (bytes, false);
        };
        let end = lines.iter().rposition(|&byte| byte == b'\n');
        let (sealed, seal) = lines.split_at(end.map_or(lines.len(), |end| end + 1));
        let seal = serde_json::from_slice::<Self>(seal);
        (
            sealed,
            seal.is_ok_and(|seal| seal.crc32 == Self::of(sealed).crc32),
        )
    }
}

impl Header {
    pub(super) fn new(kind: &str, options: Value, data: Fingerprint) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            kind: kind.to_owned(),
            options,
            data,
            elapsed_s: 0.0,
        }
    }

    /// Replaces the file by one that holds this state, in one step.
    pub(super) fn save<S: Serialize>(&self, path: &Path, state: &S) -> Result<(), Failure> {
        let written = Written {
            header: self,
            state,
        };
        let sealed = || -> serde_json::Result<Vec<u8>> {
            let mut bytes = serde_json::to_vec(&written)?;
            bytes.push(b'\n');
            let seal = Seal::of(&bytes);
            serde_json::to_writer(&mut bytes, &seal)?;
            bytes.push(b'\n');
            Ok(bytes)
        };
        let bytes = sealed().map_err(|error| Failure::Output {
            path: path.to_owned(),
            source: error.into(),
        })?;
        write_atomic(path, &bytes).map_err(|error| match error {
            UaiError::Io { file, source } => Failure::Output { path: file, source },
            error => Failure::File(error),
        })
    }

    /// Reads a state that this run can go on from, and how long it took to get there.
    pub(super) fn load<S: DeserializeOwned>(&self, path: &Path) -> Result<(S, f64), Failure> {
        let wrong = |message: String| Failure::Checkpoint {
            file: PathBuf::from(path),
            message,
        };
        let bytes = fs::read(path).map_err(|source| {
            Failure::File(UaiError::Io {
                file: path.to_owned(),
                source,
            })
        })?;
        let broken =
            |error: &dyn Display| wrong(format!("is cut off, damaged, or no checkpoint: {error}"));
        let unread = |error: serde_json::Error| broken(&error);
        let (bytes, whole) = Seal::broken_up(&bytes);
        let Format { format, version } = serde_json::from_slice(bytes).map_err(unread)?;
        if format != FORMAT || !(BEFORE..=VERSION).contains(&version) {
            return Err(wrong(format!(
                "is a `{format}` of version {version}, where a `{FORMAT}` of version {VERSION} is \
                 needed"
            )));
        }
        if !whole {
            return Err(broken(&"its checksum is missing, or does not fit"));
        }
        let found: Header = serde_json::from_slice(bytes).map_err(unread)?;
        if found.kind != self.kind {
            return Err(wrong(format!(
                "is of another model: {}, not {}",
                found.kind, self.kind
            )));
        }
        if found.data != self.data {
            let Fingerprint { rows, columns, .. } = found.data;
            return Err(wrong(format!(
                "was made with other data: {rows} rows of {columns} columns{}",
                if (rows, columns) == (self.data.rows, self.data.columns) {
                    " with other numbers"
                } else {
                    ""
                }
            )));
        }
        if let Some(difference) = difference(&found.options, &self.options) {
            return Err(wrong(format!("was made with other options: {difference}")));
        }
        let state = if version == VERSION {
            serde_json::from_slice(bytes).map(|State { state }| state)
        } else {
            let old = serde_json::from_slice(bytes).map(|State { state }| state);
            old.and_then(|old| serde_json::from_value(renewed(&self.kind, old)))
        };
        Ok((state.map_err(unread)?, found.elapsed_s))
    }
}

/// The first option that differs.
fn difference(then: &Value, now: &Value) -> Option<String> {
    let (Some(old), Some(new)) = (then.as_object(), now.as_object()) else {
        return (then != now).then(|| format!("{then}, and now {now}"));
    };
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    let none = Value::Null;
    let value =
        |of: &serde_json::Map<String, Value>, name: &str| of.get(name).unwrap_or(&none).to_string();
    let name = names
        .into_iter()
        .find(|name| old.get(*name) != new.get(*name))?;
    Some(format!(
        "{name} was {}, and is {} now",
        value(old, name),
        value(new, name)
    ))
}

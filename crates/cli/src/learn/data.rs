//! Data files: matrices with examples in rows.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use forney_uai::UaiError;
use ndarray::{Array2, ShapeBuilder};
use zip::ZipArchive;
use zip::result::ZipError;

use super::delimited;
use super::npy::Header;
use super::trouble::{Allowance, Trouble};
use crate::error::Failure;

/// A file of data, and how much memory it may take.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    /// The array of an archive that holds several.
    pub(super) array: Option<&'a str>,
    /// Bytes.
    pub(super) memory: f64,
}

impl Source<'_> {
    /// The matrix, NaN where a text has no number; a vector is a single column.
    pub(super) fn read(&self) -> Result<Array2<f64>, Failure> {
        let name = self.path.to_string_lossy().to_lowercase();
        if let Some(array) = self.array
            && !name.ends_with(".npz")
        {
            return Err(self.wrong(format!("holds no array `{array}`: it is no .npz file")));
        }
        let file = File::open(self.path).map_err(|error| self.io(error))?;
        let data = if name.ends_with(".npz") {
            self.read_npz(file)
        } else {
            let metadata = file.metadata().map_err(|error| self.io(error))?;
            // What is read from a pipe has a length that nobody knows.
            let length = metadata.is_file().then_some(metadata.len());
            let file = BufReader::new(file);
            if name.ends_with(".npy") {
                self.read_npy(file, length)
            } else {
                delimited::read(file, length, &self.allowance())
            }
        };
        let data = data.map_err(|trouble| match trouble {
            Trouble::Io(source) => self.io(source),
            Trouble::Malformed(message) => self.wrong(message),
            Trouble::TooLarge(bytes) => Failure::DataTooLarge {
                file: self.path.to_owned(),
                bytes,
                limit: self.memory,
            },
        })?;
        if data.is_empty() {
            let (rows, columns) = data.dim();
            return Err(self.wrong(format!(
                "holds no numbers: {rows} rows of {columns} columns"
            )));
        }
        Ok(data)
    }

    fn allowance(&self) -> Allowance {
        Allowance { bytes: self.memory }
    }

    /// The array behind a header, of so many bytes with it, where that is known.
    fn read_npy(&self, mut file: impl Read, length: Option<u64>) -> Result<Array2<f64>, Trouble> {
        let header = Header::read(&mut file)?;
        let dim = match *header.shape {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            ref shape => {
                return Err(Trouble::Malformed(format!(
                    "has the shape {shape:?}; a matrix is needed, with examples in rows (reshape it \
                     to two axes)"
                )));
            }
        };
        let values = header.entries_of(&mut file, length, &self.allowance())?;
        let matrix = Array2::from_shape_vec(dim.set_f(header.fortran), values);
        let matrix = matrix.map_err(|error| Trouble::Malformed(error.to_string()))?;
        Ok(if header.fortran {
            matrix.as_standard_layout().into_owned()
        } else {
            matrix
        })
    }

    fn read_npz(&self, file: impl Read + Seek) -> Result<Array2<f64>, Trouble> {
        let broken = |error: ZipError| match error {
            ZipError::Io(error) => Trouble::Io(error),
            error => Trouble::Malformed(format!("is no .npz file: {error}")),
        };
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
        let members: Vec<String> = archive.file_names().map(str::to_owned).collect();
        // Archives of numpy add an ending to the names of arrays.
        let plain = |member: &String| member.strip_suffix(".npy").unwrap_or(member).to_owned();
        let names: Vec<String> = members.iter().map(plain).collect();
        let place = match self.array {
            Some(name) => names.iter().position(|known| known == name),
            None => (names.len() == 1).then_some(0),
        };
        let Some(place) = place else {
            return Err(Trouble::Malformed(match self.array {
                _ if names.is_empty() => "holds no array".to_owned(),
                Some(name) => format!("holds no array `{name}`, but {}", listed(&names)),
                None => format!(
                    "holds several arrays: choose one by --array: {}",
                    listed(&names)
                ),
            }));
        };
        let member = archive.by_name(&members[place]).map_err(broken)?;
        let length = member.size();
        self.read_npy(member, Some(length))
    }

    /// What is wrong with the file.
    pub(super) fn wrong(&self, message: String) -> Failure {
        Failure::Data {
            file: self.path.to_owned(),
            message,
        }
    }

    fn io(&self, source: io::Error) -> Failure {
        Failure::File(UaiError::Io {
            file: self.path.to_owned(),
            source,
        })
    }

    /// Refuses NaN and infinities, naming the first.
    pub(super) fn finite(&self, data: &Array2<f64>) -> Result<(), Failure> {
        let mut entries = data.indexed_iter();
        match entries.find(|(_, value)| !value.is_finite()) {
            None => Ok(()),
            Some(((row, column), value)) => Err(self.wrong(format!(
                "has {value} in row {row}, column {column} (both counted from 0): remove the row, \
                 or put a number there"
            ))),
        }
    }

    /// The numbers of a matrix that holds integers from `least` on; `missing` stands for NaN.
    pub(super) fn integers<T: TryFrom<i64> + Copy>(
        &self,
        data: &Array2<f64>,
        least: i64,
        missing: Option<T>,
    ) -> Result<Array2<T>, Failure> {
        let mut integers = Vec::with_capacity(data.len());
        for ((row, column), &value) in data.indexed_iter() {
            let whole = value.trunc().total_cmp(&value).is_eq() && value >= least as f64;
            let number = match missing {
                Some(missing) if value.is_nan() => Some(missing),
                // A cast saturates, and what does not fit is refused by the conversion.
                _ if whole => T::try_from(value as i64).ok(),
                _ => None,
            };
            integers.push(number.ok_or_else(|| {
                self.wrong(format!(
                    "has {value} in row {row}, column {column} (both counted from 0), where a whole \
                     number from {least} on is needed"
                ))
            })?);
        }
        // One number for each entry.
        Array2::from_shape_vec(data.dim(), integers)
            .map_err(|error| Failure::Internal(error.to_string()))
    }
}

/// Some names, of perhaps many.
fn listed(names: &[String]) -> String {
    const MOST: usize = 10;
    let more = if names.len() > MOST { ", …" } else { "" };
    names[..names.len().min(MOST)].join(", ") + more
}

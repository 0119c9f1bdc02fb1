//! Data files: matrices with examples in rows.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use forney_uai::UaiError;
use ndarray::{Array2, ArrayD, Axis, Ix2};
use ndarray_npy::npy::header::Header;
use ndarray_npy::{NpzReader, ReadNpyError, ReadNpzError};

use super::numbers::any_type;
use super::text;
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
    /// The matrix, NaN where a text has an empty field; a vector is a single column.
    pub(super) fn read(&self) -> Result<Array2<f64>, Failure> {
        let name = self.path.to_string_lossy().to_lowercase();
        if let Some(array) = self.array
            && !name.ends_with(".npz")
        {
            return Err(self.wrong(format!("holds no array `{array}`: it is no .npz file")));
        }
        let file = File::open(self.path).map_err(|error| self.io(error))?;
        let data = if name.ends_with(".npz") {
            self.read_npz(file)?
        } else if name.ends_with(".npy") {
            self.read_npy(file)?
        } else {
            let size = file.metadata().map_err(|error| self.io(error))?.len();
            // The text, and at most one number of 8 bytes for each two characters.
            self.admit(5.0 * size as f64)?;
            text::read(file).map_err(|error| match error {
                text::Trouble::Io(source) => self.io(source),
                text::Trouble::Malformed(message) => self.wrong(format!("is malformed: {message}")),
            })?
        };
        if data.is_empty() {
            let (rows, columns) = data.dim();
            return Err(self.wrong(format!(
                "holds no numbers: {rows} rows of {columns} columns"
            )));
        }
        Ok(data)
    }

    fn read_npy(&self, mut file: File) -> Result<Array2<f64>, Failure> {
        let dtype = self.announced(&mut file)?;
        let array = any_type(|kind| {
            let file = File::open(self.path).map_err(ReadNpyError::Io)?;
            kind.read(BufReader::new(file))
        });
        self.matrix(array, &dtype)
    }

    /// Checks that there is room for the array that a header announces; returns the type of its entries.
    fn announced(&self, file: &mut impl Read) -> Result<String, Failure> {
        let header = Header::from_reader(file);
        let header = header.map_err(|error| self.wrong(format!("is no .npy file: {error}")))?;
        let entries: f64 = header.shape.iter().map(|&side| side as f64).product();
        // As it is read, and as the numbers that are worked with.
        self.admit(16.0 * entries)?;
        Ok(header.type_descriptor.to_string())
    }

    fn read_npz(&self, file: File) -> Result<Array2<f64>, Failure> {
        let broken = |error: ReadNpzError| self.wrong(format!("is no .npz file: {error}"));
        let mut archive = NpzReader::new(BufReader::new(file)).map_err(broken)?;
        let names = archive.names().map_err(broken)?;
        let name = match (self.array, names.as_slice()) {
            (Some(name), _) if names.iter().any(|known| known == name) => name,
            (None, [only]) => only,
            (None, []) => return Err(self.wrong("holds no array".to_owned())),
            (given, _) => {
                let names = names.join(", ");
                return Err(self.wrong(match given {
                    Some(name) => format!("holds no array `{name}`, but {names}"),
                    None => format!("holds several arrays: choose one by --array: {names}"),
                }));
            }
        };
        let dtype = {
            let file = File::open(self.path).map_err(|error| self.io(error))?;
            let zipped = |error| broken(ReadNpzError::Zip(error));
            let mut members = zip::ZipArchive::new(BufReader::new(file)).map_err(zipped)?;
            // Archives of numpy add an ending to the names of arrays.
            let member = match members.index_for_name(&format!("{name}.npy")) {
                Some(index) => members.by_index(index),
                None => members.by_name(name),
            };
            self.announced(&mut member.map_err(zipped)?)?
        };
        let array = any_type(|kind| {
            kind.read_from(&mut archive, name)
                .map_err(|error| match error {
                    ReadNpzError::Npy(error) => error,
                    ReadNpzError::Zip(error) => ReadNpyError::Io(io::Error::other(error)),
                })
        });
        self.matrix(array, &dtype)
    }

    fn matrix(
        &self,
        array: Result<ArrayD<f64>, ReadNpyError>,
        dtype: &str,
    ) -> Result<Array2<f64>, Failure> {
        let array = array.map_err(|error| {
            self.wrong(match error {
                ReadNpyError::WrongDescriptor(_) => format!(
                    "has entries of the type {dtype}; real numbers and integers are read, such as \
                     float64, float32, int64 or uint8"
                ),
                ReadNpyError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    "is cut off: its header promises more numbers".to_owned()
                }
                ReadNpyError::MissingData => {
                    "is cut off: its header promises more numbers".to_owned()
                }
                error => format!("cannot be read: {error}"),
            })
        })?;
        let shape = array.shape().to_vec();
        let array = if shape.len() == 1 {
            array.insert_axis(Axis(1))
        } else {
            array
        };
        let matrix = array.into_dimensionality::<Ix2>().map_err(|_| {
            self.wrong(format!(
                "has the shape {shape:?}; a matrix is needed, with examples in rows (reshape it to \
                 two axes)"
            ))
        })?;
        Ok(matrix.as_standard_layout().into_owned())
    }

    fn admit(&self, bytes: f64) -> Result<(), Failure> {
        if bytes <= self.memory {
            Ok(())
        } else {
            Err(Failure::DataTooLarge {
                file: self.path.to_owned(),
                bytes,
                limit: self.memory,
            })
        }
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

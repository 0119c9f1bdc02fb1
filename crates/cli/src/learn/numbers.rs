//! Arrays of any type of numbers, as `f64`.

use std::io::{Read, Seek};

use ndarray::ArrayD;
use ndarray_npy::{NpzReader, ReadNpyError, ReadNpyExt, ReadNpzError, ReadableElement};

/// The type of the numbers in a file.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    F64,
    F32,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::F64,
        Self::F32,
        Self::I64,
        Self::I32,
        Self::I16,
        Self::I8,
        Self::U64,
        Self::U32,
        Self::U16,
        Self::U8,
        Self::Bool,
    ];

    pub(super) fn read(self, file: impl Read) -> Result<ArrayD<f64>, ReadNpyError> {
        self.apply(Npy(file))
    }

    pub(super) fn read_from<R: Read + Seek>(
        self,
        archive: &mut NpzReader<R>,
        name: &str,
    ) -> Result<ArrayD<f64>, ReadNpzError> {
        self.apply(Npz(archive, name))
    }

    fn apply<I: Input>(self, input: I) -> Result<ArrayD<f64>, I::Error> {
        Ok(match self {
            Self::F64 => input.array::<f64>()?,
            Self::F32 => input.array::<f32>()?.mapv(f64::from),
            Self::I64 => input.array::<i64>()?.mapv(|x| x as f64),
            Self::I32 => input.array::<i32>()?.mapv(f64::from),
            Self::I16 => input.array::<i16>()?.mapv(f64::from),
            Self::I8 => input.array::<i8>()?.mapv(f64::from),
            Self::U64 => input.array::<u64>()?.mapv(|x| x as f64),
            Self::U32 => input.array::<u32>()?.mapv(f64::from),
            Self::U16 => input.array::<u16>()?.mapv(f64::from),
            Self::U8 => input.array::<u8>()?.mapv(f64::from),
            Self::Bool => input.array::<bool>()?.mapv(f64::from),
        })
    }
}

/// Where an array is read from, whatever its type.
trait Input {
    type Error;
    fn array<A: ReadableElement>(self) -> Result<ArrayD<A>, Self::Error>;
}

struct Npy<R>(R);

impl<R: Read> Input for Npy<R> {
    type Error = ReadNpyError;

    fn array<A: ReadableElement>(self) -> Result<ArrayD<A>, ReadNpyError> {
        ArrayD::read_npy(self.0)
    }
}

struct Npz<'a, R: Read + Seek>(&'a mut NpzReader<R>, &'a str);

impl<R: Read + Seek> Input for Npz<'_, R> {
    type Error = ReadNpzError;

    fn array<A: ReadableElement>(self) -> Result<ArrayD<A>, ReadNpzError> {
        self.0.by_name(self.1)
    }
}

/// Reads with each type until one is that of the file.
pub(super) fn any_type(
    mut read: impl FnMut(Kind) -> Result<ArrayD<f64>, ReadNpyError>,
) -> Result<ArrayD<f64>, ReadNpyError> {
    let mut result = read(Kind::ALL[0]);
    for kind in &Kind::ALL[1..] {
        match result {
            Err(ReadNpyError::WrongDescriptor(_)) => result = read(*kind),
            _ => break,
        }
    }
    result
}

//! Arrays in the format of numpy (NEP 1): a header that is a literal of Python, then plain numbers.
//!
//! The header comes from anywhere, so it is read in one pass, without recursion, and nothing is
//! allocated on its word alone.

use std::io::{self, Read};

use super::trouble::{Allowance, Trouble};

/// What a header announces.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub(super) shape: Vec<usize>,
    /// Whether the first index runs fastest.
    pub(super) fortran: bool,
    number: Number,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Number {
    class: Class,
    /// Bytes.
    size: usize,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    Float,
    Signed,
    Unsigned,
    Bool,
}

/// The longest header that is read. That of a matrix has some hundred bytes.
const LONGEST: usize = 1 << 16;

/// The most axes of an array of numpy.
const AXES: usize = 64;

/// Which types of entries there may be.
const READ: &str = "real numbers and integers are read, such as float64, float32, int64 or uint8";

/// Bytes of an array that are read at a time, a multiple of the size of each number.
const CHUNK: usize = 1 << 16;

fn malformed(message: impl Into<String>) -> Trouble {
    Trouble::Malformed(message.into())
}

fn no_npy(message: &str) -> Trouble {
    malformed(format!("is no .npy file: {message}"))
}

impl Header {
    /// Reads a header, and no byte behind it.
    pub(super) fn read(file: &mut impl Read) -> Result<Self, Trouble> {
        let mut bytes = |count: usize| {
            let mut bytes = vec![0; count];
            file.read_exact(&mut bytes).map_err(|error| match error {
                error if error.kind() == io::ErrorKind::UnexpectedEof => {
                    no_npy("it ends within its header")
                }
                error => Trouble::Io(error),
            })?;
            Ok(bytes)
        };
        let start = bytes(8)?;
        if !start.starts_with(b"\x93NUMPY") {
            return Err(no_npy("it does not begin as one"));
        }
        let length = match start[6] {
            1 => bytes(2)?.iter().rev().fold(0, shifted),
            2 | 3 => bytes(4)?.iter().rev().fold(0, shifted),
            version => return Err(no_npy(&format!("its version {version} is unknown"))),
        };
        if length > LONGEST {
            let message = format!("a header of {length} bytes is longer than {LONGEST}");
            return Err(no_npy(&message));
        }
        Literal::new(&bytes(length)?).header()
    }

    /// Number of entries; infinite if that is more than can be counted.
    pub(super) fn entries(&self) -> f64 {
        self.shape.iter().map(|&side| side as f64).product()
    }

    /// Reads all entries, in the order of the file, of which so many bytes are left, where that is
    /// known.
    pub(super) fn entries_of(
        &self,
        file: &mut impl Read,
        length: Option<u64>,
        allowance: &Allowance,
    ) -> Result<Vec<f64>, Trouble> {
        let entries = self.entries();
        // As they are read, and once more if their order has to be changed.
        let copies = if self.fortran { 2.0 } else { 1.0 };
        allowance.admit(8.0 * copies * entries)?;
        if length.is_some_and(|length| entries * self.number.size as f64 > length as f64) {
            return Err(cut_off());
        }
        // A cast saturates, and then there is no such room.
        let mut left = entries as usize;
        let size = self.number.size;
        let mut values = Vec::new();
        let no_room = |_| Trouble::TooLarge(8.0 * entries);
        values.try_reserve_exact(left).map_err(no_room)?;
        let mut chunk = vec![0; CHUNK];
        while left > 0 {
            let count = left.min(CHUNK / size);
            let bytes = &mut chunk[..count * size];
            file.read_exact(bytes).map_err(|error| match error {
                error if error.kind() == io::ErrorKind::UnexpectedEof => cut_off(),
                error => Trouble::Io(error),
            })?;
            self.number.decode(bytes, &mut values)?;
            left -= count;
        }
        match file.read(&mut chunk[..1]) {
            Ok(0) => Ok(values),
            Ok(_) => Err(malformed(
                "goes on behind the numbers that its header promises",
            )),
            Err(error) => Err(Trouble::Io(error)),
        }
    }
}

fn cut_off() -> Trouble {
    malformed("is cut off: its header promises more numbers")
}

fn shifted(word: usize, byte: &u8) -> usize {
    word << 8 | usize::from(*byte)
}

impl Number {
    /// The type that a header names, as `<f8`.
    fn named(name: &str) -> Option<Self> {
        let mut letters = name.chars();
        let big_endian = match letters.next()? {
            '<' | '|' => false,
            '>' => true,
            '=' => cfg!(target_endian = "big"),
            _ => return None,
        };
        let (class, sizes): (Class, &[usize]) = match letters.next()? {
            'f' => (Class::Float, &[2, 4, 8]),
            'i' => (Class::Signed, &[1, 2, 4, 8]),
            'u' => (Class::Unsigned, &[1, 2, 4, 8]),
            'b' => (Class::Bool, &[1]),
            _ => return None,
        };
        let size = letters.as_str().parse().ok()?;
        sizes.contains(&size).then_some(Self {
            class,
            size,
            big_endian,
        })
    }

    /// Appends the numbers that some bytes are.
    fn decode(self, bytes: &mut [u8], values: &mut Vec<f64>) -> Result<(), Trouble> {
        if self.big_endian {
            for number in bytes.chunks_exact_mut(self.size) {
                number.reverse();
            }
        }
        let words = bytes.chunks_exact(self.size).map(|bytes| {
            let mut word = [0; 8];
            word[..self.size].copy_from_slice(bytes);
            u64::from_le_bytes(word)
        });
        let unused = 64 - 8 * self.size as u32;
        match (self.class, self.size) {
            (Class::Float, 8) => values.extend(words.map(f64::from_bits)),
            (Class::Float, 4) => {
                values.extend(words.map(|word| f64::from(f32::from_bits(word as u32))));
            }
            (Class::Float, _) => values.extend(words.map(|word| half(word as u16))),
            (Class::Signed, _) => {
                values.extend(words.map(|word| ((word << unused) as i64 >> unused) as f64));
            }
            (Class::Unsigned, _) => values.extend(words.map(|word| word as f64)),
            (Class::Bool, _) => {
                for word in words {
                    if word > 1 {
                        return Err(malformed(format!("has the byte {word} for true or false")));
                    }
                    values.push(word as f64);
                }
            }
        }
        Ok(())
    }
}

/// A number of half precision: a sign, 5 bits of exponent, 10 of fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if bits & 1023 == 0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 0 { size } else { -size }
}

/// A literal of Python that is being read.
struct Literal<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Literal<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`, keys in any order.
    fn header(mut self) -> Result<Header, Trouble> {
        let (mut number, mut fortran, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while !self.took(b'}') {
            let key = self.string()?;
            self.expect(b':')?;
            match key {
                "descr" => number = Some(self.number()?),
                "fortran_order" => fortran = Some(self.boolean()?),
                "shape" => shape = Some(self.shape()?),
                _ => return Err(no_npy("its header has a key of its own")),
            }
            if !self.took(b',') {
                self.expect(b'}')?;
                break;
            }
        }
        match (number, fortran, shape) {
            (Some(number), Some(fortran), Some(shape)) => Ok(Header {
                shape,
                fortran,
                number,
            }),
            _ => Err(no_npy("its header lacks a key")),
        }
    }

    fn next(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn took(&mut self, byte: u8) -> bool {
        let took = self.next() == Some(byte);
        self.at += usize::from(took);
        took
    }

    fn expect(&mut self, byte: u8) -> Result<(), Trouble> {
        if self.took(byte) {
            return Ok(());
        }
        Err(no_npy(&format!(
            "its header lacks `{}` at byte {}",
            byte.escape_ascii(),
            self.at
        )))
    }

    /// What the next bytes that `is_part` are.
    fn word(&mut self, is_part: impl Fn(&u8) -> bool) -> &'a [u8] {
        self.next();
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| !is_part(byte));
        let word = &rest[..length.unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn string(&mut self) -> Result<&'a str, Trouble> {
        let quote = if self.took(b'"') { b'"' } else { b'\'' };
        if quote == b'\'' {
            self.expect(quote)?;
        }
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|&byte| byte == quote);
        let Some(length) = length else {
            return Err(no_npy("a quote of its header is not closed"));
        };
        self.at += length + 1;
        std::str::from_utf8(&rest[..length]).map_err(|_| no_npy("its header is no text"))
    }

    fn number(&mut self) -> Result<Number, Trouble> {
        let name = match self.next() {
            Some(b'\'' | b'"') => self.string()?,
            // It is not read, so it may be as deep as it likes.
            Some(b'[') => {
                return Err(malformed(format!(
                    "has records for entries: its header gives a list of types for them, not one \
                     type such as '<f8'; {READ}: save each field as an array of its own"
                )));
            }
            _ => return Err(no_npy("its header names no type of entries, such as '<f8'")),
        };
        Number::named(name).ok_or_else(|| {
            let short: String = name.chars().take(20).collect();
            malformed(format!("has entries of the type '{short}'; {READ}"))
        })
    }

    fn boolean(&mut self) -> Result<bool, Trouble> {
        match self.word(u8::is_ascii_alphabetic) {
            b"True" => Ok(true),
            b"False" => Ok(false),
            _ => Err(no_npy("its order is neither True nor False")),
        }
    }

    fn shape(&mut self) -> Result<Vec<usize>, Trouble> {
        self.expect(b'(')?;
        let mut shape = Vec::new();
        while !self.took(b')') {
            let digits = self.word(u8::is_ascii_digit);
            // Python 2 ends long integers so.
            self.took(b'L');
            let side = std::str::from_utf8(digits)
                .ok()
                .and_then(|s| s.parse().ok());
            shape.push(side.ok_or_else(|| no_npy("its shape has a side that is no number"))?);
            if shape.len() > AXES {
                return Err(no_npy(&format!("its shape has more than {AXES} sides")));
            }
            if !self.took(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, bytes: &[u8]) -> Vec<u8> {
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(bytes);
        file
    }

    fn read(header: &str, bytes: &[u8]) -> Result<(Header, Vec<f64>), String> {
        let file = file(header, bytes);
        let mut file = file.as_slice();
        let told = |trouble| match trouble {
            Trouble::Malformed(message) => message,
            Trouble::TooLarge(bytes) => format!("{bytes} bytes"),
            Trouble::Io(error) => error.to_string(),
        };
        let header = Header::read(&mut file).map_err(told)?;
        let allowance = Allowance { bytes: 1e6 };
        let length = Some(file.len() as u64);
        let values = header.entries_of(&mut file, length, &allowance);
        Ok((header, values.map_err(told)?))
    }

    #[test]
    fn all_types_of_numbers_in_both_orders_of_bytes() {
        let cases: [(&str, &[u8], f64); 14] = [
            ("<f8", &[0, 0, 0, 0, 0, 0, 0xf8, 0xbf], -1.5),
            (">f8", &[0xbf, 0xf8, 0, 0, 0, 0, 0, 0], -1.5),
            ("<f4", &[0, 0, 0xc0, 0xbf], -1.5),
            ("<f2", &[0x00, 0xbe], -1.5),
            (">f2", &[0x00, 0x01], 2f64.powi(-24)),
            ("<f2", &[0x00, 0x7c], f64::INFINITY),
            ("<i8", &[0xfe, 255, 255, 255, 255, 255, 255, 255], -2.0),
            (">i4", &[255, 255, 255, 0xfe], -2.0),
            ("<i2", &[0xfe, 255], -2.0),
            ("|i1", &[0xfe], -2.0),
            ("<u8", &[255; 8], u64::MAX as f64),
            ("<u2", &[0xfe, 255], 65_534.0),
            ("|u1", &[0xfe], 254.0),
            ("|b1", &[1], 1.0),
        ];
        for (name, bytes, value) in cases {
            let header =
                format!("{{'descr': '{name}', 'fortran_order': False, 'shape': (1,), }}\n");
            let (_, values) = read(&header, bytes).unwrap();
            assert_eq!(values.len(), 1);
            assert_eq!(values[0].to_bits(), value.to_bits(), "{name}");
        }
    }

    #[test]
    fn headers_as_any_python_writes_them() {
        let bytes = [0; 6];
        for header in [
            "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
            "{\"shape\":(2,3),\"fortran_order\":True,\"descr\":\"|u1\"}",
            " { 'shape' : ( 2L , 3L, ) , 'descr':'|u1' ,\n'fortran_order':True } \n",
        ] {
            let (found, values) = read(header, &bytes).unwrap();
            assert_eq!((found.shape.as_slice(), found.fortran), (&[2, 3][..], true));
            assert_eq!(values, [0.0; 6]);
        }
    }

    #[test]
    fn what_is_no_header_is_refused_at_once() {
        let deep = "[".repeat(30_000);
        let axes = "1,".repeat(65);
        for (header, message) in [
            ("", "lacks `{`"),
            ("{}", "lacks a key"),
            ("{'descr': '<f8', 'shape': (1,)}", "lacks a key"),
            ("{'descr", "is not closed"),
            ("{'descr': '<f8' 'shape'", "lacks `}`"),
            ("{'colour': 1}", "a key of its own"),
            ("{'descr': '<c8'}", "entries of the type '<c8'"),
            ("{'descr': '<f16'}", "entries of the type '<f16'"),
            ("{'descr': [('a', '<f8')]}", "gives a list of types"),
            ("{'descr': 8}", "names no type of entries"),
            ("{'descr'", "lacks `:`"),
            ("{'descr':", "names no type of entries"),
            ("{'shape': (-1,)}", "a side that is no number"),
            (
                "{'shape': (99999999999999999999,)}",
                "a side that is no number",
            ),
            ("{'fortran_order': 1}", "neither True nor False"),
            (&format!("{{'descr': {deep}"), "gives a list of types"),
            (&format!("{{'shape': {deep}"), "lacks `(`"),
            (&format!("{{'shape': ({axes})}}"), "more than 64 sides"),
        ] {
            let told = read(header, &[]).unwrap_err();
            assert!(told.contains(message), "{told}");
        }
        let mut long = b"\x93NUMPY\x02\x00".to_vec();
        long.extend(u32::MAX.to_le_bytes());
        assert!(Header::read(&mut long.as_slice()).is_err());
    }

    #[test]
    fn arrays_of_another_length_than_promised() {
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}";
        assert!(read(header, &[1, 2]).unwrap_err().contains("is cut off"));
        assert!(
            read(header, &[1; 4])
                .unwrap_err()
                .contains("goes on behind")
        );
        for shape in ["(0, 4)", "(9999999999, 9999999999, 9999999999, 0)"] {
            let empty = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}");
            assert_eq!(read(&empty, &[]).unwrap().1, [0.0; 0]);
        }
        let huge = "{'descr': '|u1', 'fortran_order': False, 'shape': (9999999999, 9999999999)}";
        assert!(read(huge, &[1; 4]).unwrap_err().ends_with("bytes"));
        let bool = "{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}";
        assert!(read(bool, &[2]).unwrap_err().contains("the byte 2"));
    }
}

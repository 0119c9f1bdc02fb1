//! Matrices as text, one row on each line.
//!
//! What is plain is read, as whatever tool has written it; what could mean two things is refused.

use std::borrow::Cow;
use std::io::{BufRead, ErrorKind};

use ndarray::Array2;

use super::field::{Field, decimal_comma};
use super::suspicion::Suspicions;
use super::trouble::{Allowance, Trouble, malformed};

/// What stands between two fields.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Separator {
    Byte(u8),
    /// Any number of spaces.
    Spaces,
}

/// The separators, in the order in which they are looked for.
const SEPARATORS: [u8; 3] = *b"\t;,";

/// Reads a matrix, from a text of so many bytes where that is known; NaN where a field is missing. A
/// first line of names is skipped, and so are empty lines and those that begin with `#`.
pub(super) fn read(
    file: impl BufRead,
    length: Option<u64>,
    allowance: &Allowance,
) -> Result<Array2<f64>, Trouble> {
    let mut lines = Lines {
        file,
        line: Vec::new(),
        number: 0,
        read: 0,
    };
    let mut table = Table::default();
    while let Some(Line { text, number, read }) = lines.next(allowance)? {
        // A line of tabs is a row of which all is missing.
        let is_empty = text.trim().is_empty() && !text.contains('\t');
        if is_empty || text.trim_start().starts_with('#') {
            continue;
        }
        table.add(text, number)?;
        let share = length.map_or(1.0, |length| read as f64 / length.max(1) as f64);
        table.make_room(share, allowance)?;
    }
    table.finish()
}

/// A line, its number from 1, and the bytes of the text up to its end.
struct Line<'a> {
    text: &'a str,
    number: usize,
    read: u64,
}

/// The lines of a text.
struct Lines<R> {
    file: R,
    line: Vec<u8>,
    number: usize,
    read: u64,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self, allowance: &Allowance) -> Result<Option<Line<'_>>, Trouble> {
        self.line.clear();
        loop {
            let bytes = match self.file.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.map_err(Trouble::Io)?,
            };
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let count = end.map_or(bytes.len(), |end| end + 1);
            // What has no lines is no text, however long it is.
            allowance.admit(2.0 * (self.line.len() + count) as f64)?;
            self.line.extend_from_slice(&bytes[..count]);
            self.file.consume(count);
            self.read += count as u64;
            if end.is_some() || count == 0 {
                break;
            }
        }
        if self.line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let mut line = self.line.as_slice();
        if self.number == 1 {
            if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
                let message = "is text in UTF-16: save it as UTF-8";
                return Err(Trouble::Malformed(message.to_owned()));
            }
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        match std::str::from_utf8(line) {
            Ok(line) if !line.contains('\0') => Ok(Some(Line {
                text: line.trim_end_matches(['\r', '\n']),
                number: self.number,
                read: self.read,
            })),
            _ => Err(malformed(format!(
                "line {} is no text; binary data are read from .npy and .npz files",
                self.number
            ))),
        }
    }
}

/// The rows so far.
#[derive(Default)]
struct Table {
    separator: Option<Separator>,
    /// Of each line.
    columns: usize,
    values: Vec<f64>,
    suspicions: Suspicions,
}

impl Table {
    /// Reads a line: a row, or names if it is the first.
    fn add(&mut self, line: &str, number: usize) -> Result<(), Trouble> {
        let is_first = self.separator.is_none();
        let separator = *self.separator.get_or_insert_with(|| separator_of(line));
        let before = self.values.len();
        let (mut columns, mut numbers) = (0, 0);
        let mut word: Option<(usize, String)> = None;
        let fields = fields(line, separator)
            .map_err(|message| malformed(format!("line {number}: {message}")))?;
        for text in &fields {
            match Field::of(text) {
                Field::Number(value) => {
                    numbers += 1;
                    self.values.push(value);
                }
                Field::Bool(value) => {
                    numbers += 1;
                    self.values.push(f64::from(u8::from(value)));
                    self.suspicions.saw_bool(columns, number);
                }
                Field::Missing => self.values.push(f64::NAN),
                Field::Word => {
                    word.get_or_insert_with(|| (columns, text.to_string()));
                }
            }
            columns += 1;
        }
        if !is_first && columns != self.columns {
            return Err(malformed(format!(
                "line {number} has {columns} fields, but the lines before have {}",
                self.columns
            )));
        }
        self.columns = columns;
        if let Some((column, found)) = word {
            let names = is_first && numbers == 0;
            if !names {
                let more = if is_first {
                    "; if this line holds names, some of which are numbers, remove it, or begin it \
                     with #"
                } else if decimal_comma(&found) {
                    "; write decimals with a point"
                } else {
                    ""
                };
                return Err(malformed(format!(
                    "line {number}, column {column} (counted from 0): `{found}` is no number{more}"
                )));
            }
            self.values.truncate(before);
            self.suspicions.saw_names(&fields);
        } else {
            let commas = separator == Separator::Byte(b',');
            self.suspicions
                .saw_row(&fields, &self.values[before..], number, is_first, commas);
        }
        Ok(())
    }

    /// Makes room for as many numbers as there are, before the next line needs it; `share` says which
    /// part of the text they are.
    fn make_room(&mut self, share: f64, allowance: &Allowance) -> Result<(), Trouble> {
        let (len, capacity) = (self.values.len(), self.values.capacity());
        if capacity - len >= self.columns {
            return Ok(());
        }
        // Old and new memory exist side by side while the numbers move.
        let more = len.max(self.columns);
        if allowance
            .admit(8.0 * (capacity + len + more) as f64)
            .is_err()
        {
            return Err(Trouble::TooLarge(8.0 * len as f64 / share.min(1.0)));
        }
        self.values
            .try_reserve_exact(more)
            .map_err(|_| Trouble::TooLarge(8.0 * (len + more) as f64))
    }

    fn finish(self) -> Result<Array2<f64>, Trouble> {
        let rows = self.values.len() / self.columns.max(1);
        self.suspicions.confirm(&self.values, self.columns)?;
        Array2::from_shape_vec((rows, self.columns), self.values)
            .map_err(|error| malformed(error.to_string()))
    }
}

/// What the first line is separated by; a line of one field by whatever there may be.
fn separator_of(line: &str) -> Separator {
    let found = SEPARATORS
        .into_iter()
        .find(|byte| line.as_bytes().contains(byte));
    match found {
        Some(byte) => Separator::Byte(byte),
        None if line.contains(char::is_whitespace) => Separator::Spaces,
        None => Separator::Byte(b','),
    }
}

/// The fields of a line, without the quotes and spaces around them.
fn fields(line: &str, separator: Separator) -> Result<Vec<Cow<'_, str>>, String> {
    let line = match separator {
        Separator::Spaces => line.trim(),
        Separator::Byte(_) => line,
    };
    let separates = |c: char| match separator {
        Separator::Byte(byte) => c == char::from(byte),
        Separator::Spaces => c.is_whitespace(),
    };
    if !line.contains('"') {
        return Ok(match separator {
            Separator::Byte(_) => line
                .split(separates)
                .map(|field| field.trim().into())
                .collect(),
            Separator::Spaces => line.split_whitespace().map(Cow::from).collect(),
        });
    }
    let (mut fields, mut rest) = (Vec::new(), line);
    loop {
        // Tabs are spaces, too, unless they separate.
        let around =
            |c: char| c.is_whitespace() && (separator == Separator::Spaces || !separates(c));
        rest = rest.trim_start_matches(around);
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find(separates);
            fields.push(rest[..end.unwrap_or(rest.len())].trim_end().into());
            let Some(end) = end else { break };
            rest = &rest[end..];
            rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
            continue;
        };
        // A quote within quotes is written twice.
        let mut field = String::new();
        let mut inside = quoted;
        loop {
            let Some(end) = inside.find('"') else {
                return Err("a quote is not closed".to_owned());
            };
            field += &inside[..end];
            inside = &inside[end + 1..];
            match inside.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    inside = more;
                }
                None => break,
            }
        }
        fields.push(field.trim().to_owned().into());
        let inside = inside.trim_start_matches(|c: char| c.is_whitespace() && !separates(c));
        let mut behind = inside.chars();
        match behind.next() {
            None => break,
            Some(c) if separates(c) => rest = behind.as_str(),
            Some(_) => return Err("a field goes on behind its quotes".to_owned()),
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    fn told(text: &[u8]) -> Result<Array2<f64>, String> {
        let allowance = Allowance { bytes: 1e6 };
        read(text, Some(text.len() as u64), &allowance).map_err(|trouble| match trouble {
            Trouble::Malformed(message) => message,
            other => format!("{other:?}"),
        })
    }

    fn matrix(text: &str) -> Array2<f64> {
        told(text.as_bytes()).unwrap_or_else(|message| panic!("{message} in {text:?}"))
    }

    #[track_caller]
    fn refused(text: &str, message: &str) {
        let error = told(text.as_bytes()).expect_err(text);
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn separators_names_and_comments() {
        let expected = array![[1.0, -2.5], [3.0, 4e2]];
        for text in [
            "1,-2.5\n3,4e2\n",
            "1;-2.5\r\n3;4e2",
            "1\t-2.5\n3\t400\n\n",
            "a, b\n1, -2.5\n3, 4e2\n",
            "a,\n1, -2.5\n3, 4e2\n",
            "# made by hand\n1,-2.5\n3,400\n",
            "1.0 -2.5e+00\n  3   4.e2\n",
            "\u{feff}x y\n1 -2.5\n3 4D2\n",
            "\"a \"\"b\"\"\", \"c,d\"\n\"1\",-2.5\n3,\" 4.0d+02 \"\n",
            "\"a b\" c\n1 -2.5\n3 400\n",
            "\t\"b\"\n1\t-2.5\n3\t400\n",
            "\"a\" \"b\" \n 1  \"-2.5\"\n3 400 \n",
        ] {
            assert_eq!(matrix(text), expected, "{text:?}");
        }
        assert_eq!(matrix("x\n1\n2\n"), array![[1.0], [2.0]]);
        assert_eq!(matrix("1\n2\n\n"), array![[1.0], [2.0]]);
    }

    #[test]
    fn missing_fields() {
        let found = matrix("a,b\n,1\nNA,nan\n?,NULL\nnone,N/A\n");
        let missing = found.iter().filter(|value| value.is_nan()).count();
        assert_eq!((found.dim(), missing), ((4, 2), 7));
        assert_eq!(found[[0, 1]].to_bits(), 1f64.to_bits());
        assert_eq!(matrix("1\t2\n\t3\n4\t\n\t\n").dim(), (4, 2));
        // A row without any number is a row, unless it holds a word.
        assert_eq!(matrix("?,?\n1,2\n").nrows(), 2);
    }

    #[test]
    fn truth_values_are_numbers_where_all_are() {
        assert_eq!(
            matrix("True,3\nFALSE,4.5\n"),
            array![[1.0, 3.0], [0.0, 4.5]]
        );
        assert_eq!(matrix("true,3\n0,4.5\n"), array![[1.0, 3.0], [0.0, 4.5]]);
        refused("0.5,1\nTrue,2\n", "line 2, column 0 (counted from 0)");
        refused("True,1\n0.5,2\n", "line 1, column 0 (counted from 0)");
    }

    #[test]
    fn lines_and_columns_of_mistakes() {
        for (text, message) in [
            ("1,2\n3,x\n", "line 2, column 1 (counted from 0): `x`"),
            ("1,2x\n3,4\n", "line 1, column 1 (counted from 0): `2x`"),
            ("1,2\n3\n", "line 2 has 1 fields"),
            ("# a\n\n1,2\n3\n", "line 4 has 1 fields"),
            (
                "1;2\n1,5;3\n",
                "`1,5` is no number; write decimals with a point",
            ),
            (
                "x,1,2\n0.5,1,2\n",
                "`x` is no number; if this line holds names",
            ),
            ("1,\"2\n3,4\n", "line 1: a quote is not closed"),
            (
                "1,\"2\"3\n3,4\n",
                "line 1: a field goes on behind its quotes",
            ),
            ("1,2\0\n3,4\n", "line 1 is no text"),
        ] {
            refused(text, message);
        }
        assert!(
            told(b"1,2\n\xff\xfe,3\n")
                .unwrap_err()
                .contains("line 2 is no text")
        );
        assert!(told(b"\xff\xfe1\x00").unwrap_err().contains("UTF-16"));
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        refused("2020,2021\n0.5,1.5\n0.25,2.5\n", "the first row counts up");
        refused(",a,b\n0,0.5,1.5\n1,0.5,2.5\n", "column 0 has no name");
        refused("0,50\n0,05\n1,25\n", "decimal comma");
        refused("1,50\n-0,25\n1,25\n", "decimal comma");
        // These are plain.
        assert_eq!(matrix("1,2\n3,4\n5,6\n").nrows(), 3);
        assert_eq!(matrix("1,2\n0.5,1\n0.25,3\n").nrows(), 3);
        assert_eq!(matrix(",a\n0,0.5\n2,1.5\n").nrows(), 2);
        assert_eq!(matrix("0,1\n1,0\n0,0\n").nrows(), 3);
        assert_eq!(matrix("0,05\n0.5,1.5\n").nrows(), 2);
    }

    #[test]
    fn memory_is_asked_for_before_it_is_taken() {
        let text = "1,0\n".repeat(1000);
        for (bytes, fits) in [(1e5, true), (4e3, false), (10.0, false)] {
            let found = read(text.as_bytes(), Some(4000), &Allowance { bytes });
            assert_eq!(found.is_ok(), fits, "{bytes}");
        }
        let line = "1 ".repeat(10_000);
        let found = read(line.as_bytes(), None, &Allowance { bytes: 1e4 });
        assert!(matches!(found, Err(Trouble::TooLarge(_))));
    }
}

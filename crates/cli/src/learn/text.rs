//! Matrices as text, one row on each line.

use std::io::{self, Read};

use ndarray::Array2;

/// What can be wrong with a text.
pub(super) enum Trouble {
    Io(io::Error),
    Malformed(String),
}

/// The separators, in the order in which they are looked for.
const SEPARATORS: [u8; 3] = *b"\t;,";

/// Reads a matrix; NaN where a field is empty. A first line of names is skipped.
pub(super) fn read(mut file: impl Read) -> Result<Array2<f64>, Trouble> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(Trouble::Io)?;
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let first = lines.find(|line| !line.starts_with(b"#"));
    let first = first.unwrap_or_default();
    let separator = SEPARATORS.into_iter().find(|byte| first.contains(byte));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator.unwrap_or(b','))
        .has_headers(false)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(bytes.as_slice());
    let (mut values, mut columns) = (Vec::new(), 0);
    for (place, record) in reader.records().enumerate() {
        let record = record.map_err(|error| Trouble::Malformed(told(&error)))?;
        columns = record.len();
        let line = record.position().map_or(0, csv::Position::line);
        let row: Vec<Option<f64>> = record.iter().map(number).collect();
        match row.iter().position(Option::is_none) {
            None => values.extend(row.into_iter().flatten()),
            // Names, none of which is a number.
            Some(_) if place == 0 && row.iter().all(Option::is_none) => {}
            Some(column) => {
                let found = record.get(column).unwrap_or_default();
                return Err(Trouble::Malformed(format!(
                    "line {line}, column {column} (counted from 0): `{found}` is no number"
                )));
            }
        }
    }
    let rows = values.len() / columns.max(1);
    Array2::from_shape_vec((rows, columns), values)
        .map_err(|error| Trouble::Malformed(error.to_string()))
}

/// The number of a field, NaN for none.
fn number(field: &str) -> Option<f64> {
    if field.is_empty() || field.eq_ignore_ascii_case("na") {
        return Some(f64::NAN);
    }
    field.parse().ok()
}

fn told(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!("line {line} has {len} fields, but the lines before have {expected_len}")
        }
        csv::ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!("line {line} is no text; binary data are read from .npy and .npz files")
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::{Trouble, read};

    fn matrix(text: &str) -> Array2<f64> {
        match read(text.as_bytes()) {
            Ok(matrix) => matrix,
            Err(Trouble::Malformed(message)) => panic!("{message}"),
            Err(Trouble::Io(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn separators_names_and_comments() {
        let expected = array![[1.0, -2.5], [3.0, 4e2]];
        for text in [
            "1,-2.5\n3,4e2\n",
            "1;-2.5\r\n3;4e2",
            "1\t-2.5\n3\t400\n\n",
            "a, b\n1, -2.5\n3, 4e2\n",
            "# made by hand\n1,-2.5\n3,400\n",
        ] {
            assert_eq!(matrix(text), expected, "{text:?}");
        }
        assert_eq!(matrix("x\n1\n2\n"), array![[1.0], [2.0]]);
    }

    #[test]
    fn empty_fields_are_missing() {
        let found = matrix("a,b\n,1\nNA,nan\n");
        assert!(found[[0, 0]].is_nan() && found[[1, 0]].is_nan() && found[[1, 1]].is_nan());
        assert_eq!(found[[0, 1]].to_bits(), 1f64.to_bits());
    }

    #[test]
    fn lines_and_columns_of_mistakes() {
        for (text, message) in [
            ("1,2\n3,x\n", "line 2, column 1 (counted from 0): `x`"),
            ("1,2x\n3,4\n", "line 1, column 1 (counted from 0): `2x`"),
            ("1,2\n3\n", "line 2 has 1 fields"),
        ] {
            match read(text.as_bytes()) {
                Err(Trouble::Malformed(told)) => assert!(told.contains(message), "{told}"),
                _ => panic!("{text:?}"),
            }
        }
        assert!(read(&b"1,2\n\xff\xfe,3\n"[..]).is_err());
    }
}

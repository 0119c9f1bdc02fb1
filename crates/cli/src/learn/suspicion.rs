//! Tables that can be read, but perhaps not as they were meant.

use std::borrow::Cow;

use super::trouble::{Trouble, malformed};

/// What a table has been suspected of so far, and nothing has refuted yet.
#[derive(Default)]
pub(super) struct Suspicions {
    /// The line of the first `true` or `false` in each column that has one.
    bools: Vec<(usize, usize)>,
    /// The first column has no name.
    nameless: bool,
    /// The first row counts up, as the names of columns do that have no other.
    counting: Option<String>,
    /// Rows since then, all of which have points or exponents in every number.
    fractional: usize,
    commas: Commas,
}

/// Whether a table of two columns may be one of numbers with decimal commas.
#[derive(Default)]
enum Commas {
    #[default]
    Unknown,
    /// All rows could be so, and none must.
    Possible,
    /// This row makes no sense otherwise.
    Evident(String),
    Refuted,
}

impl Suspicions {
    pub(super) fn saw_bool(&mut self, column: usize, line: usize) {
        if self.bools.iter().all(|&(known, _)| known != column) {
            self.bools.push((column, line));
        }
    }

    pub(super) fn saw_names(&mut self, names: &[Cow<'_, str>]) {
        self.nameless = names.len() > 1 && names[0].is_empty();
        self.commas = Commas::Refuted;
    }

    /// A row without words.
    pub(super) fn saw_row(
        &mut self,
        fields: &[Cow<'_, str>],
        values: &[f64],
        line: usize,
        is_first: bool,
        commas: bool,
    ) {
        if is_first && counts_up(fields, values) {
            self.counting = Some(fields[0].clone().into_owned());
        } else if self.counting.is_some() {
            if fields
                .iter()
                .zip(values)
                .all(|(text, x)| x.is_nan() || is_fractional(text))
            {
                self.fractional += 1;
            } else {
                self.counting = None;
            }
        }
        if !matches!(self.commas, Commas::Refuted) {
            self.commas = self.after(fields, line, commas);
        }
    }

    fn after(&mut self, fields: &[Cow<'_, str>], line: usize, commas: bool) -> Commas {
        let [whole, decimals] = fields else {
            return Commas::Refuted;
        };
        let unsigned = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        if !commas || !is_digits(unsigned) || !is_digits(decimals) {
            return Commas::Refuted;
        }
        match std::mem::take(&mut self.commas) {
            Commas::Evident(place) => Commas::Evident(place),
            // No integer is written as 05, or as -0.
            _ if decimals.len() > 1 && decimals.starts_with('0') || &**whole == "-0" => {
                Commas::Evident(format!("line {line}: `{whole},{decimals}`"))
            }
            _ => Commas::Possible,
        }
    }

    /// Refuses what is still suspect at the end.
    pub(super) fn confirm(&self, values: &[f64], columns: usize) -> Result<(), Trouble> {
        for &(column, line) in &self.bools {
            let mut entries = values.iter().skip(column).step_by(columns);
            if let Some(other) = entries.find(|x| !(x.is_nan() || matches!(x.to_bits(), 0 | ONE))) {
                return Err(malformed(format!(
                    "line {line}, column {column} (counted from 0): true or false, in a column with \
                     the number {other}; write 1 or 0"
                )));
            }
        }
        if let (Some(first), 2..) = (&self.counting, self.fractional) {
            return Err(malformed(format!(
                "the first row counts up from {first}, and all others have decimals: if it holds the \
                 names of the columns, remove it, or begin it with #; if it is a row, write {first}.0"
            )));
        }
        let index = || values.iter().step_by(columns.max(1));
        if self.nameless
            && index().count() > 1
            && index()
                .zip(index().skip(1))
                .all(|(a, b)| (b - a - 1.0).abs() < 1e-9)
        {
            return Err(malformed(
                "column 0 has no name, and counts the rows: if it is their index, leave it out \
                 (pandas: index=False; R: row.names=FALSE); if it is not, name it",
            ));
        }
        if let Commas::Evident(place) = &self.commas {
            return Err(malformed(format!(
                "{place} looks like one number with a decimal comma: write decimals with a point"
            )));
        }
        Ok(())
    }
}

/// The bits of 1.
const ONE: u64 = 1f64.to_bits();

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a number is written with a point or an exponent.
fn is_fractional(text: &str) -> bool {
    text.bytes()
        .any(|byte| !(byte.is_ascii_digit() || byte == b'-' || byte == b'+'))
}

/// Whether these are integers, each one more than the one before.
fn counts_up(fields: &[Cow<'_, str>], values: &[f64]) -> bool {
    fields.len() > 1
        && fields.iter().all(|text| is_digits(text))
        && values
            .windows(2)
            .all(|pair| (pair[1] - pair[0] - 1.0).abs() < 1e-9)
}

//! Tokens between white space, and where they stand.

use std::fmt::Arguments;

use crate::{Fault, UaiError};

/// A token and its offset in the file.
#[derive(Clone, Copy)]
pub(crate) struct Token<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Token<'a> {
    pub(crate) fn text(self) -> &'a [u8] {
        self.text
    }

    /// The number that the token spells, as `str::parse` reads it.
    pub(crate) fn parse<T: std::str::FromStr>(self) -> Option<T> {
        std::str::from_utf8(self.text).ok()?.parse().ok()
    }
}

/// A whole number and its token.
#[derive(Clone, Copy)]
pub(crate) struct Number<'a> {
    pub(crate) value: usize,
    pub(crate) token: Token<'a>,
}

/// A cursor over the tokens of a file.
///
/// It keeps only an offset; line and column are counted when an error needs them.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, next: 0 }
    }

    pub(crate) fn next(&mut self) -> Option<Token<'a>> {
        let rest = &self.bytes[self.next..];
        let start = rest.iter().position(|byte| !is_space(*byte))?;
        let rest = &rest[start..];
        let len = rest
            .iter()
            .position(|byte| is_space(*byte))
            .unwrap_or(rest.len());
        let at = self.next + start;
        self.next = at + len;
        Some(Token {
            text: &rest[..len],
            at,
        })
    }

    pub(crate) fn token(&mut self, expected: Arguments<'_>) -> Result<Token<'a>, UaiError> {
        self.next().ok_or_else(|| self.ends_before(expected))
    }

    pub(crate) fn number(&mut self, expected: Arguments<'_>) -> Result<Number<'a>, UaiError> {
        let token = self.token(expected)?;
        match token.parse() {
            Some(value) => Ok(Number { value, token }),
            None => Err(self.error(Fault::Token, token, expected)),
        }
    }

    /// A number below `end`.
    pub(crate) fn index(
        &mut self,
        end: usize,
        expected: Arguments<'_>,
    ) -> Result<Number<'a>, UaiError> {
        let number = self.number(format_args!("{expected}, below {end}"))?;
        if number.value < end {
            return Ok(number);
        }
        Err(self.error(
            Fault::Range,
            number.token,
            format_args!("{expected}, below {end}"),
        ))
    }

    /// How many items follow, each of at least `tokens` tokens: a count that the rest of the file
    /// cannot hold is refused before anything is allocated for it.
    pub(crate) fn count(
        &mut self,
        tokens: usize,
        expected: Arguments<'_>,
    ) -> Result<usize, UaiError> {
        let number = self.number(expected)?;
        let most = (self.room() / tokens).min(u32::MAX as usize);
        if number.value <= most {
            return Ok(number.value);
        }
        let fits = format_args!("{expected}, at most {most} by the size of the file");
        Err(self.error(Fault::Truncated, number.token, fits))
    }

    /// The largest number of tokens that may still follow: a byte and a space for each.
    pub(crate) fn room(&self) -> usize {
        (self.bytes.len() - self.next) / 2
    }

    /// All that is left, as whole numbers.
    pub(crate) fn numbers(mut self, expected: Arguments<'_>) -> Result<Vec<Number<'a>>, UaiError> {
        let mut numbers = Vec::new();
        while let Some(token) = self.next() {
            let Some(value) = token.parse() else {
                return Err(self.error(Fault::Token, token, expected));
            };
            numbers.push(Number { value, token });
        }
        Ok(numbers)
    }

    /// Nothing may be left.
    pub(crate) fn end(&mut self) -> Result<(), UaiError> {
        match self.next() {
            None => Ok(()),
            Some(token) => {
                Err(self.error(Fault::Trailing, token, format_args!("the end of the file")))
            }
        }
    }

    pub(crate) fn error(
        &self,
        fault: Fault,
        token: Token<'_>,
        expected: Arguments<'_>,
    ) -> UaiError {
        self.malformed(fault, token.at, expected, quoted(token.text))
    }

    pub(crate) fn ends_before(&self, expected: Arguments<'_>) -> UaiError {
        let blanks = self.bytes.iter().rev().take_while(|byte| is_space(**byte));
        let end = self.bytes.len() - blanks.count();
        let found = "the end of the file".to_owned();
        self.malformed(Fault::Truncated, end, expected, found)
    }

    fn malformed(
        &self,
        fault: Fault,
        at: usize,
        expected: Arguments<'_>,
        found: String,
    ) -> UaiError {
        let (line, column) = self.place(at);
        UaiError::Malformed {
            file: None,
            line,
            column,
            fault,
            expected: expected.to_string(),
            found,
        }
    }

    /// Line and column of a token, from 1.
    pub(crate) fn place_of(&self, token: Token<'_>) -> (usize, usize) {
        self.place(token.at)
    }

    fn place(&self, at: usize) -> (usize, usize) {
        let before = &self.bytes[..at];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        (line, 1 + at - start)
    }
}

/// The white space of C's `isspace`, which other tools split at.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'\x0b'
}

/// A token fit for a message: binary made visible, length limited.
fn quoted(text: &[u8]) -> String {
    const SHOWN: usize = 40;
    let shown = String::from_utf8_lossy(&text[..text.len().min(SHOWN)]);
    let more = if text.len() > SHOWN { "…" } else { "" };
    format!("`{}{more}`", shown.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_where_an_editor_shows_them() {
        let reader = Reader::new(b"\n  one\r\n\ttwo\x0bthree");
        let mut tokens = reader;
        let places: Vec<_> = std::iter::from_fn(|| tokens.next())
            .map(|token| (token.text(), reader.place_of(token)))
            .collect();
        assert_eq!(
            places,
            [
                (b"one".as_slice(), (2, 3)),
                (b"two".as_slice(), (3, 2)),
                (b"three".as_slice(), (3, 6)),
            ]
        );
    }

    #[test]
    fn binary_tokens_are_shown_escaped_and_cut() {
        let mut text = vec![0u8; 1000];
        text[1] = 0xff;
        let shown = quoted(&text);
        assert!(shown.starts_with("`\\0\u{fffd}\\0"), "{shown}");
        assert!(shown.ends_with("…`") && shown.len() < 200, "{shown}");
    }
}

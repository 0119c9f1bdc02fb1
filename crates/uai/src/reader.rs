//! Tokens, what may stand between them, and where they stand.

use std::fmt::Arguments;

use crate::{Fault, UaiError, Warning};

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

    /// The whole number that the token spells.
    fn whole(self) -> Option<usize> {
        // So many digits cannot overflow, and nearly all numbers have no more.
        if self.text.len() <= 9 && self.text.iter().all(u8::is_ascii_digit) {
            let digits = self.text.iter().map(|digit| usize::from(digit - b'0'));
            return Some(digits.fold(0, |number, digit| 10 * number + digit));
        }
        self.parse()
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
/// Tokens stand between white space. A comma behind a token that white space follows counts as
/// white space; any other comma stays in its token, as it may be the decimal point of some country.
/// `#` and `//` begin a comment that reaches to the end of its line, and so does a lone `c` at the
/// beginning of a line. A byte order mark in front is skipped, and so are the NUL and Ctrl-Z at the
/// end that some systems write there.
///
/// It keeps only an offset; line and column are counted when an error needs them.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    next: usize,
    /// May a comma stand here, behind a token?
    comma: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let padding = |byte: &&u8| is_space(**byte) || matches!(**byte, b'\0' | b'\x1a');
        let end = bytes.len() - bytes.iter().rev().take_while(padding).count();
        Self {
            bytes: &bytes[..end],
            next: 0,
            comma: false,
        }
    }

    pub(crate) fn next(&mut self) -> Option<Token<'a>> {
        let at = self.skip()?;
        let mut end = at + 1;
        loop {
            let rest = self.bytes[end..].iter();
            end += rest.take_while(|byte| !may_end_token(**byte)).count();
            if self.ends_token(end) {
                break;
            }
            end += 1;
        }
        let comma = self.is_separator(end);
        self.next = if comma { end + 1 } else { end };
        self.comma = !comma;
        Some(Token {
            text: &self.bytes[at..end],
            at,
        })
    }

    /// Where the next token begins.
    fn skip(&mut self) -> Option<usize> {
        let mut at = self.next;
        loop {
            let byte = *self.bytes.get(at)?;
            if is_space(byte) {
                at += 1;
            } else if self.comma && self.is_separator(at) {
                self.comma = false;
                at += 1;
            } else if self.begins_comment(at) || self.begins_comment_line(at) {
                let rest = &self.bytes[at..];
                at += rest.iter().position(|byte| ends_line(*byte))?;
            } else {
                return Some(at);
            }
        }
    }

    /// Is what stands here no part of a token that began before?
    fn ends_token(&self, at: usize) -> bool {
        match self.bytes.get(at) {
            None => true,
            Some(b',') => self.is_separator(at),
            Some(b'#' | b'/') => self.begins_comment(at),
            Some(byte) => is_space(*byte),
        }
    }

    /// A comma that no token goes on behind.
    fn is_separator(&self, at: usize) -> bool {
        self.bytes.get(at) == Some(&b',')
            && (self.bytes.get(at + 1).is_none_or(|byte| is_space(*byte))
                || self.begins_comment(at + 1))
    }

    fn begins_comment(&self, at: usize) -> bool {
        match self.bytes.get(at) {
            Some(b'#') => true,
            Some(b'/') => self.bytes.get(at + 1) == Some(&b'/'),
            _ => false,
        }
    }

    /// A word `c` in front of a line: no number and no header is spelt so.
    fn begins_comment_line(&self, at: usize) -> bool {
        self.bytes[at] == b'c' && self.bytes.get(at + 1).is_none_or(|byte| is_space(*byte)) && {
            let before = self.bytes[..at].iter().rev();
            let mut before = before.skip_while(|byte| matches!(byte, b' ' | b'\t'));
            before.next().is_none_or(|byte| ends_line(*byte))
        }
    }

    pub(crate) fn token(&mut self, expected: Arguments<'_>) -> Result<Token<'a>, UaiError> {
        self.next().ok_or_else(|| self.ends_before(expected))
    }

    pub(crate) fn number(&mut self, expected: Arguments<'_>) -> Result<Number<'a>, UaiError> {
        let token = self.token(expected)?;
        self.whole(token, expected)
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
            numbers.push(self.whole(token, expected)?);
        }
        Ok(numbers)
    }

    /// How many tokens are left, all of them whole numbers.
    pub(crate) fn count_numbers(mut self, expected: Arguments<'_>) -> Result<usize, UaiError> {
        let mut count = 0;
        while let Some(token) = self.next() {
            self.whole(token, expected)?;
            count += 1;
        }
        Ok(count)
    }

    /// The next token, if it is a whole number.
    pub(crate) fn next_number(&mut self) -> Option<Number<'a>> {
        let token = self.next()?;
        let value = token.whole()?;
        Some(Number { value, token })
    }

    fn whole(&self, token: Token<'a>, expected: Arguments<'_>) -> Result<Number<'a>, UaiError> {
        match token.whole() {
            Some(value) => Ok(Number { value, token }),
            None => Err(self.error(Fault::Token, token, expected)),
        }
    }

    /// Do two tokens stand on different lines?
    pub(crate) fn newline_between(&self, one: Token<'_>, other: Token<'_>) -> bool {
        self.bytes[one.at..other.at].contains(&b'\n')
    }

    /// What is left, if anything is.
    pub(crate) fn trailing(mut self, after: &'static str) -> Option<Warning> {
        let first = self.next()?;
        let (line, column) = self.place_of(first);
        let mut words = 1;
        while self.next().is_some() {
            words += 1;
        }
        Some(Warning::Trailing {
            line,
            column,
            words,
            after,
        })
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
        let decimal_comma = token.text.contains(&b',') && token.text.iter().any(u8::is_ascii_digit);
        let hint = decimal_comma.then_some(
            "a comma may separate numbers or stand for a decimal point: write a point, or a space \
             behind the comma",
        );
        self.malformed(fault, token.at, expected, quoted(token.text), hint)
    }

    /// An error with a way out.
    pub(crate) fn error_with(
        &self,
        fault: Fault,
        token: Token<'_>,
        expected: Arguments<'_>,
        hint: &'static str,
    ) -> UaiError {
        self.malformed(fault, token.at, expected, quoted(token.text), Some(hint))
    }

    pub(crate) fn ends_before(&self, expected: Arguments<'_>) -> UaiError {
        let found = "the end of the file".to_owned();
        self.malformed(Fault::Truncated, self.bytes.len(), expected, found, None)
    }

    fn malformed(
        &self,
        fault: Fault,
        at: usize,
        expected: Arguments<'_>,
        found: String,
        hint: Option<&'static str>,
    ) -> UaiError {
        let (line, column) = self.place(at);
        UaiError::Malformed {
            file: None,
            line,
            column,
            fault,
            expected: expected.to_string(),
            found,
            hint,
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

/// White space, `#`, `,` and `/`.
fn may_end_token(byte: u8) -> bool {
    const SUCH: u64 = 0x3e00 | 1 << b' ' | 1 << b'#' | 1 << b',' | 1 << b'/';
    byte < 64 && SUCH >> byte & 1 == 1
}

/// The white space of C's `isspace`, which other tools split at.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'\x0b'
}

fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
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

    fn tokens(text: &[u8]) -> Vec<&str> {
        let mut reader = Reader::new(text);
        let tokens = std::iter::from_fn(|| reader.next());
        tokens
            .map(|token| std::str::from_utf8(token.text()).unwrap())
            .collect()
    }

    #[test]
    fn comments_reach_to_the_end_of_their_line() {
        for (text, expected) in [
            ("# one\n2 # three\r\n4#five", vec!["2", "4"]),
            ("// one\n2 // three\r4//five\n6", vec!["2", "4", "6"]),
            ("c one\n  c two\nc\n3 c 4\nc5", vec!["3", "c", "4", "c5"]),
            ("c", vec![]),
            ("# no end", vec![]),
            ("1/3 / a/b", vec!["1/3", "/", "a/b"]),
        ] {
            assert_eq!(tokens(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn commas_separate_only_before_white_space() {
        for (text, expected) in [
            ("1, 2,3 , 4,", vec!["1", "2,3", "4"]),
            ("1,# one\n2,// two\n,3", vec!["1", "2", ",3"]),
            ("1,, 2", vec!["1,", "2"]),
            ("1, , 2", vec!["1", ",", "2"]),
            (", 1", vec![",", "1"]),
            (",", vec![","]),
        ] {
            assert_eq!(tokens(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn marks_and_padding_are_no_tokens() {
        assert_eq!(tokens(b"\xef\xbb\xbf1 2\n\x1a"), ["1", "2"]);
        assert_eq!(tokens(b"1 2\0\0\n\0"), ["1", "2"]);
        assert_eq!(
            tokens(b"1\x002 3"),
            ["1\0".to_owned() + "2", "3".to_owned()]
        );
        assert_eq!(tokens(b"\0"), [""; 0]);
    }

    #[test]
    fn what_may_end_a_token_is_what_it_says() {
        for byte in 0..=255 {
            let such = is_space(byte) || matches!(byte, b'#' | b',' | b'/');
            assert_eq!(may_end_token(byte), such, "{byte}");
        }
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

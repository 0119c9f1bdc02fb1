//! Names the format of a file that is no UAI file.

use crate::reader::Reader;

/// How far into a file a word is looked for.
const SEEN: usize = 4096;

/// What a file that does not begin as a UAI model looks like, and how to convert it.
pub(crate) fn looks_like(bytes: &[u8]) -> Option<&'static str> {
    packed(bytes).or_else(|| marked_up(bytes)).or_else(|| {
        let mut reader = Reader::new(bytes);
        let first = reader.next()?.text();
        let then: Vec<&[u8]> = std::iter::from_fn(|| reader.next())
            .map(|token| token.text())
            .take(4)
            .collect();
        worded(first, &then)
    })
}

/// Formats that begin with fixed bytes and are no text.
fn packed(bytes: &[u8]) -> Option<&'static str> {
    let marks: [(&[u8], &str); 9] = [
        (b"\x1f\x8b", "this looks like gzip: unpack it with `gunzip`"),
        (b"BZh", "this looks like bzip2: unpack it with `bunzip2`"),
        (b"\xfd7zXZ\0", "this looks like xz: unpack it with `unxz`"),
        (
            b"\x28\xb5\x2f\xfd",
            "this looks like zstd: unpack it with `unzstd`",
        ),
        (b"PK\x03\x04", "this looks like zip: unpack it with `unzip`"),
        (
            b"\x93NUMPY",
            "this looks like a NumPy array: it holds data, not a model",
        ),
        (
            b"\xff\xfe",
            "this looks like UTF-16: save it as UTF-8, or `iconv -f UTF-16 -t UTF-8`",
        ),
        (
            b"\xfe\xff",
            "this looks like UTF-16: save it as UTF-8, or `iconv -f UTF-16 -t UTF-8`",
        ),
        (b"%PDF", "this looks like a PDF document"),
    ];
    let found = marks.iter().find(|(mark, _)| bytes.starts_with(mark));
    found.map(|(_, hint)| *hint)
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    let begin = &bytes[..bytes.len().min(SEEN)];
    begin
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}

/// Formats of angle and curly brackets.
fn marked_up(bytes: &[u8]) -> Option<&'static str> {
    let first = Reader::new(bytes).next()?.text();
    match first.first()? {
        b'<' if holds(bytes, b"<bif") => Some(
            "this looks like XMLBIF: pgmpy converts it, \
             `UAIWriter(XMLBIFReader(FILE).get_model().to_markov_model())`",
        ),
        b'<' if holds(bytes, b"<smile") => Some(
            "this looks like XDSL of GeNIe: pgmpy converts it, \
             `UAIWriter(XDSLReader(FILE).get_model().to_markov_model())`",
        ),
        b'<' => Some("this looks like XML: export the model as UAI with the tool that wrote it"),
        b'{' if holds(bytes, b"problem") => Some(
            "this looks like a cost function network (.cfn) of toulbar2: write each cost c as the \
             entry exp(-c) of a UAI table",
        ),
        b'{' | b'[' if begins_json(bytes) => {
            Some("this looks like JSON: export the model as UAI with the tool that wrote it")
        }
        _ => None,
    }
}

/// Does a value of JSON, or the end of an empty one, stand behind the brackets that open? TOML and
/// INI have the name of a section there.
fn begins_json(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    let inside = std::iter::from_fn(|| reader.next()).find_map(|token| {
        let text = token.text();
        let at = text.iter().position(|byte| !b"{[".contains(byte))?;
        Some(&text[at..])
    });
    let words: [&[u8]; 3] = [b"true", b"false", b"null"];
    inside.is_some_and(|text| {
        matches!(text[0], b'"' | b'-' | b'0'..=b'9' | b'}' | b']')
            || words.iter().any(|word| text.starts_with(word))
    })
}

/// Formats that begin with a word.
fn worded(first: &[u8], then: &[&[u8]]) -> Option<&'static str> {
    let whole = |text: &&[u8]| text.iter().all(u8::is_ascii_digit);
    let brace = then.iter().any(|text| text.contains(&b'{'));
    match first {
        b"network" => Some(
            "this looks like BIF: pgmpy converts it, \
             `UAIWriter(BIFReader(FILE).get_model().to_markov_model())`",
        ),
        b"net" | b"node" | b"class" if brace || first == b"net" => Some(
            "this looks like a net of Hugin: pgmpy converts it, \
             `UAIWriter(NETReader(FILE).get_model().to_markov_model())`",
        ),
        b"net{" => Some(
            "this looks like a net of Hugin: pgmpy converts it, \
             `UAIWriter(NETReader(FILE).get_model().to_markov_model())`",
        ),
        b"p" => Some(
            "this looks like DIMACS: write each clause as a UAI table of 1, and 0 where the clause \
             is false",
        ),
        b"PR" | b"MAR" | b"MAP" | b"MPE" => {
            Some("this looks like a result of a solver, not a model")
        }
        number if whole(&number) => Some(
            "a file of numbers alone may be evidence, or a factor graph (.fg) of libDAI, which \
             runs the first variable of a table fastest: write its scopes in reverse order, all \
             of them before the tables, behind `MARKOV` and the cardinalities",
        ),
        _ if then.len() == 4 && then.iter().all(whole) => Some(
            "this looks like a weighted constraint network (.wcsp) of toulbar2: write each cost c \
             as the entry exp(-c) of a UAI table",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_how_they_begin() {
        for (text, name) in [
            (&b"\x1f\x8b\x08\x00"[..], "gzip"),
            (b"\x93NUMPY\x01\x00", "NumPy"),
            (b"\xff\xfeM\0A\0", "UTF-16"),
            (b"network unknown {\n}\n", "BIF"),
            (b"// made by a tool\nnetwork asia {", "BIF"),
            (b"<?xml version=\"1.0\"?>\n<BIF VERSION=\"0.3\">", "XMLBIF"),
            (b"\xef\xbb\xbf<?xml?>\n<smile version", "XDSL"),
            (b"<html>", "XML"),
            (b"net\n{\n}", "Hugin"),
            (b"net{ }", "Hugin"),
            (b"node a { states", "Hugin"),
            (b"c a comment\np cnf 2 1\n1 2 0", "DIMACS"),
            (b"{ \"problem\": { \"name\"", "toulbar2"),
            (b"{problem:{name:x", "toulbar2"),
            (b"{\"a\": 1}", "JSON"),
            (b"\xef\xbb\xbf[\n  [ -1, 2]]", "JSON"),
            (b"[null]", "JSON"),
            (b"{ }", "JSON"),
            (b"latin 3 4 10 99\n4 4 4", ".wcsp"),
            (b"2\n\n2\n0 1\n2 2\n4", "libDAI"),
            (b"PR\n-1.5", "result"),
        ] {
            let hint = looks_like(text).unwrap_or_default();
            let text = String::from_utf8_lossy(text);
            assert!(hint.contains(name), "{text:?}: {hint}");
        }
        for text in [
            &b""[..],
            b"MARKOW 2",
            b"node",
            b"a b c d e",
            b"\x7fELF",
            b"# a manifest\n[workspace]\nmembers = [\"a\"]",
            b"[[bin]]\nname = \"a\"",
            b"[",
        ] {
            assert_eq!(looks_like(text), None);
        }
    }
}

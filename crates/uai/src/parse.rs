//! Reads model files.

use std::path::Path;

use forney_model::{MAX_CARD, VarId, table_len};

use crate::format::looks_like;
use crate::number::{NotReal, Real, logarithm, real};
use crate::reader::{Reader, Token};
use crate::rows::Rows;
use crate::{Entries, Fault, ModelKind, UaiError, UaiFactor, UaiModel};

/// Reads a `.uai` model.
///
/// Legal and read as such: `MARKOV 0 0`, variables that no factor mentions, cardinality 1, scopes
/// without variables, repeated scopes, hard zeros, factors of nothing but zeros. Also read, as the
/// meaning is plain: the first word in any case, comments (see the [crate]), entries with the
/// exponents of Fortran (`1.0D0`), and fractions (`1/3`).
///
/// An entry that is not 0 but too small or large for a normal `f64`, such as `4.87e-525`, makes its
/// table one of [logarithms](Entries::Ln).
///
/// What follows the last table is passed over with a [warning](crate::Warning), and so are rows of
/// a `BAYES` model that do not sum to 1 within 0.015.
///
/// # Errors
/// [`UaiError::Malformed`] at the first token that breaks the format. If the first word is that of
/// another format, the error names it and says how to convert.
///
/// # Complexity
/// Linear in the length of the file, whatever its counts claim.
///
/// # Example
/// ```
/// use forney_model::VarId;
/// use forney_uai::{Entries, ModelKind, read_model};
/// let model = read_model(b"BAYES\n2\n2 2\n2\n1 0\n2 0 1\n2 .4 .6\n4 .1 .9 .5 .5")?;
/// assert_eq!(model.kind, ModelKind::Bayes);
/// assert_eq!(model.factors[1].scope, [VarId(0), VarId(1)]);
/// assert_eq!(model.factors[1].entries, Entries::Values(vec![0.1, 0.9, 0.5, 0.5]));
/// # Ok::<(), forney_uai::UaiError>(())
/// ```
pub fn read_model(bytes: &[u8]) -> Result<UaiModel, UaiError> {
    read(bytes, Notation::Values)
}

/// Reads a model whose tables hold natural logarithms in place of values, `-inf` for a hard zero:
/// toulbar2's `.LG`, in all else a `.uai` model.
///
/// toulbar2's manual names no base; its program takes the logarithms as natural ones.
///
/// # Errors
/// As [`read_model`]; entries may be negative, and must be finite or `-inf`.
///
/// # Example
/// ```
/// use forney_uai::{Entries, read_log_model};
/// let model = read_log_model(b"MARKOV 1 2  1  1 0  2 0 -400")?;
/// assert_eq!(model.factors[0].entries, Entries::Ln(vec![0.0, -400.0]));
/// # Ok::<(), forney_uai::UaiError>(())
/// ```
pub fn read_log_model(bytes: &[u8]) -> Result<UaiModel, UaiError> {
    read(bytes, Notation::Logarithms)
}

/// Reads the bytes of a model file.
pub type ModelReader = fn(&[u8]) -> Result<UaiModel, UaiError>;

/// The reader of a model file by its name: [`read_log_model`] if it ends in `.LG` in any case, or else
/// [`read_model`].
///
/// # Example
/// ```no_run
/// use forney_uai::{model_reader, read_file};
/// let model = read_file("scene.LG", model_reader("scene.LG"))?;
/// # Ok::<(), forney_uai::UaiError>(())
/// ```
#[must_use]
pub fn model_reader(path: impl AsRef<Path>) -> ModelReader {
    match path.as_ref().extension() {
        Some(ending) if ending.eq_ignore_ascii_case("lg") => read_log_model,
        _ => read_model,
    }
}

/// How the entries of a file are to be read.
#[derive(Clone, Copy)]
enum Notation {
    Values,
    Logarithms,
}

fn read(bytes: &[u8], notation: Notation) -> Result<UaiModel, UaiError> {
    let mut reader = Reader::new(bytes);
    let kind = read_kind(&mut reader, bytes)?;
    let variables = reader.count(1, format_args!("the number of variables"))?;
    let mut cards = Vec::with_capacity(variables);
    for var in 0..variables {
        cards.push(read_card(&mut reader, var)?);
    }
    // A factor takes the length of its scope, that of its table, and at least one entry.
    let count = reader.count(3, format_args!("the number of factors"))?;
    let mut factors = Vec::with_capacity(count);
    // `last[v]` is the last factor that mentions v, so that a repetition is seen at once.
    let mut last = vec![usize::MAX; variables];
    for factor in 0..count {
        factors.push(UaiFactor {
            scope: read_scope(&mut reader, factor, &mut last)?,
            entries: Entries::Values(Vec::new()),
        });
    }
    let mut rows = Rows::default();
    for (number, factor) in factors.iter_mut().enumerate() {
        let count = read_table_len(&mut reader, number, &factor.scope, &cards)?;
        factor.entries = match notation {
            Notation::Values => read_values(&mut reader, number, count.len)?,
            Notation::Logarithms => read_logarithms(&mut reader, number, count.len)?,
        };
        if kind == ModelKind::Bayes {
            let place = || reader.place_of(count.token);
            rows.look(number, &factor.scope, &cards, &factor.entries, place);
        }
    }
    let trailing = reader.trailing("the last table");
    Ok(UaiModel {
        kind,
        cards,
        factors,
        warnings: rows.warning().into_iter().chain(trailing).collect(),
    })
}

fn read_kind(reader: &mut Reader<'_>, bytes: &[u8]) -> Result<ModelKind, UaiError> {
    let expected = format_args!("MARKOV or BAYES");
    let token = reader.token(expected)?;
    ModelKind::named(token.text()).ok_or_else(|| match looks_like(bytes) {
        Some(hint) => reader.error_with(Fault::Format, token, expected, hint),
        None => reader.error(Fault::Token, token, expected),
    })
}

fn read_card(reader: &mut Reader<'_>, var: usize) -> Result<usize, UaiError> {
    let expected = format_args!("the cardinality of variable {var}, 1 to {MAX_CARD}");
    let card = reader.number(expected)?;
    if !(1..=MAX_CARD).contains(&card.value) {
        return Err(reader.error(Fault::Range, card.token, expected));
    }
    Ok(card.value)
}

fn read_scope(
    reader: &mut Reader<'_>,
    factor: usize,
    last: &mut [usize],
) -> Result<Vec<VarId>, UaiError> {
    let variables = last.len();
    let len = reader.index(
        variables + 1,
        format_args!("the number of variables of factor {factor}"),
    )?;
    let mut scope = Vec::with_capacity(len.value.min(reader.room()));
    for _ in 0..len.value {
        let var = reader.index(variables, format_args!("a variable of factor {factor}"))?;
        if std::mem::replace(&mut last[var.value], factor) == factor {
            let once = format_args!("each variable of factor {factor} once");
            return Err(reader.error(Fault::Duplicate, var.token, once));
        }
        scope.push(VarId::new(var.value));
    }
    Ok(scope)
}

/// The number of entries of a table, which the scope tells as well.
struct TableLen<'a> {
    len: usize,
    token: Token<'a>,
}

fn read_table_len<'a>(
    reader: &mut Reader<'a>,
    factor: usize,
    scope: &[VarId],
    cards: &[usize],
) -> Result<TableLen<'a>, UaiError> {
    let count = reader.number(format_args!("the number of entries of factor {factor}"))?;
    let (len, token) = (count.value, count.token);
    let mut states = scope.iter().map(|var| cards[var.index()]);
    if states.try_fold(1usize, usize::checked_mul) == Some(len) {
        return Ok(TableLen { len, token });
    }
    let states: Vec<usize> = scope.iter().map(|var| cards[var.index()]).collect();
    let product = match table_len(&states) {
        None => "more than can be addressed".to_owned(),
        Some(product) => product.to_string(),
    };
    let words: Vec<String> = states.iter().map(usize::to_string).collect();
    let cards = match words.as_slice() {
        [] => "no variables".to_owned(),
        words => format!("cardinalities {}", words.join(" × ")),
    };
    let expected = format_args!("the number of entries of factor {factor}, {product} ({cards})");
    Err(reader.error(Fault::Count, token, expected))
}

fn read_values(reader: &mut Reader<'_>, factor: usize, len: usize) -> Result<Entries, UaiError> {
    let mut entries = Vec::with_capacity(len.min(reader.room()));
    let mut logarithms = false;
    for entry in 0..len {
        let token = reader.token(format_args!("entry {entry} of factor {factor}"))?;
        let number = real(token.text())
            .map_err(|reason| refuse_value(reader, token, factor, entry, reason))?;
        match (number, logarithms) {
            (Real::Value(value), false) => entries.push(value),
            (number, true) => entries.push(number.ln()),
            (Real::Ln(ln), false) => {
                logarithms = true;
                entries
                    .iter_mut()
                    .for_each(|value: &mut f64| *value = value.ln());
                entries.push(ln);
            }
        }
    }
    Ok(match logarithms {
        true => Entries::Ln(entries),
        false => Entries::Values(entries),
    })
}

fn refuse_value(
    reader: &Reader<'_>,
    token: Token<'_>,
    factor: usize,
    entry: usize,
    reason: NotReal,
) -> UaiError {
    let expected = format_args!("entry {entry} of factor {factor}, a finite number from 0 upwards");
    match reason {
        NotReal::Word => reader.error(Fault::Token, token, expected),
        NotReal::Range => reader.error(Fault::Range, token, expected),
        NotReal::Negative => reader.error(Fault::Negative, token, expected),
    }
}

fn read_logarithms(
    reader: &mut Reader<'_>,
    factor: usize,
    len: usize,
) -> Result<Entries, UaiError> {
    let mut entries = Vec::with_capacity(len.min(reader.room()));
    for entry in 0..len {
        let expected =
            format_args!("entry {entry} of factor {factor}, a natural logarithm, finite or -inf");
        let token = reader.token(expected)?;
        entries.push(logarithm(token.text()).map_err(|reason| {
            let fault = match reason {
                NotReal::Word => Fault::Token,
                NotReal::Negative | NotReal::Range => Fault::Range,
            };
            reader.error(fault, token, expected)
        })?);
    }
    Ok(Entries::Ln(entries))
}

//! Reads model files.

use forney_model::{MAX_CARD, VarId, table_len};

use crate::reader::Reader;
use crate::{Fault, ModelKind, Trailing, UaiError, UaiFactor, UaiModel};

/// Reads a `.uai` model.
///
/// Legal and read as such: `MARKOV 0 0`, variables that no factor mentions, cardinality 1, scopes
/// without variables, repeated scopes, hard zeros, factors of nothing but zeros.
///
/// # Errors
/// [`UaiError::Malformed`] at the first token that breaks the format. An entry that is not 0 in the
/// file but would be 0 or infinite as `f64` breaks it too: it would become a false hard zero.
///
/// # Complexity
/// Linear in the length of the file, whatever its counts claim.
///
/// # Example
/// ```
/// use forney_model::VarId;
/// use forney_uai::{ModelKind, read_model};
/// let model = read_model(b"BAYES\n2\n2 2\n2\n1 0\n2 0 1\n2 .4 .6\n4 .1 .9 .5 .5")?;
/// assert_eq!(model.kind, ModelKind::Bayes);
/// assert_eq!(model.factors[1].scope, [VarId(0), VarId(1)]);
/// assert_eq!(model.factors[1].values, [0.1, 0.9, 0.5, 0.5]);
/// # Ok::<(), forney_uai::UaiError>(())
/// ```
pub fn read_model(bytes: &[u8]) -> Result<UaiModel, UaiError> {
    let mut reader = Reader::new(bytes);
    let kind = read_kind(&mut reader)?;
    let variables = reader.count(1, format_args!("the number of variables"))?;
    let mut cards = Vec::with_capacity(variables);
    for var in 0..variables {
        cards.push(read_card(&mut reader, var)?);
    }
    // A factor takes the length of its scope, that of its table, and at least one entry.
    let factors = reader.count(3, format_args!("the number of factors"))?;
    let mut scopes = Vec::with_capacity(factors);
    // `last[v]` is the last factor that mentions v, so that a repetition is seen at once.
    let mut last = vec![usize::MAX; variables];
    for factor in 0..factors {
        scopes.push(read_scope(&mut reader, factor, &mut last)?);
    }
    let mut read = Vec::with_capacity(factors);
    for (factor, scope) in scopes.into_iter().enumerate() {
        let values = read_table(&mut reader, factor, &scope, &cards)?;
        read.push(UaiFactor { scope, values });
    }
    Ok(UaiModel {
        kind,
        cards,
        factors: read,
        trailing: read_trailing(&mut reader)?,
    })
}

fn read_kind(reader: &mut Reader<'_>) -> Result<ModelKind, UaiError> {
    let expected = format_args!("MARKOV or BAYES");
    let token = reader.token(expected)?;
    [ModelKind::Markov, ModelKind::Bayes]
        .into_iter()
        .find(|kind| kind.word().as_bytes() == token.text())
        .ok_or_else(|| reader.error(Fault::Token, token, expected))
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

fn read_table(
    reader: &mut Reader<'_>,
    factor: usize,
    scope: &[VarId],
    cards: &[usize],
) -> Result<Vec<f64>, UaiError> {
    let cards: Vec<usize> = scope.iter().map(|var| cards[var.index()]).collect();
    let count = reader.number(format_args!("the number of entries of factor {factor}"))?;
    let len = count.value;
    let product = table_len(&cards);
    if product != Some(len) {
        let cards: Vec<String> = cards.iter().map(usize::to_string).collect();
        let cards = match cards.as_slice() {
            [] => "no variables".to_owned(),
            cards => format!("cardinalities {}", cards.join(" × ")),
        };
        let product = product.map_or("more than can be addressed".to_owned(), |n| n.to_string());
        let expected =
            format_args!("the number of entries of factor {factor}, {product} ({cards})");
        return Err(reader.error(Fault::Count, count.token, expected));
    }
    let mut values = Vec::with_capacity(len.min(reader.room()));
    for entry in 0..len {
        values.push(read_entry(reader, factor, entry)?);
    }
    Ok(values)
}

fn read_entry(reader: &mut Reader<'_>, factor: usize, entry: usize) -> Result<f64, UaiError> {
    let token = reader.token(format_args!("entry {entry} of factor {factor}"))?;
    match token.parse::<f64>() {
        Some(value) if value > 0.0 && value < f64::INFINITY => Ok(value),
        Some(zero) if zero == 0.0 && spells_zero(token.text()) => Ok(zero),
        Some(_) => Err(reader.error(
            Fault::Range,
            token,
            format_args!("entry {entry} of factor {factor}, 0 or from 5e-324 to 1.79e308"),
        )),
        None => Err(reader.error(
            Fault::Token,
            token,
            format_args!("entry {entry} of factor {factor}, a number"),
        )),
    }
}

/// Does a number that parsed as 0 say 0? `1e-400` does not.
fn spells_zero(text: &[u8]) -> bool {
    let exponent = |byte: &&u8| !matches!(byte, b'e' | b'E');
    !text
        .iter()
        .take_while(exponent)
        .any(|byte| matches!(byte, b'1'..=b'9'))
}

fn read_trailing(reader: &mut Reader<'_>) -> Result<Option<Trailing>, UaiError> {
    let Some(first) = reader.next() else {
        return Ok(None);
    };
    let (line, column) = reader.place_of(first);
    let mut tokens = 0;
    let mut next = Some(first);
    while let Some(token) = next {
        if token.parse::<f64>().is_none() {
            let expected = format_args!("the end of the file after the last table");
            return Err(reader.error(Fault::Trailing, token, expected));
        }
        tokens += 1;
        next = reader.next();
    }
    Ok(Some(Trailing {
        line,
        column,
        tokens,
    }))
}

//! Reads virtual evidence.

use forney_model::VarId;

use crate::number::{NotReal, Real, real};
use crate::reader::Reader;
use crate::{Fault, UaiError, Warning};

/// What a file of virtual (soft) evidence holds.
#[derive(Clone, Debug, PartialEq)]
pub struct VirtualEvidence {
    /// `p(observation | x_v)` for each state of a variable, up to a factor; each variable at most
    /// once.
    pub likelihoods: Vec<(VarId, Vec<f64>)>,
    /// What was passed over.
    pub warnings: Vec<Warning>,
}

/// Reads a `.virt` file, as merlin has them, for a model with these cardinalities: the number of
/// variables, then for each its index, its cardinality, and one likelihood for each state.
///
/// The model with that evidence is `∏ f · ∏_v λ_v(x_v)`: one unary factor more for each variable.
/// What follows a leading `0` is ignored with a warning, as by
/// [`read_evidences`](crate::read_evidences).
///
/// # Errors
/// [`UaiError::Malformed`]: a variable that the model does not have or that stands twice, another
/// cardinality than its own, a likelihood that is negative, NaN, infinite, or too small or large
/// for a normal `f64`, and likelihoods that are all 0.
///
/// # Complexity
/// Linear in the length of the file.
///
/// # Example
/// ```
/// use forney_model::VarId;
/// use forney_uai::read_virtual_evidence;
/// let read = read_virtual_evidence(b"1\n1 2 0.7 0.5", &[3, 2])?;
/// assert_eq!(read.likelihoods, [(VarId(1), vec![0.7, 0.5])]);
/// # Ok::<(), forney_uai::UaiError>(())
/// ```
pub fn read_virtual_evidence(bytes: &[u8], cards: &[usize]) -> Result<VirtualEvidence, UaiError> {
    let mut reader = Reader::new(bytes);
    // A variable takes its index, its cardinality, and at least one likelihood.
    let count = reader.count(
        3,
        format_args!("the number of variables with likelihoods (0 if none)"),
    )?;
    let mut likelihoods: Vec<(VarId, Vec<f64>)> = Vec::with_capacity(count);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..count {
        let var = reader.index(cards.len(), format_args!("a variable with likelihoods"))?;
        if !seen.insert(var.value) {
            let expected = format_args!("each variable once (multiply its likelihoods)");
            return Err(reader.error(Fault::Duplicate, var.token, expected));
        }
        let row = read_row(&mut reader, var.value, cards[var.value])?;
        likelihoods.push((VarId::new(var.value), row));
    }
    match (count, reader.trailing("a count of 0")) {
        (0, warning) => Ok(VirtualEvidence {
            likelihoods,
            warnings: warning.into_iter().collect(),
        }),
        (_, _) => {
            reader.end()?;
            Ok(VirtualEvidence {
                likelihoods,
                warnings: Vec::new(),
            })
        }
    }
}

/// The likelihoods of one variable, behind their number.
fn read_row(reader: &mut Reader<'_>, var: usize, card: usize) -> Result<Vec<f64>, UaiError> {
    let expected = format_args!("the cardinality of variable {var}, {card}");
    let states = reader.number(expected)?;
    if states.value != card {
        return Err(reader.error(Fault::Count, states.token, expected));
    }
    let mut row = Vec::with_capacity(card.min(reader.room()));
    for state in 0..card {
        let expected = format_args!("the likelihood of state {state} of variable {var}");
        let token = reader.token(expected)?;
        match real(token.text()) {
            Ok(Real::Value(value)) => row.push(value),
            Err(NotReal::Word) => return Err(reader.error(Fault::Token, token, expected)),
            Ok(Real::Ln(_)) | Err(NotReal::Negative | NotReal::Range) => {
                let expected = format_args!("{expected}, 0 or from 2.3e-308 to 1.79e308");
                return Err(reader.error(Fault::Range, token, expected));
            }
        }
    }
    if row.iter().all(|likelihood| *likelihood == 0.0) {
        let expected = format_args!("a likelihood above 0 for some state of variable {var}");
        return Err(reader.error(Fault::Range, states.token, expected));
    }
    Ok(row)
}

/// A likelihood as a word, by the rules of the file: 0, a number that a normal `f64` holds, or a
/// fraction; `None` if it is none.
///
/// # Example
/// ```
/// use forney_uai::read_likelihood;
/// assert_eq!(read_likelihood("1/4"), Some(0.25));
/// // It is not 0, which would forbid the state.
/// assert_eq!(read_likelihood("1e-400"), None);
/// ```
#[must_use]
pub fn read_likelihood(text: &str) -> Option<f64> {
    match real(text.as_bytes()) {
        Ok(Real::Value(value)) => Some(value),
        Ok(Real::Ln(_)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARDS: [usize; 3] = [2, 3, 1];

    #[test]
    fn rows_in_any_order_and_none() {
        let read = |text: &str| read_virtual_evidence(text.as_bytes(), &CARDS).unwrap();
        assert_eq!(read("0").likelihoods, []);
        assert_eq!(
            read("2\r\n1 3 0 0.5 2\r\n0 2 1 0 # seen\n").likelihoods,
            [(VarId(1), vec![0.0, 0.5, 2.0]), (VarId(0), vec![1.0, 0.0])]
        );
        let off = read("0\n0 2 1 0");
        assert_eq!((off.likelihoods.len(), off.warnings.len()), (0, 1));
    }

    #[test]
    fn refusals_say_where_and_what() {
        for (text, message) in [
            (
                "",
                "line 1, column 1: expected the number of variables with likelihoods (0 if none); found the end of the file",
            ),
            (
                "1\n3 2 1 1",
                "line 2, column 1: expected a variable with likelihoods, below 3; found `3`",
            ),
            (
                "1\n1 2 1 1",
                "line 2, column 3: expected the cardinality of variable 1, 3; found `2`",
            ),
            (
                "1\n0 2 1",
                "line 2, column 6: expected the likelihood of state 1 of variable 0; found the end of the file",
            ),
            (
                "1\n0 2 1 -1",
                "line 2, column 7: expected the likelihood of state 1 of variable 0, 0 or from 2.3e-308 to 1.79e308; found `-1`",
            ),
            (
                "1\n0 2 1 nan",
                "line 2, column 7: expected the likelihood of state 1 of variable 0, 0 or from 2.3e-308 to 1.79e308; found `nan`",
            ),
            (
                "1\n0 2 inf 1",
                "line 2, column 5: expected the likelihood of state 0 of variable 0, 0 or from 2.3e-308 to 1.79e308; found `inf`",
            ),
            (
                "1\n0 2 x 1",
                "line 2, column 5: expected the likelihood of state 0 of variable 0; found `x`",
            ),
            (
                "1\n0 2 0 0",
                "line 2, column 3: expected a likelihood above 0 for some state of variable 0; found `2`",
            ),
            (
                "2\n0 2 1 1\n0 2 1 1",
                "line 3, column 1: expected each variable once (multiply its likelihoods); found `0`",
            ),
            (
                "1\n0 2 1 1\n2",
                "line 3, column 1: expected the end of the file; found `2`",
            ),
            (
                "9\n0 2 1 1",
                "line 1, column 1: expected the number of variables with likelihoods (0 if none), at most 1 by the size of the file; found `9`",
            ),
        ] {
            let error = read_virtual_evidence(text.as_bytes(), &CARDS).unwrap_err();
            assert_eq!(error.to_string(), message, "{text:?}");
        }
    }
}

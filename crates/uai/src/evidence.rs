//! Reads evidence files.

use forney_model::{Evidence, VarId};

use crate::reader::{Number, Reader};
use crate::{Fault, UaiError};

/// Reads a `.evid` file for a model with these cardinalities.
///
/// Two conventions are in use: `n v x v x …`, and an older one with the number of samples in front,
/// `1 n v x v x …`. The number of tokens decides: if exactly `2n` numbers follow the first, it is
/// `n`; else it must be the number of samples. One sample never fits both ways, as the first
/// convention has an odd number of tokens and the second an even one: `1 3 0` observes variable 3
/// in state 0, and `1 1 3 0` does the same. Without evidence a file says `0`, or `1 0`.
///
/// # Errors
/// [`UaiError::Malformed`]: a count that fits neither convention, more than one sample (take one
/// apart first), a variable or state that the model does not have, two states for one variable.
/// The same observation twice is no contradiction.
///
/// # Example
/// ```
/// use forney_model::VarId;
/// use forney_uai::read_evidence;
/// let evidence = read_evidence(b"2  0 1  2 4", &[2, 2, 5])?;
/// assert_eq!(evidence.state(VarId(2)), Some(4));
/// assert_eq!(read_evidence(b"1\n2 0 1 2 4", &[2, 2, 5])?, evidence);
/// # Ok::<(), forney_uai::UaiError>(())
/// ```
pub fn read_evidence(bytes: &[u8], cards: &[usize]) -> Result<Evidence, UaiError> {
    let reader = Reader::new(bytes);
    let numbers = reader.numbers(format_args!("a whole number"))?;
    let mut evidence = Evidence::default();
    for pair in observations(&reader, &numbers)?.chunks_exact(2) {
        let (var, state) = (pair[0], pair[1]);
        let Some(&card) = cards.get(var.value) else {
            let expected = format_args!("an observed variable, below {}", cards.len());
            return Err(reader.error(Fault::Range, var.token, expected));
        };
        if state.value >= card {
            let expected = format_args!("a state of variable {}, below {card}", var.value);
            return Err(reader.error(Fault::Range, state.token, expected));
        }
        let id = VarId::new(var.value);
        if evidence.observe(id, state.value).is_err() {
            let first = evidence.state(id).unwrap_or_default();
            let expected = format_args!("variable {id} in state {first}, as observed before");
            return Err(reader.error(Fault::Conflict, state.token, expected));
        }
    }
    Ok(evidence)
}

/// The numbers after the counts: variable, state, variable, state, …
fn observations<'n, 'a>(
    reader: &Reader<'a>,
    numbers: &'n [Number<'a>],
) -> Result<&'n [Number<'a>], UaiError> {
    let Some((first, rest)) = numbers.split_first() else {
        return Err(
            reader.ends_before(format_args!("the number of observed variables (0 if none)"))
        );
    };
    if counts_pairs(first, rest.len()) {
        return Ok(rest);
    }
    if let (1, Some((count, pairs))) = (first.value, rest.split_first())
        && counts_pairs(count, pairs.len())
    {
        return Ok(pairs);
    }
    if holds_samples(first.value, rest) {
        let expected = format_args!("one sample of evidence (write each to a file of its own)");
        return Err(reader.error(Fault::Count, first.token, expected));
    }
    // `1 n …` with a wrong n has an even number of tokens, `n …` with a pair too many an odd one.
    let (count, follow) = match rest {
        [count, pairs @ ..] if first.value == 1 && pairs.len() % 2 == 0 => (count, pairs),
        _ => (first, rest),
    };
    let expected = format_args!(
        "the number of observed variables, two numbers for each, and {} follow",
        follow.len()
    );
    Err(reader.error(Fault::Count, count.token, expected))
}

fn counts_pairs(count: &Number<'_>, numbers: usize) -> bool {
    count.value.checked_mul(2) == Some(numbers)
}

/// Are these the observations of `samples` samples, each behind its count?
fn holds_samples(samples: usize, mut numbers: &[Number<'_>]) -> bool {
    let mut seen = 0;
    while let Some((count, rest)) = numbers.split_first() {
        let after = count
            .value
            .checked_mul(2)
            .and_then(|pairs| rest.get(pairs..));
        let Some(after) = after else {
            return false;
        };
        seen += 1;
        numbers = after;
    }
    seen == samples
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARDS: [usize; 4] = [2, 2, 5, 1];

    fn read(text: &str) -> Vec<(u32, usize)> {
        let evidence = read_evidence(text.as_bytes(), &CARDS).unwrap();
        evidence.iter().map(|(var, state)| (var.0, state)).collect()
    }

    fn refuse(text: &str) -> String {
        read_evidence(text.as_bytes(), &CARDS)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn both_conventions_and_none() {
        assert_eq!(read("0"), []);
        assert_eq!(read("1 0"), []);
        assert_eq!(read("2 0 1 2 4"), [(0, 1), (2, 4)]);
        assert_eq!(read("1\n2 0 1 2 4\n"), [(0, 1), (2, 4)]);
    }

    #[test]
    fn the_number_of_tokens_decides() {
        // As a sample count, 1 would be followed by 3 observations or by 1 that lacks its state.
        assert_eq!(read("1 3 0"), [(3, 0)]);
        assert_eq!(read("1 1 3 0"), [(3, 0)]);
        assert_eq!(read("1 1 1"), [(1, 1)]);
        assert_eq!(read("1 3 0 1 1 1 2 3"), [(0, 1), (1, 1), (2, 3)]);
        // Fits two observations, and two samples with none and one: the convention in use wins.
        assert_eq!(read("2 0 1 3 0"), [(0, 1), (3, 0)]);
    }

    #[test]
    fn the_same_observation_twice_is_one() {
        assert_eq!(read("2 2 3 2 3"), [(2, 3)]);
    }

    #[test]
    fn refusals_say_where_and_what() {
        for (text, message) in [
            (
                "",
                "line 1, column 1: expected the number of observed variables (0 if none); found the end of the file",
            ),
            (
                "2 0 1 0\n 0",
                "line 2, column 2: expected variable 0 in state 1, as observed before; found `0`",
            ),
            (
                "1 4 0",
                "line 1, column 3: expected an observed variable, below 4; found `4`",
            ),
            (
                "1\n2 5",
                "line 2, column 3: expected a state of variable 2, below 5; found `5`",
            ),
            (
                "1 0 -1",
                "line 1, column 5: expected a whole number; found `-1`",
            ),
            (
                "1 0 0.5",
                "line 1, column 5: expected a whole number; found `0.5`",
            ),
            (
                "3 0 1 1 1",
                "line 1, column 1: expected the number of observed variables, two numbers for each, and 4 follow; found `3`",
            ),
            (
                "1\n3 0 1 1 1",
                "line 2, column 1: expected the number of observed variables, two numbers for each, and 4 follow; found `3`",
            ),
            (
                "2\n1 0 1\n1 1 1",
                "line 1, column 1: expected one sample of evidence (write each to a file of its own); found `2`",
            ),
            (
                "0 0",
                "line 1, column 1: expected the number of observed variables, two numbers for each, and 1 follow; found `0`",
            ),
            (
                "18446744073709551615 1 1",
                "line 1, column 1: expected the number of observed variables, two numbers for each, and 2 follow; found `18446744073709551615`",
            ),
        ] {
            assert_eq!(refuse(text), message);
        }
    }
}

//! Reads elimination orders.

use forney_model::VarId;

use crate::reader::Reader;
use crate::{Fault, UaiError};

/// Reads an elimination order of a model with `variables` variables: their indices between white
/// space, the first to be eliminated first, with or without their count in front.
///
/// # Errors
/// [`UaiError::Malformed`] if it is not a permutation of `0..variables`.
///
/// # Example
/// ```
/// use forney_model::VarId;
/// use forney_uai::read_order;
/// assert_eq!(read_order(b"2 0 1", 3)?, [VarId(2), VarId(0), VarId(1)]);
/// assert_eq!(read_order(b"3\n2 0 1", 3)?, [VarId(2), VarId(0), VarId(1)]);
/// # Ok::<(), forney_uai::UaiError>(())
/// ```
pub fn read_order(bytes: &[u8], variables: usize) -> Result<Vec<VarId>, UaiError> {
    let reader = Reader::new(bytes);
    let numbers = reader.numbers(format_args!("the index of a variable"))?;
    // The count is no index, so that it cannot be mistaken for one.
    let order = match numbers.split_first() {
        Some((count, order)) if count.value == variables => order,
        _ => &numbers,
    };
    let mut seen = vec![false; variables];
    for var in order {
        let Some(seen) = seen.get_mut(var.value) else {
            let expected = format_args!("a variable of the model, below {variables}");
            return Err(reader.error(Fault::Range, var.token, expected));
        };
        if std::mem::replace(seen, true) {
            let expected = format_args!("each variable once");
            return Err(reader.error(Fault::Duplicate, var.token, expected));
        }
    }
    // Without repetition there are at most as many numbers as variables.
    if let Some(missing) = seen.iter().position(|seen| !seen) {
        let expected = format_args!(
            "{variables} variables, and {} stand here: variable {missing} is missing",
            order.len()
        );
        return Err(reader.ends_before(expected));
    }
    Ok(order.iter().map(|var| VarId::new(var.value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, variables: usize) -> Vec<u32> {
        let order = read_order(text.as_bytes(), variables).unwrap();
        order.into_iter().map(|var| var.0).collect()
    }

    #[test]
    fn with_and_without_a_count() {
        assert_eq!(read("", 0), []);
        assert_eq!(read("0", 0), []);
        assert_eq!(read("0", 1), [0]);
        assert_eq!(read("1 0", 1), [0]);
        assert_eq!(read("1\n0\n2\n", 3), [1, 0, 2]);
        assert_eq!(read("3\n1 0 2", 3), [1, 0, 2]);
    }

    #[test]
    fn refusals_say_where_and_what() {
        for (text, message) in [
            (
                "0 1",
                "line 1, column 4: expected 3 variables, and 2 stand here: variable 2 is missing; found the end of the file",
            ),
            (
                "",
                "line 1, column 1: expected 3 variables, and 0 stand here: variable 0 is missing; found the end of the file",
            ),
            (
                "0 1\n1",
                "line 2, column 1: expected each variable once; found `1`",
            ),
            (
                "0 1 2 2",
                "line 1, column 7: expected each variable once; found `2`",
            ),
            (
                "0 1 3",
                "line 1, column 5: expected a variable of the model, below 3; found `3`",
            ),
            (
                "3 0 1",
                "line 1, column 6: expected 3 variables, and 2 stand here: variable 2 is missing; found the end of the file",
            ),
            (
                "0 1 x",
                "line 1, column 5: expected the index of a variable; found `x`",
            ),
        ] {
            let error = read_order(text.as_bytes(), 3).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}

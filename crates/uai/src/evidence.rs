//! Reads evidence files.

use forney_model::{Evidence, VarId};

use crate::reader::{Number, Reader};
use crate::{Fault, ModelKind, UaiError, Warning};

/// What an evidence file begins with.
const COUNT: &str = "the number of observed variables (0 if none)";

/// What an evidence file holds: one sample of evidence or more, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceFile {
    /// At least one; a sample in which nothing is observed is empty.
    pub samples: Vec<Evidence>,
    /// What was passed over.
    pub warnings: Vec<Warning>,
}

/// Reads a `.evid` file for a model with these cardinalities.
///
/// Two layouts are in use: one sample, `n v x v x …`, and any number of them with that number in
/// front, `s n v x … n v x …`. The number of tokens decides: if exactly `2n` numbers follow the
/// first, it may be `n`; if `s` whole samples follow it and nothing else, it may be `s`. One sample
/// in the second layout never fits the first, as that has an odd number of tokens and
/// `1 n v x …` an even one. Both fit only if at least half of the samples observe nothing, as in
/// `2 0 1 3 0`: it is two samples if each of them has a line of its own, else two observations.
///
/// Without evidence a file says `0`, or `1 0`. What follows a leading `0` is ignored with a
/// warning: that is how evidence is switched off by hand.
///
/// # Errors
/// [`UaiError::Malformed`]: a count that fits neither layout, a variable or state that the model
/// does not have, two states for one variable in one sample. The same observation twice is no
/// contradiction.
///
/// # Complexity
/// Linear in the length of the file, whatever its counts claim.
///
/// # Example
/// ```
/// use forney_model::VarId;
/// use forney_uai::read_evidences;
/// let file = read_evidences(b"2\n1 0 1\n2 0 0 2 4", &[2, 2, 5])?;
/// assert_eq!(file.samples.len(), 2);
/// assert_eq!(file.samples[1].state(VarId(2)), Some(4));
/// # Ok::<(), forney_uai::UaiError>(())
/// ```
pub fn read_evidences(bytes: &[u8], cards: &[usize]) -> Result<EvidenceFile, UaiError> {
    let mut reader = Reader::new(bytes);
    let mut after_first = reader;
    refuse_models(reader)?;
    let first = after_first.number(format_args!("{COUNT}"))?;
    if first.value == 0 {
        return Ok(EvidenceFile {
            samples: vec![Evidence::default()],
            warnings: after_first.trailing("a count of 0").into_iter().collect(),
        });
    }
    let samples = match layout(&after_first, first)? {
        Layout::One => 1,
        Layout::Samples => {
            reader = after_first;
            first.value
        }
    };
    let samples = (0..samples).map(|_| read_sample(&mut reader, cards));
    Ok(EvidenceFile {
        samples: samples.collect::<Result<_, _>>()?,
        warnings: Vec::new(),
    })
}

/// Reads a `.evid` file that holds one sample, in either layout of [`read_evidences`].
///
/// # Errors
/// Those of [`read_evidences`], and more samples than one.
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
    let mut samples = read_evidences(bytes, cards)?.samples;
    match samples.pop() {
        Some(only) if samples.is_empty() => Ok(only),
        _ => {
            let mut reader = Reader::new(bytes);
            let expected = format_args!("one sample of evidence (write each to a file of its own)");
            let count = reader.token(expected)?;
            Err(reader.error(Fault::Count, count, expected))
        }
    }
}

/// How the samples of a file lie.
enum Layout {
    /// One sample and nothing else.
    One,
    /// The number of samples, then the samples.
    Samples,
}

/// Says so where the file is a model: `forney exact model.uai --evidence model.uai` is soon written.
fn refuse_models(mut ahead: Reader<'_>) -> Result<(), UaiError> {
    let expected = format_args!("{COUNT}");
    let token = ahead.token(expected)?;
    match ModelKind::named(token.text()) {
        Some(_) => {
            let hint = "this is a model, not evidence";
            Err(ahead.error_with(Fault::Format, token, expected, hint))
        }
        None => Ok(()),
    }
}

/// Finds the layout by what follows the first number.
fn layout(reader: &Reader<'_>, first: Number<'_>) -> Result<Layout, UaiError> {
    let follow = reader.count_numbers(format_args!("a whole number"))?;
    let one = first.value.checked_mul(2) == Some(follow);
    let samples = Walk::over(*reader, first, follow);
    match (one, samples.broken) {
        (true, None) if samples.on_own_lines => Ok(Layout::Samples),
        (true, _) => Ok(Layout::One),
        (false, None) => Ok(Layout::Samples),
        (false, Some(broken)) => Err(match broken {
            Broken::Sample(sample) if samples.on_own_lines || first.value == 1 => {
                misfit(reader, first, follow, Some(sample))
            }
            _ => misfit(reader, first, follow, None),
        }),
    }
}

/// Neither layout fits: says which count is wrong in the likelier one.
fn misfit(
    reader: &Reader<'_>,
    first: Number<'_>,
    follow: usize,
    sample: Option<Sample<'_>>,
) -> UaiError {
    let (count, follow, of) = match sample {
        Some(Sample { at, count, follow }) if at > 0 => (count, follow, format!(" of sample {at}")),
        // `1 n …` with a wrong n has an even number of tokens, `n …` with a pair too many an odd one.
        Some(Sample { count, follow, .. }) if first.value == 1 && follow % 2 == 0 => {
            (count, follow, String::new())
        }
        _ => (first, follow, String::new()),
    };
    let expected = format_args!(
        "the number of observed variables{of}, two numbers for each, and {follow} follow"
    );
    reader.error(Fault::Count, count.token, expected)
}

/// Why a file is not so many samples.
#[derive(Clone, Copy)]
enum Broken<'a> {
    /// Too few numbers follow the count of this one; or too many, and it is the last.
    Sample(Sample<'a>),
    /// The file ends before the last sample.
    Missing,
}

/// A sample, and what follows its count.
#[derive(Clone, Copy)]
struct Sample<'a> {
    at: usize,
    count: Number<'a>,
    follow: usize,
}

/// A walk over the samples of a file that begins with their number.
struct Walk<'a> {
    broken: Option<Broken<'a>>,
    /// Does each sample fill a line of its own?
    on_own_lines: bool,
}

impl<'a> Walk<'a> {
    fn over(mut reader: Reader<'a>, samples: Number<'a>, mut follow: usize) -> Self {
        let mut before = samples.token;
        let mut on_own_lines = true;
        let mut sample = 0;
        let broken = loop {
            let Some(count) = reader.next_number() else {
                break Some(Broken::Missing);
            };
            follow -= 1;
            on_own_lines &= reader.newline_between(before, count.token);
            before = count.token;
            let last = sample + 1 == samples.value;
            let this = Sample {
                at: sample,
                count,
                follow,
            };
            match count.value.checked_mul(2) {
                Some(pairs) if pairs <= follow && (pairs == follow || !last) => {
                    for _ in 0..pairs {
                        let Some(next) = reader.next_number() else {
                            break;
                        };
                        on_own_lines &= !reader.newline_between(before, next.token);
                        before = next.token;
                    }
                    follow -= pairs;
                }
                _ => break Some(Broken::Sample(this)),
            }
            if last {
                break None;
            }
            sample += 1;
        };
        Self {
            broken,
            on_own_lines,
        }
    }
}

/// One sample whose count is known to fit.
fn read_sample(reader: &mut Reader<'_>, cards: &[usize]) -> Result<Evidence, UaiError> {
    let mut evidence = Evidence::default();
    let count = reader.number(format_args!("the number of observed variables"))?;
    for _ in 0..count.value {
        let var = reader.index(cards.len(), format_args!("an observed variable"))?;
        let card = cards[var.value];
        let state = reader.index(card, format_args!("a state of variable {}", var.value))?;
        let id = VarId::new(var.value);
        if evidence.observe(id, state.value).is_err() {
            let first = evidence.state(id).unwrap_or_default();
            let expected = format_args!("variable {id} in state {first}, as observed before");
            return Err(reader.error(Fault::Conflict, state.token, expected));
        }
    }
    Ok(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARDS: [usize; 4] = [2, 2, 5, 1];

    /// The pairs of each sample.
    fn samples(text: &str) -> Vec<Vec<(u32, usize)>> {
        let file = read_evidences(text.as_bytes(), &CARDS).unwrap();
        let pairs = |evidence: &Evidence| evidence.iter().map(|(v, x)| (v.0, x)).collect();
        file.samples.iter().map(pairs).collect()
    }

    fn read(text: &str) -> Vec<(u32, usize)> {
        let mut samples = samples(text);
        assert_eq!(samples.len(), 1, "{text}");
        samples.remove(0)
    }

    #[test]
    fn both_layouts_and_none() {
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
        assert_eq!(samples("2\n1 0 0\n1 0 1"), [[(0, 0)], [(0, 1)]]);
        assert_eq!(samples("2 1 0 0 1 0 1"), [[(0, 0)], [(0, 1)]]);
        assert_eq!(
            samples("3 0 2 0 1 2 4 0"),
            [vec![], vec![(0, 1), (2, 4)], vec![]]
        );
        assert_eq!(samples("2 0 0"), [[]; 2]);
    }

    #[test]
    fn where_the_tokens_fit_both_layouts_the_lines_decide() {
        // Two observations, or two samples of which the first is empty.
        assert_eq!(samples("2 0 1 3 0"), [[(0, 1), (3, 0)]]);
        assert_eq!(samples("2\n 0 1\n 3 0\n"), [[(0, 1), (3, 0)]]);
        assert_eq!(samples("2\n0\n1 3 0\n"), [vec![], vec![(3, 0)]]);
        assert_eq!(samples("2\r\n0\r\n1 3 0"), [vec![], vec![(3, 0)]]);
        // One number to a line says nothing.
        assert_eq!(samples("2\n0\n1\n3\n0"), [[(0, 1), (3, 0)]]);
    }

    #[test]
    fn what_follows_a_leading_zero_is_ignored_and_told() {
        for (text, place) in [
            ("0\n2 0\n", (2, 1, 2)),
            ("0 0", (1, 3, 1)),
            ("0 1 x", (1, 3, 2)),
        ] {
            let file = read_evidences(text.as_bytes(), &CARDS).unwrap();
            assert_eq!(file.samples, [Evidence::default()], "{text}");
            let (line, column, words) = place;
            let after = "a count of 0";
            let told = Warning::Trailing {
                line,
                column,
                words,
                after,
            };
            assert_eq!(file.warnings, [told], "{text}");
        }
    }

    #[test]
    fn the_same_observation_twice_is_one() {
        assert_eq!(read("2 2 3 2 3"), [(2, 3)]);
    }

    #[test]
    fn a_reader_of_one_sample_refuses_two() {
        let two = read_evidence(b"2\n1 0 1\n1 1 1", &CARDS).unwrap_err();
        assert_eq!(
            two.to_string(),
            "line 1, column 1: expected one sample of evidence (write each to a file of its own); found `2`"
        );
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
                "2\n1 0 1\n1 2 5",
                "line 3, column 5: expected a state of variable 2, below 5; found `5`",
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
                "2\n1 0 1\n1 1",
                "line 3, column 1: expected the number of observed variables of sample 1, two numbers for each, and 1 follow; found `1`",
            ),
            (
                "2\n1 0 1\n1 1 1 0",
                "line 3, column 1: expected the number of observed variables of sample 1, two numbers for each, and 3 follow; found `1`",
            ),
            (
                "3\n1 0 1",
                "line 1, column 1: expected the number of observed variables, two numbers for each, and 3 follow; found `3`",
            ),
            (
                "2 0 1",
                "line 1, column 1: expected the number of observed variables, two numbers for each, and 2 follow; found `2`",
            ),
            (
                "18446744073709551615 1 1",
                "line 1, column 1: expected the number of observed variables, two numbers for each, and 2 follow; found `18446744073709551615`",
            ),
        ] {
            let error = read_evidences(text.as_bytes(), &CARDS).unwrap_err();
            assert_eq!(error.to_string(), message, "{text:?}");
        }
    }
}

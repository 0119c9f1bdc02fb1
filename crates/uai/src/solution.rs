//! Result files of the competitions.

use std::io::{self, Write};

use crate::model::write_line;
use crate::number::write_number;
use crate::reader::Reader;
use crate::{Fault, UaiError};

/// What a solver answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Solution {
    /// `PR`: the partition function, or the probability of the evidence.
    Pr {
        /// `log₁₀ Z`, that is `ln Z / ln 10`; `−∞` if `Z = 0`.
        log10_z: f64,
    },
    /// `MAR`: `p(x_v)` for each variable, finite and ≥ 0.
    Mar(Vec<Vec<f64>>),
    /// `MAP`, also written `MPE`: the state of each variable in a most probable assignment.
    Map(Vec<usize>),
}

/// Writes a result file, every number with the fewest digits that read back to the same bits.
///
/// # Errors
/// Those of `out`, and [`io::ErrorKind::InvalidInput`] for NaN or `+∞`.
///
/// # Example
/// ```
/// use forney_uai::{Solution, write_solution};
/// let mut text = Vec::new();
/// write_solution(&mut text, &Solution::Mar(vec![vec![0.25, 0.75], vec![1.0]]))?;
/// assert_eq!(text, b"MAR\n2 2 0.25 0.75 1 1\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_solution(out: &mut impl Write, solution: &Solution) -> io::Result<()> {
    writeln!(out, "{}", solution.word())?;
    write_answer(out, solution)
}

/// Writes the results for several samples of evidence: the word, the number of samples, then one
/// line for each. A single one is written as by [`write_solution`], without that number.
///
/// # Errors
/// As [`write_solution`], and [`io::ErrorKind::InvalidInput`] for none, or for answers to different
/// questions.
///
/// # Example
/// ```
/// use forney_uai::{Solution, write_solutions};
/// let mut text = Vec::new();
/// write_solutions(&mut text, &[Solution::Map(vec![0, 1]), Solution::Map(vec![1, 1])])?;
/// assert_eq!(text, b"MAP\n2\n2 0 1\n2 1 1\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_solutions(out: &mut impl Write, solutions: &[Solution]) -> io::Result<()> {
    match solutions {
        [] => Err(invalid("there is no result to write")),
        [solution] => write_solution(out, solution),
        [first, ..] if solutions.iter().all(|s| s.word() == first.word()) => {
            writeln!(out, "{}\n{}", first.word(), solutions.len())?;
            (solutions.iter()).try_for_each(|solution| write_answer(out, solution))
        }
        _ => Err(invalid("a result file answers one question")),
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

impl Solution {
    /// The first word of its file.
    fn word(&self) -> &'static str {
        match self {
            Self::Pr { .. } => "PR",
            Self::Mar(_) => "MAR",
            Self::Map(_) => "MAP",
        }
    }
}

/// The line of one sample.
fn write_answer(out: &mut impl Write, solution: &Solution) -> io::Result<()> {
    match solution {
        Solution::Pr { log10_z } => {
            // Adding 0 turns −0 into 0.
            write_number(out, *log10_z + 0.0)?;
            writeln!(out)
        }
        Solution::Mar(marginals) => {
            write!(out, "{}", marginals.len())?;
            for marginal in marginals {
                write!(out, " {}", marginal.len())?;
                for p in marginal {
                    out.write_all(b" ")?;
                    write_number(out, *p)?;
                }
            }
            writeln!(out)
        }
        Solution::Map(states) => {
            write!(out, "{} ", states.len())?;
            write_line(out, states)
        }
    }
}

/// Reads a result file.
///
/// Older files have the number of evidence samples, 1, after the first word. It is skipped where
/// the file does not fit without it.
///
/// # Errors
/// [`UaiError::Malformed`] at the first token that breaks the format.
///
/// # Example
/// ```
/// use forney_uai::{Solution, read_solution};
/// assert_eq!(read_solution(b"PR\n-1.5\n")?, Solution::Pr { log10_z: -1.5 });
/// assert_eq!(read_solution(b"MPE\n1\n3 0 1 0\n")?, Solution::Map(vec![0, 1, 0]));
/// # Ok::<(), forney_uai::UaiError>(())
/// ```
pub fn read_solution(bytes: &[u8]) -> Result<Solution, UaiError> {
    let mut reader = Reader::new(bytes);
    let expected = format_args!("PR, MAR, MAP or MPE");
    let word = reader.token(expected)?;
    let read = match word.text() {
        b"PR" => read_pr,
        b"MAR" => read_mar,
        b"MAP" | b"MPE" => read_map,
        _ => return Err(reader.error(Fault::Token, word, expected)),
    };
    let whole = |mut reader: Reader<'_>| {
        let solution = read(&mut reader)?;
        reader.end()?;
        Ok(solution)
    };
    whole(reader).or_else(|error| match reader.next() {
        Some(samples) if samples.text() == b"1" => whole(reader).map_err(|_| error),
        _ => Err(error),
    })
}

fn read_pr(reader: &mut Reader<'_>) -> Result<Solution, UaiError> {
    let expected = format_args!("log10 Z, finite or -inf");
    let token = reader.token(expected)?;
    match token.parse::<f64>() {
        Some(log10_z) if log10_z < f64::INFINITY => Ok(Solution::Pr { log10_z }),
        Some(_) => Err(reader.error(Fault::Range, token, expected)),
        None => Err(reader.error(Fault::Token, token, expected)),
    }
}

fn read_mar(reader: &mut Reader<'_>) -> Result<Solution, UaiError> {
    // A variable takes its cardinality and at least one probability.
    let variables = reader.count(2, format_args!("the number of variables"))?;
    let mut marginals = Vec::with_capacity(variables);
    for var in 0..variables {
        let card = reader.count(1, format_args!("the cardinality of variable {var}"))?;
        let mut marginal = Vec::with_capacity(card);
        for state in 0..card {
            let expected = format_args!("the probability of state {state} of variable {var}");
            let token = reader.token(expected)?;
            match token.parse::<f64>() {
                Some(p) if (0.0..f64::INFINITY).contains(&p) => marginal.push(p),
                Some(_) => return Err(reader.error(Fault::Range, token, expected)),
                None => return Err(reader.error(Fault::Token, token, expected)),
            }
        }
        marginals.push(marginal);
    }
    Ok(Solution::Mar(marginals))
}

fn read_map(reader: &mut Reader<'_>) -> Result<Solution, UaiError> {
    let variables = reader.count(1, format_args!("the number of variables"))?;
    let mut states = Vec::with_capacity(variables);
    for var in 0..variables {
        states.push(
            reader
                .number(format_args!("the state of variable {var}"))?
                .value,
        );
    }
    Ok(Solution::Map(states))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_files_have_a_sample_count() {
        for (text, solution) in [
            ("PR\n1\n-2.5", Solution::Pr { log10_z: -2.5 }),
            ("PR\n1", Solution::Pr { log10_z: 1.0 }),
            (
                "PR -inf",
                Solution::Pr {
                    log10_z: f64::NEG_INFINITY,
                },
            ),
            ("MAR\n1\n1 2 .5 .5", Solution::Mar(vec![vec![0.5, 0.5]])),
            ("MAR\n1 1 1", Solution::Mar(vec![vec![1.0]])),
            ("MAP\n1\n2 1 0", Solution::Map(vec![1, 0])),
            ("MPE\n2 1 0", Solution::Map(vec![1, 0])),
            ("MAP 1 0", Solution::Map(vec![0])),
            ("MAP 0", Solution::Map(vec![])),
            ("MAR 0", Solution::Mar(vec![])),
        ] {
            assert_eq!(read_solution(text.as_bytes()).unwrap(), solution, "{text}");
        }
    }

    #[test]
    fn refusals_say_where_and_what() {
        for (text, message) in [
            (
                "",
                "line 1, column 1: expected PR, MAR, MAP or MPE; found the end of the file",
            ),
            (
                "ln Z",
                "line 1, column 1: expected PR, MAR, MAP or MPE; found `ln`",
            ),
            (
                "PR\nnan",
                "line 2, column 1: expected log10 Z, finite or -inf; found `nan`",
            ),
            (
                "PR\n2 3",
                "line 2, column 3: expected the end of the file; found `3`",
            ),
            (
                "MAR\n1 2 .5 -.5",
                "line 2, column 8: expected the probability of state 1 of variable 0; found `-.5`",
            ),
            (
                "MAR\n1 2 .5",
                "line 2, column 3: expected the cardinality of variable 0, at most 1 by the size of the file; found `2`",
            ),
            (
                "MAP\n3 0 1",
                "line 2, column 1: expected the number of variables, at most 2 by the size of the file; found `3`",
            ),
            (
                "MAP\n3\n0\n1000",
                "line 4, column 5: expected the state of variable 2; found the end of the file",
            ),
        ] {
            let error = read_solution(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn what_is_not_a_number_is_not_written() {
        for bad in [f64::NAN, f64::INFINITY] {
            let error =
                write_solution(&mut Vec::new(), &Solution::Pr { log10_z: bad }).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}

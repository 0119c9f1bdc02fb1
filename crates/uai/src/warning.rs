//! What a reader passed over.

use std::fmt;

use forney_model::VarId;

/// Something that a reader passed over or doubts. The file was read; a program should say so.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// Something follows the end of what the file should hold, and is ignored.
    Trailing {
        /// Line of the first word of it, from 1.
        line: usize,
        /// Column of that word in bytes, from 1.
        column: usize,
        /// How many words there are, numbers included.
        words: usize,
        /// What they follow.
        after: &'static str,
    },
    /// The model says `BAYES`, and a row of a table, all states of the last variable for one
    /// setting of the others, does not sum to 1. The entries are taken as they stand.
    Rows {
        /// Line of the number of entries of that table, from 1.
        line: usize,
        /// Column of that number in bytes, from 1.
        column: usize,
        /// The first factor of which that is so.
        factor: usize,
        /// What its first such row sums to.
        sum: f64,
        /// How many factors more there are.
        others: usize,
        /// What the table says if it is read in another way.
        meant: Option<Meant>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trailing {
                line,
                column,
                words,
                after,
            } => {
                let s = if *words == 1 { "" } else { "s" };
                write!(
                    f,
                    "line {line}, column {column}: {words} word{s} after {after} ignored"
                )
            }
            Self::Rows {
                line,
                column,
                factor,
                sum,
                others,
                meant,
            } => {
                let others = match others {
                    0 => String::new(),
                    1 => ", and so it is with 1 factor more".to_owned(),
                    others => format!(", and so it is with {others} factors more"),
                };
                // Four decimals, as many as matter.
                let sum = (sum * 1e4).round() / 1e4;
                write!(
                    f,
                    "line {line}, column {column}: the entries of factor {factor} sum to {sum} \
                     instead of 1 over the last variable of its scope, the child{others}; "
                )?;
                match meant {
                    Some(Meant::ChildSlowest) => f.write_str(
                        "they sum to 1 if the child runs slowest, as pgmpy writes it: let the \
                         last variable run fastest",
                    ),
                    Some(Meant::Child(var)) => write!(
                        f,
                        "they sum to 1 over variable {var}: if that is the child, put it last"
                    ),
                    Some(Meant::Joint) => f.write_str(
                        "all of them together sum to 1: a MARKOV model seems to be meant",
                    ),
                    None => f.write_str("a MARKOV model may be meant"),
                }
            }
        }
    }
}

/// What the writer of a table whose rows do not sum to 1 may have meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// The rows sum to 1 if the child, the last variable of the scope, runs slowest in the entries
    /// and not fastest.
    ChildSlowest,
    /// The entries sum to 1 over this variable: it is the child, and should be last in the scope.
    Child(VarId),
    /// All entries together sum to 1.
    Joint,
}

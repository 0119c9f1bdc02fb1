//! What can be wrong with data, parameters or a model.

use forney_model::ModelError;

/// Why data, a parameter or a model is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LatentError {
    /// NaN or an infinity where a number is needed.
    #[error(
        "{what} has the value {value} at row {row}, column {column}; remove or impute it first"
    )]
    NotFinite {
        /// The matrix.
        what: &'static str,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// Sizes that do not fit together.
    #[error("{what} must be {expected}, but is {found}")]
    Shape {
        /// The size in question.
        what: &'static str,
        /// What the other arguments ask for.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A parameter outside its range; NaN is outside every range.
    #[error("{what} must be {range}, but is {value}")]
    OutOfRange {
        /// The parameter.
        what: &'static str,
        /// The admissible values, in words.
        range: &'static str,
        /// The value.
        value: f64,
    },
    /// Fewer examples than the model needs.
    #[error("{examples} examples are too few: {needed} are needed")]
    TooFewExamples {
        /// Number of examples.
        examples: usize,
        /// The least number.
        needed: usize,
    },
    /// A column that is constant, so that its noise has no variance.
    #[error("column {column} of the data is constant: drop it, or fix its variance")]
    ZeroVariance {
        /// Column, from 0.
        column: usize,
    },
    /// Too many units for the method asked for.
    #[error("{units} units are too many: {method} takes at most {limit}")]
    TooManyUnits {
        /// The method.
        method: &'static str,
        /// Number of units.
        units: usize,
        /// The most it takes.
        limit: usize,
    },
    /// A matrix that should be positive definite and is not.
    #[error("{what} is not positive definite")]
    Singular {
        /// The matrix.
        what: &'static str,
    },
    /// A factor graph that is not a Bayes net in which each factor ends with its child.
    #[error("variable {variable} {problem}; each factor must be p(last variable | the others)")]
    NotBayesNet {
        /// The variable.
        variable: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An observation that is neither a state of its variable nor missing.
    #[error(
        "row {row}, column {column} observes state {state}, but the variable has {states} states, \
         numbered from 0; -1 stands for a missing value"
    )]
    UnknownState {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The state.
        state: i32,
        /// Number of states of the variable.
        states: usize,
    },
    /// Exact inference does not fit into the memory allowed.
    #[error(transparent)]
    TooLarge(#[from] forney_exact::TooLarge),
    /// The likelihood could not be bounded.
    #[error(transparent)]
    Bound(#[from] forney_bounds::BoundError),
    /// The factor graph of a posterior could not be built.
    #[error(transparent)]
    Model(#[from] ModelError),
}

//! What can be wrong with a model.

use crate::VarId;

/// Why a table, a model or an evidence is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A cardinality of 0.
    #[error("variable {var} has cardinality 0; every variable needs at least one state")]
    NoStates {
        /// The variable.
        var: VarId,
    },
    /// A cardinality beyond [`MAX_CARD`](crate::MAX_CARD).
    #[error(
        "variable {var} claims {card} states; at most {} are supported",
        crate::MAX_CARD
    )]
    TooManyStates {
        /// The variable.
        var: VarId,
        /// Its cardinality.
        card: usize,
    },
    /// A variable twice in one scope.
    #[error("variable {var} appears twice in the scope of a factor")]
    DuplicateVariable {
        /// The variable.
        var: VarId,
    },
    /// A scope that names a variable the model does not have.
    #[error("variable {var} is outside the model, which has {variables} variables")]
    UnknownVariable {
        /// The variable.
        var: VarId,
        /// Number of variables of the model.
        variables: usize,
    },
    /// A scope with another number of cardinalities than of variables.
    #[error("a table over {scope:?} has {cards} cardinalities; it needs one for each variable")]
    WrongCards {
        /// The scope.
        scope: Vec<VarId>,
        /// Cardinalities given.
        cards: usize,
    },
    /// A table whose length is not the product of the cardinalities of its scope.
    #[error("a table over {scope:?} needs {expected} entries and has {found}")]
    WrongLength {
        /// The scope.
        scope: Vec<VarId>,
        /// Product of the cardinalities.
        expected: usize,
        /// Entries given.
        found: usize,
    },
    /// A table whose number of entries overflows memory.
    #[error("a table over {variables} variables has more entries than can be addressed")]
    TooLarge {
        /// Number of variables in its scope.
        variables: usize,
    },
    /// A scope whose cardinality differs from that of the model.
    #[error("variable {var} has cardinality {expected} in the model and {found} in a table")]
    WrongCardinality {
        /// The variable.
        var: VarId,
        /// Cardinality in the model.
        expected: usize,
        /// Cardinality in the table.
        found: usize,
    },
    /// An entry that is NaN, negative, or infinite.
    #[error(
        "entry {index} of a table over {scope:?} is {value}; entries must be finite and not negative"
    )]
    BadEntry {
        /// The scope.
        scope: Vec<VarId>,
        /// Flat index, last variable fastest.
        index: usize,
        /// The value as given.
        value: f64,
    },
    /// Evidence for a state that the variable does not have.
    #[error("variable {var} has {card} states; state {state} does not exist (states count from 0)")]
    UnknownState {
        /// The variable.
        var: VarId,
        /// The state asked for.
        state: usize,
        /// Cardinality of the variable.
        card: usize,
    },
    /// The same variable observed in two different states.
    #[error("variable {var} is observed twice, in state {first} and in state {second}")]
    ConflictingEvidence {
        /// The variable.
        var: VarId,
        /// The first state.
        first: usize,
        /// The second state.
        second: usize,
    },
}

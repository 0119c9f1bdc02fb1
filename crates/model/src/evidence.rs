//! Observed variables.

use std::collections::BTreeMap;

use crate::{ModelError, VarId};

/// Observed states, at most one for each variable.
///
/// # Example
/// ```
/// use forney_model::{Evidence, VarId};
/// let mut evidence = Evidence::default();
/// evidence.observe(VarId(3), 1)?;
/// evidence.observe(VarId(3), 1)?; // the same again says nothing new
/// assert!(evidence.observe(VarId(3), 0).is_err());
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    states: BTreeMap<VarId, usize>,
}

impl Evidence {
    /// Adds `x_var = state`.
    ///
    /// # Errors
    /// [`ModelError::ConflictingEvidence`] if another state was observed before.
    pub fn observe(&mut self, var: VarId, state: usize) -> Result<(), ModelError> {
        match self.states.insert(var, state) {
            Some(first) if first != state => {
                self.states.insert(var, first);
                Err(ModelError::ConflictingEvidence {
                    var,
                    first,
                    second: state,
                })
            }
            _ => Ok(()),
        }
    }

    /// The observations, by variable.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (VarId, usize)> + '_ {
        self.states.iter().map(|(&var, &state)| (var, state))
    }

    /// The observed state of `var`, if any.
    #[must_use]
    pub fn state(&self, var: VarId) -> Option<usize> {
        self.states.get(&var).copied()
    }

    /// Number of observed variables.
    #[must_use]
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Is nothing observed?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }
}

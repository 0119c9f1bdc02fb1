//! Factor tables in the log domain.

use crate::{ModelError, VarId};

/// A factor `f(x_scope) ≥ 0`, stored as `ln f` in one contiguous slice, last variable fastest.
///
/// # Example
/// ```
/// use forney_model::{Table, VarId};
/// let table = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[1.0, 0.0, 2.0, 3.0])?;
/// assert_eq!(table.ln()[1], f64::NEG_INFINITY);
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    scope: Vec<VarId>,
    cards: Vec<usize>,
    ln: Vec<f64>,
}

/// Number of entries of a table with these cardinalities; `None` if it overflows.
#[must_use]
pub fn table_len(cards: &[usize]) -> Option<usize> {
    // A cardinality of 0 makes the product 0 whatever overflows beside it.
    if cards.contains(&0) {
        return Some(0);
    }
    cards
        .iter()
        .try_fold(1usize, |len, &card| len.checked_mul(card))
}

impl Table {
    /// A table of natural logarithms; `−∞` is a hard zero.
    ///
    /// # Errors
    /// A repeated variable, a cardinality of 0, a wrong length, NaN or `+∞`.
    pub fn from_ln(scope: Vec<VarId>, cards: Vec<usize>, ln: Vec<f64>) -> Result<Self, ModelError> {
        assert_eq!(
            scope.len(),
            cards.len(),
            "one cardinality for each variable of the scope"
        );
        let mut sorted = scope.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ModelError::DuplicateVariable { var: pair[0] });
        }
        if let Some(at) = cards.iter().position(|&card| card == 0) {
            return Err(ModelError::NoStates { var: scope[at] });
        }
        let expected = table_len(&cards).ok_or(ModelError::TooLarge {
            variables: scope.len(),
        })?;
        if expected != ln.len() {
            return Err(ModelError::WrongLength {
                scope,
                expected,
                found: ln.len(),
            });
        }
        // `!(x < ∞)` is true for NaN as well as for +∞.
        #[allow(clippy::neg_cmp_op_on_partial_ord)]
        if let Some(index) = ln.iter().position(|&x| !(x < f64::INFINITY)) {
            let value = ln[index];
            return Err(ModelError::BadEntry {
                scope,
                index,
                value,
            });
        }
        Ok(Self { scope, cards, ln })
    }

    /// A table of plain values, all finite and ≥ 0.
    ///
    /// # Errors
    /// As [`Table::from_ln`], and a negative entry.
    pub fn from_values(
        scope: Vec<VarId>,
        cards: Vec<usize>,
        values: &[f64],
    ) -> Result<Self, ModelError> {
        if let Some(index) = values
            .iter()
            .position(|x| !(0.0..f64::INFINITY).contains(x))
        {
            return Err(ModelError::BadEntry {
                scope,
                index,
                value: values[index],
            });
        }
        Self::from_ln(scope, cards, values.iter().map(|x| x.ln()).collect())
    }

    /// A factor without variables.
    ///
    /// # Errors
    /// As [`Table::from_ln`].
    pub fn constant(ln: f64) -> Result<Self, ModelError> {
        Self::from_ln(Vec::new(), Vec::new(), vec![ln])
    }

    /// The variables, slowest first.
    #[must_use]
    pub fn scope(&self) -> &[VarId] {
        &self.scope
    }

    /// The cardinalities of the scope, in its order.
    #[must_use]
    pub fn cards(&self) -> &[usize] {
        &self.cards
    }

    /// The entries `ln f`, last variable fastest.
    #[must_use]
    pub fn ln(&self) -> &[f64] {
        &self.ln
    }

    /// Flat index of the entry at `states`, one state per variable of the scope.
    #[must_use]
    pub fn flat_index(&self, states: impl IntoIterator<Item = usize>) -> usize {
        let mut index = 0;
        for (state, card) in states.into_iter().zip(&self.cards) {
            debug_assert!(state < *card);
            index = index * card + state;
        }
        index
    }

    /// The same factor with its scope in another order; `scope` is a permutation of the present one.
    ///
    /// # Panics
    /// If `scope` is not a permutation of the scope of the table.
    ///
    /// # Complexity
    /// Linear in the number of entries.
    #[must_use]
    pub fn permuted(&self, scope: &[VarId]) -> Self {
        assert_eq!(scope.len(), self.scope.len(), "a permutation of the scope");
        let mut strides = vec![0usize; self.scope.len()];
        let mut stride = 1;
        for axis in (0..self.scope.len()).rev() {
            strides[axis] = stride;
            stride *= self.cards[axis];
        }
        let axes: Vec<usize> = scope
            .iter()
            .map(|v| {
                self.scope
                    .iter()
                    .position(|w| w == v)
                    .expect("a permutation of the scope")
            })
            .collect();
        let cards: Vec<usize> = axes.iter().map(|&axis| self.cards[axis]).collect();
        let steps: Vec<usize> = axes.iter().map(|&axis| strides[axis]).collect();
        let mut ln = Vec::with_capacity(self.ln.len());
        let mut state = vec![0usize; cards.len()];
        let mut at = 0usize;
        for _ in 0..self.ln.len() {
            ln.push(self.ln[at]);
            for axis in (0..cards.len()).rev() {
                state[axis] += 1;
                at += steps[axis];
                if state[axis] < cards[axis] {
                    break;
                }
                at -= steps[axis] * cards[axis];
                state[axis] = 0;
            }
        }
        Self {
            scope: scope.to_vec(),
            cards,
            ln,
        }
    }

    /// Restricts every variable of the scope to the listed states; a variable left with one state
    /// leaves the scope.
    pub(crate) fn restricted(&self, states: &[Vec<usize>]) -> Self {
        let kept: Vec<&[usize]> = self
            .scope
            .iter()
            .map(|v| states[v.index()].as_slice())
            .collect();
        let mut ln = Vec::with_capacity(kept.iter().map(|states| states.len()).product());
        let mut at = vec![0usize; kept.len()];
        loop {
            ln.push(self.ln[self.flat_index(at.iter().zip(&kept).map(|(&i, states)| states[i]))]);
            let Some(axis) = (0..kept.len())
                .rev()
                .find(|&axis| at[axis] + 1 < kept[axis].len())
            else {
                break;
            };
            at[axis] += 1;
            at[axis + 1..].fill(0);
        }
        let (scope, cards) = self
            .scope
            .iter()
            .zip(&kept)
            .filter(|(_, states)| states.len() > 1)
            .map(|(&v, states)| (v, states.len()))
            .unzip();
        Self { scope, cards, ln }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permuting_twice_gives_the_table_back() {
        let (a, b, c) = (VarId(3), VarId(1), VarId(7));
        let ln: Vec<f64> = (0..24).map(f64::from).collect();
        let table = Table::from_ln(vec![a, b, c], vec![2, 3, 4], ln).unwrap();
        let turned = table.permuted(&[c, a, b]);
        assert_eq!(turned.cards(), &[4, 2, 3]);
        let (there, here) = (turned.flat_index([2, 1, 0]), table.flat_index([1, 0, 2]));
        assert_eq!(turned.ln()[there..=there], table.ln()[here..=here]);
        assert_eq!(turned.permuted(&[a, b, c]), table);
    }

    #[test]
    fn nan_and_negative_entries_are_refused() {
        for bad in [f64::NAN, -1.0, f64::INFINITY] {
            let refused = Table::from_values(vec![VarId(0)], vec![2], &[1.0, bad]);
            assert!(
                matches!(refused, Err(ModelError::BadEntry { index: 1, .. })),
                "{bad}"
            );
        }
    }
}

//! Factor tables in the log domain.

use std::sync::Arc;

use forney_certify::DoubleDouble;

use crate::axes::Axes;
use crate::walk::{Offsets, strides};
use crate::{ModelError, VarId};

/// A factor `f(x_scope) ≥ 0`, stored as `ln (f / max f)` in one contiguous slice, last variable
/// fastest, beside `ln max f`.
///
/// A product of many factors whose scales cancel, as `10^299` and `10^-302` do, keeps its digits
/// only if the scales are kept apart and added up to twice the digits of a float. So algorithms work
/// on the [relative](Self::relative) entries and add the [scale](crate::FactorGraph::ln_scale) of
/// the whole model once, at the end.
///
/// A clone shares the entries, so a model and what evidence leaves of it hold most of them once.
///
/// # Example
/// ```
/// use forney_model::{Table, VarId};
/// let table = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[1.0, 0.0, 2.0, 4.0])?;
/// assert_eq!(table.relative(), &[0.25f64.ln(), f64::NEG_INFINITY, 0.5f64.ln(), 0.0]);
/// assert_eq!(table.ln_scale().value(), 4f64.ln());
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    data: Arc<Data>,
}

#[derive(Clone, Debug, PartialEq)]
struct Data {
    axes: Axes,
    relative: Box<[f64]>,
    ln_scale: DoubleDouble,
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
    /// A repeated variable, a cardinality of 0 or too few or many of them, a wrong length, NaN or
    /// `+∞`.
    pub fn from_ln(scope: Vec<VarId>, cards: Vec<usize>, ln: Vec<f64>) -> Result<Self, ModelError> {
        check_shape(&scope, &cards, ln.len())?;
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
        Ok(Self::normed(scope, cards, ln, DoubleDouble::ZERO))
    }

    /// A table of plain values, all finite and ≥ 0.
    ///
    /// Relative entries are logarithms of quotients, so they carry no more than the rounding of
    /// their own size, however large or small the values are.
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
        check_shape(&scope, &cards, values.len())?;
        let most = values.iter().copied().fold(0.0, f64::max);
        let ln_scale = DoubleDouble::ln(if most > 0.0 { most } else { 1.0 });
        let relative = |&x: &f64| {
            let quotient = x / most;
            if quotient >= f64::MIN_POSITIVE {
                quotient.ln()
            } else if x > 0.0 {
                // The quotient underflows, or has lost digits.
                (DoubleDouble::ln(x) - ln_scale).value()
            } else {
                f64::NEG_INFINITY
            }
        };
        let relative = values.iter().map(relative).collect();
        Ok(Self::of(Axes::new(scope, cards), relative, ln_scale))
    }

    fn of(axes: Axes, relative: Box<[f64]>, ln_scale: DoubleDouble) -> Self {
        Self {
            data: Arc::new(Data {
                axes,
                relative,
                ln_scale,
            }),
        }
    }

    /// A factor without variables.
    ///
    /// # Errors
    /// NaN or `+∞`.
    pub fn constant(ln: impl Into<DoubleDouble>) -> Result<Self, ModelError> {
        let ln = ln.into();
        if ln == DoubleDouble::NEG_INFINITY {
            return Self::from_ln(Vec::new(), Vec::new(), vec![f64::NEG_INFINITY]);
        }
        Self::from_ln(Vec::new(), Vec::new(), vec![0.0])?.scaled(ln)
    }

    /// The same factor times `exp(ln)`.
    ///
    /// # Errors
    /// [`ModelError::BadEntry`] if `ln` or the scale that results is infinite or NaN.
    pub fn scaled(mut self, ln: DoubleDouble) -> Result<Self, ModelError> {
        let ln_scale = self.ln_scale() + ln;
        if !ln_scale.is_finite() {
            return Err(ModelError::BadEntry {
                scope: self.scope().to_vec(),
                index: 0,
                value: ln_scale.value(),
            });
        }
        if !self.is_zero() {
            Arc::make_mut(&mut self.data).ln_scale = ln_scale;
        }
        Ok(self)
    }

    /// The same entries over other variables of the same cardinalities.
    ///
    /// # Errors
    /// A repeated variable, or too few or many of them.
    pub fn renamed(&self, scope: Vec<VarId>) -> Result<Self, ModelError> {
        check_shape(&scope, self.cards(), self.num_entries())?;
        let axes = Axes::new(scope, self.cards().to_vec());
        Ok(Self::of(axes, self.relative().into(), self.ln_scale()))
    }

    /// Takes the largest entry out of logarithms below `+∞`; `ln_scale` is what they lack already.
    pub(crate) fn normed(
        scope: Vec<VarId>,
        cards: Vec<usize>,
        mut relative: Vec<f64>,
        ln_scale: DoubleDouble,
    ) -> Self {
        let most = relative.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let axes = Axes::new(scope, cards);
        if most == f64::NEG_INFINITY {
            return Self::of(axes, relative.into(), DoubleDouble::ZERO);
        }
        for x in relative.iter_mut().filter(|x| x.is_finite()) {
            // What is not zero must not become so, also where the difference overflows.
            *x = (*x - most).max(f64::MIN);
        }
        Self::of(axes, relative.into(), ln_scale + most)
    }

    /// Is it a clone of the other one, so that both share their entries?
    pub(crate) fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.data, &other.data)
    }

    /// The variables, slowest first.
    #[must_use]
    pub fn scope(&self) -> &[VarId] {
        self.data.axes.scope()
    }

    /// The cardinalities of the scope, in its order.
    #[must_use]
    pub fn cards(&self) -> &[usize] {
        self.data.axes.cards()
    }

    /// The entries `ln (f / max f)`, last variable fastest: the largest is 0, a hard zero is `−∞`.
    #[must_use]
    pub fn relative(&self) -> &[f64] {
        &self.data.relative
    }

    /// `ln max f`, in nats; 0 if the table is zero everywhere.
    #[must_use]
    pub fn ln_scale(&self) -> DoubleDouble {
        self.data.ln_scale
    }

    /// `ln f` of one entry, in nats, rounded to a float.
    ///
    /// # Panics
    /// If there is no such entry.
    #[must_use]
    pub fn ln_entry(&self, at: usize) -> f64 {
        (self.ln_scale() + self.relative()[at]).value()
    }

    /// `f` of one entry, to about its last digit; infinite if no float holds it.
    ///
    /// # Panics
    /// If there is no such entry.
    #[must_use]
    pub fn value(&self, at: usize) -> f64 {
        (self.ln_scale() + self.relative()[at]).exp()
    }

    /// Number of entries.
    #[must_use]
    pub fn num_entries(&self) -> usize {
        self.relative().len()
    }

    /// Is every entry a hard zero?
    #[must_use]
    pub fn is_zero(&self) -> bool {
        // Otherwise the largest entry is 0.
        self.relative().iter().all(|&x| x == f64::NEG_INFINITY)
    }

    /// Flat index of the entry at `states`, one state per variable of the scope.
    #[must_use]
    pub fn flat_index(&self, states: impl IntoIterator<Item = usize>) -> usize {
        let mut index = 0;
        for (state, card) in states.into_iter().zip(self.cards()) {
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
        assert_eq!(
            scope.len(),
            self.scope().len(),
            "a permutation of the scope"
        );
        let strides = strides(self.cards());
        let axes: Vec<usize> = scope
            .iter()
            .map(|v| {
                self.scope()
                    .iter()
                    .position(|w| w == v)
                    .expect("a permutation of the scope")
            })
            .collect();
        let cards: Vec<usize> = axes.iter().map(|&axis| self.cards()[axis]).collect();
        let steps: Vec<usize> = axes.iter().map(|&axis| strides[axis]).collect();
        let offsets = Offsets::new(&cards, &steps);
        let relative: Vec<f64> = offsets.map(|at| self.relative()[at]).collect();
        let axes = Axes::new(scope.to_vec(), cards);
        Self::of(axes, relative.into(), self.ln_scale())
    }
}

/// Refuses what no table can have: see [`Table::from_ln`].
fn check_shape(scope: &[VarId], cards: &[usize], found: usize) -> Result<(), ModelError> {
    if scope.len() != cards.len() {
        return Err(ModelError::WrongCards {
            scope: scope.to_vec(),
            cards: cards.len(),
        });
    }
    let mut sorted = scope.to_vec();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ModelError::DuplicateVariable { var: pair[0] });
    }
    if let Some(at) = cards.iter().position(|&card| card == 0) {
        return Err(ModelError::NoStates { var: scope[at] });
    }
    let expected = table_len(cards).ok_or(ModelError::TooLarge {
        variables: scope.len(),
    })?;
    if expected != found {
        return Err(ModelError::WrongLength {
            scope: scope.to_vec(),
            expected,
            found,
        });
    }
    Ok(())
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
        assert_eq!(
            turned.relative()[there..=there],
            table.relative()[here..=here]
        );
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
    #[test]
    fn relative_entries_are_those_of_quotients_that_no_float_holds() {
        let values = [1e-320, 3e-323, 1e300, 0.0, 9e299];
        let table = Table::from_values(vec![VarId(0)], vec![5], &values).unwrap();
        let relative = table.relative();
        assert!((relative[0] - (1e-320f64.ln() - 1e300f64.ln())).abs() < 1e-12);
        assert!((relative[1] - (3e-323f64.ln() - 1e300f64.ln())).abs() < 1e-12);
        assert_eq!(relative[2..4], [0.0, f64::NEG_INFINITY]);
        assert!((relative[4] - 0.9f64.ln()).abs() < 1e-16);
        assert_eq!(table.ln_entry(2).to_bits(), 1e300f64.ln().to_bits());
        for (at, value) in values.into_iter().enumerate() {
            assert!(
                (table.value(at) - value).abs() <= 1e-15 * value + 5e-324,
                "{at}"
            );
        }

        let far = Table::from_ln(vec![VarId(0)], vec![2], vec![1e308, -1e308]).unwrap();
        assert_eq!(far.relative(), [0.0, f64::MIN]);
        let zero = Table::from_values(vec![VarId(0)], vec![2], &[0.0, 0.0]).unwrap();
        assert!(zero.is_zero() && zero.scaled(1.0.into()).unwrap().ln_scale() == 0.0.into());
    }

    #[test]
    fn scopes_and_cardinalities_of_different_lengths_are_refused() {
        let refused = Table::from_ln(vec![VarId(0)], vec![2, 2], vec![0.0; 4]);
        assert!(matches!(
            refused,
            Err(ModelError::WrongCards { cards: 2, .. })
        ));
        let refused = Table::from_ln(vec![VarId(0), VarId(1)], vec![2], vec![0.0; 2]);
        assert!(matches!(
            refused,
            Err(ModelError::WrongCards { cards: 1, .. })
        ));
        assert!(Table::constant(f64::NAN).is_err() && Table::constant(f64::INFINITY).is_err());
        assert!(Table::constant(f64::NEG_INFINITY).unwrap().is_zero());
    }
}

//! The states of a scope one after the other, last variable fastest, and where they lie in tables.

/// Moves to the next state; `false` after the last one, when it is the first one again.
///
/// `moved` is told of every axis that moves: one state on (`false`), or from its last state back to 0
/// (`true`). So a caller keeps the offset of a table by adding a stride, or taking off `card − 1` of them.
/// All cardinalities are at least 1.
///
/// # Example
/// ```
/// use forney_model::walk::advance;
/// let (cards, mut state, mut sum) = ([2, 3], [0, 0], 0);
/// while advance(&mut state, &cards, |_, _| ()) {
///     sum += 10 * state[0] + state[1];
/// }
/// assert_eq!((state, sum), ([0, 0], 1 + 2 + 10 + 11 + 12));
/// ```
#[inline]
pub fn advance(state: &mut [usize], cards: &[usize], mut moved: impl FnMut(usize, bool)) -> bool {
    for (axis, (state, &card)) in state.iter_mut().zip(cards).enumerate().rev() {
        if *state + 1 < card {
            *state += 1;
            moved(axis, false);
            return true;
        }
        *state = 0;
        moved(axis, true);
    }
    false
}

/// How far apart neighbours along each axis of a table are.
///
/// # Example
/// ```
/// assert_eq!(forney_model::walk::strides(&[2, 3, 4]), [12, 4, 1]);
/// ```
#[must_use]
pub fn strides(cards: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; cards.len()];
    for axis in (1..cards.len()).rev() {
        strides[axis - 1] = strides[axis] * cards[axis];
    }
    strides
}

/// Where a table's entries lie along a walk through the states of another scope: for each variable of
/// `scope` how far a step moves in a table over `table` with `cards`, not at all if it is not in it.
///
/// # Example
/// ```
/// assert_eq!(forney_model::walk::strides_within(&["a", "b", "c"], &["c", "a"], &[4, 2]), [1, 0, 2]);
/// ```
#[must_use]
pub fn strides_within<V: PartialEq>(scope: &[V], table: &[V], cards: &[usize]) -> Vec<usize> {
    let own = strides(cards);
    let stride = |v: &V| {
        let axis = table.iter().position(|u| u == v);
        axis.map_or(0, |axis| own[axis])
    };
    scope.iter().map(stride).collect()
}

/// The offset of every state of a scope in one table, last variable fastest.
///
/// # Example
/// ```
/// use forney_model::walk::Offsets;
/// let transposed: Vec<usize> = Offsets::new(&[3, 2], &[1, 3]).collect();
/// assert_eq!(transposed, [0, 3, 1, 4, 2, 5]);
/// ```
#[derive(Clone, Debug)]
pub struct Offsets<'s> {
    cards: &'s [usize],
    strides: &'s [usize],
    state: Vec<usize>,
    /// None after the last state.
    at: Option<usize>,
}

impl<'s> Offsets<'s> {
    /// A walk through the states of variables with `cards`, one stride for each. An axis beyond the
    /// shorter of the two lists does not move.
    #[must_use]
    pub fn new(cards: &'s [usize], strides: &'s [usize]) -> Self {
        let axes = cards.len().min(strides.len());
        Self {
            cards: &cards[..axes],
            strides: &strides[..axes],
            state: vec![0; axes],
            at: Some(0),
        }
    }
}

impl Iterator for Offsets<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let here = self.at?;
        let (cards, strides, mut at) = (self.cards, self.strides, here);
        let more = advance(&mut self.state, cards, |axis, back| {
            if back {
                at -= strides[axis] * (cards[axis] - 1);
            } else {
                at += strides[axis];
            }
        });
        self.at = more.then_some(at);
        Some(here)
    }
}

/// `Π_i p_i` over the joint states of independent variables, last one fastest; `room` holds the product
/// of their cardinalities, and at least 1.
///
/// # Panics
/// If there is too little room.
///
/// # Example
/// ```
/// use forney_model::walk::joint;
/// let mut room = [0.0; 4];
/// let p = joint([&[0.5, 0.5][..], &[0.25, 0.75]], &mut room);
/// assert_eq!(p, [0.125, 0.375, 0.125, 0.375]);
/// ```
#[inline]
pub fn joint<'p, 'w>(
    parts: impl IntoIterator<Item = &'p [f64]>,
    room: &'w mut [f64],
) -> &'w mut [f64] {
    room[0] = 1.0;
    let mut len = 1;
    for part in parts {
        // From the back, so that no entry is overwritten before it is read.
        for at in (0..len).rev() {
            let p = room[at];
            for (x, q) in part.iter().enumerate() {
                room[at * part.len() + x] = p * q;
            }
        }
        len *= part.len();
    }
    &mut room[..len]
}

/// Adds `Σ_{a, b} p(a) p(b) f(a, x, b)` to `out[x]`: a table over three axes, or three groups of them,
/// against distributions of the first and of the last.
///
/// # Example
/// ```
/// let mut out = [0.0; 2];
/// forney_model::walk::contract(&[1.0], &[1.0, 2.0, 3.0, 4.0], &[0.5, 0.5], &mut out);
/// assert_eq!(out, [1.5, 3.5]);
/// ```
#[inline]
pub fn contract(before: &[f64], table: &[f64], behind: &[f64], out: &mut [f64]) {
    if behind.len() == 1 {
        let weight = behind[0];
        for (p, row) in before.iter().zip(table.chunks_exact(out.len())) {
            for (out, f) in out.iter_mut().zip(row) {
                *out += p * (f * weight);
            }
        }
        return;
    }
    let blocks = table.chunks_exact(out.len() * behind.len());
    for (p, block) in before.iter().zip(blocks) {
        for (out, row) in out.iter_mut().zip(block.chunks_exact(behind.len())) {
            let sum: f64 = row.iter().zip(behind).map(|(f, q)| f * q).sum();
            *out += p * sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_those_of_the_flat_index() {
        let cards = [2, 1, 3, 4];
        let own = strides(&cards);
        let mut walk = Offsets::new(&cards, &own);
        for at in 0..24 {
            assert_eq!(walk.next(), Some(at));
        }
        assert_eq!(walk.next(), None);
        assert_eq!(walk.next(), None);
        // A table that lacks the second-last axis stands still along it.
        let fewer = strides_within(&['a', 'b', 'c', 'd'], &['d', 'a'], &[4, 2]);
        let found: Vec<usize> = Offsets::new(&cards, &fewer).collect();
        let expected = (0..24).map(|at| at % 4 * 2 + at / 12);
        assert!(found.into_iter().eq(expected));
    }

    #[test]
    fn a_scope_without_variables_has_one_state() {
        assert!(Offsets::new(&[], &[]).eq([0]));
        assert!(!advance(&mut [], &[], |_, _| ()));
        assert_eq!(joint([], &mut [0.0]), [1.0]);
    }

    #[test]
    fn contractions_sum_over_all_that_is_not_kept() {
        let table: Vec<f64> = (0..24).map(f64::from).collect();
        for (rows, columns) in [(2, 4), (6, 1), (1, 4), (4, 2)] {
            let kept = 24 / rows / columns;
            let before: Vec<f64> = (1..=rows).map(|a| 0.25 * a as f64).collect();
            let behind: Vec<f64> = (1..=columns).map(|b| 1.0 / b as f64).collect();
            let mut out = vec![1.0; kept];
            contract(&before, &table, &behind, &mut out);
            for (x, found) in out.iter().enumerate() {
                let mut expected = 1.0;
                for (a, p) in before.iter().enumerate() {
                    for (b, q) in behind.iter().enumerate() {
                        expected += p * q * table[(a * kept + x) * columns + b];
                    }
                }
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }
}

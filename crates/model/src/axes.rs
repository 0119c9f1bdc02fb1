//! The variables of a table and their cardinalities.

use crate::VarId;

/// So many variables are stored in place: most tables of large models have no more, and two
/// allocations for each of a million tables take more memory than their entries.
const FEW: usize = 3;

/// A scope and as many cardinalities.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Axes {
    /// What lies beyond `len` is 0, so that equal axes are equal as they are stored.
    Few {
        len: u8,
        scope: [VarId; FEW],
        cards: [usize; FEW],
    },
    Many {
        scope: Box<[VarId]>,
        cards: Box<[usize]>,
    },
}

impl Axes {
    /// One cardinality for each variable.
    pub(crate) fn new(scope: Vec<VarId>, cards: Vec<usize>) -> Self {
        debug_assert_eq!(scope.len(), cards.len());
        if scope.len() > FEW {
            return Self::Many {
                scope: scope.into(),
                cards: cards.into(),
            };
        }
        let mut few = ([VarId(0); FEW], [0; FEW]);
        few.0[..scope.len()].copy_from_slice(&scope);
        few.1[..cards.len()].copy_from_slice(&cards);
        Self::Few {
            len: scope.len() as u8,
            scope: few.0,
            cards: few.1,
        }
    }

    pub(crate) fn scope(&self) -> &[VarId] {
        match self {
            Self::Few { len, scope, .. } => &scope[..usize::from(*len)],
            Self::Many { scope, .. } => scope,
        }
    }

    pub(crate) fn cards(&self) -> &[usize] {
        match self {
            Self::Few { len, cards, .. } => &cards[..usize::from(*len)],
            Self::Many { cards, .. } => cards,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_any_number_come_back() {
        for n in 0..6 {
            let scope: Vec<VarId> = (0..n).map(|v| VarId(9 - v)).collect();
            let cards: Vec<usize> = (0..n).map(|v| 2 + v as usize).collect();
            let axes = Axes::new(scope.clone(), cards.clone());
            assert_eq!((axes.scope(), axes.cards()), (&scope[..], &cards[..]));
            assert_eq!(axes, Axes::new(scope, cards));
        }
    }
}

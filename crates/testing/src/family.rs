//! Families of small random models, each small enough to enumerate.

use std::ops::Range;

use forney_model::FactorGraph;
use forney_model::generate::{RandomModel, random};
use rand::{Rng, RngExt};

use crate::rng;

/// What a law draws its models from: numbers of each from a range, one of which draws nothing if the range
/// holds one number alone.
///
/// Scopes may be empty or repeated, variables isolated, and parts do not meet; cardinality 1 is among the
/// cardinalities.
///
/// # Example
/// ```
/// use forney_testing::Family;
/// const WIDE: Family = Family { max_scope: 5..6, ..Family::SMALL };
/// let graph = WIDE.at(7);
/// assert_eq!(graph.cards(), WIDE.at(7).cards());
/// ```
#[derive(Clone, Debug)]
pub struct Family {
    /// Numbers of variables.
    pub variables: Range<usize>,
    /// Largest cardinalities; a variable has from 1 up to that of its model.
    pub max_card: Range<usize>,
    /// Numbers of factors.
    pub factors: Range<usize>,
    /// Largest scopes; a factor has from 0 variables up to that of its model.
    pub max_scope: Range<usize>,
    /// Probabilities of a hard zero, one of them for a model.
    pub zeros: &'static [f64],
    /// Entries are `exp(spread · U[−1, 1])`.
    pub spread: f64,
}

impl Family {
    /// Up to seven variables, a third of the models without hard zeros.
    pub const SMALL: Self = Self {
        variables: 0..8,
        max_card: 1..4,
        factors: 0..12,
        max_scope: 3..4,
        zeros: &[0.0, 0.0, 0.05, 0.1, 0.3],
        spread: 2.0,
    };

    /// From none to most of the entries are hard zeros.
    pub const ZEROS: Self = Self {
        variables: 0..7,
        max_card: 1..5,
        factors: 0..9,
        max_scope: 3..4,
        zeros: &[0.0, 0.1, 0.2, 0.35, 0.6],
        spread: 2.0,
    };

    /// So small that their Forney forms can be enumerated.
    pub const TINY: Self = Self {
        variables: 1..6,
        max_card: 1..4,
        factors: 0..7,
        max_scope: 3..4,
        zeros: &[0.0, 0.1, 0.4],
        spread: 2.0,
    };

    /// As sparse and odd as can be.
    pub const SPARSE: Self = Self {
        variables: 1..9,
        max_card: 1..5,
        factors: 0..16,
        max_scope: 0..4,
        zeros: &[0.0, 0.02, 0.4],
        spread: 2.0,
    };

    /// With something to split in most buckets.
    pub const DENSE: Self = Self {
        variables: 4..9,
        max_card: 2..5,
        factors: 8..20,
        max_scope: 2..4,
        zeros: &[0.0, 0.02, 0.1],
        spread: 2.0,
    };

    /// The next model of a generator.
    pub fn draw(&self, rng: &mut impl Rng) -> FactorGraph {
        let mut from = |range: &Range<usize>| match range.len() {
            1 => range.start,
            _ => rng.random_range(range.clone()),
        };
        let [variables, max_card, factors, max_scope] = [
            from(&self.variables),
            from(&self.max_card),
            from(&self.factors),
            from(&self.max_scope),
        ];
        let zeros = match self.zeros {
            [one] => *one,
            several => several[rng.random_range(0..several.len())],
        };
        let spec = RandomModel {
            variables,
            max_card,
            factors,
            max_scope,
            zeros,
            spread: self.spread,
        };
        random(&spec, rng)
    }

    /// The model of a seed.
    #[must_use]
    pub fn at(&self, seed: u64) -> FactorGraph {
        self.draw(&mut rng(seed))
    }
}

/// The model of a seed from two families: every fourth is sparse and odd, the others have something to
/// split. Entries of every seventh are far beyond the range of a float.
#[must_use]
pub fn mixed(seed: u64) -> FactorGraph {
    let spread = if seed.is_multiple_of(7) { 1500.0 } else { 2.0 };
    let family = match seed.is_multiple_of(4) {
        true => Family::SPARSE,
        false => Family::DENSE,
    };
    Family { spread, ..family }.at(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each kind of awkwardness that a law has to meet, and in how many of the models it is.
    fn kinds(graphs: impl Iterator<Item = FactorGraph>) -> [usize; 6] {
        let mut found = [0; 6];
        for graph in graphs {
            let tables = graph.factors();
            let zero = |table: &forney_model::Table| table.relative().contains(&f64::NEG_INFINITY);
            let repeated = (1..tables.len()).any(|at| {
                let same = |other: &forney_model::Table| other.scope() == tables[at].scope();
                tables[..at].iter().any(same)
            });
            let cards = graph.cards();
            let here = [
                tables.iter().any(zero),
                cards.contains(&1),
                cards.iter().any(|card| *card != cards[0]),
                tables.iter().any(|table| table.scope().is_empty()),
                repeated,
                graph.variables().any(|v| graph.factors_of(v).count() == 0),
            ];
            for (found, here) in found.iter_mut().zip(here) {
                *found += usize::from(here);
            }
        }
        found
    }

    #[test]
    fn every_family_has_models_of_every_awkward_kind() {
        let families = [
            Family::SMALL,
            Family::ZEROS,
            Family::TINY,
            Family::SPARSE,
            Family::DENSE,
        ];
        for family in families {
            let found = kinds((0..1000).map(|seed| family.at(seed)));
            assert!(
                found.iter().all(|count| *count > 40),
                "{family:?}: {found:?}"
            );
        }
        let found = kinds((0..1000).map(mixed));
        assert!(found.iter().all(|count| *count > 100), "{found:?}");
    }
}

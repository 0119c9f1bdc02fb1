//! The primal graph of a model: variables that share a factor are neighbours.

use forney_model::FactorGraph;

/// Sizes are multiples of `1/UNIT`.
pub(super) const UNIT: f64 = (1u64 << 32) as f64;

/// An undirected graph on `0..n` with a size for each vertex.
#[derive(Clone, Debug)]
pub(super) struct Primal {
    /// `log2 |X_v|` to 10 decimals; a variable of cardinality 1 has 0 and no neighbours.
    pub(super) log2: Vec<f64>,
    /// Neighbours, ascending.
    pub(super) adjacent: Vec<Vec<u32>>,
}

impl Primal {
    pub(super) fn new(graph: &FactorGraph) -> Self {
        // Rounded so that sums of them are exact, in whichever order they are taken.
        let log2 = |&card: &usize| ((card as f64).log2() * UNIT).round() / UNIT;
        let log2: Vec<f64> = graph.cards().iter().map(log2).collect();
        let scopes = graph.factors().iter().map(|factor| {
            let scope = factor.scope().iter().map(|v| v.0);
            scope
                .filter(|&v| log2[v as usize] > 0.0)
                .collect::<Vec<u32>>()
        });
        Self::from_scopes(log2.clone(), scopes)
    }

    /// Each scope becomes a clique.
    pub(super) fn from_scopes(log2: Vec<f64>, scopes: impl Iterator<Item = Vec<u32>>) -> Self {
        let mut adjacent = vec![Vec::new(); log2.len()];
        for scope in scopes {
            for &v in &scope {
                adjacent[v as usize].extend(scope.iter().copied().filter(|&u| u != v));
            }
        }
        for list in &mut adjacent {
            list.sort_unstable();
            list.dedup();
        }
        Self { log2, adjacent }
    }

    pub(super) fn len(&self) -> usize {
        self.log2.len()
    }
}

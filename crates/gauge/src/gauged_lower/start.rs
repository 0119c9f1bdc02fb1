//! Which variables can be gauged without a negative entry, and where the search begins.
//!
//! Without hard zeros the identity lies inside of the positive region. A table whose zeros a gauge
//! could turn negative has to be *lifted* off them first: its side of the variable gets the
//! positive matrix `M = (1 − ε) I + ε/|X_v| 𝟏𝟏ᵀ`, the other side `M^{-T}`, which keeps a table positive
//! if ε is small enough. A variable whose two tables would both have to be lifted keeps the
//! identity: what one side gains, the other loses. Entries that are zero in all of a table's fibre
//! over its gauged variables stay zero under every gauge and do no harm.

use forney_model::{FactorGraph, FactorId, Table, VarId};

use nalgebra::DMatrix;

use super::witness::is_plain;
use crate::gauges::two_factors;
use crate::moving::{Leg, MovingGauges};
use crate::{GaugeError, Gauges};

/// A variable that can be gauged.
#[derive(Clone, Debug)]
pub(super) struct Gaugeable {
    pub(super) variable: VarId,
    /// Its two factors; the gauge acts at the first, its inverse transpose at the second.
    pub(super) factors: [FactorId; 2],
    /// The side that has to be lifted off its zeros, if any.
    pub(super) lifted: Option<usize>,
    /// The largest ε that keeps the other side positive on its own.
    pub(super) most: f64,
}

/// Every variable that can be gauged.
pub(super) fn gaugeable(graph: &FactorGraph) -> Vec<Gaugeable> {
    let wide = graph.variables().filter(|&v| graph.card(v) > 1);
    wide.filter_map(|variable| {
        let factors = two_factors(graph, variable)?;
        let tables = factors.map(|a| &graph.factors()[a.index()]);
        if !tables.iter().all(|table| is_plain(table)) {
            return None;
        }
        let least = tables.map(|table| least_share(table, variable));
        let lifted = match least.map(|share| share > 0.0) {
            [true, true] => None,
            [false, true] => Some(0),
            [true, false] => Some(1),
            [false, false] => return None,
        };
        Some(Gaugeable {
            variable,
            factors,
            lifted,
            most: lifted.map_or(1.0, |side| least[1 - side]),
        })
    })
    .collect()
}

/// The gauges of these variables, and the legs of every factor.
pub(super) fn moving(
    graph: &FactorGraph,
    gaugeable: &[Gaugeable],
) -> (MovingGauges, Vec<Vec<Leg>>) {
    let scopes: Vec<&[VarId]> = graph.factors().iter().map(Table::scope).collect();
    let gauged = gaugeable.iter();
    let gauged = gauged.map(|own| (own.variable, own.factors.map(FactorId::index)));
    MovingGauges::new(graph, &scopes, gauged)
}

/// Lifts by `strength < 1` times the largest ε where zeros ask for them, identities elsewhere.
pub(super) fn lift(
    graph: &FactorGraph,
    gaugeable: &[Gaugeable],
    strength: f64,
) -> Result<Gauges, GaugeError> {
    let lifted = gaugeable.iter().filter_map(|own| {
        let card = graph.card(own.variable);
        let epsilon = strength * own.most;
        // M and M^{-T} are both a multiple of the identity plus one of the matrix of ones.
        let (scale, all) = match own.lifted? {
            0 => (1.0 - epsilon, epsilon / card as f64),
            _ => {
                let scale = 1.0 / (1.0 - epsilon);
                (scale, -scale * epsilon / card as f64)
            }
        };
        let entry = |i, j| all + if i == j { scale } else { 0.0 };
        Some((own.variable, DMatrix::from_fn(card, card, entry)))
    });
    Gauges::new(graph, lifted.collect())
}

/// The least share that an entry has in the mean of its fibre along `v`, over all fibres that are
/// not zero: `M^{-1}` keeps the table positive for every ε below it.
fn least_share(table: &Table, v: VarId) -> f64 {
    let axes = table.scope().iter().zip(table.cards());
    let after = axes.skip_while(|(u, _)| **u != v);
    let cards: Vec<usize> = after.map(|(_, &card)| card).collect();
    let (card, stride) = (cards[0], cards[1..].iter().product::<usize>());
    let mut least = 1.0f64;
    for block in table.relative().chunks_exact(card * stride) {
        for at in 0..stride {
            let fibre = || block[at..].iter().step_by(stride).copied();
            let most = fibre().fold(f64::NEG_INFINITY, f64::max);
            if most > f64::NEG_INFINITY {
                let total: f64 = fibre().map(|ln| (ln - most).exp()).sum();
                let smallest = fibre().fold(most, f64::min);
                least = least.min((smallest - most).exp() * card as f64 / total);
            }
        }
    }
    least
}

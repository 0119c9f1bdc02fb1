//! Structured mean field in a gauge, for the lower side of the bracket.

use std::sync::{Mutex, PoisonError};

use forney_bounds::{Allowance, Turn};
use forney_certify::{Below, Lower};

use crate::gauged_lower::{STRUCTURED, structured_in_gauge};
use crate::{GaugedLowerOptions, Gauges, gauged_mean_field};

/// Its share of a turn in the first one and while it holds the best bound, and else.
const LEADING: f64 = 0.5;
const FOLLOWING: f64 = 0.1;

/// Gauges may take so much of the evaluations of a turn.
const EVALUATIONS: f64 = 0.25;

/// Blocks of width 8 are quick, and follow much more of a model than those of the first levels.
const LEAST_IBOUND: usize = 8;

/// Structured mean field in the best gauge for mean field that was found at any level so far.
pub(crate) struct GaugedBlocks {
    /// The ibound that the caller of the bracket fixed.
    ibound: Option<usize>,
    best: Mutex<Option<Best>>,
}

/// A gauge, and what mean field proves in it.
struct Best {
    gauges: Gauges,
    bound: Lower,
}

impl GaugedBlocks {
    /// Nothing is known yet.
    pub(crate) fn new(ibound: Option<usize>) -> Self {
        Self {
            ibound,
            best: Mutex::default(),
        }
    }

    /// Has its part of a turn, and enters what it proves; returns the gradient evaluations.
    pub(crate) fn compete(&self, turn: &Turn<'_, '_>, allowed: &Allowance) -> usize {
        let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
        let share = if best.is_none() || turn.holder::<Below>() == STRUCTURED {
            LEADING
        } else {
            FOLLOWING
        };
        let part = |share: f64| match allowed.budget.remaining() {
            Some(left) => allowed.budget.capped(left.mul_f64(share)),
            None => allowed.budget.clone(),
        };
        let budget = part(share);
        let options = GaugedLowerOptions {
            // One start that converges is worth more than many that do not.
            starts: 1,
            iterations: (allowed.iterations).map(|left| (EVALUATIONS * left as f64) as usize),
            tolerance: turn.least_gain,
            seed: turn.seed,
            memory: turn.memory,
        };
        let found = gauged_mean_field(turn.graph, &options, &part(0.5 * share), &mut |_, _| {});
        // Where nothing can be gauged, or no gauge fits, there is nothing to enter.
        let Ok(found) = found else { return 0 };
        let own = match best.take() {
            Some(known) if known.bound.ln() >= found.bound.ln() => known,
            _ => Best {
                gauges: found.witness.gauges,
                bound: found.bound,
            },
        };
        let ibound = self.ibound.unwrap_or(turn.limit.ibound.max(LEAST_IBOUND));
        let gauges = best.insert(own).gauges.clone();
        let (seed, memory) = (turn.seed, turn.memory);
        // Blocks that do not fit are no bound, and no failure of the bracket either.
        if let Ok(blocks) = structured_in_gauge(turn.graph, gauges, ibound, seed, memory, &budget) {
            turn.post_as(blocks.bound, STRUCTURED);
        }
        found.iterations
    }
}

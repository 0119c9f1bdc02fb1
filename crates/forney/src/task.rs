//! What elimination answers.

use std::sync::Arc;

use forney_certify::{Budget, Stop};
use forney_exact::{Assignment, Keep, Marginals, Schedule, ln_z_along};
use forney_model::{
    Contradiction, Domains, Evidence, FactorGraph, ModelError, Restriction, simplify, simplify_sum,
};
use forney_planar::{Demand, Solution};

use crate::drawn::drawn;

/// A most probable assignment.
#[derive(Clone, Debug, PartialEq)]
pub struct MostProbable {
    /// The state of each variable.
    pub states: Vec<usize>,
    /// `Σ_a ln f_a` at it, in nats.
    pub ln_value: f64,
}

/// A model, and what evidence, hard zeros and simplification leave of it.
#[derive(Clone, Debug)]
pub struct Reduced<'g> {
    /// The model as it was.
    pub whole: &'g FactorGraph,
    /// What is left, and the way back.
    pub simple: Restriction,
}

/// What evidence and hard zeros leave of a model; `None` if that is nothing: `Z = 0`.
///
/// Where the budget ends, fewer hard zeros are made use of.
///
/// # Errors
/// An observation of a variable or state that the model does not have.
pub fn restrict(
    graph: &FactorGraph,
    evidence: &Evidence,
    budget: &Budget,
) -> Result<Option<Restriction>, ModelError> {
    let mut domains = Domains::observed(graph, evidence)?;
    Ok(match domains.probe(graph, budget) {
        Ok(_) => Some(domains.restrict(graph)),
        Err(Contradiction) => None,
    })
}

/// Computes something along a schedule that fits in memory; `None` if `Z = 0`. The stop says why it
/// did not come to an end.
type Run<T> = fn(&Reduced<'_>, &Arc<Schedule>, &Budget) -> Result<Option<T>, Stop>;

/// The same of a planar model; `None` if it is not to be had from its solution, and an inner one if `Z = 0`.
type Draw<T> = fn(&Reduced<'_>, &Solution) -> Option<Option<T>>;

/// Something to compute by elimination.
#[derive(Clone, Copy, Debug)]
pub struct Task<T> {
    simplify: fn(&FactorGraph) -> Result<FactorGraph, ModelError>,
    keep: Keep,
    passes: f64,
    run: Run<T>,
    draw: Option<Draw<T>>,
}

impl<T> Task<T> {
    /// The whole model beside a smaller one with the same answer.
    ///
    /// # Errors
    /// None for a restriction of the model itself.
    pub fn reduce<'g>(
        &self,
        whole: &'g FactorGraph,
        restriction: Restriction,
    ) -> Result<Reduced<'g>, ModelError> {
        let simple = restriction.simplified(self.simplify)?;
        Ok(Reduced { whole, simple })
    }

    /// Does it keep all messages?
    #[must_use]
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// About how many forward passes it takes.
    #[must_use]
    pub fn passes(&self) -> f64 {
        self.passes
    }

    /// The answer without an elimination, if the model is one of spins that can be drawn in the plane and elimination
    /// takes longer; within it `None` if `Z = 0`.
    #[must_use]
    pub fn drawn(
        &self,
        reduced: &Reduced<'_>,
        memory: f64,
        budget: &Budget,
    ) -> Option<(Option<T>, Demand)> {
        let draw = self.draw?;
        let (solution, demand) = drawn(reduced.simple.graph(), memory, budget)?;
        Some((draw(reduced, &solution)?, demand))
    }

    /// The answer, in units of its task; `None` if `Z = 0`.
    ///
    /// # Errors
    /// Why the budget ended first.
    ///
    /// # Panics
    /// If the schedule was compiled for another model, or splits buckets.
    pub fn run(
        &self,
        reduced: &Reduced<'_>,
        schedule: &Arc<Schedule>,
        budget: &Budget,
    ) -> Result<Option<T>, Stop> {
        (self.run)(reduced, schedule, budget)
    }
}

impl Task<f64> {
    /// `ln Z`, in nats.
    #[must_use]
    pub fn ln_z() -> Self {
        Self {
            simplify: simplify_sum,
            keep: Keep::Live,
            passes: 1.0,
            run: |reduced, schedule, budget| {
                let ln_z = ln_z_along(schedule, reduced.simple.graph(), budget);
                let ln_z = ln_z.ok_or_else(|| budget.stop().unwrap_or(Stop::Interrupted))?;
                Ok((ln_z > f64::NEG_INFINITY).then_some(ln_z))
            },
            draw: Some(|_, &Solution { ln_z, .. }| {
                Some((ln_z > f64::NEG_INFINITY).then_some(ln_z))
            }),
        }
    }
}

impl Task<(f64, Vec<Vec<f64>>)> {
    /// `ln Z`, in nats, and by variable one probability for each state.
    #[must_use]
    pub fn marginals() -> Self {
        Self {
            simplify,
            keep: Keep::All,
            passes: 6.0,
            run: |reduced, schedule, _| {
                let found = Marginals::along(schedule, reduced.simple.graph());
                let lifted = reduced.simple.lift_marginals(&found.variables);
                Ok((found.ln_z > f64::NEG_INFINITY).then_some((found.ln_z, lifted)))
            },
            draw: Some(
                |reduced,
                 &Solution {
                     ln_z, symmetric, ..
                 }| {
                    if ln_z == f64::NEG_INFINITY {
                        return Some(None);
                    }
                    // With fields only some of the variables would be known.
                    symmetric.then(|| {
                        let cards = reduced.simple.graph().cards().iter();
                        let half: Vec<_> = cards.map(|&n| vec![1.0 / n as f64; n]).collect();
                        Some((ln_z, reduced.simple.lift_marginals(&half)))
                    })
                },
            ),
        }
    }
}

impl Task<MostProbable> {
    /// A most probable assignment.
    #[must_use]
    pub fn most_probable() -> Self {
        Self {
            simplify,
            keep: Keep::All,
            passes: 1.0,
            run: |reduced, schedule, _| {
                let best = Assignment::along(schedule, reduced.simple.graph());
                let states = reduced.simple.lift_assignment(&best.states);
                // The value is that of the whole model, whatever was done to reduce it.
                let ln_value = reduced.whole.ln_value(&states);
                Ok((ln_value > f64::NEG_INFINITY).then_some(MostProbable { states, ln_value }))
            },
            draw: None,
        }
    }
}

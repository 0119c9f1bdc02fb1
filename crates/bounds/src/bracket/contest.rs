//! The caller's method beside mini-buckets: who gets how much at one ibound.

use std::time::Duration;

use super::Job;
use super::lane::TURN;
use crate::board::Post;
use crate::contender::{Allowance, Contender, Prospect, Turn};
use crate::options::Method;
use crate::wmbe::{Candidate, CliqueLimit};
use forney_certify::{Above, Below};
use forney_model::FactorGraph;

/// The share of the time that is left, or of the iterations, for a side's leader and for others.
const LEADER: f64 = 0.5;
const TRIAL: f64 = 0.1;

/// The share of mini-buckets that lead at a fixed ibound, where a local search that goes on gains
/// more than another race.
const SEARCH: f64 = 0.9;

/// The share of a contender that has the bracket for itself, where higher ibounds follow.
const ALONE: f64 = 0.4;

/// A trial shorter than this costs more than it can tell.
const SHORTEST_TRIAL: Duration = Duration::from_millis(20);

/// Evaluations of a trial if neither time nor iterations have an end.
const UNTIMED_TRIAL: usize = 300;

/// A contender with what it promises on this model.
#[derive(Clone, Copy)]
pub(super) struct Entrant<'j> {
    contender: &'j dyn Contender,
    /// Is it the method asked for, and not one of many?
    alone: bool,
    /// Does it lead until a bound says otherwise?
    favourite: bool,
}

/// What both sides of a level share.
pub(super) struct Terms {
    /// The least time for mini-buckets.
    pub(super) worth: Duration,
    pub(super) limit: CliqueLimit,
    /// The candidate that has shown that the limit fits, where there is a race.
    pub(super) first: Option<Candidate>,
    pub(super) seed: u64,
    pub(super) memory: f64,
    pub(super) least_gain: f64,
    /// Does a local search follow? While larger cliques do, they gain more.
    pub(super) local: bool,
    pub(super) leaders: Leaders,
}

/// On which sides the contender leads.
#[derive(Clone, Copy)]
pub(super) struct Leaders {
    above: bool,
    below: bool,
}

impl Leaders {
    fn contender<S: Post>(self) -> bool {
        if S::TRIVIAL > 0.0 {
            self.above
        } else {
            self.below
        }
    }
}

impl<'j> Entrant<'j> {
    /// `None` if there is no contender or nothing for it to do.
    pub(super) fn of(
        contender: Option<&'j dyn Contender>,
        method: Method,
        graph: &FactorGraph,
    ) -> Option<Self> {
        let contender = contender?;
        let (alone, favourite) = match (method, contender.prospect(graph)) {
            (Method::Contender, _) => (true, true),
            (Method::Auto, Prospect::Lead) => (false, true),
            (Method::Auto, Prospect::Trial) => (false, false),
            _ => return None,
        };
        Some(Self {
            contender,
            alone,
            favourite,
        })
    }
}

impl Job<'_, '_> {
    /// Is a method of the caller the only one asked for?
    pub(super) fn contender_alone(&self) -> bool {
        self.contender.as_ref().is_some_and(|entrant| entrant.alone)
    }

    /// Has the contender proved the best bound on this side?
    pub(super) fn contender_holds<S: Post>(&self) -> bool {
        let holder = self.board.method::<S>();
        self.contender
            .as_ref()
            .is_some_and(|entrant| entrant.contender.owns(holder))
    }

    /// Who leads each side, read before a level runs: who holds the best bound, and before the
    /// contender had a turn, or where another kind of method is ahead of both, the favourite.
    pub(super) fn leaders(&self, round: u64) -> Leaders {
        Leaders {
            above: self.contender_leads::<Above>(round),
            below: self.contender_leads::<Below>(round),
        }
    }

    fn contender_leads<S: Post>(&self, round: u64) -> bool {
        let favourite = |entrant: &Entrant<'_>| entrant.favourite;
        let mini_buckets = self.board.method::<S>() == Method::Wmbe.name();
        self.contender_holds::<S>()
            || (self.contender.as_ref().is_some_and(favourite) && (round == 0 || !mini_buckets))
    }

    /// The share of mini-buckets in the time of a [slice](Job::slice).
    pub(super) fn own_share<S: Post>(&self, leaders: Leaders) -> f64 {
        if leaders.contender::<S>() && !self.contender_alone() {
            TRIAL
        } else if self.alternates() && S::TRIVIAL < 0.0 {
            // Below there are other methods.
            TURN
        } else if self.options.ibound.is_some() {
            SEARCH
        } else {
            LEADER
        }
    }

    /// The share of mini-buckets in the iterations that are left.
    pub(super) fn own_iterations<S: Post>(&self, leaders: Leaders) -> f64 {
        if self.contender.is_none() || self.contender_alone() {
            1.0
        } else if leaders.contender::<S>() {
            TRIAL
        } else {
            1.0 - TRIAL
        }
    }

    /// The contender's turn after mini-buckets that took so long.
    pub(super) fn contend(&self, terms: &Terms, took: Duration) {
        let Some(entrant) = &self.contender else {
            return;
        };
        let (upper, lower) = self.open();
        let turn = Turn {
            graph: self.graph,
            limit: terms.limit,
            order: self.options.order.as_ref(),
            seed: terms.seed,
            memory: terms.memory,
            least_gain: terms.least_gain,
            ascending: self.options.ibound.is_none(),
            upper: upper
                .then(|| self.allowance::<Above>(entrant, terms.leaders, took))
                .flatten(),
            lower: lower
                .then(|| self.allowance::<Below>(entrant, terms.leaders, took))
                .flatten(),
            board: self.board,
            name: entrant.contender.name(),
        };
        if self.ended().is_none() && (turn.upper.is_some() || turn.lower.is_some()) {
            entrant.contender.compete(&turn);
        }
    }

    /// What the contender may spend on one side; `None` if that is not worth a start.
    fn allowance<S: Post>(
        &self,
        entrant: &Entrant<'_>,
        leaders: Leaders,
        took: Duration,
    ) -> Option<Allowance> {
        let counted = self.board.counted::<S>();
        let left = self
            .options
            .iterations
            .map(|most| most.saturating_sub(counted));
        let timed = self.budget.remaining().is_some();
        if leaders.contender::<S>() || entrant.alone {
            let share = match (entrant.alone, self.options.ibound) {
                (true, Some(_)) => 1.0,
                (true, None) => ALONE,
                (false, _) => LEADER,
            };
            // Where higher ibounds follow they deserve their part of the iterations, too.
            let part = match self.options.ibound {
                Some(_) => 1.0,
                None => share,
            };
            return Some(Allowance {
                budget: self.sliced(share),
                iterations: left.map(|left| (part * left as f64).ceil() as usize),
            });
        }
        let time = took.mul_f64(TRIAL);
        if timed && time < SHORTEST_TRIAL {
            return None;
        }
        Some(Allowance {
            budget: self.if_timed(time),
            iterations: left.or((!timed).then_some(UNTIMED_TRIAL)),
        })
    }
}

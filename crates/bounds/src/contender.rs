//! Methods of a caller that compete with those of the bracket.

use forney_certify::{Bound, Budget};
use forney_exact::Order;
use forney_model::FactorGraph;

use crate::board::{Board, Post};
use crate::race::Account;
use crate::wmbe::CliqueLimit;

/// A method that [`bracket_with`](crate::bracket_with) lets compete with weighted mini-buckets.
///
/// It gets a turn after theirs at every ibound. On each side whoever holds the better bound has most
/// of the time, and the other a trial.
pub trait Contender: Sync {
    /// The name of its bounds in reports.
    fn name(&self) -> &'static str;

    /// Is this the name of one of its bounds? It may enter some under other names.
    fn owns(&self, name: &str) -> bool {
        name == self.name()
    }

    /// What to expect of it on a model, before anything was measured.
    fn prospect(&self, graph: &FactorGraph) -> Prospect;

    /// Improves the sides that the turn leaves open, as far as it can.
    fn compete(&self, turn: &Turn<'_, '_>);
}

/// What a [`Contender`] promises on a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// It leads until a measured bound says otherwise.
    Lead,
    /// It gets trials.
    Trial,
    /// It stays out.
    None,
}

/// One turn of a [`Contender`]: the job, what it may take, and where to enter what it proved.
pub struct Turn<'t, 'w> {
    /// The model, reduced.
    pub graph: &'t FactorGraph,
    /// How large cliques may be.
    pub limit: CliqueLimit,
    /// The elimination order that the caller of the bracket fixed.
    pub order: Option<&'t Order>,
    /// Seed of this turn.
    pub seed: u64,
    /// Bytes that its tables may take.
    pub memory: f64,
    /// A side has converged once an evaluation gains no more than this, in nats.
    pub least_gain: f64,
    /// Do higher ibounds follow, for which time that is left over is not lost?
    pub ascending: bool,
    /// What may be spent on upper bounds; `None` leaves that side out.
    pub upper: Option<Allowance>,
    /// What may be spent on lower bounds; `None` leaves that side out.
    pub lower: Option<Allowance>,
    pub(crate) board: &'t Board<'w>,
    pub(crate) name: &'static str,
}

/// What one side of a [`Turn`] may spend.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// Time and interruption.
    pub budget: Budget,
    /// Gradient evaluations; `None` for no limit.
    pub iterations: Option<usize>,
}

impl<'w> Turn<'_, 'w> {
    /// What one side may spend, with the memory of this turn.
    #[must_use]
    pub fn account(&self, allowed: &Allowance) -> Account<'_, 'w> {
        Account::new(self.board, &allowed.budget, self.memory, allowed.iterations)
    }

    /// Enters a bound that was just verified.
    pub fn post<S: Post>(&self, bound: Bound<S>) {
        self.board.post(bound, self.name);
    }

    /// Enters a bound that was just verified, under another name that the contender
    /// [owns](Contender::owns).
    pub fn post_as<S: Post>(&self, bound: Bound<S>, name: &'static str) {
        self.board.post(bound, name);
    }

    /// The name of what proved the best bound of the side of `S` so far, "none" if nothing did.
    #[must_use]
    pub fn holder<S: Post>(&self) -> &'static str {
        self.board.method::<S>()
    }

    /// Counts gradient evaluations.
    pub fn count<S: Post>(&self, evaluations: usize) {
        self.board.count::<S>(evaluations);
    }

    /// Notes the bytes that tables take at once, by prediction.
    pub fn note_bytes(&self, bytes: f64) {
        self.board.begin(self.limit.ibound, bytes);
    }
}

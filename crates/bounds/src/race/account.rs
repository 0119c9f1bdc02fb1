//! What may be spent: evaluations, bytes and time.

use forney_certify::{Budget, Side};

use super::{Proof, Racer};
use crate::board::Board;

/// The part of the time left that a last cycle is planned for. Set by hand, not tuned.
const PLANNED: f64 = 0.9;

/// Evaluations, bytes and time of a race, and the board on which its bounds are entered.
///
/// Evaluations are given out before they are spent and in an order that no thread changes.
#[derive(Clone)]
pub struct Account<'a, 'w> {
    board: &'a Board<'w>,
    budget: Budget,
    memory: f64,
    most: usize,
    spent: usize,
}

impl<'a, 'w> Account<'a, 'w> {
    /// So many evaluations, or any number of them, and so many bytes.
    #[must_use]
    pub fn new(
        board: &'a Board<'w>,
        budget: &Budget,
        memory: f64,
        evaluations: Option<usize>,
    ) -> Self {
        Self {
            board,
            budget: budget.clone(),
            memory,
            most: evaluations.unwrap_or(usize::MAX),
            spent: 0,
        }
    }

    /// So many evaluations and bytes of it at most, for so long; what is spent of that is to be
    /// [settled](Self::settle).
    #[must_use]
    pub fn part(&self, evaluations: usize, budget: &Budget, memory: f64) -> Self {
        Self {
            board: self.board,
            budget: budget.clone(),
            memory,
            most: evaluations.min(self.left()),
            spent: 0,
        }
    }

    /// A share of the evaluations that are left, at least one if any is, and of the time.
    #[must_use]
    pub fn share(&self, share: f64) -> Self {
        let left = self.left();
        let evaluations = match self.is_counted() {
            true => ((share * left as f64) as usize).clamp(1.min(left), left),
            false => left,
        };
        self.part(evaluations, &self.time(share), self.memory)
    }

    /// Takes off what was spent of a part; no more than one part is out that has all evaluations.
    pub fn settle(&mut self, part: &Self) {
        self.spent += part.spent;
    }

    /// The budget of a share of the time that is left; where time has no end, all of it.
    #[must_use]
    pub fn time(&self, share: f64) -> Budget {
        match self.budget.remaining() {
            Some(left) => self.budget.capped(left.mul_f64(share)),
            None => self.budget.clone(),
        }
    }

    /// Time and interruption.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Bytes for all racers together.
    #[must_use]
    pub fn memory(&self) -> f64 {
        self.memory
    }

    /// Evaluations that are left; `usize::MAX` where they have no end.
    #[must_use]
    pub fn left(&self) -> usize {
        match self.is_counted() {
            true => self.most - self.spent,
            false => usize::MAX,
        }
    }

    /// Evaluations that are left, or that the time has room for at so many seconds each.
    #[must_use]
    pub fn left_at(&self, pace: f64) -> usize {
        let in_time = self
            .budget
            .remaining()
            .map_or(f64::INFINITY, |left| PLANNED * left.as_secs_f64() / pace);
        // A pace of 0, which nothing measured, leaves no end of time.
        (in_time as usize)
            .clamp(1, self.left().max(1))
            .min(self.left())
    }

    /// Evaluations spent so far.
    #[must_use]
    pub fn spent(&self) -> usize {
        self.spent
    }

    /// Is nothing left of the evaluations or the time?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left() == 0 || self.budget.stop().is_some()
    }

    /// Is there an end of evaluations or of time?
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.is_counted() || self.budget.remaining().is_some()
    }

    /// Is there an end of evaluations?
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.most < usize::MAX
    }

    /// Takes off evaluations that were spent.
    pub fn spend<S: Side>(&mut self, evaluations: usize) {
        debug_assert!(evaluations <= self.left());
        self.spent += evaluations;
        self.board.count::<S>(evaluations);
    }

    /// Notes the ibound that is tried, and the bytes that are held at once, by prediction.
    pub fn begin(&self, ibound: usize, bytes: f64) {
        self.board.begin(ibound, bytes);
    }

    /// Lets a racer go on by its own part of the evaluations, which the caller [spends](Self::spend); returns
    /// their number, and whether it can gain more.
    pub fn cycle<R: Racer>(&self, racer: &mut R, evaluations: usize) -> (usize, bool) {
        let (before, began) = (racer.evaluations(), self.budget.elapsed());
        let gains = racer.cycle(evaluations, &self.budget);
        let spent = racer.evaluations() - before;
        let seconds = (self.budget.elapsed() - began).as_secs_f64();
        self.board
            .note_pace(seconds / (spent as f64 * racer.entries()));
        (spent, gains)
    }

    /// Enters what a racer proves.
    pub fn prove<R: Racer>(&self, racer: &R) -> Option<Proof<R::Side, R::Witness>> {
        let proof = racer.prove()?;
        self.enter(&proof);
        Some(proof)
    }

    /// Enters what was proved.
    pub fn enter<S: Side, W>(&self, proof: &Proof<S, W>) {
        self.board.post(proof.bound, proof.method);
    }
}

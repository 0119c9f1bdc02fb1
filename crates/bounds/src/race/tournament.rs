//! Successive halving: those ahead go on with more evaluations, until one is left.

use rayon::prelude::*;

use super::{Account, Proof, Racer, tighter};

/// How a race is run.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Evaluations of each racer in the first round; every later round doubles them.
    pub first: usize,
    /// One in so many goes on.
    pub keep: usize,
    /// The share of the time that a race may take.
    pub time: f64,
}

impl Rules {
    /// Evaluations of a race of so many, those at the starts included.
    #[must_use]
    pub fn evaluations(self, mut racers: usize) -> usize {
        let (mut each, mut sum) = (self.first, racers);
        while racers > 1 {
            sum += each * racers;
            racers = racers.div_ceil(self.keep);
            each *= 2;
        }
        sum
    }

    /// How many of so many racers such a number of evaluations affords, at least one.
    #[must_use]
    pub fn affordable(self, racers: usize, evaluations: usize) -> usize {
        let fits = |&count: &usize| self.evaluations(count) <= evaluations;
        (1..=racers).rev().find(fits).unwrap_or(1)
    }
}

/// The last of a race.
pub struct Won<R: Racer> {
    /// The racer whose value is lowest.
    pub racer: R,
    /// The best proof of all rounds; it may be another's.
    pub proof: Option<Proof<R::Side, R::Witness>>,
    /// Has it gained too little of late to go on?
    pub idle: bool,
}

impl<R: Racer> Won<R> {
    /// One that is to go on.
    pub fn new(racer: R, proof: Option<Proof<R::Side, R::Witness>>) -> Self {
        Self {
            racer,
            proof,
            idle: false,
        }
    }
}

/// Rounds until one racer is left, after `before` rounds that went before; `None` where there was none.
pub fn race<R: Racer>(
    mut racers: Vec<R>,
    rules: Rules,
    before: u32,
    account: &mut Account<'_, '_>,
) -> Option<Won<R>> {
    let mut evaluations = rules.first << before;
    let mut proof = None;
    while racers.len() > 1 {
        let next = round(&mut racers, evaluations, rules.keep, account);
        proof = tighter(proof, next);
        evaluations *= 2;
    }
    Some(Won::new(racers.pop()?, proof))
}

/// Every racer goes on by so many evaluations, or its part of what is left; the best stay, a single one where
/// nothing is left, and the first of them proves its bound.
pub fn round<R: Racer>(
    racers: &mut Vec<R>,
    evaluations: usize,
    keep: usize,
    account: &mut Account<'_, '_>,
) -> Option<Proof<R::Side, R::Witness>> {
    let each = evaluations.min(account.left() / racers.len().max(1));
    let spent = racers
        .par_iter_mut()
        .map(|racer| account.cycle(racer, each).0);
    let spent: usize = spent.sum();
    account.spend::<R::Side>(spent);
    // NaN sorts last: a start at an infinity loses to everything.
    racers.sort_by(|a, b| a.value().total_cmp(&b.value()));
    let over = account.budget().stop().is_some() || account.left() < racers.len();
    racers.truncate(if over { 1 } else { racers.len().div_ceil(keep) });
    account.prove(racers.first()?)
}

/// Gains are judged by no fewer evaluations: the first few tell little of what the next ones gain. Set by
/// hand, not tuned.
const JUDGED: usize = 20;

/// A winner goes on, slice by slice, until an evaluation gains no more than `least_gain`, or something ends it.
///
/// A last slice takes all that is left.
pub fn finish<R: Racer>(won: &mut Won<R>, least_gain: f64, account: &mut Account<'_, '_>) {
    let racer = &mut won.racer;
    while !won.idle && !account.is_over() {
        let (value, left) = (racer.value(), account.left_at(racer.pace()));
        let slice = racer.slice();
        let slice = if left < 3 * slice { left } else { slice };
        let (spent, gains) = account.cycle(racer, slice);
        account.spend::<R::Side>(spent);
        if spent == 0 {
            break;
        }
        won.proof = tighter(won.proof.take(), account.prove(racer));
        let gain = value - racer.value();
        // Written so that NaN, which infinities give, gains nothing.
        let enough = gain > least_gain * spent as f64;
        won.idle = !gains || (spent >= JUDGED && !enough);
    }
}

//! Who of several methods of one side goes on next: whoever promises the most nats per second.
//!
//! What a bound still misses falls about as the inverse of the time that went into it, so what a method
//! is worth follows from what it gained in the second half of its time:
//!
//! ```text
//! v(t) ≈ v(∞) − c/t,     so     v(t + τ) ≈ v(t) + (v(t) − v(t/2)) · τ / (t + τ)
//! ```
//!
//! | symbol | name | unit |
//! |---|---|---|
//! | `t` | time that the method has had | s |
//! | `v(t)` | the best bound that it has proved by then, `−∞` before the first | nats |
//! | `τ` | time that it might have | s |

/// A method may have this share of the time before its pace is known ...
const UNKNOWN: f64 = 0.15;
/// ... this while it is expected to come out ahead in the time that is left ...
const TRIAL: f64 = 0.08;
/// ... and every other one this: what it gains may come late.
const REMINDER: f64 = 0.03;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To show what it can.
    Trial(usize),
    /// It promises most.
    Best(usize),
}

/// What one method has had and proved.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// The time in all and the best bound after each turn.
    turns: Vec<(f64, f64)>,
}

impl Account {
    /// Enters a turn that took so many seconds, and the best bound that it proved.
    pub(super) fn enter(&mut self, seconds: f64, bound: f64) {
        let turn = (self.spent() + seconds, self.best().max(bound));
        // Of turns that gain nothing the first and the last tell all.
        if let [.., before, last] = &mut *self.turns
            && before.1 >= turn.1
        {
            *last = turn;
        } else {
            self.turns.push(turn);
        }
    }

    /// How many turns were entered.
    pub(super) fn turns(&self) -> usize {
        self.turns.len()
    }

    fn spent(&self) -> f64 {
        self.turns.last().map_or(0.0, |&(spent, _)| spent)
    }

    /// The best bound that it has proved, in nats; `−∞` before the first.
    pub(super) fn best(&self) -> f64 {
        self.turns
            .last()
            .map_or(f64::NEG_INFINITY, |&(_, best)| best)
    }

    /// `v(t) − v(t/2)`, from the last bound that is known of the first half, or the first one of the second;
    /// `None` before there are two.
    fn gain(&self) -> Option<f64> {
        let (&(spent, best), before) = self.turns.split_last()?;
        let mut finite = before.iter().filter(|(_, bound)| bound.is_finite());
        let &(mut then, mut bound) = finite.next()?;
        for &(later, better) in finite.take_while(|&&(later, _)| later <= 0.5 * spent) {
            (then, bound) = (later, better);
        }
        // With v = v(∞) − c/t this is c/t; what is earlier than half counts as of then.
        let scale = then / (spent - then);
        let gain = (best - bound) * scale.max(1.0);
        gain.is_finite().then_some(gain)
    }

    /// Has it shown its pace?
    pub(super) fn is_known(&self) -> bool {
        self.gain().is_some()
    }

    /// The most nats per second that it is expected to gain over `best` within some of the time left.
    fn rate(&self, best: f64, slice: f64, left: f64) -> f64 {
        let (spent, own) = (self.spent(), self.best());
        let Some(gain) = self.gain() else {
            return 0.0;
        };
        let mut most = 0.0;
        let mut more = slice.min(left);
        loop {
            let bound = own + gain * more / (spent + more);
            most = f64::max(most, (bound - best) / more);
            if more >= left {
                return most;
            }
            more = (2.0 * more).min(left);
        }
    }
}

/// The method whose turn of `slice` seconds is next, where so many seconds are `left`; `open` says which
/// ones can go on.
///
/// Those that have had less than their trial come first, in their order. If nobody promises anything, the
/// one that leads goes on until its pace is known, and then whoever had least.
pub(super) fn next(accounts: &[Account], open: &[bool], slice: f64, left: f64) -> Option<Next> {
    let numbers = || (0..accounts.len()).filter(|&at| open[at]);
    let all: f64 = accounts.iter().map(Account::spent).sum();
    let best = accounts.iter().map(Account::best);
    let best = best.fold(f64::NEG_INFINITY, f64::max);
    let rates: Vec<f64> = (accounts.iter())
        .map(|account| account.rate(best, slice, left))
        .collect();
    let entitled = |at: &usize| {
        let share = match accounts[*at].is_known() {
            false => UNKNOWN,
            true if rates[*at] > 0.0 => TRIAL,
            true => REMINDER,
        };
        accounts[*at].spent() <= share * all
    };
    if let Some(at) = numbers().find(entitled) {
        return Some(Next::Trial(at));
    }
    let fastest = numbers().max_by(|&a, &b| rates[a].total_cmp(&rates[b]))?;
    if rates[fastest] > 0.0 {
        return Some(Next::Best(fastest));
    }
    let leader = numbers().find(|&at| accounts[at].best() >= best && !accounts[at].is_known());
    let least = || numbers().min_by(|&a, &b| accounts[a].spent().total_cmp(&accounts[b].spent()));
    leader.or_else(least).map(Next::Best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(turns: &[(f64, f64)]) -> Account {
        let mut account = Account::default();
        for &(seconds, bound) in turns {
            account.enter(seconds, bound);
        }
        account
    }

    #[test]
    fn whoever_had_no_turn_comes_first() {
        let known = account(&[(1.0, 5.0), (1.0, 7.0)]);
        let accounts = [known, Account::default(), Account::default()];
        assert_eq!(next(&accounts, &[true; 3], 0.1, 10.0), Some(Next::Trial(1)));
        assert_eq!(
            next(&accounts, &[true, false, true], 0.1, 10.0),
            Some(Next::Trial(2))
        );
        assert_eq!(next(&accounts, &[false; 3], 0.1, 10.0), None);
    }

    #[test]
    fn a_leader_at_rest_gives_way_to_who_will_pass_it() {
        let resting = account(&[(1.0, 10.0), (1.0, 10.0)]);
        let rising = account(&[(1.0, 4.0), (1.0, 9.0)]);
        let accounts = [resting, rising];
        // 9 + 5 · 2 / (2 + 2) = 11.5 after two more seconds ...
        assert_eq!(next(&accounts, &[true; 2], 0.5, 2.0), Some(Next::Best(1)));
        // ... and in a fifth of a second it stays behind.
        assert!(accounts[1].rate(10.0, 0.1, 0.2) <= 0.0);
    }

    #[test]
    fn who_gains_more_per_second_goes_on() {
        let slow = account(&[(1.0, 9.0), (1.0, 10.0)]);
        let fast = account(&[(1.0, 4.0), (1.0, 10.0)]);
        assert_eq!(
            next(&[slow, fast], &[true; 2], 0.5, 9.0),
            Some(Next::Best(1))
        );
    }

    #[test]
    fn what_stays_behind_is_only_reminded_of() {
        let behind = account(&[(0.03, 0.1), (0.03, 0.1)]);
        let leader = account(&[(1.0, 1.0), (1.0, 2.0)]);
        assert_eq!(
            next(&[behind.clone(), leader], &[true; 2], 0.1, 9.0),
            Some(Next::Trial(0))
        );
        let leader = account(&[(0.9, 1.0), (0.9, 2.0)]);
        assert_eq!(
            next(&[behind, leader], &[true; 2], 0.1, 9.0),
            Some(Next::Best(1))
        );
    }

    #[test]
    fn what_proves_nothing_keeps_to_its_trial() {
        let nothing = account(&[(0.2, f64::NEG_INFINITY), (0.2, f64::NEG_INFINITY)]);
        let leader = account(&[(1.0, 1.0), (1.0, 2.0)]);
        assert_eq!(
            next(&[nothing, leader], &[true; 2], 0.1, 9.0),
            Some(Next::Best(1))
        );
    }
}

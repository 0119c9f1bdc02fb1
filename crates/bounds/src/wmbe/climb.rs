//! The best bound at one clique size: structures race, the winner goes on, a local search follows.

use forney_certify::Budget;
use forney_exact::{Schedule, TooLarge};
use rayon::prelude::*;

use super::WeightMap;
use super::search::{LocalSearch, Mover};
use super::structure::{Candidate, Setting};
use crate::race::{Account, Racer, Rules, Won, finish, race, round, tighter};

/// The share of a race's time in which the candidates of a heat are compiled. Set by hand, not tuned.
const COMPILING: f64 = 0.2;

/// Before a local search as many races are held within this share of the time: winners of races with
/// other seeds differ by more than a short search repairs. Set by hand, not tuned.
const RACES: u64 = 8;
const RACING: f64 = 0.3;

/// Who takes part in the races of a [`climb`].
pub trait Field: Sync {
    /// What races.
    type Racer: Mover;

    /// What its structures have in common.
    fn setting(&self) -> Setting<'_>;

    /// How a race is run.
    fn rules(&self) -> Rules;

    /// How many race where so many evaluations are left.
    fn count(&self, evaluations: usize) -> usize;

    /// Does candidate `number` take so long to compile that it races in a later heat?
    fn is_late(&self, number: usize) -> bool;

    /// The candidate of this number, of so many in one of several races, within `memory` bytes for all of them.
    ///
    /// # Errors
    /// As [`Schedule::compile`].
    fn compile(
        &self,
        race: u64,
        place: (usize, usize),
        memory: f64,
        budget: &Budget,
    ) -> Result<Candidate, TooLarge>;

    /// The bytes of a racer.
    fn bytes(&self, schedule: &Schedule) -> f64;

    /// Evaluates a candidate at its start.
    fn start(&self, candidate: Candidate) -> Self::Racer;
}

/// How a race or a climb ended.
pub enum Climbed<R: Racer> {
    /// A candidate that has to split nothing: its value is `ln Z`.
    Exact(Box<Candidate>),
    /// The tightest bound.
    Best(Box<Won<R>>),
}

/// The tightest bound that an account allows at one clique size, all bounds on the way entered: a race, its
/// winner until an evaluation gains no more than `least_gain`, in nats, and where it is to be `local` a search over
/// structures. An incumbent of
/// an earlier climb stays unless a better one is found, and the local search goes on from it; where nothing
/// races it goes on first.
///
/// # Errors
/// [`TooLarge`] if the memory holds not even one candidate.
///
/// # Example
/// ```
/// use forney_bounds::Board;
/// use forney_bounds::race::Account;
/// use forney_bounds::wmbe::{Candidates, Climbed, CliqueLimit, Setting, climb};
/// use forney_certify::{Above, Budget};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let model = ising_grid(4, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let limit = CliqueLimit { ibound: 2, entries: 1e6 };
/// let setting = Setting { graph: &model, limit, fixed: None, seed: 0 };
/// let candidates = Candidates::<Above>::new(setting, 8);
/// let (budget, mut watch) = (Budget::unlimited(), |_: &_| {});
/// let board = Board::new(&budget, &mut watch);
/// let mut account = Account::new(&board, &budget, 1e9, Some(2_000));
/// if let Climbed::Best(best) = climb(&candidates, true, 1e-6, None, &mut account)? {
///     let proof = best.proof.expect("it is a bound");
///     assert!(proof.bound.ln() >= enumerate(&model).ln_z && account.spent() <= 2_000);
/// }
/// # Ok::<(), forney_exact::TooLarge>(())
/// ```
pub fn climb<F: Field>(
    field: &F,
    local: bool,
    least_gain: f64,
    incumbent: Option<Box<Won<F::Racer>>>,
    account: &mut Account<'_, '_>,
) -> Result<Climbed<F::Racer>, TooLarge>
where
    <F::Racer as Racer>::Side: WeightMap,
{
    let racing = account.time(RACING);
    let races = match local {
        _ if field.count(account.left()) == 0 => 0,
        // Without an end of time nothing may depend on how fast the machine is.
        true if racing.remaining().is_some() => RACES,
        _ => 1,
    };
    let (mut best, mut refused) = (incumbent, None);
    if let (0, Some(best)) = (races, &mut best) {
        best.idle = false;
        finish(best, least_gain, account);
    }
    for number in 0..races {
        if best.is_some() && (racing.stop().is_some() || account.left() == 0) {
            break;
        }
        // Only what stands in for nothing may take all of the time.
        let time = match (local, &best) {
            (true, Some(_)) => &racing,
            _ => account.budget(),
        };
        let spare = account.memory() - best.as_ref().map_or(0.0, |best| best.racer.bytes());
        let mut part = account.part(usize::MAX, time, spare);
        let mut heats = part.part(usize::MAX, &part.time(field.rules().time), spare);
        let found = hold(field, number, &mut heats);
        part.settle(&heats);
        let found = found.map(|mut found| {
            if let Climbed::Best(winner) = &mut found {
                finish(winner, least_gain, &mut part);
            }
            found
        });
        account.settle(&part);
        match found {
            Ok(Climbed::Best(other)) => {
                let value = best
                    .as_ref()
                    .map_or(f64::INFINITY, |best| best.racer.value());
                // NaN sorts last.
                if best.is_none() || other.racer.value().total_cmp(&value).is_lt() {
                    best = Some(other);
                }
            }
            Ok(exact) => return Ok(exact),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let mut best = best.ok_or_else(|| refused.unwrap_or(NOTHING))?;
    if local {
        let search = LocalSearch {
            setting: field.setting(),
            least_gain,
        };
        let proof = search.improve(&mut best.racer, account);
        best.proof = tighter(best.proof, proof);
    }
    Ok(Climbed::Best(best))
}

/// Where nothing raced and nothing was known.
const NOTHING: TooLarge = TooLarge {
    width: 0,
    bytes: 0.0,
    limit: 0.0,
};

/// One race.
///
/// Partitions by content take longer to compile, so theirs is a heat of its own: when it begins, the
/// best of the partitions by scope has proved its bound.
fn hold<F: Field>(
    field: &F,
    race_number: u64,
    account: &mut Account<'_, '_>,
) -> Result<Climbed<F::Racer>, TooLarge> {
    let rules = field.rules();
    let count = field.count(account.left());
    let compiling = account
        .budget()
        .remaining()
        .map(|time| time.mul_f64(COMPILING));
    let (mut racers, mut proof, mut refused) = (Vec::new(), None, None);
    let (late, early): (Vec<_>, Vec<_>) = (0..count).partition(|&number| field.is_late(number));
    for mut numbers in [early, late] {
        let compiling = compiling.map_or(account.budget().clone(), |time| {
            account.budget().capped(time)
        });
        let held: f64 = racers.iter().map(Racer::bytes).sum();
        let mut spare = account.memory() - held;
        numbers.truncate(account.left());
        let compiled: Vec<_> = (numbers.into_par_iter())
            .filter(|&number| number == 0 || compiling.stop().is_none())
            .map(|number| field.compile(race_number, (number, count), spare, &compiling))
            .collect();
        let mut admitted = Vec::new();
        for candidate in compiled {
            let fits = candidate.and_then(|candidate| {
                let demand = candidate.schedule.demand();
                if candidate.schedule.is_exact() {
                    // What races is let go before it is eliminated.
                    demand.admit(demand.once_bytes, account.memory())?;
                } else {
                    let bytes = field.bytes(&candidate.schedule);
                    demand.admit(bytes, spare)?;
                    spare -= bytes;
                }
                Ok(candidate)
            });
            match fits {
                Ok(candidate) if candidate.schedule.is_exact() => {
                    return Ok(Climbed::Exact(Box::new(candidate)));
                }
                Ok(candidate) => admitted.push(candidate),
                Err(error) => refused = Some(error),
            }
        }
        account.spend::<<F::Racer as Racer>::Side>(admitted.len());
        account.begin(field.setting().limit.ibound, account.memory() - spare);
        let mut heat: Vec<F::Racer> = admitted
            .into_par_iter()
            .map(|candidate| field.start(candidate))
            .collect();
        let next = match count {
            1 => heat.first().and_then(|only| account.prove(only)),
            _ => round(&mut heat, rules.first, rules.keep, account),
        };
        proof = tighter(proof, next);
        racers.append(&mut heat);
    }
    match race(racers, rules, 1, account) {
        Some(mut won) => {
            won.proof = tighter(proof, won.proof);
            Ok(Climbed::Best(Box::new(won)))
        }
        None => Err(refused.unwrap_or(NOTHING)),
    }
}

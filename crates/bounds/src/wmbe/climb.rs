//! The best bound at one clique size: structures race, the winner climbs, a local search follows.

use forney_exact::TooLarge;
use forney_model::FactorGraph;
use rayon::prelude::*;

use super::candidates::entrants;
use super::plain::{PlainRacer, bytes};
use super::search::Search;
use super::{Candidate, Candidates, CliqueLimit, WeightMap};
use crate::board::Post;
use crate::race::{self, Account, Racer, Rules, finish, round};

/// Every candidate has eight evaluations, and a third of them goes on.
const RULES: Rules = Rules { first: 8, keep: 3 };

/// Gradient evaluations that a race takes for each of its candidates: `8 (1 + 2/3 + 4/9 + …)`.
pub(crate) const RACE_EVALUATIONS: f64 = 24.0;

/// One candidate races for so many evaluations, which leaves some for the winner.
const EVALUATIONS_PER_CANDIDATE: usize = 32;

/// The share of a race's time in which the candidates of a heat are compiled.
const COMPILING: f64 = 0.2;

/// Before a local search as many races are held within this share of the time: winners of races with
/// other seeds differ by more than a short search repairs.
const RACES: u64 = 8;
const RACING: f64 = 0.3;

/// What a [`climb`] works with.
#[derive(Clone, Copy, Debug)]
pub struct ClimbOptions<'o> {
    /// How large cliques may be.
    pub limit: CliqueLimit,
    /// Which structures race, or as many of them as the evaluations afford; where there are none, what is known
    /// goes on.
    pub candidates: Candidates<'o>,
    /// Does a local search over structures follow the race?
    pub local: bool,
    /// Ends once an evaluation gains no more than this, in nats.
    pub least_gain: f64,
}

/// What is known before a climb.
pub(crate) struct Known<'k, 'g, S: WeightMap> {
    /// Candidate 0.
    pub(crate) first: Option<&'k Candidate>,
    /// The winner of an earlier climb.
    pub(crate) incumbent: Option<Box<PlainRacer<'g, S>>>,
}

/// How a race or a climb ended.
pub enum Climbed<'g, S: WeightMap> {
    /// A candidate that has to split nothing: its value is `ln Z`.
    Exact(Box<Candidate>),
    /// The candidate with the tightest bound.
    Best(Box<PlainRacer<'g, S>>),
}

/// The tightest weighted mini-bucket bound that an account allows at one clique size, all bounds on the way
/// entered.
///
/// # Errors
/// [`TooLarge`] if the memory holds not even one candidate.
///
/// # Example
/// ```
/// use forney_bounds::Board;
/// use forney_bounds::race::{Account, Racer};
/// use forney_bounds::wmbe::{Candidates, Climbed, ClimbOptions, CliqueLimit, climb};
/// use forney_certify::{Above, Budget};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let model = ising_grid(4, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = ClimbOptions {
///     limit: CliqueLimit { ibound: 2, entries: 1e6 },
///     candidates: Candidates { fixed: None, count: 8, seed: 0 },
///     local: true,
///     least_gain: 1e-6,
/// };
/// let (budget, mut watch) = (Budget::unlimited(), |_: &_| {});
/// let board = Board::new(&budget, &mut watch);
/// let mut account = Account::new(&board, &budget, 1e9, Some(2_000));
/// if let Climbed::Best(best) = climb::<Above>(&model, &options, &mut account)? {
///     let proof = best.prove().expect("it is a bound");
///     assert!(proof.bound.ln() >= enumerate(&model).ln_z && account.spent() <= 2_000);
/// }
/// # Ok::<(), forney_exact::TooLarge>(())
/// ```
pub fn climb<'g, S: WeightMap + Post>(
    graph: &'g FactorGraph,
    options: &ClimbOptions<'_>,
    account: &mut Account<'_, '_>,
) -> Result<Climbed<'g, S>, TooLarge> {
    let known = Known {
        first: None,
        incumbent: None,
    };
    climb_from(graph, options, known, account)
}

/// As [`climb`]; an incumbent stays unless a better one is found, and the local search goes on from it. Without
/// candidates the incumbent itself goes on first.
pub(crate) fn climb_from<'g, S: WeightMap + Post>(
    graph: &'g FactorGraph,
    options: &ClimbOptions<'_>,
    known: Known<'_, 'g, S>,
    account: &mut Account<'_, '_>,
) -> Result<Climbed<'g, S>, TooLarge> {
    let ClimbOptions {
        candidates,
        least_gain,
        ..
    } = *options;
    let racing = account.time(RACING);
    let races = match options.local {
        _ if candidates.count == 0 => 0,
        // Without an end of time nothing may depend on how fast the machine is.
        true if racing.remaining().is_some() => RACES,
        _ => 1,
    };
    let mut best = known.incumbent;
    if candidates.count == 0
        && let Some(best) = &mut best
    {
        finish(&mut **best, least_gain, account);
    }
    let mut refused = None;
    for number in 0..races {
        if best.is_some() && (racing.stop().is_some() || account.left() == 0) {
            break;
        }
        // Only what stands in for nothing may take all of the time.
        let budget = match (options.local, &best) {
            (true, Some(_)) => racing.clone(),
            _ => account.budget().clone(),
        };
        let spare = account.memory() - best.as_ref().map_or(0.0, |best| best.bytes());
        let seed = candidates.seed.wrapping_add(number << 32);
        let seeded = ClimbOptions {
            candidates: Candidates { seed, ..candidates },
            ..*options
        };
        let found = account.part(usize::MAX, &budget, spare, |part| {
            let mut found = race(graph, &seeded, known.first, part);
            if let Ok(Climbed::Best(winner)) = &mut found {
                finish(&mut **winner, least_gain, part);
            }
            found
        });
        match found {
            Ok(Climbed::Best(other)) => {
                let value = best.as_ref().map_or(f64::INFINITY, |best| best.value());
                // NaN sorts last.
                if best.is_none() || other.value().total_cmp(&value).is_lt() {
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
    let Some(mut winner) = best else {
        return Err(refused.unwrap_or(NOTHING));
    };
    if options.local {
        let search = Search {
            graph,
            limit: options.limit,
            fixed: candidates.fixed.is_some(),
            seed: candidates.seed,
            least_gain,
        };
        search.improve(&mut *winner, account);
    }
    Ok(Climbed::Best(winner))
}

/// Where nothing raced and nothing was known.
const NOTHING: TooLarge = TooLarge {
    width: 0,
    bytes: 0.0,
    limit: 0.0,
};

/// One race; the first candidate may be known.
///
/// Partitions by content take longer to compile, so theirs is a heat of its own: when it begins, the
/// best of the partitions by scope has proved its bound.
fn race<'g, S: WeightMap + Post>(
    graph: &'g FactorGraph,
    options: &ClimbOptions<'_>,
    first: Option<&Candidate>,
    account: &mut Account<'_, '_>,
) -> Result<Climbed<'g, S>, TooLarge> {
    let count = account.left() / EVALUATIONS_PER_CANDIDATE;
    let candidates = Candidates {
        count: options.candidates.count.min(count).max(1),
        ..options.candidates
    };
    let whole = account.budget().remaining();
    let mut racers: Vec<PlainRacer<'_, S>> = Vec::new();
    let mut refused = None;
    let (by_content, by_scope): (Vec<_>, Vec<_>) =
        (0..candidates.count).partition(|&number| candidates.by_content(number));
    for numbers in [by_scope, by_content] {
        let compiling = match whole {
            Some(time) => account.budget().capped(time.mul_f64(COMPILING)),
            None => account.budget().clone(),
        };
        let held: f64 = racers.iter().map(Racer::bytes).sum();
        let spare = account.memory() - held;
        let heat = entrants(
            &numbers,
            &compiling,
            spare,
            account,
            bytes,
            |number| match first.filter(|_| number == 0) {
                Some(first) => Ok(first.clone()),
                None => candidates.compile::<S>(graph, options.limit, number, spare, &compiling),
            },
        );
        let mut heat = match heat {
            Ok(heat) => heat,
            Err(error) => {
                refused = Some(error);
                continue;
            }
        };
        if heat.iter().any(|candidate| candidate.schedule.is_exact()) {
            return Ok(Climbed::Exact(Box::new(heat.swap_remove(0))));
        }
        let mut heat = start(heat, graph, account);
        account.begin(
            options.limit.ibound,
            held + heat.iter().map(Racer::bytes).sum::<f64>(),
        );
        if candidates.count > 1 {
            round(&mut heat, RULES.first, RULES.keep, account);
        } else if let Some(only) = heat.first() {
            account.prove(only);
        }
        racers.append(&mut heat);
    }
    match race::race(racers, RULES, 1, account) {
        Some(won) => Ok(Climbed::Best(Box::new(won.racer))),
        None => Err(refused.unwrap_or(NOTHING)),
    }
}

/// The first evaluation of each candidate.
fn start<'g, S: WeightMap + Post>(
    candidates: Vec<Candidate>,
    graph: &'g FactorGraph,
    account: &mut Account<'_, '_>,
) -> Vec<PlainRacer<'g, S>> {
    account.spend::<S>(candidates.len());
    let racers = candidates.into_par_iter();
    racers
        .map(|candidate| PlainRacer::new(candidate, graph))
        .collect()
}

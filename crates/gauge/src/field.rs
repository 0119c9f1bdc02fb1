//! Races of a search with gauges: who takes part, and who wins.

use forney_bounds::BoundError;
use forney_bounds::race::{Account, Racer, Rules, Won, race};
use forney_bounds::wmbe::{
    Candidate, Candidates, ClimbOptions, Climbed, MiniBuckets, PlainRacer, climb, entrants,
};
use forney_exact::{Schedule, frontier};
use forney_model::FactorGraph;
use rayon::prelude::*;

use crate::leader::Leader;
use crate::optimiser::Optimiser;
use crate::orders::gauged_candidate;
use crate::racer::{GaugedRacer, bytes, is_addressed};
use crate::search::GaugeOptions;

/// Gauges on fewer than one in so many variables, such as the corners of a grid, wait until shifts and
/// weights have gained what they can.
const FEW: usize = 16;

/// Evaluations of the first cycle of a winner, and of one with few gauges.
pub(crate) const CYCLE: usize = 150;
const SHORT_CYCLE: usize = 50;

/// One in four goes on with twice the evaluations. Quasi-Newton steps on shifts and weights alone show early
/// what an order is worth.
const GAUGED: Rules = Rules { first: 25, keep: 4 };
pub(crate) const PLAIN: Rules = Rules { first: 8, keep: 4 };

/// The share of a race's time in which its candidates are compiled.
const COMPILING: f64 = 0.4;

/// Seconds that a gradient evaluation with gauges takes for one clique entry, for predictions.
const SECONDS_PER_ENTRY: f64 = 2e-8;

/// A gauged race that would take more than this share of the time is slow.
const SLOW: f64 = 0.125;

/// Gauged evaluations of the winner of a plain race before it meets one of a gauged race.
const TAKING_OVER: usize = 175;

/// What all races of a search share.
#[derive(Clone, Copy)]
pub(crate) struct Field<'f> {
    graph: &'f FactorGraph,
    options: &'f GaugeOptions,
    /// How many race at once.
    count: usize,
    /// The share of time and evaluations that shifts and weights have for themselves at first; `None` where
    /// gauges move from the start.
    plain: Option<f64>,
    first_cycle: usize,
}

impl<'f> Field<'f> {
    /// Gauges wait where they are few, and where a race with them takes long, but not where they were found
    /// before.
    ///
    /// # Errors
    /// As [`Schedule::compile`].
    pub(crate) fn new(
        graph: &'f FactorGraph,
        options: &'f GaugeOptions,
        account: &Account<'_, '_>,
    ) -> Result<Self, BoundError> {
        let (mut all, mut gaugeable) = (0, 0);
        for v in graph.variables().filter(|&v| graph.card(v) > 1) {
            all += 1;
            gaugeable += usize::from(graph.factors_of(v).count() == 2);
        }
        let few = FEW * gaugeable < all;
        let most = options.candidates.max(1);
        let mut field = Self {
            graph,
            options,
            // A race leaves half of the evaluations.
            count: GAUGED.affordable(most, account.left() / 2),
            plain: None,
            first_cycle: if few { SHORT_CYCLE } else { CYCLE },
        };
        if options.gauges.is_none() && (2 * gaugeable < all || field.is_slow(account)?) {
            field.count = most;
            field.plain = Some(match (gaugeable, few) {
                (0, _) => 1.0,
                (_, true) => 0.9,
                (_, false) => 0.5,
            });
        }
        Ok(field)
    }

    /// Would a gauged race take too much of the time?
    fn is_slow(&self, account: &Account<'_, '_>) -> Result<bool, BoundError> {
        let Some(left) = account.budget().remaining() else {
            return Ok(false);
        };
        let first = self.options.order.clone();
        let first = first.unwrap_or_else(|| frontier(self.graph, None));
        let mut rule = MiniBuckets::new(self.options.limit, None);
        let schedule = Schedule::compile(self.graph, &first, &mut rule)?;
        let evaluations = GAUGED.evaluations(self.count) as f64;
        let seconds = SECONDS_PER_ENTRY * evaluations * schedule.demand().total_entries;
        let threads = rayon::current_num_threads() as f64;
        Ok(seconds > SLOW * threads * left.as_secs_f64())
    }

    /// Do gauges wait for shifts and weights?
    pub(crate) fn waits(&self) -> bool {
        self.plain.is_some()
    }

    /// Evaluations of a race with the first cycle of its winner.
    pub(crate) fn evaluations(&self) -> usize {
        match self.plain {
            Some(_) => self.first_cycle,
            None => GAUGED.evaluations(self.count) + self.first_cycle,
        }
    }

    /// The winner of race `number`.
    ///
    /// # Errors
    /// As [`Schedule::compile`], if not even one candidate fits.
    pub(crate) fn lead<C: Optimiser>(
        &self,
        number: usize,
        account: &mut Account<'_, '_>,
    ) -> Result<Leader<'f, C>, BoundError> {
        let won = match self.plain {
            Some(share) => self.plain_first(number, share, account)?,
            None => self.race(number, account)?,
        };
        Ok(Leader::new(won, self.first_cycle))
    }

    /// A share of the account for mini-buckets, their race and their local search over structures; then gauges
    /// take over.
    fn plain_first<C: Optimiser>(
        &self,
        number: usize,
        share: f64,
        account: &mut Account<'_, '_>,
    ) -> Result<Won<GaugedRacer<'f, C>>, BoundError> {
        let options = ClimbOptions {
            limit: self.options.limit,
            candidates: Candidates {
                fixed: self.options.order.as_ref(),
                count: self.count,
                seed: self.options.seed.wrapping_add(number as u64),
            },
            local: self.options.races.is_none(),
            least_gain: self.options.tolerance / CYCLE as f64,
        };
        let (time, memory) = (account.time(share), account.memory());
        let climbed = account.part(account.share(share), &time, memory, |part| {
            climb::<C::Side>(self.graph, &options, part)
        })?;
        let plain = match climbed {
            Climbed::Best(plain) => *plain,
            Climbed::Exact(candidate) => {
                let schedule = &candidate.schedule;
                schedule.demand().admit(bytes(schedule), memory)?;
                account.spend::<C::Side>(1);
                PlainRacer::new(*candidate, self.graph)
            }
        };
        let mut racer = GaugedRacer::plain(plain, self.graph, memory);
        let proof = racer.prove();
        if account.left() > 0 {
            take_over(&mut racer, account);
        }
        Ok(Won { racer, proof })
    }

    /// Candidates race, every other time with shifts and weights alone unless gauges are given.
    fn race<C: Optimiser>(
        &self,
        number: usize,
        account: &mut Account<'_, '_>,
    ) -> Result<Won<GaugedRacer<'f, C>>, BoundError> {
        let (graph, options) = (self.graph, self.options);
        let gauges = options.gauges.as_ref();
        // Gauges found before are the start wherever gauges matter.
        let plain = number % 2 == 1 && gauges.is_none();
        let compiling = account.time(COMPILING);
        let first = number * self.count;
        let numbers: Vec<usize> = (first..first + self.count).collect();
        let memory = account.memory();
        // Neighbouring seeds of a search share no candidate.
        let seed = options.seed.wrapping_mul(0x9e37_79b9);
        let fixed = options.order.as_ref();
        let candidates = Candidates {
            fixed,
            count: self.count,
            seed,
        };
        let held = |schedule: &Schedule| match is_addressed(schedule) {
            true => bytes(schedule),
            false => f64::INFINITY,
        };
        let limit = options.limit;
        let admitted = entrants(
            &numbers,
            &compiling,
            memory,
            account,
            held,
            |number| match plain {
                true => candidates.compile::<C::Side>(graph, limit, number, memory, &compiling),
                false => gauged_candidate(graph, fixed, limit, number, self.count, seed),
            },
        )?;
        if let [only] = &admitted[..] {
            // One that splits nothing comes back whatever it takes.
            let schedule = &only.schedule;
            schedule.demand().admit(held(schedule), memory)?;
        }
        let start = |candidate: Candidate| match plain {
            true => GaugedRacer::plain(PlainRacer::new(candidate, graph), graph, memory),
            false => GaugedRacer::gauged(candidate, graph, gauges),
        };
        let racers: Vec<GaugedRacer<'f, C>> = admitted
            .into_par_iter()
            .enumerate()
            // The first evaluation of each is what takes time here.
            .filter(|(place, _)| *place == 0 || compiling.stop().is_none())
            .map(|(_, candidate)| start(candidate))
            .collect();
        account.spend::<C::Side>(racers.len());
        let rules = if plain { PLAIN } else { GAUGED };
        let mut won = race(racers, rules, 0, account).expect("a first evaluation was left");
        if plain && !account.is_over() {
            take_over(&mut won.racer, account);
            // As many gauged evaluations as the winner of a gauged race has behind it.
            let (spent, _) = account.cycle(&mut won.racer, TAKING_OVER.min(account.left()));
            account.spend::<C::Side>(spent);
        }
        Ok(won)
    }
}

/// Gauges take over, for one evaluation if there are any.
fn take_over<C: Optimiser>(racer: &mut GaugedRacer<'_, C>, account: &mut Account<'_, '_>) {
    let before = racer.evaluations();
    racer.take_over();
    account.spend::<C::Side>(racer.evaluations() - before);
}

//! The best gauged bound within a budget: structures race, the winner goes on, and while it does, others race.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use forney_bounds::race::{Account, Proof, Racer, Won, finish, tighter};
use forney_bounds::wmbe::{
    self, Candidate, Candidates, Climbed, CliqueLimit, LocalSearch, Setting, Wmbe, climb,
};
use forney_bounds::{Board, BoundError, Progress};
use forney_certify::{Above, Below, Bound, Budget, Certificate, Flaw, Side, Stop};
use forney_exact::{Order, Schedule};
use forney_model::FactorGraph;

use crate::field::{Gaugeable, GaugedField};
use crate::optimiser::{Ascent, Descent, Optimiser};
use crate::racer::{GaugedRacer, Ordered, held_bytes, without_gauges};
use crate::{GaugedWmbe, Gauges};

/// A winner goes alone for so many times the evaluations of a race, if as many races more are left: until then
/// it gains more than another one would.
const ALONE: usize = 3;
const LEFT: usize = 2;

/// What goes on beside a race may have this share of the evaluations and of the time.
const BESIDE: f64 = 0.25;

/// Gauges that were found before go on for this share of what there is.
const KNOWN: f64 = 0.25;

/// What [`gauged_wmbe`] works with.
#[derive(Clone, Debug)]
pub struct GaugeOptions {
    /// How large cliques may be.
    pub limit: CliqueLimit,
    /// The elimination order, of which partitions race; `None` lets orders race.
    pub order: Option<Order>,
    /// An order and its gauges to go on from first, for instance those that a smaller ibound found:
    /// [`GaugeReport::order`].
    pub known: Option<(Order, Gauges)>,
    /// Candidates that race at once: orders, and partitions of a fixed order.
    pub candidates: usize,
    /// Is one race without a local search enough? Else there are as many as time and evaluations allow.
    pub once: bool,
    /// At most so many gradient evaluations of all candidates together; `None` for no limit.
    pub iterations: Option<usize>,
    /// A winner has converged once an evaluation gains no more than this, in nats; if neither time nor
    /// evaluations have an end, the search has, too.
    pub least_gain: f64,
    /// Bytes that all candidates together may take.
    pub memory: f64,
    /// Seed of random orders.
    pub seed: u64,
}

/// A gauged bound with its witness.
#[derive(Clone, Debug)]
pub struct GaugeReport<S: Side> {
    /// The verified bound.
    pub bound: Bound<S>,
    /// Its witness.
    pub witness: GaugedWmbe<S>,
    /// The elimination order of the witness.
    pub order: Order,
    /// Gradient evaluations of all candidates.
    pub iterations: usize,
    /// Was nothing split, so that the bound is `ln Z` itself?
    pub exact: bool,
    /// Why it ended.
    pub stop: Stop,
}

/// Searches for the tightest gauged mini-bucket bound; `watch` sees every verified improvement with
/// the evaluations spent on it.
///
/// Best on a model in Forney form; in others only variables of degree 2 are gauged.
///
/// # Errors
/// A factor beyond the ibound, tables beyond the memory, or a model that spans more than plain
/// numbers hold, so that no witness verifies.
///
/// # Example
/// ```
/// use forney_bounds::wmbe::{CliqueLimit, Wmbe};
/// use forney_certify::Budget;
/// use forney_gauge::{GaugeOptions, gauged_wmbe};
/// use forney_model::{Forney, enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let grid = ising_grid(4, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let forney = Forney::of_grid(&grid, 4, 4)?;
/// let options = GaugeOptions {
///     limit: CliqueLimit { ibound: 3, entries: 1e6 },
///     iterations: Some(50),
///     ..GaugeOptions::default()
/// };
/// let report = gauged_wmbe(forney.graph(), &options, &Budget::unlimited(), &mut |_, _| {})?;
/// assert!(report.bound.ln() >= enumerate(&grid).ln_z - 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn gauged_wmbe(
    graph: &FactorGraph,
    options: &GaugeOptions,
    budget: &Budget,
    watch: &mut (dyn FnMut(Bound<Above>, usize) + Send),
) -> Result<GaugeReport<Above>, BoundError> {
    watched::<Descent>(graph, options, budget, watch)
}

/// As [`gauged_wmbe`], from below: gauges that keep every table positive, and reverse Hölder weights.
///
/// Only variables between two tables without zeros are gauged.
///
/// # Errors
/// As [`gauged_wmbe`].
pub fn gauged_wmbe_below(
    graph: &FactorGraph,
    options: &GaugeOptions,
    budget: &Budget,
    watch: &mut (dyn FnMut(Bound<Below>, usize) + Send),
) -> Result<GaugeReport<Below>, BoundError> {
    watched::<Ascent>(graph, options, budget, watch)
}

/// As [`gauged_wmbe`], with what the account allows and all bounds entered on its board.
///
/// # Errors
/// As [`gauged_wmbe`].
pub fn gauged_wmbe_within(
    graph: &FactorGraph,
    options: &GaugeOptions,
    account: &mut Account<'_, '_>,
) -> Result<GaugeReport<Above>, BoundError> {
    search::<Descent>(graph, options, account)
}

/// As [`gauged_wmbe_below`], with what the account allows and all bounds entered on its board.
///
/// # Errors
/// As [`gauged_wmbe`].
pub fn gauged_wmbe_below_within(
    graph: &FactorGraph,
    options: &GaugeOptions,
    account: &mut Account<'_, '_>,
) -> Result<GaugeReport<Below>, BoundError> {
    search::<Ascent>(graph, options, account)
}

/// A search with a board of its own.
fn watched<C: Optimiser>(
    graph: &FactorGraph,
    options: &GaugeOptions,
    budget: &Budget,
    watch: &mut (dyn FnMut(Bound<C::Side>, usize) + Send),
) -> Result<GaugeReport<C::Side>, BoundError> {
    let mut watch = |progress: &Progress| {
        watch(progress.bracket.bound(), progress.iterations);
    };
    let board = Board::new(budget, &mut watch);
    // Without one evaluation there is nothing to report.
    let most = options.iterations.map(|most| most.max(1));
    let mut account = Account::new(&board, budget, options.memory, most);
    search::<C>(graph, options, &mut account)
}

/// The best bound that an account allows.
fn search<C: Optimiser>(
    graph: &FactorGraph,
    options: &GaugeOptions,
    account: &mut Account<'_, '_>,
) -> Result<GaugeReport<C::Side>, BoundError> {
    CliqueLimit::admit(options.limit.ibound, graph)?;
    let mut search = Search::<C> {
        graph,
        options,
        gaugeable: Gaugeable::of(graph),
        races: 0,
        best: None,
        proof: None,
        height: f64::INFINITY,
        exact: false,
    };
    let mut known = options.known.as_ref();
    let stop = loop {
        let spent = account.spent();
        let again = known.is_some();
        let round = search.round(known.take(), account);
        if search.proof.is_none() {
            round?;
        }
        if let Some(stop) = account.budget().stop() {
            break stop;
        }
        if account.left() == 0 && !search.exact {
            break Stop::SweepLimit;
        }
        let enough = !again && (options.once || !account.is_limited());
        if enough || search.exact || account.spent() == spent {
            break Stop::Converged;
        }
    };
    let unproved = || Flaw::Invalid("no gauge that was found proves a bound".into());
    let Proof { bound, witness, .. } = search.proof.ok_or_else(unproved)?;
    let (witness, order) = witness;
    Ok(GaugeReport {
        bound,
        witness,
        order,
        iterations: account.spent(),
        exact: search.exact,
        stop,
    })
}

/// A search under way.
struct Search<'s, C: Optimiser> {
    graph: &'s FactorGraph,
    options: &'s GaugeOptions,
    gaugeable: Gaugeable,
    /// How many races there were.
    races: usize,
    best: Option<Won<GaugedRacer<C>>>,
    proof: Option<Proof<C::Side, Ordered<C::Side>>>,
    /// The best value of a winner after its first cycle.
    height: f64,
    /// Does one of the structures split nothing?
    exact: bool,
}

/// What a race came to, if it left anything to go on with.
type Next<C> = Result<Option<Won<GaugedRacer<C>>>, BoundError>;

impl<C: Optimiser> Search<'_, C> {
    /// A race, its winner and what follows, and beside it the best so far; the better one stays.
    fn round(
        &mut self,
        known: Option<&(Order, Gauges)>,
        account: &mut Account<'_, '_>,
    ) -> Result<(), BoundError> {
        let mut best = self.best.take();
        let held = best.as_ref().map_or(0.0, |best| best.racer.bytes());
        let going = best.as_mut().filter(|best| !best.idle);
        let own = match going {
            Some(_) => account.share(BESIDE).left(),
            None => 0,
        };
        let others = match account.is_counted() {
            true => account.left() - own,
            false => usize::MAX,
        };
        let over = Arc::new(AtomicBool::new(false));
        // Where no thread is free the race begins only after it.
        let until = account.time(BESIDE).cancelled_by(Arc::clone(&over));
        let memory = account.memory();
        let mut leading = account.part(own, &until, memory);
        let mut racing = account.part(others, account.budget(), memory - held);
        let least_gain = self.options.least_gain;
        let ((), next) = rayon::join(
            || {
                if let Some(best) = going {
                    finish(best, least_gain, &mut leading);
                }
            },
            || {
                let next = self.race(known, &mut racing);
                // Where no race fits, the best goes on to its end.
                over.store(next.is_ok(), Ordering::Relaxed);
                next
            },
        );
        account.settle(&leading);
        account.settle(&racing);
        let mut both: Vec<Won<_>> = best.into_iter().collect();
        let error = next.map(|next| both.extend(next)).err();
        for won in &mut both {
            self.proof = tighter(self.proof.take(), won.proof.take());
        }
        // NaN sorts last.
        both.sort_by(|a, b| a.racer.value().total_cmp(&b.racer.value()));
        self.best = both.into_iter().next();
        error.map_or(Ok(()), Err)
    }

    /// Gauges found before go on; of other races every second one, and every one where gauges are few or slow,
    /// finds the structure first.
    fn race(&mut self, known: Option<&(Order, Gauges)>, account: &mut Account<'_, '_>) -> Next<C> {
        let options = self.options;
        let (number, cycle) = (self.races, self.gaugeable.cycle);
        self.races += usize::from(known.is_none());
        // Neighbouring seeds of a search share no candidate.
        let seed = options.seed.wrapping_mul(0x9e37_79b9);
        let order = known.map(|(order, _)| order);
        let setting = Setting {
            graph: self.graph,
            limit: options.limit,
            fixed: options.order.as_ref().or(order),
            seed,
        };
        let field = GaugedField::<C> {
            setting,
            known: known.map(|(_, gauges)| gauges),
            candidates: options.candidates.max(1),
            race: number,
            cycle,
            optimiser: PhantomData,
        };
        let thorough = !self.gaugeable.most || field.is_slow(account.budget());
        let race = field.evaluations();
        let others = !options.once && account.is_limited();
        let many = others && account.left() > (ALONE + LEFT) * race;
        let mut part = match known {
            Some(_) => account.share(KNOWN),
            None if many && !thorough => {
                account.part(ALONE * race, account.budget(), account.memory())
            }
            None => account.part(usize::MAX, account.budget(), account.memory()),
        };
        let next = if known.is_none() && (thorough || number % 2 == 1) {
            let seed = seed.wrapping_add(number as u64);
            self.plain_first(Setting { seed, ..setting }, thorough, &mut part)
        } else {
            self.gauged(&field, &mut part)
        };
        account.settle(&part);
        next
    }

    /// Gauges move from the start.
    fn gauged(&mut self, field: &GaugedField<'_, C>, account: &mut Account<'_, '_>) -> Next<C> {
        // One cycle, after which winners are compared.
        let won = match climb(field, false, f64::INFINITY, None, account)? {
            Climbed::Best(won) => *won,
            Climbed::Exact(candidate) => return self.exactly(*candidate, account),
        };
        if won.proof.is_none() {
            let order = won.racer.structure().order.clone();
            self.neutral(won.racer.schedule(), order, account)?;
        }
        Ok(Some(self.go_on(won, field.setting, false, account)))
    }

    /// Mini-buckets come first, where it is worth it with a share of all and a local search; gauges go on from
    /// what they have found.
    fn plain_first(
        &mut self,
        setting: Setting<'_>,
        thorough: bool,
        account: &mut Account<'_, '_>,
    ) -> Next<C> {
        let (graph, options) = (self.graph, self.options);
        let field = Candidates::<C::Side>::new(setting, options.candidates.max(1));
        let share = if thorough {
            self.gaugeable.waiting
        } else {
            0.5
        };
        let mut part = account.share(share);
        let local = thorough && !options.once;
        // Where it is one race of many, gauges soon gain more.
        let least_gain = if thorough {
            options.least_gain
        } else {
            f64::INFINITY
        };
        let climbed = climb(&field, local, least_gain, None, &mut part);
        account.settle(&part);
        let plain = match climbed? {
            Climbed::Best(plain) => plain,
            Climbed::Exact(candidate) => return self.exactly(*candidate, account),
        };
        let proof = plain
            .proof
            .and_then(|proof| without_gauges(proof, graph).ok());
        self.proof = tighter(self.proof.take(), proof);
        if account.is_over() {
            return Ok(None);
        }
        let (memory, cycle) = (account.memory(), self.gaugeable.cycle);
        let Some(racer) = GaugedRacer::after(&plain.racer, graph, memory, cycle) else {
            return Ok(None);
        };
        account.spend::<C::Side>(1);
        let mut won = Won::new(racer, None);
        finish(&mut won, f64::INFINITY, account);
        Ok(Some(self.go_on(won, setting, thorough, account)))
    }

    /// A winner that is ahead of all others after one cycle goes on, and once it gains no more its structure
    /// changes.
    fn go_on(
        &mut self,
        mut won: Won<GaugedRacer<C>>,
        setting: Setting<'_>,
        anyhow: bool,
        account: &mut Account<'_, '_>,
    ) -> Won<GaugedRacer<C>> {
        // NaN is behind everything.
        let ahead = won.racer.value() < self.height;
        if ahead || anyhow || self.height == f64::INFINITY {
            self.height = self.height.min(won.racer.value());
            won.idle = false;
            let least_gain = self.options.least_gain;
            finish(&mut won, least_gain, account);
            // Not before mini-buckets have come first once: below, at strong couplings, gauges from the start
            // stand far behind them, and no structure helps.
            if won.idle && !self.options.once && (self.races > 1 || anyhow) {
                let local = LocalSearch {
                    setting,
                    least_gain,
                };
                let proof = local.improve(&mut won.racer, account);
                won.proof = tighter(won.proof.take(), proof);
            }
        }
        won
    }

    /// A structure that splits nothing proves `ln Z` itself.
    fn exactly(&mut self, candidate: Candidate, account: &Account<'_, '_>) -> Next<C> {
        let schedule = &candidate.schedule;
        (schedule.demand()).admit(held_bytes(schedule), account.memory())?;
        self.neutral(schedule, candidate.structure.order, account)?;
        self.exact = true;
        Ok(None)
    }

    /// Gauges that went astray, or tables that span more than plain numbers hold, leave what mini-buckets prove
    /// without moving anything.
    fn neutral(
        &mut self,
        schedule: &Arc<Schedule>,
        order: Order,
        account: &Account<'_, '_>,
    ) -> Result<(), BoundError> {
        let witness = Wmbe::neutral(Arc::clone(schedule));
        let proof = Proof {
            bound: witness.verify(self.graph)?,
            witness: (witness, order),
            method: wmbe::NAME,
        };
        let proof = without_gauges(proof, self.graph)?;
        account.enter(&proof);
        self.proof = tighter(self.proof.take(), Some(proof));
        Ok(())
    }
}

impl Default for GaugeOptions {
    /// ibound 10, races of 32 orders, until nothing is gained.
    fn default() -> Self {
        Self {
            limit: CliqueLimit {
                ibound: 10,
                entries: 1e7,
            },
            order: None,
            known: None,
            candidates: 32,
            once: false,
            iterations: None,
            least_gain: 1e-7,
            memory: 2e9,
            seed: 0,
        }
    }
}

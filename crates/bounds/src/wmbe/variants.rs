//! The variants of mini-bucket elimination that the literature compares, on any model.
//!
//! | [`Variant`] | weights `w_r` | shifts `λ` | |
//! |---|---|---|---|
//! | `Mbe` | 1 for one mini-bucket, ±0 for the others | 0 | Dechter & Rish 2003 |
//! | `Wmbe` | uniform | 0 | Liu & Ihler 2011 |
//! | `W` | moved | 0 | |
//! | `Theta` | uniform | moved | |
//! | `ThetaW` | moved | moved | |
//!
//! Below, uniform means that every mini-bucket but one has the weight `−1/e`.

use std::fmt;
use std::sync::Arc;

use forney_certify::{Bound, Budget, Certificate, Lbfgs, Refine, Stop};
use forney_exact::{Heuristic, Order, Schedule, SplitRule, greedy};
use forney_model::FactorGraph;

use super::published::PublishedSteps;
use super::{CliqueLimit, ContentMiniBuckets, MiniBuckets, WeightMap, Wmbe, WmbeObjective};
use crate::BoundError;

/// Which parameters of a plain mini-bucket bound, one without gauges, are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// None: one mini-bucket of a split sums, the others take the maximum (above) or the minimum
    /// (below). With hard zeros the minimum is often 0, and the lower bound `−∞`.
    Mbe,
    /// None: uniform weights.
    Wmbe,
    /// Hölder weights.
    W,
    /// Reparameterisations: cost shifts.
    Theta,
    /// Cost shifts and weights.
    ThetaW,
}

impl Variant {
    /// All variants, in the order of the literature.
    pub const ALL: [Self; 5] = [Self::Mbe, Self::Wmbe, Self::W, Self::Theta, Self::ThetaW];

    /// Its name in the literature.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mbe => "MBE",
            Self::Wmbe => "WMBE",
            Self::W => "WMBE-w",
            Self::Theta => "WMBE-θ",
            Self::ThetaW => "WMBE-θw",
        }
    }

    /// Does it move shifts, and weights?
    fn moves(self) -> [bool; 2] {
        [
            matches!(self, Self::Theta | Self::ThetaW),
            matches!(self, Self::W | Self::ThetaW),
        ]
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the parameters are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// By fixed steps, shifts over the eliminated variable alone (Ahn et al. 2018):
    ///
    /// ```text
    /// θ_r(x_v) ← θ_r(x_v) − 0.1 (b_r(x_v) − b_s(x_v)),   w_r ← w_r exp(−0.1 (H_r − H̄)) / Σ
    /// ```
    ///
    /// 150 of them unless [`VariantOptions::iterations`] says otherwise.
    Published,
    /// By L-BFGS, shifts over the whole scope that mini-buckets share, until nothing is gained.
    Best,
}

/// Which tables of a bucket stay together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// Those whose scopes overlap most, [`MiniBuckets`].
    Scope,
    /// Those whose separate elimination would lose most, [`ContentMiniBuckets`].
    Content,
}

impl Partition {
    /// The split rule for one compilation.
    pub(crate) fn rule<'g, S: WeightMap>(
        self,
        graph: &'g FactorGraph,
        order: &Order,
        limit: CliqueLimit,
        memory: f64,
        budget: &Budget,
    ) -> Box<dyn SplitRule + 'g> {
        match self {
            Self::Scope => Box::new(MiniBuckets::new(limit, None)),
            Self::Content => {
                let rule = ContentMiniBuckets::<S>::new(graph, order, limit, memory, budget);
                Box::new(rule)
            }
        }
    }
}

/// What [`mini_buckets`] works with.
#[derive(Clone, Debug)]
pub struct VariantOptions {
    /// Which parameters are moved.
    pub variant: Variant,
    /// How.
    pub steps: Steps,
    /// Which tables of a bucket stay together.
    pub partition: Partition,
    /// How large a clique may be.
    pub limit: CliqueLimit,
    /// The elimination order; `None` is min-fill.
    pub order: Option<Order>,
    /// At most so many evaluations, the first one included.
    pub iterations: Option<usize>,
    /// Bytes that the tables may take.
    pub memory: f64,
}

/// What [`mini_buckets`] proved.
#[derive(Clone, Debug)]
pub struct VariantReport<S: WeightMap> {
    /// The bound, recomputed from the witness.
    pub bound: Bound<S>,
    /// What proves it.
    pub witness: Wmbe<S>,
    /// Evaluations of the bound, each of them a forward pass, and a backward one where parameters
    /// are moved.
    pub iterations: usize,
    /// Why it ended.
    pub stop: Stop,
    /// Was nothing split, so that it is `ln Z` itself?
    pub exact: bool,
}

/// Pairs that the quasi-Newton steps remember. Set by hand, as the gain below; not tuned.
const PAIRS: usize = 10;
/// Evaluations that the published method spends, those of the paper.
const PUBLISHED_ITERATIONS: usize = 150;
/// Nats that so many sweeps have to gain, or they have converged.
const LEAST_GAIN: f64 = 1e-7;
const SWEEPS: usize = 20;

/// One mini-bucket bound from one order and one partition.
///
/// `watch` is called with every verified improvement and the evaluations so far.
///
/// # Bound
/// Above or below, by the type `S`, for any model and after any stop.
///
/// # Errors
/// [`BoundError::IboundTooSmall`] if a factor exceeds the limit, [`BoundError::TooLarge`] if the
/// tables exceed the memory.
///
/// # Complexity
/// For each evaluation the entries of all cliques, each at most `limit`, times their inputs.
///
/// # Example
/// ```
/// use forney_bounds::wmbe::{CliqueLimit, Partition, Steps, Variant, VariantOptions, mini_buckets};
/// use forney_certify::{Above, Below, Budget};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(6, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = VariantOptions {
///     variant: Variant::ThetaW,
///     steps: Steps::Best,
///     partition: Partition::Scope,
///     limit: CliqueLimit { ibound: 3, entries: 1e6 },
///     order: None,
///     iterations: Some(50),
///     memory: 1e9,
/// };
/// let budget = Budget::unlimited();
/// let above = mini_buckets::<Above>(&model, &options, &budget, &mut |_, _| {})?;
/// let below = mini_buckets::<Below>(&model, &options, &budget, &mut |_, _| {})?;
/// assert!(below.bound.ln() < above.bound.ln() && !above.exact);
/// # Ok::<(), forney_bounds::BoundError>(())
/// ```
pub fn mini_buckets<S: WeightMap>(
    graph: &FactorGraph,
    options: &VariantOptions,
    budget: &Budget,
    watch: &mut dyn FnMut(Bound<S>, usize),
) -> Result<VariantReport<S>, BoundError> {
    CliqueLimit::admit(options.limit.ibound, graph)?;
    let order = match &options.order {
        Some(order) => order.clone(),
        None => greedy(graph, Heuristic::MinFill, None),
    };
    let mut rule =
        (options.partition).rule::<S>(graph, &order, options.limit, options.memory, budget);
    let schedule = Arc::new(Schedule::compile(graph, &order, rule.as_mut())?);
    drop(rule);
    let exact = schedule.is_exact();
    let moves = options.variant.moves();
    let fixed = exact || moves == [false; 2];
    let demand = schedule.demand();
    let bytes = if !fixed {
        let parameters = schedule.num_shifts() + schedule.num_weights();
        demand.kept_bytes + (8 * (2 * PAIRS + 10) * parameters) as f64
    } else {
        demand.live_bytes
    };
    demand.admit(bytes, options.memory)?;

    let witness = start(&schedule, options.variant);
    let bound = witness.verify(graph)?;
    watch(bound, 1);
    let mut best = Best {
        graph,
        watch,
        bound,
        witness,
        iterations: 1,
    };
    let stop = if fixed || bound.ln() == f64::NEG_INFINITY {
        // A lower bound of −∞ has a zero in a mini-bucket of negative weight: no finite shift
        // lifts it. An upper one says that Z = 0.
        Stop::Converged
    } else {
        let objective = WmbeObjective::<S>::new(schedule, graph).moving(moves);
        match options.steps {
            Steps::Published => {
                let steps = PublishedSteps::new(objective);
                let most = options.iterations.unwrap_or(PUBLISHED_ITERATIONS);
                let counted = PublishedSteps::evaluations;
                best.improve(steps, counted, (most, f64::NEG_INFINITY), budget)
            }
            Steps::Best => {
                let start = WmbeObjective::<S>::start(objective.schedule());
                let mut descent = Lbfgs::new(objective, start, PAIRS);
                let most = options.iterations.unwrap_or(usize::MAX);
                descent.limit(most);
                best.improve(descent, Lbfgs::evaluations, (most, LEAST_GAIN), budget)
            }
        }
    };
    Ok(VariantReport {
        bound: best.bound,
        witness: best.witness,
        iterations: best.iterations,
        stop,
        exact,
    })
}

/// The witness before any step.
fn start<S: WeightMap>(schedule: &Arc<Schedule>, variant: Variant) -> Wmbe<S> {
    if variant != Variant::Mbe {
        return Wmbe::neutral(Arc::clone(schedule));
    }
    let mut weights = vec![S::EXTREME; schedule.num_weights()];
    for split in schedule.splits() {
        weights[split.first_weight] = 1.0;
    }
    let shifts = vec![0.0; schedule.num_shifts()];
    Wmbe::new(Arc::clone(schedule), weights, shifts)
}

/// The tightest bound so far, with what proves it.
struct Best<'a, S: WeightMap> {
    graph: &'a FactorGraph,
    watch: &'a mut dyn FnMut(Bound<S>, usize),
    bound: Bound<S>,
    witness: Wmbe<S>,
    iterations: usize,
}

impl<S: WeightMap> Best<'_, S> {
    /// Recomputes what a witness proves, and keeps the better one.
    fn offer(&mut self, witness: Wmbe<S>) {
        // A witness that proves nothing, because an optimiser went astray, enters nothing.
        if let Ok(bound) = witness.verify(self.graph)
            && self.bound.tighten(bound)
        {
            self.witness = witness;
            (self.watch)(bound, self.iterations);
        }
    }

    /// Steps until there were so many evaluations, or until [`SWEEPS`] of them gain no more than that.
    ///
    /// The steps return the value of their best point so far, and that is the one that counts.
    fn improve<R: Refine<Point = Vec<f64>>>(
        &mut self,
        mut steps: R,
        evaluations: fn(&R) -> usize,
        (most, least_gain): (usize, f64),
        budget: &Budget,
    ) -> Stop {
        let (mut value, mut before) = (f64::INFINITY, f64::INFINITY);
        loop {
            let mut end = None;
            for _ in 0..SWEEPS {
                end = match self.iterations >= most {
                    true => Some(Stop::SweepLimit),
                    false => budget.stop(),
                };
                if end.is_some() {
                    break;
                }
                value = steps.sweep();
                self.iterations = evaluations(&steps);
            }
            if value < before {
                let point = steps.point();
                self.offer(WmbeObjective::witness_at(&self.witness.schedule, &point));
            }
            // Written so that NaN, from a start that is not finite, has converged.
            let gains = before - value > least_gain;
            if let Some(stop) = end.or((!gains).then_some(Stop::Converged)) {
                return stop;
            }
            before = value;
        }
    }
}

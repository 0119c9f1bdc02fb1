//! Bucket renormalisation (Ahn, Chertkov, Weller & Shin 2018): elimination of bounded width that
//! replaces what it cannot hold by projections, as an estimate of `ln Z`.
//!
//! A bucket beyond the limit is split, and the variable `x` copied into each mini-bucket but one.
//! A projection of rank 1 stands between a copy `x'` and the variable:
//!
//! ```text
//! f(x, y) ≈ r̃(x) Σ_{x'} r(x') f(x', y)
//! ```
//!
//! | symbol | name | |
//! |---|---|---|
//! | `r̃(x)`, `r(x')` | compensating factors of a copy | |
//! | `Z†` | sum of the renormalised model, whose width is within the limit | [`Renormalised::ln_z`] |
//! | `A(x, x')` | sum of the renormalised model without one projection | see [`Renormalised::calibrate`] |
//!
//! MBR takes for `r = r̃` the leading left singular vector of the product of the mini-bucket, which
//! is the projection that keeps most of it. GBR then calibrates the projections to what the rest of
//! the model makes of them, again and again. The authors of GBR do so once, by singular vectors of
//! `A` and `r = r̃`; repeated, that drifts away, while eigenvectors settle and come nearer.
//!
//! Both are exact if nothing is split, and a bound nowhere.

mod projection;
mod renormalised;

use forney_certify::{Above, Budget, Limits, Run, Stop, Sweep};
use forney_exact::{Bucket, Heuristic, Order, Schedule, greedy};
use forney_model::FactorGraph;

pub use renormalised::Renormalised;

use crate::BoundError;
use crate::buckets::{Buckets, Pending};
use crate::wmbe::{CliqueLimit, Partition};
use projection::singular;
use renormalised::Draft;

/// What bucket renormalisation works with.
#[derive(Clone, Debug)]
pub struct RenormalisationOptions {
    /// How large a clique may be.
    pub limit: CliqueLimit,
    /// Which tables of a bucket stay together.
    pub partition: Partition,
    /// The elimination order; `None` is min-fill.
    pub order: Option<Order>,
    /// Bytes that the tables may take.
    pub memory: f64,
}

/// Mini-bucket renormalisation (MBR).
///
/// # Errors
/// [`BoundError::IboundTooSmall`] if a factor exceeds the limit, [`BoundError::TooLarge`] if the
/// tables exceed the memory.
///
/// # Complexity
/// A few passes over the cliques, each within the limit.
///
/// # Example
/// ```
/// use forney_bounds::{RenormalisationOptions, mini_bucket_renormalisation};
/// use forney_bounds::wmbe::{CliqueLimit, Partition};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let model = ising_grid(4, 0.5, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = RenormalisationOptions {
///     limit: CliqueLimit { ibound: 2, entries: 1e6 },
///     partition: Partition::Scope,
///     order: None,
///     memory: 1e9,
/// };
/// let renormalised = mini_bucket_renormalisation(&model, &options)?;
/// assert!((renormalised.ln_z().ln - enumerate(&model).ln_z).abs() < 0.1);
/// # Ok::<(), forney_bounds::BoundError>(())
/// ```
pub fn mini_bucket_renormalisation(
    graph: &FactorGraph,
    options: &RenormalisationOptions,
) -> Result<Renormalised, BoundError> {
    renormalise(graph, options, &Budget::unlimited())
}

/// MBR, within the limits; a budget that ends leaves partitions by content to the scopes.
fn renormalise(
    graph: &FactorGraph,
    options: &RenormalisationOptions,
    budget: &Budget,
) -> Result<Renormalised, BoundError> {
    CliqueLimit::admit(options.limit.ibound, graph)?;
    let order = match &options.order {
        Some(order) => order.clone(),
        None => greedy(graph, Heuristic::MinFill, None),
    };
    let (limit, memory) = (options.limit, options.memory);
    let mut rule = (options.partition).rule::<Above>(graph, &order, limit, memory, budget);
    let mut groups = vec![Vec::new(); graph.num_variables()];
    let mut recorder = |bucket: &Bucket<'_>| {
        let own = rule.split(bucket);
        groups[bucket.variable.index()].clone_from(&own);
        own
    };
    let demand = Schedule::compile(graph, &order, &mut recorder)?.demand();
    demand.admit(demand.kept_bytes, memory)?;

    let mut buckets = Buckets::new(graph, &order);
    let mut draft = Draft::new(graph);
    for &variable in order.vars() {
        let tables = buckets.take(variable);
        let groups = &groups[variable.index()];
        let products = groups
            .iter()
            .map(|group| (buckets.algebra).product(group.iter().map(|&at| &tables[at])));
        let mut products = products.collect::<Vec<_>>().into_iter();
        if let Some(mut kept) = products.next() {
            let mut messages = Vec::with_capacity(groups.len());
            for mut copied in products {
                let projection = singular(&copied.ln, graph.card(variable));
                draft.copy(variable, &copied.factors, &projection);
                multiply(&mut kept, &projection);
                multiply(&mut copied, &projection);
                messages.push(buckets.algebra.eliminate(&copied, 1.0));
            }
            // In the order of the groups, as they were recorded.
            buckets.post(buckets.algebra.eliminate(&kept, 1.0));
            for message in messages {
                buckets.post(message);
            }
        }
        draft.eliminate(variable);
    }
    draft.finish(options.memory)
}

/// Global-bucket renormalisation (GBR): MBR, then sweeps that calibrate every projection.
///
/// # Errors
/// As [`mini_bucket_renormalisation`].
///
/// # Complexity
/// For each sweep and each copy, as many forward and backward passes of the renormalised model as
/// the variable has states.
pub fn global_bucket_renormalisation(
    graph: &FactorGraph,
    options: &RenormalisationOptions,
    limits: &Limits,
    budget: &Budget,
) -> Result<Run<Renormalised>, BoundError> {
    let mut point = renormalise(graph, options, budget)?;
    let mut trace: Vec<Sweep> = Vec::new();
    let mut before = point.ln_z().ln;
    let stop = 'sweeps: loop {
        if point.is_exact() {
            break Stop::Converged;
        }
        if limits.sweeps.is_some_and(|most| trace.len() >= most) {
            break Stop::SweepLimit;
        }
        for copy in 0..point.num_copies() {
            if let Some(stop) = budget.stop() {
                break 'sweeps stop;
            }
            point.calibrate(copy);
        }
        let value = point.ln_z().ln;
        trace.push(Sweep {
            number: trace.len() + 1,
            value,
            elapsed_s: budget.elapsed().as_secs_f64(),
        });
        // Equal infinities have converged, too: no projection comes back from nothing.
        if value.to_bits() == before.to_bits() || (value - before).abs() <= limits.tolerance {
            break Stop::Converged;
        }
        before = value;
    };
    Ok(Run { point, trace, stop })
}

/// Multiplies a table by a function of its first variable.
fn multiply(table: &mut Pending, factor: &[f64]) {
    let cols = table.ln.len() / factor.len();
    for (row, ln) in table.ln.chunks_exact_mut(cols).zip(factor) {
        for entry in row {
            *entry += ln;
        }
    }
}

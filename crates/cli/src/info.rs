//! `forney info`: what a model is, and what exact inference on it would cost.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use forney::Plan;
use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
use forney_certify::{Budget, Stop};
use forney_exact::{
    Effort, Heuristic, Keep, Pace, Schedule, frontier_within, greedy_within, human, search,
};
use forney_gauge::candidate_bytes;
use forney_model::{FactorGraph, simplify, simplify_sum};
use forney_planar::Planar;
use serde::Serialize;

use crate::args::InfoArgs;
use crate::clash::{Clash, Impossible};
use crate::done::Done;
use crate::error::Failure;
use crate::order::OrderChoice;
use crate::problem::Problem;
use crate::text::{rough_seconds, table};
use crate::unfinished::Stage;
use crate::work::Tell;
use crate::{interrupt, json, memory, progress, work};

/// The ibounds of gauged mini-buckets that it lists.
const IBOUNDS: [usize; 4] = [5, 10, 15, 20];

/// What `forney info` prints.
#[derive(Serialize)]
pub(crate) struct Report {
    file: PathBuf,
    kind: &'static str,
    /// Number of variables of each cardinality.
    cardinalities: BTreeMap<usize, usize>,
    #[serde(flatten)]
    size: Size,
    /// Observed variables.
    evidence: usize,
    #[serde(serialize_with = "json::whole")]
    memory_bytes: f64,
    /// What evidence and hard zeros leave; `None` if that is nothing: `Z = 0`.
    reduced: Option<Reduced>,
    /// Left out unless `Z = 0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<Clash>,
}

/// How large a model is.
#[derive(Serialize)]
struct Size {
    /// All of them; in a reduced model those that some factor mentions.
    variables: usize,
    factors: usize,
    components: usize,
    largest_scope: usize,
    entries: usize,
    /// Hard zeros among the entries.
    zeros: usize,
}

/// A model without observed variables, impossible states, and what sums out of one factor.
#[derive(Serialize)]
struct Reduced {
    #[serde(flatten)]
    size: Size,
    orders: Vec<Cost>,
    gauged: Vec<Gauged>,
    /// Left out unless the model is one of spins in the plane.
    #[serde(skip_serializing_if = "Option::is_none")]
    planar: Option<Drawn>,
}

/// What `ln Z` takes without an elimination.
#[derive(Serialize)]
struct Drawn {
    #[serde(serialize_with = "json::whole")]
    bytes: f64,
    #[serde(serialize_with = "json::number")]
    exact_s: f64,
}

/// What gauged mini-buckets of some ibound would take, `forney bound --method wmbe-g`.
#[derive(Serialize)]
struct Gauged {
    ibound: usize,
    /// Base-2 logarithm of the entries of the largest clique.
    #[serde(serialize_with = "json::number")]
    log2_clique: f64,
    /// Table entries of all cliques.
    #[serde(serialize_with = "json::whole")]
    entries: f64,
    /// Of each candidate of the race.
    #[serde(serialize_with = "json::whole")]
    candidate_bytes: f64,
}

/// The time for orders where the user sets none.
const ORDERS: Duration = Duration::from_secs(3);

/// How long after the end of the time what was worked out is waited for.
const GRACE: Duration = Duration::from_millis(100);

/// What elimination in some order would cost.
#[derive(Serialize)]
struct Cost {
    order: &'static str,
    width: usize,
    /// Base-2 logarithm of the entries of the largest clique.
    #[serde(serialize_with = "json::number")]
    log2_clique: f64,
    /// Table entries of all cliques.
    #[serde(serialize_with = "json::whole")]
    entries: f64,
    #[serde(serialize_with = "json::whole")]
    exact_bytes: f64,
    /// For marginals and for the most probable assignment.
    #[serde(serialize_with = "json::whole")]
    marginals_bytes: f64,
    #[serde(serialize_with = "json::number")]
    exact_s: f64,
}

pub(crate) fn run(args: &InfoArgs) -> Result<Done<Report>, Failure> {
    let budget = Budget::new(args.time, interrupt::flag());
    let (its_args, its_budget) = (args.clone(), budget.clone());
    // Reading and reducing a large model are left alone where they outlast the time.
    let described = work::within(
        &budget,
        GRACE,
        move |_: &Tell<'_, ()>| describe(&its_args, &its_budget),
        |()| {},
    );
    described.unwrap_or_else(|stop| Err(Failure::out_of(stop, Stage::Reading)))
}

fn describe(args: &InfoArgs, budget: &Budget) -> Result<Done<Report>, Failure> {
    let problem = Problem::read(&args.model, budget)?;
    let mut conflict = None;
    let reduced = match problem.restrict(budget)? {
        None => {
            conflict = problem.clash(budget);
            None
        }
        Some(restriction) => {
            let sum = simplify_sum(restriction.graph())?;
            let whole = simplify(restriction.graph())?;
            drop(restriction);
            let left = budget.remaining().unwrap_or(ORDERS);
            let orders = costs(&sum, &whole, args.seed, &budget.capped(left / 2));
            let gauged = gauged(&sum, &budget.capped(left));
            let planar = Planar::new(&sum, budget).ok().map(|planar| Drawn {
                bytes: planar.demand().bytes,
                exact_s: Pace::measured().seconds(planar.demand().entries),
            });
            if budget.stop() == Some(Stop::Interrupted) {
                return Err(Failure::Interrupted);
            }
            Some(Reduced {
                size: Size::of(&sum),
                orders,
                gauged,
                planar,
            })
        }
    };
    let mut cardinalities = BTreeMap::new();
    for &card in problem.graph.cards() {
        *cardinalities.entry(card).or_default() += 1;
    }
    Ok(Done::new(Report {
        file: args.model.file.clone(),
        kind: problem.kind.word(),
        cardinalities,
        size: Size::of_all(&problem.graph),
        evidence: problem.evidence.len(),
        memory_bytes: args.memory.unwrap_or_else(memory::default_limit),
        reduced,
        conflict,
    }))
}

/// All greedy orders, and the one that a search finds, as far as time allows: `sum` is the model
/// whose `Z` is wanted, `whole` the one whose marginals are.
fn costs(sum: &FactorGraph, whole: &FactorGraph, seed: u64, budget: &Budget) -> Vec<Cost> {
    let _spinner = progress::spinner("searching for an elimination order".to_owned());
    let same = sum == whole;
    let cost = |choice: OrderChoice| {
        let plan = |graph| {
            let order = match choice {
                OrderChoice::Greedy(heuristic) => greedy_within(graph, heuristic, None, budget)?,
                _ => {
                    let effort = Effort {
                        rounds: None,
                        memory: None,
                        budget: budget.capped(budget.remaining().unwrap_or(ORDERS) / 2),
                    };
                    search(graph, seed, &effort)
                }
            };
            Plan::within(graph, order, budget).map(Plan::unscheduled)
        };
        let exact = plan(sum)?;
        let marginals_bytes = if same {
            exact.bytes(Keep::All)
        } else {
            plan(whole)?.bytes(Keep::All)
        };
        Some(Cost {
            order: choice.name(),
            width: exact.cost().width,
            log2_clique: exact.cost().max_entries.max(1.0).log2(),
            entries: exact.cost().total_entries,
            exact_bytes: exact.bytes(Keep::Live),
            marginals_bytes,
            exact_s: exact.seconds(),
        })
    };
    // The order that is used by default is worked out first and shown last.
    let searched = cost(OrderChoice::Search);
    let greedy = Heuristic::ALL.into_iter().map(OrderChoice::Greedy);
    greedy.filter_map(cost).chain(searched).collect()
}

/// Gauged mini-buckets for ibounds that users choose, as long as they split something and as far as
/// time allows.
fn gauged(graph: &FactorGraph, budget: &Budget) -> Vec<Gauged> {
    let mut costs = Vec::new();
    let Some(order) = frontier_within(graph, None, budget) else {
        return costs;
    };
    for ibound in IBOUNDS {
        let limit = CliqueLimit {
            ibound,
            entries: f64::INFINITY,
        };
        let mut rule = MiniBuckets::new(limit, None);
        // A clique too large to address ends the list, as no larger ibound has a smaller one.
        let compiled = Schedule::compile_within(graph, &order, &mut rule, budget);
        let Ok(Some(schedule)) = compiled else {
            break;
        };
        if schedule.is_exact() {
            break;
        }
        let demand = schedule.demand();
        costs.push(Gauged {
            ibound,
            log2_clique: demand.max_entries.max(1.0).log2(),
            entries: demand.total_entries,
            candidate_bytes: candidate_bytes(&schedule),
        });
    }
    costs
}

impl Size {
    /// Of the part of a model that some factor mentions.
    fn of(graph: &FactorGraph) -> Self {
        let tables = graph.factors();
        let mentioned = graph
            .variables()
            .filter(|&v| graph.factors_of(v).next().is_some());
        let variables = mentioned.count();
        let zero = |ln: &&f64| **ln == f64::NEG_INFINITY;
        Self {
            variables,
            factors: tables.len(),
            components: graph.num_components() + variables - graph.num_variables(),
            largest_scope: tables.iter().map(|t| t.scope().len()).max().unwrap_or(0),
            entries: tables.iter().map(|t| t.num_entries()).sum(),
            zeros: tables
                .iter()
                .map(|t| t.relative().iter().filter(zero).count())
                .sum(),
        }
    }

    /// Of a whole model.
    fn of_all(graph: &FactorGraph) -> Self {
        Self {
            variables: graph.num_variables(),
            components: graph.num_components(),
            ..Self::of(graph)
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = 100.0 * self.zeros as f64 / self.entries.max(1) as f64;
        write!(
            f,
            "{}, {}, {}, largest scope {}, {}, {share:.0} % zeros",
            count(self.variables, "variable"),
            count(self.factors, "factor"),
            count(self.components, "connected part"),
            self.largest_scope,
            if self.entries == 1 {
                "1 entry".to_owned()
            } else {
                format!("{} entries", self.entries)
            },
        )
    }
}

impl Cost {
    const HEAD: [&str; 7] = [
        "order",
        "width",
        "largest clique",
        "all entries",
        "exact needs",
        "marginals need",
        "exact takes",
    ];

    fn cells(&self) -> [String; 7] {
        [
            self.order.to_owned(),
            self.width.to_string(),
            format!("2^{:.1}", self.log2_clique),
            format!("{:.1e}", self.entries),
            human(self.exact_bytes),
            human(self.marginals_bytes),
            rough_seconds(self.exact_s),
        ]
    }
}

impl Gauged {
    const HEAD: [&str; 4] = [
        "ibound",
        "largest clique",
        "all entries",
        "each gauged candidate needs",
    ];

    fn cells(&self) -> [String; 4] {
        [
            self.ibound.to_string(),
            format!("2^{:.1}", self.log2_clique),
            format!("{:.1e}", self.entries),
            human(self.candidate_bytes),
        ]
    }
}

/// So many things.
fn count(n: usize, thing: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {thing}{plural}")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "model     {}, {}", self.kind, self.size)?;
        write!(f, "states    ")?;
        for (at, (card, count)) in self.cardinalities.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{card} ({count}×)")?;
        }
        writeln!(f)?;
        match self.evidence {
            0 => writeln!(f, "evidence  none")?,
            observed => writeln!(f, "evidence  {}", count(observed, "variable"))?,
        }
        let Some(reduced) = &self.reduced else {
            return write!(f, "\n{}", Impossible(self.conflict.as_ref()));
        };
        writeln!(f, "reduced   {}", reduced.size)?;
        if !reduced.orders.is_empty() {
            let head = Cost::HEAD.map(str::to_owned);
            let lines = [head]
                .into_iter()
                .chain(reduced.orders.iter().map(Cost::cells));
            write!(f, "\n{}", table(&lines.collect::<Vec<_>>(), 1..=5))?;
        }
        if !reduced.gauged.is_empty() {
            let head = Gauged::HEAD.map(str::to_owned);
            let lines = [head]
                .into_iter()
                .chain(reduced.gauged.iter().map(Gauged::cells));
            write!(f, "\n{}", table(&lines.collect::<Vec<_>>(), 1..=3))?;
        }
        if let Some(planar) = &reduced.planar {
            writeln!(
                f,
                "\nplanar    ln Z needs no elimination but {} and {}; where strong couplings contradict each other twice\n          the memory and up to a hundred times as long, and beyond some strength it is not to be had",
                human(planar.bytes),
                rough_seconds(planar.exact_s)
            )?;
        }
        writeln!(f, "\n{}", self.advice(reduced))
    }
}

impl Report {
    /// What to do with such a model.
    fn advice(&self, reduced: &Reduced) -> String {
        const LONG_S: f64 = 3600.0;
        let allowed = human(self.memory_bytes);
        if let Some(planar) = &reduced.planar
            && planar.bytes <= self.memory_bytes
        {
            return format!(
                "Exact inference fits in {allowed}: use `forney exact`, or `forney bound` where couplings are strong."
            );
        }
        if reduced.orders.is_empty() {
            return "No order was worked out in time: allow more with --time.".to_owned();
        }
        let fits = |cost: &&Cost| cost.exact_bytes <= self.memory_bytes;
        let quickest = reduced.orders.iter().filter(fits);
        let quickest = quickest.min_by(|a, b| a.exact_s.total_cmp(&b.exact_s));
        match quickest {
            None => format!("Exact inference does not fit in {allowed}: use `forney bound`."),
            Some(cost) if cost.exact_s > LONG_S => format!(
                "Exact inference fits in {allowed} but takes {}: use `forney bound`.",
                rough_seconds(cost.exact_s)
            ),
            Some(_) => format!("Exact inference fits in {allowed}: use `forney exact`."),
        }
    }
}

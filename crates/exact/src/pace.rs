//! How fast this machine is, measured once.

use std::sync::{Arc, OnceLock};

use forney_certify::Budget;
use forney_model::{FactorGraph, Table, VarId};

use crate::{Engine, Keep, Order, Schedule, Whole};

/// Two tables of so many binary variables that share all but one are summed so many times, some half a millisecond
/// each with what it takes to load them; the fastest counts, for what else the machine does only slows it down.
const VARIABLES: u32 = 14;
const TIMES: usize = 3;

/// Tables larger than the caches, steps of few entries and loading take about as long again as what is measured.
const WHOLE: f64 = 2.0;

/// Seconds for each clique entry of an elimination, the unit of all predictions of time.
///
/// Where time has an end it is the pace of this machine; elsewhere a nominal nanosecond, so that nothing depends
/// on the machine. Other passes state how many of these entries one of theirs costs.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_exact::Pace;
/// use std::time::Duration;
/// let nominal = Pace::of(&Budget::unlimited());
/// assert!((nominal.seconds(1e9) - 1.0).abs() < 1e-9);
/// let here = Pace::of(&Budget::unlimited().capped(Duration::from_secs(1)));
/// assert!(here.seconds(1e9) > 0.01);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace(f64);

impl Pace {
    const NOMINAL: f64 = 1e-9;

    /// The pace to plan with under a budget.
    #[must_use]
    pub fn of(budget: &Budget) -> Self {
        match budget.remaining() {
            Some(_) => Self::measured(),
            None => Self(Self::NOMINAL),
        }
    }

    /// The pace of this machine.
    #[must_use]
    pub fn measured() -> Self {
        static MEASURED: OnceLock<f64> = OnceLock::new();
        Self(*MEASURED.get_or_init(measure))
    }

    /// Seconds for so many entries.
    #[must_use]
    pub fn seconds(self, entries: f64) -> f64 {
        self.0 * entries
    }
}

fn measure() -> f64 {
    measured().map_or(Pace::NOMINAL, |pace| {
        // A clock too coarse, or a machine that stood still, tells nothing.
        pace.clamp(0.1 * Pace::NOMINAL, 100.0 * Pace::NOMINAL)
    })
}

fn measured() -> Option<f64> {
    let table = |first: u32| {
        let scope = (first..first + VARIABLES).map(VarId).collect();
        let ln = (0..1 << VARIABLES)
            .map(|entry| f64::from(entry % 7))
            .collect();
        Table::from_ln(scope, vec![2; VARIABLES as usize], ln).ok()
    };
    let cards = vec![2; VARIABLES as usize + 1];
    let graph = FactorGraph::new(cards, vec![table(0)?, table(1)?]).ok()?;
    let order = Order::new(graph.variables().collect(), &graph).ok()?;
    let schedule = Arc::new(Schedule::compile(&graph, &order, &mut Whole).ok()?);
    let entries = schedule.demand().total_entries;
    let clock = Budget::unlimited();
    let times = (0..TIMES).map(|_| {
        // What does not depend on a parameter is summed only once.
        let mut engine = Engine::new(Arc::clone(&schedule), &graph, Keep::Live);
        let began = clock.elapsed();
        std::hint::black_box(engine.forward(&[], &[]));
        (clock.elapsed() - began).as_secs_f64()
    });
    Some(WHOLE * times.fold(f64::INFINITY, f64::min) / entries)
}

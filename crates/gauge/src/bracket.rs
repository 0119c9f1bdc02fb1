//! A gauged bracket: both sides, at one ibound or higher and higher ones.

use std::sync::{Mutex, PoisonError};

use forney_bounds::wmbe::CliqueLimit;
use forney_bounds::{BoundError, BoundOptions, BoundReport, Progress, Sides, Watch};
use forney_certify::{Bracket, Budget, Lower, Stop, Upper};
use forney_model::FactorGraph;

use crate::search::{GaugeOptions, gauged_wmbe, gauged_wmbe_below};

/// The name of the method in reports.
pub const NAME: &str = "wmbe-g";

/// The first ibound of the ascent, and its step.
const FIRST_IBOUND: usize = 4;
const IBOUND_STEP: usize = 2;

/// Proves `lower ≤ ln Z ≤ upper` by gauged mini-buckets alone, for any model.
///
/// Variables in two factors are gauged, all mini-buckets exchange cost shifts, and orders race;
/// [`BoundOptions::method`] is not read. Without a fixed ibound it is raised while time lasts.
///
/// # Errors
/// As [`gauged_wmbe`] on the first level. That no gauge keeps a model with hard zeros positive is
/// no error: the lower side then proves nothing.
///
/// # Example
/// ```
/// use forney_bounds::BoundOptions;
/// use forney_certify::Budget;
/// use forney_gauge::bracket;
/// use forney_model::generate::mobius;
/// use rand::SeedableRng;
/// let model = mobius(12, 1.0, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = BoundOptions { ibound: Some(4), iterations: Some(100), ..Default::default() };
/// let report = bracket(&model, &options, &Budget::unlimited(), &mut |_| {})?;
/// assert!(report.bracket.gap() < 1.0);
/// # Ok::<(), forney_bounds::BoundError>(())
/// ```
pub fn bracket(
    graph: &FactorGraph,
    options: &BoundOptions,
    budget: &Budget,
    watch: &mut Watch<'_>,
) -> Result<BoundReport, BoundError> {
    let scopes = graph.factors().iter().map(|factor| factor.scope().len());
    let least = scopes.max().unwrap_or(0).saturating_sub(1);
    let mut ibound = options.ibound.unwrap_or(least.max(FIRST_IBOUND));
    let best = Mutex::new(Best {
        lower: Lower::trivial(),
        upper: Upper::trivial(),
        iterations: [0; 2],
        spent: 0,
        watch,
    });
    let lock = || best.lock().unwrap_or_else(PoisonError::into_inner);
    let mut round = 0;
    let stop = loop {
        let level = GaugeOptions {
            limit: CliqueLimit {
                ibound,
                entries: options.memory / 64.0,
            },
            order: options.order.clone(),
            iterations: options.iterations,
            memory: 0.4 * options.memory,
            seed: options.seed.wrapping_add(round),
            ..GaugeOptions::default()
        };
        // With an ibound to raise, the next level deserves its share of the time.
        let share = budget
            .remaining()
            .map(|left| budget.capped(left.mul_f64(0.4)));
        let time = match options.ibound {
            None => share.as_ref().unwrap_or(budget),
            Some(_) => budget,
        };
        let above = || {
            if options.sides == Sides::Lower {
                return Ok(());
            }
            gauged_wmbe(graph, &level, time, &mut |upper, spent| {
                lock().post(|best| best.upper.tighten(upper), 0, spent, ibound, budget);
            })
            .map(drop)
        };
        let below = || {
            if options.sides != Sides::Upper {
                // A model whose zeros leave no positive gauge has no gauged lower bound.
                let _ = gauged_wmbe_below(graph, &level, time, &mut |lower, spent| {
                    lock().post(|best| best.lower.tighten(lower), 1, spent, ibound, budget);
                });
            }
        };
        let (proved, ()) = rayon::join(above, below);
        if let Err(error) = proved {
            // A level beyond the first may be too large; what was proved before it stands.
            if round == 0 {
                return Err(error);
            }
            break Stop::MemoryLimit;
        }
        round += 1;
        let (lower, upper) = lock().next_level();
        if Bracket::new(lower, upper)?.gap() <= options.gap {
            break Stop::Converged;
        }
        if let Some(stop) = budget.stop() {
            break stop;
        }
        // The iterations are those of one level's winner; without them or an end of time a level
        // ends when it gains no more.
        if options.iterations.is_some() {
            break Stop::SweepLimit;
        }
        if budget.remaining().is_none() {
            break Stop::Converged;
        }
        if options.ibound.is_none() {
            ibound += IBOUND_STEP;
        }
    };
    let best = best.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(BoundReport {
        bracket: Bracket::new(best.lower, best.upper)?,
        lower_method: name(best.lower.ln()),
        upper_method: name(best.upper.ln()),
        ibound,
        iterations: best.spent,
        stop,
        exact: best.upper.ln() == f64::NEG_INFINITY,
        peak_bytes: 0.0,
    })
}

/// The best bounds so far.
struct Best<'b, 'w> {
    lower: Lower,
    upper: Upper,
    /// Evaluations of the running level, above and below.
    iterations: [usize; 2],
    /// Evaluations of earlier levels.
    spent: usize,
    watch: &'b mut Watch<'w>,
}

impl Best<'_, '_> {
    /// Enters a verified bound of one side and reports it if it is tighter.
    fn post(
        &mut self,
        tighten: impl FnOnce(&mut Self) -> bool,
        side: usize,
        evaluations: usize,
        ibound: usize,
        budget: &Budget,
    ) {
        self.iterations[side] = evaluations;
        if !tighten(self) {
            return;
        }
        (self.watch)(&Progress {
            lower: self.lower.ln(),
            upper: self.upper.ln(),
            lower_method: name(self.lower.ln()),
            upper_method: name(self.upper.ln()),
            ibound,
            iterations: self.spent + self.iterations.iter().sum::<usize>(),
            elapsed_s: budget.elapsed().as_secs_f64(),
        });
    }

    /// Adds up the evaluations of a level that is over; returns the best bounds.
    fn next_level(&mut self) -> (Lower, Upper) {
        self.spent += self.iterations.iter().sum::<usize>();
        self.iterations = [0; 2];
        (self.lower, self.upper)
    }
}

fn name(ln: f64) -> &'static str {
    if ln.is_finite() { NAME } else { "none" }
}

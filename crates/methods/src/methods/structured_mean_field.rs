//! `structured-mf`: mean field over larger and larger blocks.

use forney_bounds::{Activity, BlockStarts, MeanField, StartError};
use forney_certify::{Budget, Certificate, Limits};
use forney_model::FactorGraph;

use super::mean_field::ASCENDING;
use super::wmbe::{IBOUND_STEP, first_ibound};
use crate::{ExactOn, Gives, Inapplicable, Job, Method, Slice, Turn, Work};

/// Starts in a turn without an end of time, the most sweeps of each, and what a sweep gains for each variable,
/// in nats, once it has converged: larger blocks gain more than its last sweeps.
const UNTIMED_STARTS: usize = 4;
const SWEEPS: usize = 100;
const GAIN: f64 = 1e-5;

/// Starts side by side where time has an end; at the next ibound the others follow.
const STARTS: usize = 2;

/// Seconds for each entry of a table before blocks prove anything, as measured on grids of 1,000 to 100,000
/// variables.
const BEGINNING: f64 = 1e-6;

/// Structured mean field over blocks within the ibound,
/// [`structured_mean_field`](forney_bounds::structured_mean_field): an iteration is a sweep of the starts that run
/// side by side.
pub(crate) struct StructuredMeanField;

impl Method for StructuredMeanField {
    fn name(&self) -> &'static str {
        "structured-mf"
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::Trees)
    }

    fn takes_part(&self, _: &FactorGraph) -> bool {
        true
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        Ok(Box::new(Blocks {
            job,
            starts: None,
            ibound: (job.options.ibound).unwrap_or_else(|| first_ibound(job.graph)),
            first: 0,
            fitted: false,
            largest: job.options.ibound,
            best: f64::NEG_INFINITY,
        }))
    }
}

/// Structured mean field over larger and larger blocks.
struct Blocks<'j> {
    job: &'j Job<'j>,
    starts: Option<BlockStarts<'j>>,
    /// The ibound of the next starts, and the number of the first of them.
    ibound: usize,
    first: usize,
    /// Have any blocks fitted, and what is the largest ibound of those that do, if that is known?
    fitted: bool,
    largest: Option<usize>,
    /// The best objective that is on the board.
    best: f64,
}

impl Blocks<'_> {
    /// The product distribution to begin at, with its objective: the best one of mean field beside it, or its own.
    fn product(&self, budget: &Budget) -> (f64, MeanField) {
        let mut known = self.job.product();
        let (job, seed) = (self.job, self.job.options.seed);
        let own = || {
            let limits = Limits {
                sweeps: Some(SWEEPS),
                tolerance: 1e-6,
            };
            let point = match job.alone {
                true => forney_bounds::mean_field(job.graph, seed, 1, &limits, budget).point,
                false => MeanField::uniform(job.graph),
            };
            let value = point.verify(job.graph).map_or(f64::NAN, |lower| lower.ln());
            (value, point)
        };
        match job.alone {
            true => known.get_or_insert_with(own).clone(),
            false => known.clone().unwrap_or_else(own),
        }
    }

    /// Begins the next starts.
    fn begin(&mut self, budget: &Budget, slice: &Slice<'_, '_>) -> Result<(), StartError> {
        let timed = slice.is_timed();
        let beside = if timed { STARTS } else { UNTIMED_STARTS };
        let numbers = self.first..self.first + beside;
        let (_, product) = self.product(budget);
        let whole = timed.then(|| slice.time().mul_f64(ASCENDING));
        let Some(starts) = &mut self.starts else {
            return Ok(());
        };
        match starts.begin(numbers, self.ibound, &product, whole, budget) {
            Ok(limited) => {
                slice.board.begin(self.ibound, 0.0);
                self.first += beside;
                self.fitted = true;
                // Without larger blocks others of the same size follow.
                if !limited && self.largest.is_none() {
                    self.ibound += IBOUND_STEP;
                    self.first %= UNTIMED_STARTS;
                }
            }
            Err(_) if self.fitted && self.largest.is_none() => {
                self.ibound -= IBOUND_STEP;
                self.largest = Some(self.ibound);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Goes on with what was begun; true if all of it is over.
    fn ascend(&mut self, budget: &Budget) -> bool {
        let starts = self.starts.as_mut();
        starts.is_none_or(|starts| starts.courses.go_on(budget))
    }
}

impl Work for Blocks<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        let job = self.job;
        slice.board.say(Activity::Method("structured mean field"));
        let own = || slice.if_timed(slice.time().mul_f64(ASCENDING));
        let (mut budget, timed) = (own(), slice.is_timed());
        let mut fresh = self.starts.is_none();
        let starts = self.starts.get_or_insert_with(|| {
            let limits = Limits {
                sweeps: Some(SWEEPS),
                tolerance: GAIN * job.graph.num_variables() as f64,
            };
            BlockStarts::new(job.graph, job.options.seed, job.memory, limits)
        });
        let before = starts.courses.sweeps();
        if let (true, Some(left)) = (job.alone, slice.iterations) {
            starts.courses.limit(before + left);
        }
        let (mut begun, mut refused) = (false, None);
        while refused.is_none()
            && self.ascend(&budget)
            && (fresh || budget.stop().is_none())
            && (timed || !begun)
        {
            refused = self.begin(&budget, slice).err();
            if std::mem::take(&mut fresh) {
                // The beginning itself may have taken all of the turn.
                budget = own();
            }
            begun = true;
        }
        // A start begins at the best product, and nothing is to be proved before it is better.
        let known = match job.alone {
            true => self.best,
            false => self.best.max(self.head_start()),
        };
        let Some(starts) = &mut self.starts else {
            return Ok(Turn::Again);
        };
        if let Some((value, point)) = starts.courses.better_than(known)
            && let Ok(lower) = point.verify(job.graph)
        {
            slice.board.post(lower, StructuredMeanField.name());
            self.best = value;
        }
        let sweeps = starts.courses.sweeps() - before;
        if let Some(over) = Turn::counted(sweeps, job, slice) {
            return Ok(over);
        }
        refused.map_or(Ok(Turn::Again), |error| Err(error.into()))
    }

    fn beginning(&self) -> f64 {
        BEGINNING * self.job.entries
    }

    fn head_start(&self) -> f64 {
        let known = self.job.product();
        known
            .as_ref()
            .map_or(f64::NEG_INFINITY, |&(value, _)| value)
    }

    fn is_counted(&self) -> bool {
        self.job.alone
    }
}

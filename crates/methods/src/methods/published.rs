//! `published-wmbe-g` and `published-wmbe-gw`: gauges by the fixed steps of the paper.

use std::sync::Arc;

use forney_bounds::BoundError;
use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
use forney_certify::{Above, Certificate, Refine, Stop};
use forney_exact::{Schedule, frontier};
use forney_gauge::{Published, PublishedVariant, candidate_bytes};

use crate::{ExactOn, Gives, Inapplicable, Job, Method, Slice, Turn, Work};

/// The iterations and the ibound of the paper.
const ITERATIONS: usize = 150;
const IBOUND: usize = 4;

/// Upper bounds by [`Published`] steps at one ibound along one order: an iteration is a step.
///
/// Each bound is recomputed from the witness of its step, where signs are kept below the first split, so it may be
/// a little lower than the published value.
pub(crate) struct PublishedGauges {
    pub(crate) name: &'static str,
    pub(crate) variant: PublishedVariant,
}

impl Method for PublishedGauges {
    fn name(&self) -> &'static str {
        self.name
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Upper]
    }

    /// A frontier order splits trees, too.
    fn exact_on(&self) -> Option<ExactOn> {
        None
    }

    fn is_compared(&self) -> bool {
        false
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        let limit = CliqueLimit {
            ibound: job.options.ibound.unwrap_or(IBOUND),
            entries: job.memory / 8.0,
        };
        CliqueLimit::admit(limit.ibound, job.graph)?;
        let order = match &job.options.order {
            Some(order) => order.clone(),
            None => frontier(job.graph, None),
        };
        let mut rule = MiniBuckets::new(limit, None);
        let schedule = Schedule::compile(job.graph, &order, &mut rule);
        let schedule = schedule.map_err(BoundError::from)?;
        let bytes = candidate_bytes(&schedule);
        let admitted = schedule.demand().admit(bytes, job.memory);
        admitted.map_err(BoundError::from)?;
        Ok(Box::new(Steps {
            job,
            name: self.name,
            ibound: limit.ibound,
            bytes,
            descent: Published::new(Arc::new(schedule), job.graph, self.variant),
            done: 0,
        }))
    }
}

/// The descent.
struct Steps<'j> {
    job: &'j Job<'j>,
    name: &'static str,
    ibound: usize,
    bytes: f64,
    descent: Published,
    done: usize,
}

impl Steps<'_> {
    /// A gauge that went astray proves nothing, and a later one may be sound again.
    fn prove(&self, slice: &Slice<'_, '_>) {
        let (objective, point) = (self.descent.objective(), self.descent.point());
        if let Ok(witness) = objective.witness(&point, self.job.graph)
            && let Ok(bound) = witness.verify(self.job.graph)
        {
            slice.board.post(bound, self.name);
        }
    }
}

impl Work for Steps<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        slice.board.begin(self.ibound, self.bytes);
        let budget = slice.budget();
        let most = (slice.iterations).unwrap_or(ITERATIONS.saturating_sub(self.done));
        if self.done == 0 {
            self.prove(slice);
        }
        for _ in 0..most {
            if budget.stop().is_some() {
                return Ok(slice.whole.stop().map_or(Turn::Open, Turn::Over));
            }
            if !self.descent.sweep().is_finite() {
                return Ok(Turn::Over(Stop::Diverged));
            }
            self.done += 1;
            slice.board.count::<Above>(1);
            self.prove(slice);
        }
        Ok(Turn::Over(Stop::SweepLimit))
    }
}

//! `mf`: naive mean field.

use forney_bounds::{Activity, MeanFieldStarts};
use forney_certify::{Certificate, Limits};
use forney_model::FactorGraph;

use crate::{ExactOn, Gives, Inapplicable, Job, Method, Slice, Turn, Work};

/// Starts in a turn without an end of time, the most sweeps of each, and what a sweep gains for each variable,
/// in nats, once it has converged.
const STARTS: usize = 8;
const SWEEPS: usize = 500;
const GAIN: f64 = 1e-8;

/// The share of a turn for sweeps; the rest is for the proof.
pub(super) const ASCENDING: f64 = 0.9;

/// Naive mean field from annealed starts, [`mean_field`](forney_bounds::mean_field): an iteration is a sweep of the
/// starts that run side by side.
pub(crate) struct NaiveMeanField;

impl Method for NaiveMeanField {
    fn name(&self) -> &'static str {
        "mf"
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::IndependentVariables)
    }

    fn takes_part(&self, _: &FactorGraph) -> bool {
        true
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        Ok(Box::new(Products {
            job,
            starts: None,
            best: f64::NEG_INFINITY,
        }))
    }
}

/// Starts of mean field, one after the other or as many as there are threads.
struct Products<'j> {
    job: &'j Job<'j>,
    starts: Option<MeanFieldStarts<'j>>,
    /// The objective of the best product distribution that is on the board.
    best: f64,
}

impl Work for Products<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        let job = self.job;
        slice.board.say(Activity::Method("mean field"));
        let starts = self.starts.get_or_insert_with(|| {
            let limits = Limits {
                sweeps: Some(SWEEPS),
                tolerance: GAIN * job.graph.num_variables() as f64,
            };
            MeanFieldStarts::new(job.graph, job.options.seed, limits)
        });
        // Counted sweeps are the last word where nothing else is asked for.
        let before = starts.courses.sweeps();
        if let (true, Some(left)) = (job.alone, slice.iterations) {
            starts.courses.limit(before + left);
        }
        let budget = slice.if_timed(slice.time().mul_f64(ASCENDING));
        let timed = slice.is_timed();
        let mut begun = false;
        while starts.courses.go_on(&budget) && budget.stop().is_none() && (timed || !begun) {
            // Of a huge model one start may be all that there is time for.
            let side_by_side = match timed {
                false => STARTS,
                true if starts.begun() == 0 => 1,
                true => rayon::current_num_threads(),
            };
            starts.begin(side_by_side, &budget);
            begun = true;
        }
        if let Some((value, point)) = starts.courses.better_than(self.best)
            && let Ok(lower) = point.verify(job.graph)
        {
            slice.board.post(lower, NaiveMeanField.name());
            self.best = value;
            *job.product() = Some((value, point));
        }
        let sweeps = starts.courses.sweeps() - before;
        Ok(Turn::counted(sweeps, job, slice).unwrap_or(Turn::Again))
    }

    fn is_counted(&self) -> bool {
        self.job.alone
    }
}

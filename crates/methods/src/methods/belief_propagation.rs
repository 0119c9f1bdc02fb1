//! `bp`: sum-product belief propagation.

use std::borrow::Cow;

use forney_bounds::{MessageSchedule, belief_propagation};
use forney_certify::{Limits, Stop};

use crate::{ExactOn, Gives, Inapplicable, Job, Method, Slice, Turn, Work};

/// Converged once no message would change by more than this, in nats.
const TOLERANCE: f64 = 1e-9;

/// How far messages stay where they are, from attempt to attempt.
const DAMPINGS: [f64; 3] = [0.0, 0.5, 0.9];

/// Residual belief propagation, [`belief_propagation`], damped if it does not converge without: an
/// iteration updates as many messages as there are.
pub(crate) struct BeliefPropagation;

impl Method for BeliefPropagation {
    fn name(&self) -> &'static str {
        "bp"
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Estimate]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::Trees)
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        Ok(Box::new(Attempts {
            job,
            attempt: 0,
            converged: false,
        }))
    }
}

/// An attempt for each damping.
struct Attempts<'j> {
    job: &'j Job<'j>,
    /// The number of the next one.
    attempt: usize,
    converged: bool,
}

impl Work for Attempts<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        let left = DAMPINGS.len() - self.attempt;
        // Attempts share alike what is left of sweeps and time.
        let share = slice.whole.remaining().map(|time| time / left as u32);
        let budget = share.map_or_else(|| slice.whole.clone(), |share| slice.whole.capped(share));
        let most = slice.sweeps();
        let limits = Limits {
            sweeps: most.map(|most| most / left),
            tolerance: TOLERANCE,
        };
        let damping = DAMPINGS[self.attempt];
        let (graph, messages) = (self.job.graph, MessageSchedule::Residual);
        let run = belief_propagation(graph, messages, damping, &limits, &budget);
        for sweep in &run.trace {
            slice.board.count_estimates(1);
            slice.board.estimate(sweep.value);
        }
        slice.board.estimate(run.point.ln_z.ln);
        self.attempt += 1;
        self.converged = run.stop == Stop::Converged;
        let last = self.attempt == DAMPINGS.len() || slice.whole.stop().is_some();
        Ok(match self.converged || last {
            true => Turn::Over(run.stop),
            false => Turn::Open,
        })
    }

    fn note(&self) -> Cow<'static, str> {
        let damping = DAMPINGS[self.attempt.saturating_sub(1)];
        match (self.converged, damping > 0.0) {
            (true, false) => Cow::Borrowed(""),
            (true, true) => Cow::Owned(format!("damping {damping}")),
            (false, _) => Cow::Borrowed("the messages still change"),
        }
    }
}

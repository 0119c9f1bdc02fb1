//! `bp`: sum-product belief propagation.

use std::borrow::Cow;

use forney_bounds::{MessageSchedule, belief_propagation};
use forney_certify::{Budget, Estimate, Limits, Stop};
use forney_model::FactorGraph;

use crate::climb::limits;
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Point, Side, Value, Watch};

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

    fn sides(&self) -> &'static [Side] {
        &[Side::Estimate]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::Trees)
    }

    fn search(
        &self,
        graph: &FactorGraph,
        _: Side,
        options: &Options,
        budget: &Budget,
        watch: &mut Watch<'_>,
    ) -> Result<Outcome, Inapplicable> {
        let most = limits(options, budget).sweeps;
        let mut iterations = 0;
        let mut attempt = 0;
        loop {
            let left = DAMPINGS.len() - attempt;
            // Attempts share alike what is left of sweeps and time.
            let share = budget
                .remaining()
                .map(|time| budget.capped(time / left as u32));
            let share = share.as_ref().unwrap_or(budget);
            let limits = Limits {
                sweeps: most.map(|most| (most - iterations) / left),
                tolerance: TOLERANCE,
            };
            let damping = DAMPINGS[attempt];
            let run = belief_propagation(graph, MessageSchedule::Residual, damping, &limits, share);
            for sweep in &run.trace {
                watch(Point {
                    value: Value::Estimate(Estimate { ln: sweep.value }),
                    iterations: iterations + sweep.number,
                    elapsed_s: sweep.elapsed_s,
                });
            }
            iterations += run.trace.len();
            attempt += 1;
            let converged = run.stop == Stop::Converged;
            if converged || attempt == DAMPINGS.len() || run.stop == Stop::Interrupted {
                let note = match (converged, damping > 0.0) {
                    (true, false) => Cow::Borrowed(""),
                    (true, true) => Cow::Owned(format!("damping {damping}")),
                    (false, _) => Cow::Borrowed("the messages still change"),
                };
                return Ok(Outcome {
                    value: Value::Estimate(run.point.ln_z),
                    iterations,
                    stop: run.stop,
                    note,
                });
            }
        }
    }
}

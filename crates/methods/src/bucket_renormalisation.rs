//! `mbr` and `gbr`: elimination with projections where cliques are too large.

use std::borrow::Cow;

use forney_bounds::wmbe::{CliqueLimit, Partition};
use forney_bounds::{RenormalisationOptions, global_bucket_renormalisation};
use forney_certify::{Budget, Estimate, Limits, Stop};
use forney_model::FactorGraph;

use crate::climb::limits;
use crate::restarts::EXACT;
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Point, Side, Value, Watch};

/// Bucket renormalisation, local or calibrated, [`global_bucket_renormalisation`]: an iteration is a
/// sweep over all projections, of which local renormalisation has none.
pub(crate) struct BucketRenormalisation {
    pub(crate) name: &'static str,
    pub(crate) calibrates: bool,
}

impl Method for BucketRenormalisation {
    fn name(&self) -> &'static str {
        self.name
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
        let own = RenormalisationOptions {
            limit: CliqueLimit {
                ibound: options.ibound,
                entries: options.memory / 64.0,
            },
            partition: Partition::Scope,
            order: options.order.clone(),
            memory: options.memory,
        };
        let limits = match self.calibrates {
            true => limits(options, budget),
            false => Limits {
                sweeps: Some(0),
                tolerance: 0.0,
            },
        };
        let run = global_bucket_renormalisation(graph, &own, &limits, budget)?;
        for sweep in &run.trace {
            watch(Point {
                value: Value::Estimate(Estimate { ln: sweep.value }),
                iterations: sweep.number,
                elapsed_s: sweep.elapsed_s,
            });
        }
        Ok(Outcome {
            value: Value::Estimate(run.point.ln_z()),
            iterations: run.trace.len(),
            stop: if self.calibrates {
                run.stop
            } else {
                Stop::Converged
            },
            note: Cow::Borrowed(if run.point.is_exact() { EXACT } else { "" }),
        })
    }
}

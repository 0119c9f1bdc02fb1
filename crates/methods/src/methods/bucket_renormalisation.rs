//! `mbr` and `gbr`: elimination with projections where cliques are too large.

use std::borrow::Cow;

use forney_bounds::wmbe::{CliqueLimit, Partition};
use forney_bounds::{RenormalisationOptions, global_bucket_renormalisation};
use forney_certify::{Limits, Stop};

use super::climb::TOLERANCE;
use crate::solo::EXACT;
use crate::{ExactOn, Gives, Inapplicable, Job, Method, Options, Slice, Turn, Work};

/// The ibound where none is asked for.
const IBOUND: usize = 6;

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

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Estimate]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::Trees)
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        let calibrates = self.calibrates;
        Ok(Box::new(Renormalisation {
            job,
            calibrates,
            exact: false,
        }))
    }
}

/// All of it in one slice.
struct Renormalisation<'j> {
    job: &'j Job<'j>,
    calibrates: bool,
    /// Was nothing split?
    exact: bool,
}

impl Work for Renormalisation<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        let Options { order, ibound, .. } = self.job.options;
        let memory = self.job.memory;
        let own = RenormalisationOptions {
            limit: CliqueLimit {
                ibound: ibound.unwrap_or(IBOUND),
                entries: memory / 64.0,
            },
            partition: Partition::Scope,
            order: order.clone(),
            memory,
        };
        let limits = match self.calibrates {
            true => Limits {
                sweeps: slice.sweeps(),
                tolerance: TOLERANCE,
            },
            false => Limits {
                sweeps: Some(0),
                tolerance: 0.0,
            },
        };
        let graph = self.job.graph;
        let run = global_bucket_renormalisation(graph, &own, &limits, slice.whole)?;
        for sweep in &run.trace {
            slice.board.count_estimates(1);
            slice.board.estimate(sweep.value);
        }
        slice.board.estimate(run.point.ln_z().ln);
        self.exact = run.point.is_exact();
        Ok(Turn::Over(match self.calibrates {
            true => run.stop,
            false => Stop::Converged,
        }))
    }

    fn note(&self) -> Cow<'static, str> {
        Cow::Borrowed(if self.exact { EXACT } else { "" })
    }
}

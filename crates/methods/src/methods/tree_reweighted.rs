//! `trbp` and `neg-trw`: tree reweighting, above with positive weights and below with negative ones.

use forney_bounds::{NegativeTreeReweighted, TreeReweighted};

use super::climb::Climb;
use crate::{ExactOn, Gives, Inapplicable, Job, Method, Work};

/// Tree reweighting with optimised edge appearance probabilities.
pub(crate) enum TreeReweighting {
    /// Belief propagation, [`TreeReweighted`]: an iteration is a step of conditional gradient.
    Above,
    /// Negative weights, [`NegativeTreeReweighted`]: an iteration is a quasi-Newton step.
    Below,
}

impl Method for TreeReweighting {
    fn name(&self) -> &'static str {
        match self {
            Self::Above => "trbp",
            Self::Below => "neg-trw",
        }
    }

    fn gives(&self) -> &'static [Gives] {
        match self {
            Self::Above => &[Gives::Upper],
            Self::Below => &[Gives::Lower],
        }
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::Trees)
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        Ok(match self {
            Self::Above => Climb::boxed(job, self.name(), TreeReweighted::new(job.graph)?),
            Self::Below => Climb::boxed(job, self.name(), NegativeTreeReweighted::new(job.graph)?),
        })
    }
}

//! `maxima`: the largest entries.

use forney_certify::{Stop, Upper};
use forney_model::Table;

use crate::{ExactOn, Gives, Inapplicable, Job, Method, Slice, Turn, Work};

/// `ln Z ≤ Σ_a max ln f_a + Σ_v ln |X_v|`: there are so many assignments, and none is worth more.
pub(crate) struct Maxima;

impl Method for Maxima {
    fn name(&self) -> &'static str {
        "maxima"
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Upper]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        None
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        Ok(Box::new(Sum(job)))
    }
}

struct Sum<'j>(&'j Job<'j>);

impl Work for Sum<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        let Self(job) = self;
        let zero = job.graph.factors().iter().any(Table::is_zero);
        let most = match zero {
            true => f64::NEG_INFINITY,
            false => (job.graph.ln_scale() + job.ln_states()).value(),
        };
        slice.board.post(Upper::new(most)?, Maxima.name());
        Ok(Turn::Over(Stop::Converged))
    }
}

//! `conditioning`: cutset conditioning, from a configuration that is cooled again and again.

use std::time::Duration;

use forney_bounds::{Activity, Conditioning};
use forney_certify::{Certificate, Refine, Stop};
use forney_model::FactorGraph;

use crate::{ExactOn, Gives, Inapplicable, Job, Method, Slice, Turn, Work};

/// The share of a turn for cooling; on strongly coupled grids all hangs on where it ends.
const COOLING: f64 = 0.4;

/// Rounds in a turn without an end of time.
const UNTIMED_ROUNDS: usize = 3;

/// Seconds for each entry of a table before cutsets prove anything, as measured on grids of 1,000 to 100,000
/// variables.
const BEGINNING: f64 = 5e-6;

/// Cutset conditioning, [`Conditioning`]: an iteration is a round of cutsets.
pub(crate) struct CutsetConditioning;

impl Method for CutsetConditioning {
    fn name(&self) -> &'static str {
        "conditioning"
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        None
    }

    fn takes_part(&self, _: &FactorGraph) -> bool {
        true
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        Ok(Box::new(Cutsets {
            job,
            search: None,
            round: Duration::ZERO,
        }))
    }
}

struct Cutsets<'j> {
    job: &'j Job<'j>,
    /// Is there an allowed configuration to begin from? Where none is found, further effort seldom
    /// changes that.
    search: Option<Option<Conditioning<'j>>>,
    /// What the last round took: nothing interrupts one.
    round: Duration,
}

impl Work for Cutsets<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        let job = self.job;
        slice.board.say(Activity::Method("cutset conditioning"));
        let post = |search: &Conditioning<'_>| {
            if let Ok(lower) = search.point().verify(job.graph) {
                slice.board.post(lower, CutsetConditioning.name());
            }
        };
        let search = self.search.get_or_insert_with(|| {
            let search = Conditioning::new(job.graph, job.options.seed, job.memory, slice.whole);
            let search = search.ok().flatten();
            search.iter().for_each(post);
            search
        });
        let Some(search) = search else {
            return Ok(Turn::Over(Stop::Converged));
        };
        let time = slice.time();
        let budget = slice.if_timed(time);
        // Longer coolings later find what the first ones have missed.
        if search.cool(&slice.if_timed(time.mul_f64(COOLING))) {
            post(search);
        }
        let rounds = match (slice.is_timed(), slice.iterations) {
            (true, _) => usize::MAX,
            (false, Some(left)) if job.alone => left,
            (false, _) => UNTIMED_ROUNDS,
        };
        let mut done = 0;
        let fits = |round| {
            slice.whole.stop().is_none() && budget.remaining().is_none_or(|left| round <= left)
        };
        while done < rounds && !search.is_finished() && fits(self.round) {
            let began = slice.whole.elapsed();
            done += 1;
            if search.round(&budget) {
                post(search);
            }
            self.round = slice.whole.elapsed() - began;
            if budget.stop().is_some() {
                break;
            }
        }
        let counted = Turn::counted(done, job, slice);
        Ok(match search.is_finished() {
            true => Turn::Over(Stop::Converged),
            false => counted.unwrap_or(Turn::Again),
        })
    }

    fn beginning(&self) -> f64 {
        BEGINNING * self.job.entries
    }

    fn is_counted(&self) -> bool {
        self.job.alone
    }
}

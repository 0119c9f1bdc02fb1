//! `planar`: the exact answer for spins that can be drawn in the plane.

use forney_bounds::{Activity, BoundError};
use forney_certify::{Lower, Stop, Upper, slack};
use forney_exact::TooLarge;
use forney_model::FactorGraph;
use forney_planar::{Planar, PlanarError, Solution};

use super::exact::BESIDE;
use crate::{ExactOn, Gives, Inapplicable, Job, Method, Predicted, Slice, Turn, Work};

/// Perfect matchings, [`forney_planar`]; beside elimination, which they take the place of where they apply.
pub(crate) struct Matchings;

impl Method for Matchings {
    fn name(&self) -> &'static str {
        "planar"
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Both]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::All)
    }

    fn takes_part(&self, graph: &FactorGraph) -> bool {
        graph.cards().iter().all(|&card| card <= 2)
    }

    fn is_compared(&self) -> bool {
        false
    }

    fn simplifies(&self) -> bool {
        true
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        Ok(Box::new(Drawing { job, planar: None }))
    }
}

/// A model that is drawn in the first slice and solved in the second.
struct Drawing<'j> {
    job: &'j Job<'j>,
    planar: Option<Planar>,
}

impl Work for Drawing<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        let (job, board) = (self.job, slice.board);
        let Some(planar) = &self.planar else {
            board.say(Activity::Ordering);
            let planar = match Planar::new(job.graph, slice.whole) {
                Err(PlanarError::Stopped(stop)) => return Ok(Turn::Over(stop)),
                planar => planar?,
            };
            let (bytes, limit) = (planar.demand().bytes, job.options.memory);
            if bytes > limit {
                let width = 0;
                let too_large = TooLarge {
                    width,
                    bytes,
                    limit,
                };
                return Err(BoundError::TooLarge(too_large).into());
            }
            self.planar = Some(planar);
            return Ok(Turn::Open);
        };
        let bytes = planar.demand().bytes;
        if !slice.exclusive && bytes > BESIDE * job.options.memory {
            return Ok(Turn::Waiting);
        }
        board.note_bytes(bytes);
        board.say(Activity::Method(Matchings.name()));
        let Solution { ln_z, error, .. } = match planar.solve(job.options.memory, slice.whole) {
            Err(PlanarError::Stopped(stop)) => return Ok(Turn::Over(stop)),
            found => found?,
        };
        if error <= slack(ln_z) {
            board.post_exact(Lower::new(ln_z)?, Upper::new(ln_z)?, 0, Matchings.name());
        } else {
            board.post(Lower::new(ln_z - error)?, Matchings.name());
            board.post(Upper::new(ln_z + error)?, Matchings.name());
        }
        Ok(Turn::Over(Stop::Converged))
    }

    fn predicted(&self) -> Option<Predicted> {
        let demand = self.planar.as_ref()?.demand();
        Some(Predicted {
            entries: demand.entries,
            bytes: demand.bytes,
        })
    }
}

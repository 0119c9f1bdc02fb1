//! `planar`: the exact answer for spins that can be drawn in the plane.

use forney_bounds::Activity;
use forney_certify::{Flaw, Lower, Stop, Upper, slack};
use forney_model::FactorGraph;
use forney_planar::{Planar, PlanarError, Solution, spared_entries};

use super::exact::BESIDE;
use crate::{ExactOn, Gives, Inapplicable, Job, Method, Predicted, Slice, Turn, Work};

/// One of more factors than this, a tenth of a second, is drawn beside bounds.
const LARGE: usize = 20_000;
/// Where the first attempt leaves too few digits, the others take about so many times as long: a dozen of them, and
/// some with twice the digits, seven times as long each.
const AGAIN: f64 = 50.0;

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
        Ok(Box::new(Drawing {
            job,
            stage: Stage::Begun,
        }))
    }
}

/// A model on its way to an answer.
struct Drawing<'j> {
    job: &'j Job<'j>,
    stage: Stage,
}

enum Stage {
    /// Nothing is known yet.
    Begun,
    /// It is worth drawing.
    Worth,
    Drawn(Planar),
    /// Rounding took too much of the first attempt.
    Again(Planar, Result<Solution, PlanarError>),
    Over,
}

impl Drawing<'_> {
    fn draw(&self, slice: &Slice<'_, '_>) -> Result<Stage, PlanarError> {
        slice.board.say(Activity::Ordering);
        let planar = Planar::new(self.job.graph, slice.whole)?;
        let (bytes, limit) = (planar.demand().bytes, self.job.options.memory);
        match bytes > limit {
            true => Err(PlanarError::TooLarge { bytes, limit }),
            false => Ok(Stage::Drawn(planar)),
        }
    }

    /// Enters a solution; true if rounding is a small part of it.
    fn post(found: &Solution, slice: &Slice<'_, '_>) -> Result<bool, Flaw> {
        let &Solution { ln_z, error, .. } = found;
        let (board, name) = (slice.board, Matchings.name());
        board.note_bytes(found.bytes);
        let exact = error <= slack(ln_z);
        if exact {
            board.post_exact(Lower::new(ln_z)?, Upper::new(ln_z)?, 0, name);
        } else {
            board.post(Lower::new(ln_z - error)?, name);
            board.post(Upper::new(ln_z + error)?, name);
        }
        Ok(exact)
    }

    /// The next stage; the end of it for some reason.
    fn step(&mut self, slice: &Slice<'_, '_>) -> Result<Result<Stage, Stop>, Inapplicable> {
        let (job, whole) = (self.job, slice.whole);
        let memory = job.options.memory;
        let begun = || slice.board.say(Activity::Method(Matchings.name()));
        Ok(Ok(match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Begun if job.alone => self.draw(slice)?,
            Stage::Begun => {
                // What elimination does at once needs nothing in its place.
                if spared_entries(job.graph, whole).is_none() {
                    return Ok(Err(Stop::Converged));
                }
                match job.graph.num_factors() > LARGE {
                    true => Stage::Worth,
                    false => self.draw(slice)?,
                }
            }
            Stage::Worth => self.draw(slice)?,
            Stage::Drawn(planar) => {
                begun();
                let direct = planar.direct(memory, whole);
                match &direct {
                    Err(PlanarError::Rounding) => {}
                    Ok(found) if !Self::post(found, slice)? => {}
                    Ok(_) => return Ok(Err(Stop::Converged)),
                    Err(error) => return Err((*error).into()),
                }
                Stage::Again(planar, direct)
            }
            Stage::Again(planar, direct) => {
                begun();
                let found = planar.improved(direct, memory, whole)?;
                Self::post(&found, slice)?;
                return Ok(Err(match found.short_of_memory {
                    true => Stop::MemoryLimit,
                    false => whole.stop().unwrap_or(Stop::Converged),
                }));
            }
            Stage::Over => return Ok(Err(Stop::Converged)),
        }))
    }
}

impl Work for Drawing<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        let beside = BESIDE * self.job.options.memory;
        let waits = self
            .predicted()
            .is_some_and(|predicted| predicted.bytes > beside);
        if waits && !slice.exclusive {
            return Ok(Turn::Waiting);
        }
        match self.step(slice) {
            Ok(Ok(stage)) => {
                self.stage = stage;
                Ok(Turn::Open)
            }
            Ok(Err(stop)) | Err(Inapplicable::Planar(PlanarError::Stopped(stop))) => {
                Ok(Turn::Over(stop))
            }
            Err(reason) => Err(reason),
        }
    }

    fn predicted(&self) -> Option<Predicted> {
        let (planar, times, digits) = match &self.stage {
            Stage::Drawn(planar) => (planar, 1.0, 1.0),
            Stage::Again(planar, _) => (planar, AGAIN, 2.0),
            _ => return None,
        };
        let demand = planar.demand();
        Some(Predicted {
            entries: times * demand.entries,
            bytes: digits * demand.bytes,
        })
    }
}

//! A witness improved sweep by sweep, proved on the way.

use forney_certify::{Certificate, Refine, Side, Stop};
use forney_model::FactorGraph;

use crate::{Inapplicable, Job, Slice, Turn, Work};

/// A sweep that gains no more than this has converged, in nats.
pub(super) const TOLERANCE: f64 = 1e-7;

/// Of so many sweeps one is proved: proofs cost about as much as sweeps.
const SWEEPS_PER_PROOF: usize = 8;

/// Sweeps, and proofs of some of their points.
pub(super) struct Climb<'j, R> {
    job: &'j Job<'j>,
    name: &'static str,
    refine: R,
    sweeps: usize,
    /// The sweep that is proved next.
    next: usize,
    value: Option<f64>,
}

impl<'j, R, S> Climb<'j, R>
where
    R: Refine + Send + 'j,
    R::Point: Certificate<FactorGraph, Side = S>,
    S: Side,
{
    pub(super) fn boxed(job: &'j Job<'_>, name: &'static str, refine: R) -> Box<dyn Work + 'j> {
        Box::new(Self {
            job,
            name,
            refine,
            sweeps: 0,
            next: 1,
            value: None,
        })
    }

    /// Enters what the point proves.
    fn prove(&self, slice: &Slice<'_, '_>) -> Result<(), Inapplicable> {
        let bound = self.refine.point().verify(self.job.graph)?;
        slice.board.post(bound, self.name);
        Ok(())
    }

    /// Sweeps; why it is over, if it is.
    fn sweep(&mut self, slice: &Slice<'_, '_>) -> Option<Stop> {
        let budget = slice.budget();
        let most = slice.sweeps();
        let first = self.sweeps;
        loop {
            if most.is_some_and(|most| self.sweeps - first >= most) {
                return Some(Stop::SweepLimit);
            }
            if budget.stop().is_some() {
                return slice.whole.stop();
            }
            let value = self.refine.sweep();
            if value.is_nan() {
                return Some(Stop::Diverged);
            }
            self.sweeps += 1;
            slice.board.count::<S>(1);
            if self.sweeps == self.next {
                self.next += 1 + self.sweeps / SWEEPS_PER_PROOF;
                // A point on the way that proves nothing is passed over; the last one is judged.
                let _ = self.prove(slice);
            }
            let before = self.value.replace(value);
            // An objective that stays at −∞ or +∞ has a NaN difference: it has not converged.
            if before.is_some_and(|before| (value - before).abs() <= TOLERANCE) {
                return Some(Stop::Converged);
            }
        }
    }
}

impl<'j, R, S> Work for Climb<'j, R>
where
    R: Refine + Send + 'j,
    R::Point: Certificate<FactorGraph, Side = S>,
    S: Side,
{
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        let over = self.sweep(slice);
        self.prove(slice)?;
        Ok(over.map_or(Turn::Open, Turn::Over))
    }
}

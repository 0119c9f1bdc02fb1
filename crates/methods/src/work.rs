//! A method at work, in slices.

use std::borrow::Cow;

use forney_certify::{Below, Stop};

use crate::inapplicable::Inapplicable;
use crate::job::{Job, Slice};

/// A method at work on one side of one model.
pub trait Work: Send {
    /// Goes on for a slice of time, or where time has no end by an amount of work that does not depend on the
    /// machine, and enters what it proves on the board of the slice.
    ///
    /// # Errors
    /// Why it cannot go on within these limits.
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable>;

    /// What it will take from here to the end, if it knows: the portfolio lets what ends soon go first.
    fn predicted(&self) -> Option<Predicted> {
        None
    }

    /// Seconds before it proves anything; what would be over before that does not begin.
    fn beginning(&self) -> f64 {
        0.0
    }

    /// The bound that it begins from, in nats, which another one may have proved.
    fn head_start(&self) -> f64 {
        f64::NEG_INFINITY
    }

    /// Are its steps what [`Options::iterations`](crate::Options::iterations) counts, beside other methods?
    fn is_counted(&self) -> bool {
        true
    }

    /// What a reader of its value should know; empty if nothing.
    fn note(&self) -> Cow<'static, str> {
        Cow::Borrowed("")
    }
}

/// What a run came to in a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It goes on.
    Open,
    /// What it set out to do is done; more of it, with other random numbers, may still gain.
    Again,
    /// It goes on once it has all of the memory and the threads.
    Waiting,
    /// There is nothing more to do.
    Over(Stop),
}

impl Turn {
    /// Counts the steps of a lower bound, where they are what iterations are; the end where none were left.
    pub(crate) fn counted(steps: usize, job: &Job<'_>, slice: &Slice<'_, '_>) -> Option<Self> {
        if !job.alone {
            return None;
        }
        slice.board.count::<Below>(steps);
        let spent = slice.iterations.is_some() && steps == 0 && slice.whole.stop().is_none();
        spent.then_some(Self::Over(Stop::SweepLimit))
    }
}

/// What a run will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    /// In entries of an elimination, whose [`Pace`](forney_exact::Pace) is known to a factor of a few.
    pub entries: f64,
    /// Bytes of tables.
    pub bytes: f64,
}

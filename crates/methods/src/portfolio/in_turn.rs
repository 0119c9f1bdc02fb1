//! Ways to the exact answer, one after the other.

use std::collections::VecDeque;

use crate::{Inapplicable, Predicted, Slice, Turn, Work};

/// Goes on with the first run that applies; one that ends without the exact answer makes room for the next.
pub(super) struct InTurn<'j> {
    runs: VecDeque<Box<dyn Work + 'j>>,
}

impl<'j> InTurn<'j> {
    /// `None` if there are none.
    pub(super) fn of(runs: VecDeque<Box<dyn Work + 'j>>) -> Option<Box<dyn Work + 'j>> {
        let some = !runs.is_empty();
        some.then(|| Box::new(Self { runs }) as Box<dyn Work + 'j>)
    }
}

impl Work for InTurn<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        let mut turn = self.runs[0].go_on(slice);
        while self.runs.len() > 1 {
            let ended = match turn {
                Err(_) => true,
                Ok(Turn::Over(_)) => !slice.board.progress().exact && slice.whole.stop().is_none(),
                Ok(_) => false,
            };
            if !ended {
                break;
            }
            self.runs.pop_front();
            turn = self.runs[0].go_on(slice);
        }
        turn
    }

    fn predicted(&self) -> Option<Predicted> {
        self.runs.front()?.predicted()
    }
}

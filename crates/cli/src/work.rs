//! Work that cannot be asked to stop, under a budget that can.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use forney_certify::{Budget, Stop};

/// How long a raised flag may go unseen.
const GLANCE: Duration = Duration::from_millis(20);

/// Does `work` on a thread of its own and waits for it, but not longer than the budget.
///
/// # Errors
/// Why the budget ended first. The work is then left alone: the program is about to end.
pub(crate) fn within<T: Send + 'static>(
    budget: &Budget,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stop> {
    let (send, receive) = channel();
    let worker = thread::spawn(move || {
        // Nobody listens any more if the budget ended.
        let _ = send.send(work());
    });
    loop {
        let wait = budget.remaining().map_or(GLANCE, |left| left.min(GLANCE));
        match receive.recv_timeout(wait) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(stop) = budget.stop() {
                    return Err(stop);
                }
            }
            // The worker ended without a word: it panicked, and so do we.
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => unreachable!("a worker that ends sends its result"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_fits_is_done() {
        assert_eq!(within(&Budget::unlimited(), || 7), Ok(7));
    }

    #[test]
    fn work_that_does_not_fit_is_left_alone() {
        let budget = Budget::unlimited().capped(Duration::from_millis(1));
        let (keep, forever) = channel::<()>();
        assert_eq!(
            within(&budget, move || forever.recv()),
            Err(Stop::TimeLimit)
        );
        drop(keep);
    }
}

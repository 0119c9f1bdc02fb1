//! What an interruption finds, and how long it waits for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use forney_certify::{Budget, Stop};

use crate::error::Failure;

/// How often the one who waits looks.
const GLANCE: Duration = Duration::from_millis(10);

/// What a run is doing, shared with the one who waits for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage(Arc<AtomicU8>);

/// There is nothing to lose yet: files are read, a start is looked for.
const PREPARING: u8 = 0;
/// There is a state, and steps look at the budget.
const LEARNING: u8 = 1;
/// Files are being written.
const WRITING: u8 = 2;

impl Stage {
    pub(super) fn learning(&self) {
        self.0.store(LEARNING, Ordering::Relaxed);
    }

    pub(super) fn writing(&self) {
        self.0.store(WRITING, Ordering::Relaxed);
    }

    /// How long to wait for the work after its budget has ended; without end where nobody must cut in.
    fn patience(&self, stop: Stop) -> Option<Duration> {
        match self.0.load(Ordering::Relaxed) {
            PREPARING => Some(Duration::from_millis(50)),
            // A step that does not look at the budget for so long, such as the factorisation of a huge
            // matrix, is left behind, and the last checkpoint stands. A result that is late is better
            // than none, so a limit of time is not enforced so.
            LEARNING if stop == Stop::Interrupted => Some(Duration::from_secs(2)),
            _ => None,
        }
    }
}

/// Does `work` on a thread of its own, so that it can be left behind when the budget has ended and the
/// patience with its stage, too.
pub(super) fn waiting_for<T: Send + 'static>(
    budget: &Budget,
    stage: &Stage,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (send, receive) = channel();
    let worker = thread::spawn(move || drop(send.send(work())));
    let mut ended: Option<Instant> = None;
    loop {
        match receive.recv_timeout(GLANCE) {
            Ok(result) => return result,
            // The worker ended without a word: it panicked, and so do we.
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => unreachable!("a worker that ends sends its result"),
            },
            Err(RecvTimeoutError::Timeout) => {}
        }
        let Some(stop) = budget.stop() else { continue };
        let since = ended.get_or_insert_with(Instant::now);
        if let Some(patience) = stage.patience(stop)
            && since.elapsed() >= patience
        {
            return Err(match stop {
                Stop::TimeLimit => Failure::NoStart,
                _ => Failure::Interrupted,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::Receiver;

    use super::*;

    fn interrupted() -> Budget {
        Budget::new(None, Arc::new(AtomicBool::new(true)))
    }

    #[test]
    fn preparations_are_left_behind() {
        let over = Budget::unlimited().capped(Duration::ZERO);
        for (budget, code) in [(interrupted(), 130), (over, 3)] {
            let (keep, forever): (_, Receiver<()>) = channel();
            let work = move || {
                let _ = forever.recv();
                Ok(())
            };
            let failure = waiting_for(&budget, &Stage::default(), work).unwrap_err();
            assert_eq!(failure.exit_code(), code);
            drop(keep);
        }
    }

    #[test]
    fn what_is_being_written_is_waited_for() {
        let stage = Stage::default();
        stage.writing();
        let work = || {
            thread::sleep(Duration::from_millis(200));
            Ok(7)
        };
        assert_eq!(waiting_for(&interrupted(), &stage, work).unwrap(), 7);
    }
}

//! Work that may not stop as soon as it should, under a budget that must hold.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use forney_certify::{Budget, Stop};

/// How long a raised flag may go unseen.
const GLANCE: Duration = Duration::from_millis(20);

/// How long after the end of the time methods may take to come to an end. What they have proved is
/// printed anyhow.
pub(crate) const GRACE: Duration = Duration::from_millis(120);

/// What the worker says.
enum Message<T, P> {
    Progress(P),
    Done(T),
}

/// Shows progress to the one who waits.
pub(crate) type Tell<'t, P> = dyn Fn(P) + Sync + 't;

/// Does `work` on a thread of its own and waits for it, but not longer than `grace` after the end
/// of the budget. Meanwhile `see` is shown the progress that the work tells of.
///
/// # Errors
/// Why the budget ended. The work is then left alone: the program is about to end.
pub(crate) fn within<T: Send + 'static, P: Send + 'static>(
    budget: &Budget,
    grace: Duration,
    work: impl FnOnce(&Tell<'_, P>) -> T + Send + 'static,
    mut see: impl FnMut(P),
) -> Result<T, Stop> {
    let (send, receive) = channel();
    let worker = thread::spawn(move || {
        // After the end of the budget nobody listens any more.
        let result = work(&|progress| drop(send.send(Message::Progress(progress))));
        drop(send.send(Message::Done(result)));
    });
    let mut ended: Option<(Stop, Instant)> = None;
    loop {
        let wait = match ended {
            None => budget.remaining().unwrap_or(GLANCE),
            Some((stop, since)) => match grace.checked_sub(since.elapsed()) {
                Some(left) => left,
                None => return last_words(&receive, see).ok_or(stop),
            },
        };
        match receive.recv_timeout(wait.min(GLANCE)) {
            Ok(Message::Progress(progress)) => see(progress),
            Ok(Message::Done(result)) => return Ok(result),
            Err(RecvTimeoutError::Timeout) => {}
            // The worker ended without a word: it panicked, and so do we.
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => unreachable!("a worker that ends sends its result"),
            },
        }
        ended = ended.or_else(|| budget.stop().map(|stop| (stop, Instant::now())));
    }
}

/// Shows what was told before the end of the budget and not yet heard; the result, if there is one.
fn last_words<T, P>(receive: &Receiver<Message<T, P>>, mut see: impl FnMut(P)) -> Option<T> {
    loop {
        match receive.try_recv() {
            Ok(Message::Progress(progress)) => see(progress),
            Ok(Message::Done(result)) => return Some(result),
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn work_that_fits_is_done_and_seen() {
        let mut seen = Vec::new();
        let work = |tell: &Tell<'_, i32>| {
            (1..4).for_each(tell);
            7
        };
        let done = within(&Budget::unlimited(), Duration::ZERO, work, |n| seen.push(n));
        assert_eq!((done, seen), (Ok(7), vec![1, 2, 3]));
    }

    #[test]
    fn work_that_does_not_fit_is_left_alone() {
        let short = Budget::unlimited().capped(Duration::from_millis(1));
        let interrupted = Budget::new(None, Arc::new(AtomicBool::new(true)));
        for (budget, stop) in [(short, Stop::TimeLimit), (interrupted, Stop::Interrupted)] {
            let (keep, forever): (_, Receiver<()>) = channel();
            let work = move |_: &Tell<'_, ()>| forever.recv();
            assert_eq!(within(&budget, GLANCE, work, |()| {}), Err(stop));
            drop(keep);
        }
    }

    #[test]
    fn what_was_told_in_time_is_heard() {
        let over = Budget::unlimited().capped(Duration::from_millis(50));
        let (keep, forever): (_, Receiver<()>) = channel();
        let mut seen = 0;
        let work = move |tell: &Tell<'_, ()>| {
            (0..1000).for_each(|_| tell(()));
            forever.recv()
        };
        let see = |()| {
            // Seeing takes so long that the budget ends after a few.
            thread::sleep(Duration::from_millis(if seen < 10 { 10 } else { 0 }));
            seen += 1;
        };
        assert_eq!(
            within(&over, Duration::ZERO, work, see),
            Err(Stop::TimeLimit)
        );
        assert_eq!(seen, 1000);
        drop(keep);
    }

    #[test]
    fn a_little_late_is_not_too_late() {
        let over = Budget::unlimited().capped(Duration::ZERO);
        let work = |_: &Tell<'_, ()>| {
            thread::sleep(Duration::from_millis(50));
            7
        };
        assert_eq!(within(&over, Duration::from_secs(60), work, |()| {}), Ok(7));
    }
}

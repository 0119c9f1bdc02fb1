//! The loop: steps, and checkpoints between them.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use forney_certify::Stop;
use forney_latent::learn::{Fit, Learner, Learning};
use serde::Serialize;

use super::bar::Bar;
use super::checkpoint::Header;
use super::session::Session;
use super::trace;
use crate::error::{Failure, complain};
use crate::progress;
use crate::trace::Trace;

/// The end of a run.
pub(super) struct Trained<M> {
    pub(super) fit: Fit<M>,
    pub(super) iterations: usize,
    /// Why this run ended; the start that was kept may have ended before.
    pub(super) stop: Stop,
    /// Time spent, before a resumption too.
    pub(super) elapsed_s: f64,
    /// Examples visited by this run, in each second of it.
    pub(super) examples_per_s: f64,
    pub(super) trouble: Vec<Failure>,
    /// Whether the state at the end is in the checkpoint.
    pub(super) saved: bool,
}

/// Learns until the learner has ended, or the budget has.
pub(super) fn train<L: Learner>(
    learner: &L,
    mut header: Header,
    session: &Session<'_>,
) -> Result<Trained<L::Model>, Failure> {
    let Session {
        args,
        budget,
        stage,
        ..
    } = session;
    let (learning, before_s) = match &args.resume {
        None => {
            let _spinner = progress::spinner("looking for a start".to_owned());
            (Learning::begin(learner)?, 0.0)
        }
        Some(path) => {
            let (learning, elapsed_s) = header.load::<Learning<L>>(path)?;
            learning.check(learner)?;
            (learning, elapsed_s)
        }
    };
    stage.learning();
    let trace = args.trace.as_deref();
    let mut trace = trace.map(|path| match &args.resume {
        None => Trace::create(path),
        Some(_) => trace::resume(path, learning.iterations()),
    });
    let mut checkpoints = Checkpoints {
        path: args.state(),
        every: args.checkpoint_every,
        last: Instant::now(),
        trouble: None,
    };
    let bar = Bar::new(learner, &learning);
    let elapsed_s = || before_s + budget.elapsed().as_secs_f64();
    let mut impossible = false;
    let (learning, stop) = learning.run(learner, budget, &mut |learning| {
        // No step can mend that.
        impossible = learning.news() == Some(f64::NEG_INFINITY);
        if impossible {
            return ControlFlow::Break(());
        }
        if let (Some(trace), Some(objective)) = (&mut trace, learning.news()) {
            let iteration = learning.iterations();
            trace.write(&trace::Line {
                iteration,
                start: learning.start(),
                objective,
                examples: iteration.saturating_mul(learner.examples()),
                elapsed_s: elapsed_s(),
            });
        }
        bar.show(learner, learning);
        if checkpoints.due() {
            header.elapsed_s = elapsed_s();
            stage.writing();
            checkpoints.save(&header, learning);
            stage.learning();
        }
        ControlFlow::Continue(())
    })?;
    if impossible {
        return Err(Failure::Usage(
            "the tables give some rows the probability 0, and learning keeps zeros: use --smoothing, \
             or --start random"
                .to_owned(),
        ));
    }
    if stop == Stop::Diverged {
        return Err(Failure::Usage(
            "the objective is no longer a number: are the data scaled sensibly?".to_owned(),
        ));
    }
    let examples_per_s = bar.rate(learner, &learning);
    drop(bar);
    stage.writing();
    header.elapsed_s = elapsed_s();
    checkpoints.save(&header, &learning);
    if stop == Stop::Interrupted {
        checkpoints.tell();
    }
    Ok(Trained {
        iterations: learning.iterations(),
        fit: learning.finish(learner, stop),
        stop,
        elapsed_s: elapsed_s(),
        examples_per_s,
        saved: checkpoints.path.is_some() && checkpoints.trouble.is_none(),
        trouble: [trace.and_then(Trace::finish), checkpoints.trouble]
            .into_iter()
            .flatten()
            .collect(),
    })
}

/// Where the state goes, and when.
struct Checkpoints<'a> {
    path: Option<&'a Path>,
    every: Duration,
    last: Instant,
    /// What went wrong the last time.
    trouble: Option<Failure>,
}

impl Checkpoints<'_> {
    fn due(&self) -> bool {
        self.path.is_some() && self.last.elapsed() >= self.every
    }

    fn save<S: Serialize>(&mut self, header: &Header, state: &S) {
        let Some(path) = self.path else { return };
        let failure = header.save(path, state).err();
        // Someone who waits wants to know now, and once.
        if let (Some(failure), None) = (&failure, &self.trouble) {
            complain(format_args!("warning: {failure}"));
        }
        self.trouble = failure;
        self.last = Instant::now();
    }

    /// Where the last complete state is.
    fn tell(&self) {
        match self.path {
            None => complain("interrupted; without --checkpoint there is no state to go on from"),
            Some(path) => complain(format_args!(
                "interrupted; the last checkpoint is in {0}: go on with --resume {0}",
                path.display()
            )),
        }
    }
}

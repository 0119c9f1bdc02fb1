//! The loop: steps, and checkpoints between them.

use std::path::Path;
use std::time::{Duration, Instant};

use forney_certify::{Budget, Stop};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Session;
use super::bar::Bar;
use super::checkpoint::{Fingerprint, Header};
use super::learned::Learned;
use super::trace::Trace;
use crate::error::{Failure, complain};
use crate::progress;

/// One way to learn.
pub(super) trait Job {
    /// All that changes while learning.
    type State: Serialize + DeserializeOwned;

    /// The name of the model.
    fn kind(&self) -> &'static str;

    /// What the objective is.
    fn measure(&self) -> &'static str;

    /// Number of examples.
    fn examples(&self) -> usize;

    /// The options that decide about the numbers. How long to go on is none of them.
    fn options(&self) -> Value;

    /// The start, evaluated.
    fn begin(&self) -> Result<Self::State, Failure>;

    /// Fits a state that was loaded to the options of this run.
    fn resume(&self, state: Self::State) -> Result<Self::State, Failure>;

    /// An iteration, or a part of one; why learning has ended, if it has.
    fn step(&self, state: &mut Self::State, budget: &Budget) -> Result<Option<Stop>, Failure>;

    /// How far learning has come.
    fn now(&self, state: &Self::State) -> Now;

    /// What was learned.
    fn learned(&self, state: Self::State, stop: Stop) -> Result<Learned, Failure>;
}

/// How far learning has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Now {
    /// Iterations that are complete.
    pub(super) iteration: usize,
    /// The share of the next one that is done.
    pub(super) share: f64,
    /// The most iterations there can be.
    pub(super) limit: usize,
    /// After the last iteration, if there was one.
    pub(super) objective: Option<f64>,
    /// The present start, from 0.
    pub(super) start: usize,
    /// How many there are.
    pub(super) starts: usize,
}

/// The end of a run.
pub(super) struct Trained {
    pub(super) learned: Learned,
    pub(super) iterations: usize,
    pub(super) stop: Stop,
    /// Time spent, before a resumption too.
    pub(super) elapsed_s: f64,
    /// Examples visited by this run, in each second of it.
    pub(super) examples_per_s: f64,
    pub(super) trouble: Vec<Failure>,
    /// Whether the state at the end is in the checkpoint.
    pub(super) saved: bool,
}

/// Learns until the job ends, or the budget does.
pub(super) fn train<J: Job>(
    job: &J,
    session: &Session<'_>,
    data: Fingerprint,
) -> Result<Trained, Failure> {
    let Session {
        args,
        budget,
        stage,
        ..
    } = session;
    let examples = job.examples();
    let mut header = Header::new(job.kind(), job.options(), data);
    let (mut state, before_s) = match &args.resume {
        None => {
            let _spinner = progress::spinner("looking for a start".to_owned());
            (job.begin()?, 0.0)
        }
        Some(path) => {
            let (state, elapsed_s) = header.load(path)?;
            (job.resume(state)?, elapsed_s)
        }
    };
    stage.learning();
    let resumed = args.resume.is_some();
    let trace = args.trace.as_deref();
    let mut trace = trace.map(|path| {
        let iterations = job.now(&state).iteration;
        Trace::open(path, Some(iterations).filter(|_| resumed))
    });
    let mut checkpoints = Checkpoints {
        path: args.state(),
        every: args.checkpoint_every,
        last: Instant::now(),
        trouble: None,
    };
    let bar = Bar::new(job.now(&state), examples);
    let mut told = if resumed {
        job.now(&state).iteration
    } else {
        0
    };
    let elapsed_s = || before_s + budget.elapsed().as_secs_f64();
    let stop = loop {
        let now = job.now(&state);
        if now.iteration > told
            && let Some(trace) = &mut trace
        {
            trace.write(&now, elapsed_s(), examples);
        }
        told = now.iteration;
        bar.show(&now);
        if checkpoints.due() {
            header.elapsed_s = elapsed_s();
            stage.writing();
            checkpoints.save(&header, &state);
            stage.learning();
        }
        let stop = job.step(&mut state, budget)?;
        if let Some(stop) = stop {
            break stop;
        }
    };
    let now = job.now(&state);
    if now.iteration > told
        && let Some(trace) = &mut trace
    {
        trace.write(&now, elapsed_s(), examples);
    }
    if stop == Stop::Interrupted && budget.stop() != Some(Stop::Interrupted) {
        return Err(Failure::Usage(
            "the objective is no longer a number: are the data scaled sensibly?".to_owned(),
        ));
    }
    let examples_per_s = bar.rate(&now);
    drop(bar);
    stage.writing();
    header.elapsed_s = elapsed_s();
    checkpoints.save(&header, &state);
    if stop == Stop::Interrupted {
        checkpoints.tell();
    }
    Ok(Trained {
        learned: job.learned(state, stop)?,
        iterations: now.iteration,
        stop,
        elapsed_s: elapsed_s(),
        examples_per_s,
        saved: checkpoints.path.is_some() && checkpoints.trouble.is_none(),
        trouble: trace
            .and_then(|trace| trace.trouble)
            .into_iter()
            .chain(checkpoints.trouble)
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

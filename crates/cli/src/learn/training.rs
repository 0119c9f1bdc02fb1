//! The loop: steps, progress, trace, checkpoints.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use forney_certify::{Budget, Stop};
use forney_uai::write_atomic;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::args::RunArgs;
use super::checkpoint::{Fingerprint, Header};
use super::learned::Learned;
use crate::error::{Failure, complain};
use crate::progress::{self, Spinner};
use crate::{json, text};

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
}

/// Learns until the job ends, or the budget does.
pub(super) fn train<J: Job>(
    job: &J,
    args: &RunArgs,
    data: Fingerprint,
    budget: &Budget,
) -> Result<Trained, Failure> {
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
    let resumed = args.resume.is_some();
    let trace = args.trace.as_deref();
    let mut trace = trace.map(|path| {
        let iterations = job.now(&state).iteration;
        Trace::open(path, Some(iterations).filter(|_| resumed))
    });
    let mut checkpoints = Checkpoints {
        path: args.checkpoint.as_deref().or(args.resume.as_deref()),
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
            checkpoints.save(&header, &state);
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

/// The objective after every iteration, one JSON object on each line of a file; after an error nothing
/// more is written, and the run goes on.
struct Trace {
    path: PathBuf,
    file: Option<File>,
    trouble: Option<Failure>,
}

#[derive(Serialize)]
struct Line {
    iteration: usize,
    start: usize,
    #[serde(serialize_with = "json::number")]
    objective: f64,
    /// Visited so far.
    examples: usize,
    elapsed_s: f64,
}

impl Trace {
    /// Begins a file, or goes on with it after so many iterations. If that fails the user hears of it
    /// at once.
    fn open(path: &Path, iterations: Option<usize>) -> Self {
        let mut options = OpenOptions::new();
        let options = options.create(true).write(true);
        let file = match iterations {
            None => options.truncate(true).open(path),
            Some(iterations) => {
                forget(path, iterations).and_then(|()| options.append(true).open(path))
            }
        };
        let mut trace = Self {
            path: path.to_owned(),
            file: None,
            trouble: None,
        };
        match file {
            Ok(file) => trace.file = Some(file),
            Err(error) => {
                complain(format_args!(
                    "warning: no trace in {}: {error}",
                    path.display()
                ));
                trace.fail(error);
            }
        }
        trace
    }

    fn fail(&mut self, source: io::Error) {
        self.file = None;
        self.trouble = Some(Failure::Output {
            path: self.path.clone(),
            source,
        });
    }

    fn write(&mut self, now: &Now, elapsed_s: f64, examples: usize) {
        let line = Line {
            iteration: now.iteration,
            start: now.start,
            objective: now.objective.unwrap_or(f64::NAN),
            examples: now.iteration.saturating_mul(examples),
            elapsed_s,
        };
        if let Some(file) = &mut self.file {
            let written = serde_json::to_vec(&line).map_err(io::Error::from);
            // One call and no buffer: a reader of the growing file sees whole lines.
            let written = written.and_then(|mut line| {
                line.push(b'\n');
                file.write_all(&line)
            });
            if let Err(error) = written {
                self.fail(error);
            }
        }
    }
}

/// Removes the lines that a run wrote after its last checkpoint.
fn forget(path: &Path, iterations: usize) -> io::Result<()> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    let is_kept = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        let iteration = line["iteration"].as_u64();
        iteration.is_some_and(|iteration| iteration <= iterations as u64)
    };
    let kept: String = text.split_inclusive('\n').filter(is_kept).collect();
    if kept.len() == text.len() {
        return Ok(());
    }
    write_atomic(path, kept.as_bytes()).map_err(io::Error::other)
}

/// A line that shows how far learning has come, on a terminal.
struct Bar {
    spinner: Spinner,
    began: Instant,
    first: Now,
    examples: usize,
}

/// Cells of the bar.
const CELLS: f64 = 20.0;

impl Bar {
    fn new(first: Now, examples: usize) -> Self {
        Self {
            spinner: progress::spinner("learning".to_owned()),
            began: Instant::now(),
            first,
            examples,
        }
    }

    /// Iterations since the bar began.
    fn done(&self, now: &Now) -> f64 {
        now.iteration as f64 + now.share - self.first.iteration as f64 - self.first.share
    }

    /// Examples in each second.
    fn rate(&self, now: &Now) -> f64 {
        let seconds = self.began.elapsed().as_secs_f64();
        self.done(now) * self.examples as f64 / seconds.max(1e-9)
    }

    fn show(&self, now: &Now) {
        let share = ((now.iteration as f64 + now.share) / now.limit.max(1) as f64).min(1.0);
        let filled = (CELLS * share) as usize;
        let mut line = format!(
            "[{}{}] iteration {} of {}",
            "█".repeat(filled),
            " ".repeat(CELLS as usize - filled),
            now.iteration,
            now.limit
        );
        if now.starts > 1 {
            line += &format!("  start {} of {}", now.start + 1, now.starts);
        }
        if let Some(objective) = now.objective {
            line += &format!("  objective {objective:.6}");
        }
        let rate = self.rate(now);
        if rate > 0.0 {
            let left = (now.limit as f64 - now.iteration as f64 - now.share).max(0.0);
            let seconds = left * self.examples as f64 / rate;
            line += &format!("  {} examples/s", short(rate));
            line += &format!("  at most {} left", text::rough_seconds(seconds));
        }
        self.spinner.say(line);
    }
}

/// Three digits and a unit.
pub(super) fn short(x: f64) -> String {
    match x {
        _ if x < 999.5 => format!("{x:.0}"),
        _ if x < 9_995.0 => format!("{:.1}k", x / 1e3),
        _ if x < 999_500.0 => format!("{:.0}k", x / 1e3),
        _ => format!("{:.1}M", x / 1e6),
    }
}

//! `forney learn`: a model with latent variables from data.
//!
//! | module | what it knows |
//! |---|---|
//! | `args` | the words |
//! | `data`, `npy`, `text`, `field`, `suspicion` | files made into matrices |
//! | `training`, `checkpoint`, `lock` | the loop, and its state in a file that no other run writes |
//! | `stage` | waiting for it, until it is interrupted |
//! | `bar`, `trace` | what is seen of it |
//! | `sparse_coding`, `bsc`, `em` | one kind of model each |
//! | `learned`, `pictures` | models and pictures made into files |

pub(crate) mod args;
mod bar;
mod bsc;
mod checkpoint;
mod data;
mod em;
mod field;
mod learned;
mod lock;
mod npy;
mod pictures;
mod sparse_coding;
mod stage;
mod suspicion;
mod text;
mod trace;
mod training;

use std::fmt;
use std::path::{Path, PathBuf};

use forney_certify::{Budget, Stop};
use ndarray::{Array2, Axis};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::done::{Done, Output};
use crate::error::Failure;
use crate::text::{digits, seconds};
use crate::{interrupt, json, memory};
use args::{LearnArgs, LearnCommand, PictureArgs, RunArgs};
use bar::short;
use bsc::BscJob;
use checkpoint::Fingerprint;
use data::Source;
use learned::{Learned, ends};
use lock::Lock;
use sparse_coding::SparseCodingJob;
use stage::{Stage, waiting_for};
use training::{Job, Trained, train};

/// What `forney learn` prints.
#[derive(Serialize)]
pub(crate) struct Report {
    model: &'static str,
    #[serde(serialize_with = "json::number")]
    objective: f64,
    iterations: usize,
    examples: usize,
    columns: usize,
    stop: Stop,
    elapsed_s: f64,
    examples_per_s: f64,
    #[serde(flatten)]
    facts: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<PathBuf>,
    #[serde(skip)]
    measure: &'static str,
}

pub(crate) fn run(args: &LearnArgs) -> Result<Done<Report>, Failure> {
    let budget = Budget::new(args.run().time, interrupt::flag());
    let _lock = claim_checkpoint(args.run())?;
    let stage = Stage::default();
    // The worker outlives this call if it is left behind.
    let (args, own_budget, own_stage) = (args.clone(), budget.clone(), stage.clone());
    waiting_for(&budget, &stage, move || {
        learn(&args, &Session::new(args.run(), own_budget, own_stage))
    })
}

fn learn(args: &LearnArgs, session: &Session<'_>) -> Result<Done<Report>, Failure> {
    match &args.model {
        LearnCommand::SparseCoding(args) => {
            session.check_outputs(&["json", "npz"], Some(&args.picture))?;
            let mut data = session.finite_data()?;
            if args.center_rows {
                center_rows(&mut data);
            }
            session.check_patch(&args.picture, &data)?;
            let job = SparseCodingJob::new(args, &data);
            session.admit(&data, job.demand())?;
            session.learn(&job, &data, Some(&args.picture))
        }
        LearnCommand::Bsc(args) => {
            session.check_outputs(&["json", "npz"], Some(&args.picture))?;
            let data = session.finite_data()?;
            session.check_patch(&args.picture, &data)?;
            let job = BscJob::new(args, &data);
            session.admit(&data, job.demand())?;
            session.learn(&job, &data, Some(&args.picture))
        }
        LearnCommand::Em(args) => em::run(args, session),
    }
}

/// Makes the checkpoint this run's own, as long as the lock lives; refuses one that would be lost.
fn claim_checkpoint(args: &RunArgs) -> Result<Option<Lock>, Failure> {
    let Some(path) = args.state() else {
        return Ok(None);
    };
    check_folder(path)?;
    let lock = Lock::take(path)?;
    // Only now no other run can make one.
    if let Some(checkpoint) = &args.checkpoint
        && args.resume.as_ref() != Some(checkpoint)
        && checkpoint.is_file()
    {
        return Err(Failure::Checkpoint {
            file: checkpoint.clone(),
            message: "exists: go on from it with --resume, or remove it first".to_owned(),
        });
    }
    Ok(lock)
}

/// Subtracts from each row its mean.
fn center_rows(data: &mut Array2<f64>) {
    for mut row in data.axis_iter_mut(Axis(0)) {
        let mean = row.mean().unwrap_or(0.0);
        row -= mean;
    }
}

/// The limits and files of one run.
struct Session<'a> {
    args: &'a RunArgs,
    source: Source<'a>,
    budget: Budget,
    stage: Stage,
}

impl<'a> Session<'a> {
    fn new(args: &'a RunArgs, budget: Budget, stage: Stage) -> Self {
        Self {
            args,
            source: Source {
                path: &args.data,
                array: args.array.as_deref(),
                memory: args.memory.unwrap_or_else(memory::default_limit),
            },
            budget,
            stage,
        }
    }

    /// The data, in which every number is finite.
    fn finite_data(&self) -> Result<Array2<f64>, Failure> {
        let data = self.source.read()?;
        self.source.finite(&data)?;
        Ok(data)
    }

    /// Refuses, before hours are spent, files that could not be written in the end.
    fn check_outputs(
        &self,
        formats: &[&str],
        picture: Option<&PictureArgs>,
    ) -> Result<(), Failure> {
        let args = self.args;
        for format in ["npz", "uai"] {
            if let Some(output) = &args.output
                && ends(output, format)
                && !formats.contains(&format)
            {
                return Err(Failure::Usage(format!(
                    "{}: this model is not saved as .{format}, but as .{}",
                    output.display(),
                    formats.join(" or .")
                )));
            }
        }
        let picture = picture.and_then(|picture| picture.picture.as_ref());
        let files = [args.output.as_ref(), args.curve.as_ref(), picture];
        for path in files.into_iter().flatten() {
            check_folder(path)?;
        }
        Ok(())
    }

    /// Refuses a model whose learning takes more memory than is allowed, with that of the data.
    fn admit(&self, data: &Array2<f64>, model: f64) -> Result<(), Failure> {
        let (bytes, limit) = (8.0 * data.len() as f64 + model, self.source.memory);
        if bytes <= limit {
            Ok(())
        } else {
            Err(Failure::ModelTooLarge { bytes, limit })
        }
    }

    /// Refuses tiles that an example does not fill.
    fn check_patch(&self, picture: &PictureArgs, data: &Array2<f64>) -> Result<(), Failure> {
        match picture.picture {
            None => Ok(()),
            Some(_) => pictures::patch(picture.patch, data.ncols()).map(|_| ()),
        }
    }

    /// Learns, and writes all files that were asked for.
    fn learn<J: Job>(
        &self,
        job: &J,
        data: &Array2<f64>,
        picture: Option<&PictureArgs>,
    ) -> Result<Done<Report>, Failure> {
        let args = self.args;
        let Trained {
            learned,
            iterations,
            stop,
            elapsed_s,
            examples_per_s,
            mut trouble,
            saved,
        } = train(job, self, Fingerprint::of(data))?;
        let atoms = picture.and_then(|picture| {
            let (path, atoms) = (picture.picture.as_deref()?, learned.atoms.as_ref()?);
            Some(pictures::tiles(path, picture.patch, atoms))
        });
        let curve = args.curve.as_deref();
        let output = args.output.as_deref();
        let files = [
            output.map(|path| learned.output(path)),
            curve.map(|path| pictures::curve(path, job.measure(), &learned)),
            atoms,
        ];
        let written = files.map(|file| {
            let written = file?.and_then(|file: Output| file.write());
            Some(written.map_err(|failure| trouble.push(failure)).is_ok())
        });
        let Learned {
            objective, facts, ..
        } = learned;
        Ok(Done {
            trouble,
            interrupted: stop == Stop::Interrupted,
            ..Done::new(Report {
                model: job.kind(),
                objective,
                iterations,
                examples: job.examples(),
                columns: data.ncols(),
                stop,
                elapsed_s,
                examples_per_s,
                facts,
                // A report names no file that is not there.
                output: args.output.clone().filter(|_| written[0] == Some(true)),
                checkpoint: args.state().filter(|_| saved).map(Path::to_owned),
                measure: job.measure(),
            })
        })
    }
}

/// Refuses a file whose folder is not there.
fn check_folder(path: &Path) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder.map(std::fs::metadata) {
        Some(Err(source)) => Err(Failure::Output {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "objective   {}  {}",
            digits(self.objective),
            self.measure
        )?;
        writeln!(
            f,
            "data        {} examples of {} columns",
            self.examples, self.columns
        )?;
        for (name, value) in &self.facts {
            writeln!(f, "{:11} {}", name.replace('_', " "), told(value))?;
        }
        writeln!(
            f,
            "iterations  {}, {} examples/s",
            self.iterations,
            short(self.examples_per_s)
        )?;
        writeln!(
            f,
            "stopped     {} after {}",
            self.stop,
            seconds(self.elapsed_s)
        )?;
        for (name, file) in [("model", &self.output), ("checkpoint", &self.checkpoint)] {
            if let Some(file) = file {
                writeln!(f, "{name:11} {}", file.display())?;
            }
        }
        Ok(())
    }
}

/// A number, or several, as people read them.
fn told(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(x) if x != 0.0 && x.abs() < 1e-4 => format!("{x:.1e}"),
            Some(x) => format!("{x:.4}"),
            None => number.to_string(),
        },
        Value::Array(all) => all.iter().map(told).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

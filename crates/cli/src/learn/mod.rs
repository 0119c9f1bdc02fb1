//! `forney learn`: a model with latent variables from data.
//!
//! | module | what it knows |
//! |---|---|
//! | `args` | the words |
//! | `data`, `numbers`, `text` | files made into matrices |
//! | `training`, `checkpoint` | the loop, and its state in a file |
//! | `bar`, `trace` | what is seen of it |
//! | `sparse_coding`, `bsc`, `em` | one kind of model each |
//! | `learned`, `pictures` | models and pictures made into files |

pub(crate) mod args;
mod bar;
mod bsc;
mod checkpoint;
mod data;
mod em;
mod learned;
mod numbers;
mod pictures;
mod sparse_coding;
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
use sparse_coding::SparseCodingJob;
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
    match &args.model {
        LearnCommand::SparseCoding(args) => {
            let session = Session::new(&args.run);
            session.check_outputs(&["json", "npz"], Some(&args.picture))?;
            let mut data = session.finite_data()?;
            if args.center_rows {
                center_rows(&mut data);
            }
            session.check_patch(&args.picture, &data)?;
            let job = SparseCodingJob::new(args, &data);
            session.learn(&job, &data, Some(&args.picture))
        }
        LearnCommand::Bsc(args) => {
            let session = Session::new(&args.run);
            session.check_outputs(&["json", "npz"], Some(&args.picture))?;
            let data = session.finite_data()?;
            session.check_patch(&args.picture, &data)?;
            let job = BscJob::new(args, &data);
            session.learn(&job, &data, Some(&args.picture))
        }
        LearnCommand::Em(args) => em::run(args, &Session::new(&args.run)),
    }
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
}

impl<'a> Session<'a> {
    fn new(args: &'a RunArgs) -> Self {
        Self {
            args,
            source: Source {
                path: &args.data,
                array: args.array.as_deref(),
                memory: args.memory.unwrap_or_else(memory::default_limit),
            },
            budget: Budget::new(args.time, interrupt::flag()),
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
        let files = [
            args.output.as_ref(),
            args.checkpoint.as_ref(),
            args.curve.as_ref(),
            picture,
        ];
        for path in files.into_iter().flatten() {
            check_folder(path)?;
        }
        if let Some(checkpoint) = &args.checkpoint
            && args.resume.as_ref() != Some(checkpoint)
            && checkpoint.is_file()
        {
            return Err(Failure::Checkpoint {
                file: checkpoint.clone(),
                message: "exists: go on from it with --resume, or remove it first".to_owned(),
            });
        }
        Ok(())
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
        } = train(job, args, Fingerprint::of(data), &self.budget)?;
        let atoms = picture.and_then(|picture| {
            let (path, atoms) = (picture.picture.as_deref()?, learned.atoms.as_ref()?);
            Some(pictures::tiles(path, picture.patch, atoms))
        });
        let curve = args.curve.as_deref();
        let files = [
            args.output.as_deref().map(|path| learned.output(path)),
            curve.map(|path| pictures::curve(path, job.measure(), &learned)),
            atoms,
        ];
        for file in files.into_iter().flatten() {
            trouble.extend(file.and_then(|file: Output| file.write()).err());
        }
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
                output: args.output.clone(),
                checkpoint: args.checkpoint.clone().or_else(|| args.resume.clone()),
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

//! The model and evidence that a command works on.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use forney_certify::Budget;
use forney_model::{Evidence, FactorGraph, Restriction};
use forney_uai::{
    Entries, ModelKind, UaiError, UaiFactor, UaiModel, Warning, model_reader, read_evidences,
    read_file, read_log_model, read_virtual_evidence,
};

use crate::clash::Clash;
use crate::error::{Failure, complain};
use crate::model_args::ModelArgs;
use crate::unfinished::Stage;
use crate::work::{self, Tell};

/// The name of standard input on the command line.
const STDIN: &str = "-";

/// What files of soft evidence end in.
const SOFT: &str = "virt";

/// A model and one sample of evidence.
pub(crate) struct Problem {
    pub(crate) kind: ModelKind,
    /// The whole model, without regard to the evidence, with a factor more for each soft
    /// observation.
    pub(crate) graph: FactorGraph,
    /// Factors from this one on are soft evidence.
    soft: usize,
    /// What is observed.
    pub(crate) evidence: Evidence,
}

/// A model with one sample of evidence or more.
pub(crate) struct Samples {
    pub(crate) model: UaiModel,
    /// Factors from this one on are soft evidence.
    pub(crate) soft: usize,
    /// At least one; nothing is observed in an empty one.
    pub(crate) samples: Vec<Evidence>,
}

impl Problem {
    /// Reads a model and one sample of evidence, on a thread of its own that is left alone where
    /// the budget ends: nobody knows how long a file is, or whether it ends.
    pub(crate) fn read(args: &ModelArgs, budget: &Budget) -> Result<Self, Failure> {
        let args = args.clone();
        let read = move |_: &Tell<'_, ()>| {
            let samples = Samples::read(&args)?;
            let soft = samples.soft;
            let (model, evidence) = samples.single()?;
            Ok(Self {
                kind: model.kind,
                graph: model.into_graph()?,
                soft,
                evidence,
            })
        };
        let read = work::within(budget, Duration::ZERO, read, |()| {});
        read.unwrap_or_else(|stop| Err(Failure::out_of(stop, Stage::Reading)))
    }

    /// [`restrict`](forney::restrict) to the evidence.
    pub(crate) fn restrict(&self, budget: &Budget) -> Result<Option<Restriction>, Failure> {
        Ok(forney::restrict(&self.graph, &self.evidence, budget)?)
    }

    /// What contradicts each other where [`Self::restrict`] leaves nothing.
    pub(crate) fn clash(&self, budget: &Budget) -> Option<Clash> {
        Clash::find(&self.graph, self.soft, &self.evidence, budget)
    }
}

impl Samples {
    /// Reads model and evidence; says on standard error what the files hold beside them.
    pub(crate) fn read(args: &ModelArgs) -> Result<Self, Failure> {
        let files = [&args.file].into_iter().chain(&args.evidence);
        if files.filter(|file| is_stdin(file)).count() > 1 {
            let message = "only one of the model and the evidence can come from standard input";
            return Err(Failure::Usage(message.to_owned()));
        }
        let (soft, hard): (Vec<_>, Vec<_>) =
            (args.evidence.iter()).partition(|file| file.extension().is_some_and(|e| e == SOFT));
        if soft.len() > 1 || hard.len() > 1 {
            let message = "--evidence takes one file of observed states and one of likelihoods, \
                           which ends in .virt";
            return Err(Failure::Usage(message.to_owned()));
        }
        let read = if args.log_tables {
            read_log_model
        } else {
            model_reader(&args.file)
        };
        let mut model =
            read_input(&args.file, read).map_err(|error| Failure::ModelFile { error })?;
        warn(&args.file, &model.warnings);
        let mut samples = vec![Evidence::default()];
        if let Some(path) = hard.first() {
            let read = read_input(path, |bytes| read_evidences(bytes, &model.cards))?;
            warn(path, &read.warnings);
            samples = read.samples;
        }
        let mut likelihoods = Vec::new();
        if let Some(path) = soft.first() {
            let read = read_input(path, |bytes| read_virtual_evidence(bytes, &model.cards))?;
            warn(path, &read.warnings);
            likelihoods = read.likelihoods;
        }
        for observation in &args.observe {
            observation.enter(&model.cards, &mut samples, &mut likelihoods)?;
        }
        let soft = model.factors.len();
        if !likelihoods.is_empty() {
            // A likelihood is no conditional distribution.
            model.kind = ModelKind::Markov;
        }
        model
            .factors
            .extend(likelihoods.into_iter().map(|(var, values)| UaiFactor {
                scope: vec![var],
                entries: Entries::Values(values),
            }));
        Ok(Self {
            model,
            soft,
            samples,
        })
    }

    /// The only sample, for a command that takes no more.
    pub(crate) fn single(self) -> Result<(UaiModel, Evidence), Failure> {
        match <[Evidence; 1]>::try_from(self.samples) {
            Ok([evidence]) => Ok((self.model, evidence)),
            Err(samples) => Err(Failure::Usage(format!(
                "the evidence holds {} samples, and this command takes one: write the one that you \
                 mean to a file of its own, or state it with --observe; exact, marginals and map \
                 answer all of them",
                samples.len()
            ))),
        }
    }
}

/// Says on standard error what a reader passed over or doubts.
pub(crate) fn warn(path: &Path, warnings: &[Warning]) {
    for warning in warnings {
        complain(format_args!("warning: {}, {warning}", path.display()));
    }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new(STDIN)
}

/// Reads a file, or standard input.
fn read_input<T>(
    path: &Path,
    read: impl FnOnce(&[u8]) -> Result<T, UaiError>,
) -> Result<T, UaiError> {
    if !is_stdin(path) {
        return read_file(path, read);
    }
    let name = Path::new("standard input");
    let mut bytes = Vec::new();
    io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|source| UaiError::Io {
            file: name.to_owned(),
            source,
        })?;
    read(&bytes).map_err(|error| error.in_file(name))
}

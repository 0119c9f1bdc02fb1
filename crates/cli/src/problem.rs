//! The model and evidence that a command works on.

use std::io::{self, Read};
use std::path::Path;

use forney_model::{Contradiction, Domains, Evidence, FactorGraph, Restriction};
use forney_uai::{UaiError, UaiModel, read_evidence, read_file, read_model};

use crate::args::ModelArgs;
use crate::error::{Failure, complain};

/// The name of standard input on the command line.
const STDIN: &str = "-";

/// A model as its file states it, and what is observed.
pub(crate) struct Problem {
    pub(crate) model: UaiModel,
    pub(crate) evidence: Evidence,
}

impl Problem {
    /// Reads model and evidence; says on standard error if the model file holds more than a model.
    pub(crate) fn read(args: &ModelArgs) -> Result<Self, Failure> {
        if is_stdin(&args.file) && args.evidence.as_deref().is_some_and(is_stdin) {
            let message = "only one of the model and the evidence can come from standard input";
            return Err(Failure::Usage(message.to_owned()));
        }
        let model = read_input(&args.file, read_model)?;
        for warning in &model.warnings {
            complain(format_args!("warning: {}, {warning}", args.file.display()));
        }
        let evidence = match &args.evidence {
            Some(path) => read_input(path, |bytes| read_evidence(bytes, &model.cards))?,
            None => Evidence::default(),
        };
        Ok(Self { model, evidence })
    }

    /// The model as a factor graph, without regard to the evidence.
    pub(crate) fn graph(&self) -> Result<FactorGraph, Failure> {
        Ok(self.model.to_graph()?)
    }

    /// What evidence and hard zeros leave of the model; `None` if that is nothing: `Z = 0`.
    pub(crate) fn restrict(&self, graph: &FactorGraph) -> Result<Option<Restriction>, Failure> {
        let mut domains = Domains::observed(graph, &self.evidence)?;
        Ok(match domains.probe(graph) {
            Ok(_) => Some(domains.restrict(graph)),
            Err(Contradiction) => None,
        })
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

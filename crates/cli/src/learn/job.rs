//! A learner, and what a run needs to know of it.

use std::path::Path;

use forney_certify::Stop;
use forney_latent::learn::Learner;
use ndarray::Array2;
use serde_json::Value;

use super::args::PictureArgs;
use super::checkpoint::{Fingerprint, Header};
use super::learned::{Described, output};
use super::pictures;
use super::report::Report;
use super::session::Session;
use super::training::{Trained, train};
use crate::done::{Done, Output};
use crate::error::Failure;

/// One way to learn.
pub(super) struct Job<'a, L, D> {
    pub(super) learner: L,
    /// The name of the model.
    pub(super) kind: &'static str,
    /// What the objective is.
    pub(super) measure: &'static str,
    /// The options that decide about the numbers. How long to go on is none of them.
    pub(super) options: Value,
    /// Whether the data were prepared so.
    pub(super) center_rows: bool,
    pub(super) picture: Option<&'a PictureArgs>,
    /// What there is to tell of a model; the reason why learning ended, too, decides about it.
    pub(super) describe: D,
}

impl<L, D> Job<'_, L, D>
where
    L: Learner,
    D: FnOnce(&L::Model, Stop) -> Result<Described, Failure>,
{
    /// Learns, and writes all files that were asked for.
    pub(super) fn run(
        self,
        session: &Session<'_>,
        data: &Array2<f64>,
    ) -> Result<Done<Report>, Failure> {
        let args = session.args;
        let header = Header::new(self.kind, self.options, Fingerprint::of(data));
        let Trained {
            fit,
            iterations,
            stop,
            elapsed_s,
            examples_per_s,
            mut trouble,
            saved,
        } = train(&self.learner, header, session)?;
        let told = (self.describe)(&fit.model, stop)?;
        let tiles = self.picture.and_then(|picture| {
            let (path, atoms) = (picture.picture.as_deref()?, told.atoms.as_ref()?);
            Some(pictures::tiles(path, picture.patch, atoms))
        });
        let model = args.output.as_deref();
        let curve = args.curve.as_deref();
        let files = [
            model.map(|path| output(path, self.kind, self.center_rows, &fit.model, &told)),
            curve.map(|path| pictures::curve(path, self.kind, self.measure, &fit.trace)),
            tiles,
        ];
        let written = files.map(|file| {
            let written = file?.and_then(|file: Output| file.write());
            Some(written.map_err(|failure| trouble.push(failure)).is_ok())
        });
        Ok(Done {
            trouble,
            interrupted: stop == Stop::Interrupted,
            ..Done::new(Report {
                model: self.kind,
                objective: told.objective.unwrap_or(fit.objective),
                iterations,
                examples: self.learner.examples(),
                columns: data.ncols(),
                stop,
                elapsed_s,
                examples_per_s,
                facts: told.facts,
                // A report names no file that is not there.
                output: args.output.clone().filter(|_| written[0] == Some(true)),
                checkpoint: args.state().filter(|_| saved).map(Path::to_owned),
                measure: self.measure,
            })
        })
    }
}

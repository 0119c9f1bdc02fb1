//! What an experiment is.

use super::context::Context;
use super::shown::Shown;

/// One row of the table of experiments.
pub(crate) struct Experiment {
    /// Its name on the command line and of its files.
    pub(crate) name: &'static str,
    /// Heading in the report.
    pub(crate) title: &'static str,
    /// What the source says, in our words.
    pub(crate) says: &'static str,
    /// What is run here.
    pub(crate) does: &'static str,
    /// Runs it.
    pub(crate) run: fn(&Context<'_>) -> anyhow::Result<Shown>,
}

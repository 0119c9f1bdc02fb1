//! What an experiment runs in: its options, and runs in parallel that are kept.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::records::{Record, Records};
use super::store::Store;

/// One piece of work: usually one instance with all methods.
pub(crate) struct Run<'r> {
    /// Tells it from all others of the experiment; holds every option.
    pub(crate) key: String,
    pub(crate) work: Box<dyn Fn() -> Result<Vec<Record>> + Send + Sync + 'r>,
}

/// Options of the report, and the store.
pub(crate) struct Context<'c> {
    pub(crate) experiment: &'static str,
    /// Fewer points and seeds.
    pub(crate) quick: bool,
    /// Folder with instances that are not bundled.
    data: &'c Path,
    store: &'c Store,
}

impl<'c> Context<'c> {
    pub(crate) fn new(
        experiment: &'static str,
        quick: bool,
        data: &'c Path,
        store: &'c Store,
    ) -> Self {
        Self {
            experiment,
            quick,
            data,
            store,
        }
    }

    /// `full`, or `quick` for a quick report.
    pub(crate) fn pick<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// A file with an instance, if it is there; says so on the terminal if it is not.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        let path = self.data.join(name);
        if !path.is_file() {
            eprintln!(
                "{}: {} is not there; skipped",
                self.experiment,
                path.display()
            );
            return None;
        }
        Some(path)
    }

    /// What all runs found, those done before included; in parallel, in the order of the runs.
    pub(crate) fn runs(&self, runs: Vec<Run<'_>>) -> Result<Records> {
        let bar = self.bar(runs.len());
        let found: Result<Vec<_>> = runs
            .par_iter()
            .with_max_len(1)
            .map(|run| self.once(run, &bar))
            .collect();
        bar.finish();
        Ok(Records(found?.into_iter().flatten().collect()))
    }

    /// As [`Context::runs`], one run after the other, for runs that are timed.
    pub(crate) fn runs_alone(&self, runs: Vec<Run<'_>>) -> Result<Records> {
        let bar = self.bar(runs.len());
        let found: Result<Vec<_>> = runs.iter().map(|run| self.once(run, &bar)).collect();
        bar.finish();
        Ok(Records(found?.into_iter().flatten().collect()))
    }

    fn once(&self, run: &Run<'_>, bar: &ProgressBar) -> Result<Vec<Record>> {
        let records = match self.store.get(self.experiment, &run.key) {
            Some(records) => records.clone(),
            None => {
                let records = (run.work)().with_context(|| run.key.clone())?;
                self.store.keep(self.experiment, &run.key, &records)?;
                records
            }
        };
        bar.inc(1);
        Ok(records)
    }

    fn bar(&self, runs: usize) -> ProgressBar {
        let style = ProgressStyle::with_template(
            "{prefix:16} {bar:30} {pos}/{len} runs, {elapsed} gone, {eta} left",
        );
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(runs as u64).with_style(style);
        bar.set_prefix(self.experiment);
        bar.tick();
        bar
    }
}

//! The words of `forney compare`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use forney_methods::{METHODS, Method};

use crate::model_args::ModelArgs;
use crate::units;

#[derive(Args, Debug)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Time for everything: 30s, 500ms, 2m, or seconds; exact elimination is tried for a fifth of
    /// it, and every row of the table gets an equal share of threads times the rest
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "10s")]
    pub(crate) time: Duration,

    /// Memory for tables: 4GiB, 512MB, … [default: half of the free memory]
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    pub(crate) memory: Option<f64>,

    /// Cliques hold at most N + 1 variables
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub(crate) ibound: usize,

    /// At most so many iterations of each method: sweeps, steps or gradient evaluations
    #[arg(long, value_name = "N")]
    pub(crate) iterations: Option<usize>,

    /// Only these methods, in this order: for instance mf,bp,trbp
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = named, help = methods())]
    pub(crate) methods: Vec<Named>,

    /// Seed of all random choices
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Also write the table as comma-separated values
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,

    /// Also draw every bound against time, as SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
}

/// A registered method.
#[derive(Clone, Copy)]
pub(crate) struct Named(pub(crate) &'static dyn Method);

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

fn named(name: &str) -> Result<Named, String> {
    let known = forney_methods::method(name.trim()).map(Named);
    known.ok_or_else(|| format!("there is no such method; the methods are {}", names()))
}

fn names() -> String {
    let names: Vec<&str> = METHODS.iter().map(|method| method.name()).collect();
    names.join(", ")
}

fn methods() -> String {
    format!("Only these methods, of: {}", names())
}

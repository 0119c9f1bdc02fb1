//! The words that say which model a command works on.

use std::path::PathBuf;

use clap::Args;

use crate::observation::Observation;

/// Which model.
#[derive(Args, Clone, Debug)]
pub(crate) struct ModelArgs {
    /// UAI model, `-` for standard input
    pub(crate) file: PathBuf,

    /// The tables of the model hold natural logarithms, as those of a file that ends in .LG do
    #[arg(long)]
    pub(crate) log_tables: bool,

    /// Observed variables and their states (.evid), one sample or, for exact, marginals and map,
    /// several; or likelihoods of states, soft evidence (.virt). May be given once for each
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: Vec<PathBuf>,

    /// Observe one more variable: VAR=STATE, or softly VAR=L,L,… with a likelihood for each state
    #[arg(short = 'e', long, value_name = "VAR=STATE")]
    pub(crate) observe: Vec<Observation>,
}

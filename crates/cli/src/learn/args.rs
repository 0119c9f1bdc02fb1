//! The words of `forney learn`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::units;

#[derive(Args, Clone, Debug)]
pub(crate) struct LearnArgs {
    #[command(subcommand)]
    pub(crate) model: LearnCommand,
}

impl LearnArgs {
    /// What all models have in common.
    pub(super) fn run(&self) -> &RunArgs {
        match &self.model {
            LearnCommand::SparseCoding(args) => &args.run,
            LearnCommand::Bsc(args) => &args.run,
            LearnCommand::Em(args) => &args.run,
        }
    }
}

#[derive(Subcommand, Clone, Debug)]
pub(crate) enum LearnCommand {
    /// Learn a dictionary whose few active atoms add up to each example
    SparseCoding(SparseCodingArgs),
    /// Learn binary sparse coding: components that are on or off and add up to each example
    Bsc(BscArgs),
    /// Learn a latent-variable model by expectation maximisation
    Em(EmArgs),
}

/// What all models have in common: where the data are, and where the results go.
#[derive(Args, Clone, Debug)]
pub(crate) struct RunArgs {
    /// Examples in rows: .npy, .npz, or text in columns (comma, semicolon, tab or spaces; a first line
    /// of names is skipped)
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,

    /// The array to take from an .npz file that holds several
    #[arg(long, value_name = "NAME")]
    pub(crate) array: Option<String>,

    /// Save the model: JSON, or the arrays alone if FILE ends in .npz; a bayes-net as a UAI model if it
    /// ends in .uai
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Save the state of learning now and then, and when it ends or is interrupted; a file that exists
    /// is refused, unless --resume goes on from it
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,

    /// How often: 30s, 5m, or seconds
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "30s")]
    pub(crate) checkpoint_every: Duration,

    /// Go on from a checkpoint, with the same data and options; new checkpoints replace it, unless
    /// --checkpoint names another file
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,

    /// Write the objective after every iteration as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,

    /// Draw the objective over the iterations as an SVG picture
    #[arg(long, value_name = "FILE")]
    pub(crate) curve: Option<PathBuf>,

    /// Time for everything: 30s, 500ms, 2m, or seconds [default: no limit]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub(crate) time: Option<Duration>,

    /// Memory for the data and the model: 4GiB, 512MB, … [default: half of the free memory]
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    pub(crate) memory: Option<f64>,

    /// Seed of all random choices
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

impl RunArgs {
    /// The file that the state goes to.
    pub(super) fn state(&self) -> Option<&Path> {
        self.checkpoint.as_deref().or(self.resume.as_deref())
    }
}

/// A picture of what was learned, one tile for each atom or component.
#[derive(Args, Clone, Debug)]
pub(crate) struct PictureArgs {
    /// Draw the atoms, or components, as tiles of a PNG picture
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,

    /// Height and width of an example in the picture [default: square]
    #[arg(long, value_name = "HxW", value_parser = patch)]
    pub(crate) patch: Option<(usize, usize)>,
}

#[derive(Args, Clone, Debug)]
#[command(allow_negative_numbers = true)]
pub(crate) struct SparseCodingArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    /// Number of atoms
    #[arg(long, value_name = "K")]
    pub(crate) atoms: usize,

    /// λ, the weight of the absolute values of the codes: the larger, the sparser
    #[arg(long, value_name = "L")]
    pub(crate) lambda: f64,

    /// β, the precision of the noise
    #[arg(long, value_name = "B", default_value_t = 1.0)]
    pub(crate) beta: f64,

    /// Allow no negative codes
    #[arg(long)]
    pub(crate) non_negative: bool,

    /// Subtract from each row its mean, as is usual for image patches
    #[arg(long)]
    pub(crate) center_rows: bool,

    /// Learn a bias, which is added to each example; without it nothing is
    #[arg(long)]
    pub(crate) bias: bool,

    /// When the dictionary is updated: after a batch, which old ones fade before (online) or whose
    /// earlier codes it replaces (incremental), or after all examples (batch)
    #[arg(long, value_enum, value_name = "NAME", default_value = "online")]
    pub(crate) learner: LearnerChoice,

    /// Examples between updates
    #[arg(long, value_name = "N", default_value_t = 512)]
    pub(crate) batch: usize,

    /// Most passes over the data
    #[arg(long, value_name = "N", default_value_t = 20, alias = "iterations")]
    pub(crate) epochs: usize,

    /// Stop when a pass lowers the objective by at most this share (not online)
    #[arg(long, value_name = "SHARE", default_value_t = 1e-4)]
    pub(crate) tolerance: f64,

    #[command(flatten)]
    pub(crate) picture: PictureArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LearnerChoice {
    Batch,
    Online,
    Incremental,
}

#[derive(Args, Clone, Debug)]
#[command(allow_negative_numbers = true)]
pub(crate) struct BscArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    /// Number of hidden units
    #[arg(long, value_name = "H")]
    pub(crate) units: usize,

    /// How posteriors are found: truncated to few states, mf (mean field), structured-mf
    /// (mean field over blocks of units), or exact (at most 20 units)
    #[arg(long, value_enum, value_name = "NAME", default_value = "truncated")]
    pub(crate) e_step: EStepChoice,

    /// Units that are on at first, in the mean
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    pub(crate) active: f64,

    /// One noise for all columns instead of one for each
    #[arg(long)]
    pub(crate) isotropic: bool,

    /// Independent starts, of which the best is kept
    #[arg(long, value_name = "N", default_value_t = 12, alias = "starts")]
    pub(crate) restarts: usize,

    /// Iterations of annealing in every other start, 0 for none
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) annealing: usize,

    /// Temperature at which annealing begins
    #[arg(long, value_name = "T", default_value_t = 5.0)]
    pub(crate) temperature: f64,

    /// Most iterations of each start, after annealing
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) iterations: usize,

    /// Stop a start when an iteration raises the bound by at most so many nats per example
    #[arg(long, value_name = "NATS", default_value_t = 1e-5)]
    pub(crate) tolerance: f64,

    #[command(flatten)]
    pub(crate) picture: PictureArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EStepChoice {
    Truncated,
    Mf,
    StructuredMf,
    Exact,
}

#[derive(Args, Clone, Debug)]
#[command(allow_negative_numbers = true)]
pub(crate) struct EmArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    /// What to learn: mixture (of Gaussians), factor-analysis, ppca (probabilistic PCA), hmm (hidden
    /// Markov model), or bayes-net
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) model: ModelChoice,

    /// Components of a mixture [default: 2]
    #[arg(long, value_name = "K")]
    pub(crate) components: Option<usize>,

    /// States of a hidden Markov model [default: 2]
    #[arg(long, value_name = "K")]
    pub(crate) states: Option<usize>,

    /// Factors of factor analysis, principal components of ppca [default: 1]
    #[arg(long, value_name = "H")]
    pub(crate) factors: Option<usize>,

    /// Covariances of a mixture or Gaussian hmm: full, diagonal, tied, or spherical [default: full]
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) covariance: Option<CovarianceChoice>,

    /// Least variance as a share of each column's variance [default: 1e-6]
    #[arg(long, value_name = "SHARE")]
    pub(crate) variance_floor: Option<f64>,

    /// What an hmm emits: gaussian (real columns) or categorical (one column of symbols from 0)
    /// [default: gaussian]
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) emission: Option<EmissionChoice>,

    /// Lengths of the sequences of an hmm, which follow each other in the data: a file of one
    /// column, read as the data are [default: all rows are one sequence]
    #[arg(long, value_name = "FILE")]
    pub(crate) lengths: Option<PathBuf>,

    /// Structure of a bayes-net: a UAI file of type BAYES. Columns are its variables, entries their
    /// states from 0; -1, ?, NA or nothing where a state is missing
    #[arg(long, value_name = "FILE")]
    pub(crate) network: Option<PathBuf>,

    /// Tables with which a bayes-net begins: random, or given by the network [default: random]
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) start: Option<StartChoice>,

    /// Added to each expected count of a bayes-net [default: 0]
    #[arg(long, value_name = "A")]
    pub(crate) smoothing: Option<f64>,

    /// When the parameters are updated: after all examples (batch), or after a batch that enters a
    /// running average (minibatch) or replaces its earlier statistics (incremental)
    #[arg(long, value_enum, value_name = "NAME", default_value = "batch")]
    pub(crate) learner: VariantChoice,

    /// Examples (for hmm, sequences) between updates, unless after all
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub(crate) batch: usize,

    /// How fast a minibatch forgets: above 0.5, at most 1
    #[arg(long, value_name = "D", default_value_t = 0.7)]
    pub(crate) decay: f64,

    /// Independent starts, of which the best is kept
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) restarts: usize,

    /// Most iterations of each start
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) iterations: usize,

    /// Stop a start when an iteration changes the free energy by at most so many nats per example
    #[arg(long, value_name = "NATS", default_value_t = 1e-6)]
    pub(crate) tolerance: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModelChoice {
    Mixture,
    FactorAnalysis,
    Ppca,
    Hmm,
    BayesNet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CovarianceChoice {
    Full,
    Diagonal,
    Tied,
    Spherical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EmissionChoice {
    Gaussian,
    Categorical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StartChoice {
    Random,
    Given,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VariantChoice {
    Batch,
    Minibatch,
    Incremental,
}

/// `8x8`.
fn patch(text: &str) -> Result<(usize, usize), String> {
    let sides = text.split_once(['x', '×']);
    let side = |text: &str| text.trim().parse().ok().filter(|&side| side > 0);
    sides
        .and_then(|(height, width)| Some((side(height)?, side(width)?)))
        .ok_or_else(|| "expected height and width, as 8x8".to_owned())
}

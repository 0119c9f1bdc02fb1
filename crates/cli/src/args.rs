//! The words of the command line, checked one by one and not yet acted on.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use forney_methods::{Gives, METHODS, Method, method};

use crate::compare::args::CompareArgs;
use crate::learn::args::LearnArgs;
use crate::model_args::ModelArgs;
use crate::order::OrderChoice;
use crate::units;

/// Brackets the log partition function of a discrete graphical model from both sides.
///
/// Models are UAI files (MARKOV or BAYES); `-` reads one from standard input. Logarithms are
/// natural unless a name says log10.
#[derive(Parser, Debug)]
#[command(
    name = "forney",
    version,
    arg_required_else_help = true,
    after_help = "\
Exit codes: 0 done; 2 bad input, or an output that could not be written; 3 the job does not fit in
the memory or time allowed; 4 marginals or a most probable assignment were asked for and Z = 0: no
assignment is allowed; 130 interrupted, what was proved is printed; 70 an internal error."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print one JSON object on standard output, one a line for several samples, errors included
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Number of threads; it changes numbers only where time decides [default: all processors]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Describe a model and predict what exact inference would cost
    Info(InfoArgs),
    /// Compute ln Z exactly
    Exact(ExactArgs),
    /// Prove a lower and an upper bound on ln Z, and close the gap while time lasts
    Bound(BoundArgs),
    /// Run every method on one model, side by side
    Compare(CompareArgs),
    /// Compute the probabilities of the states of every variable
    Marginals(ExactArgs),
    /// Find a most probable assignment (MAP; MPE with evidence)
    Map(ExactArgs),
    /// Write a model in the standard layout, with evidence clamped in
    Convert(ConvertArgs),
    /// Learn a model with latent variables from data
    Learn(LearnArgs),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Memory to compare with: 4GiB, 512MB, … [default: half of the free memory]
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    pub(crate) memory: Option<f64>,

    /// Limit on everything: 30s, 500ms, 2m, or seconds; orders that are not worked out by the end
    /// are left out [default: 3s for orders]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub(crate) time: Option<Duration>,

    /// Seed of the search for an order
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ExactArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    #[command(flatten)]
    pub(crate) elimination: EliminationArgs,

    /// Also write the result as a UAI file: PR for exact, MAR for marginals, MAP for map
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) uai_output: Option<PathBuf>,
}

/// How to eliminate, and with what.
#[derive(Args, Clone, Debug)]
pub(crate) struct EliminationArgs {
    /// Elimination order: minfill, wminfill, minsize, search, or a file of variable indices
    #[arg(long, value_name = "ORDER", default_value = "search")]
    pub(crate) order: OrderChoice,

    /// Memory for tables: 4GiB, 512MB, … [default: half of the free memory]
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    pub(crate) memory: Option<f64>,

    /// Time for everything: 30s, 500ms, 2m, or seconds; the search for an order gets at most half
    /// [default: no limit, 10 s for the search]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub(crate) time: Option<Duration>,

    /// Seed of all random choices
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct BoundArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Time for everything: 30s, 500ms, 2m, or seconds [default: as long as there is something
    /// to gain within the memory]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub(crate) time: Option<Duration>,

    /// Memory for tables: 4GiB, 512MB, … [default: half of the free memory]
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    pub(crate) memory: Option<f64>,

    /// Stop when upper − lower is at most so many nats
    #[arg(long, value_name = "NATS", value_parser = units::nats, default_value = "1e-6")]
    pub(crate) gap: f64,

    /// Cliques hold at most N + 1 variables [default: start small and raise it]
    #[arg(long, value_name = "N")]
    pub(crate) ibound: Option<usize>,

    /// At most so many gradient evaluations on each side, or iterations of the one method
    #[arg(long, value_name = "N")]
    pub(crate) iterations: Option<usize>,

    /// The bounds to prove: both, upper, or lower
    #[arg(long, value_enum, value_name = "SIDE", default_value = "both")]
    pub(crate) side: SideChoice,

    #[arg(long, value_name = "NAME", default_value = MethodChoice::AUTO, help = methods())]
    pub(crate) method: MethodChoice,

    /// Elimination order: minfill, wminfill, minsize, search, or a file of variable indices
    /// [default: the order that gives the best bound]
    #[arg(long, value_name = "ORDER")]
    pub(crate) order: Option<OrderChoice>,

    /// Seed of all random choices
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Write every improvement of the bracket as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,

    /// Also write log10 Z as a UAI file (PR), provided that the bracket closes
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) uai_output: Option<PathBuf>,
}

/// The sides of the bracket that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SideChoice {
    Both,
    Upper,
    Lower,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Write a Bayesian network as a MARKOV model, for tools that read no other
    #[arg(long)]
    pub(crate) markov: bool,

    /// Where to write the model [default: standard output]
    #[arg(short = 'o', long, value_name = "FILE", alias = "output")]
    pub(crate) uai_output: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_words_do_not_contradict_each_other() {
        super::Cli::command().debug_assert();
    }
}

/// What proves a bracket, if it is one method alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodChoice(pub(crate) Option<&'static dyn Method>);

impl MethodChoice {
    const AUTO: &'static str = "auto";

    /// Is it this method?
    pub(crate) fn is(self, method: &dyn Method) -> bool {
        self.0.is_some_and(|chosen| chosen.name() == method.name())
    }
}

impl FromStr for MethodChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let chosen = proving().find(|method| method.name() == name);
        match chosen {
            None if name == Self::AUTO => Ok(Self(None)),
            None if method(name).is_some() => Err(format!(
                "{name} gives an estimate, which proves nothing; `forney compare` runs it"
            )),
            None => Err(format!(
                "there is no method '{name}'; the methods are {}",
                names()
            )),
            chosen => Ok(Self(chosen)),
        }
    }
}

/// All methods that prove a bound.
fn proving() -> impl Iterator<Item = &'static dyn Method> {
    let proves = |method: &&dyn Method| method.gives().iter().any(|&side| side != Gives::Estimate);
    METHODS.iter().copied().filter(proves)
}

fn names() -> String {
    let names = proving().map(Method::name);
    let all: Vec<&str> = [MethodChoice::AUTO].into_iter().chain(names).collect();
    all.join(", ")
}

fn methods() -> String {
    format!(
        "How: all methods that suit the model, or one only: {}",
        names()
    )
}

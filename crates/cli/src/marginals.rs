//! `forney marginals`: the probabilities of the states of every variable.

use std::fmt;

use forney::Task;
use forney_uai::Solution;
use serde::Serialize;

use crate::answered::{Common, answered};
use crate::args::ExactArgs;
use crate::done::Done;
use crate::elimination::eliminate;
use crate::error::Failure;
use crate::json;
use crate::text::{digits, log10};

/// What `forney marginals` prints.
#[derive(Serialize)]
pub(crate) struct Report {
    #[serde(serialize_with = "json::number")]
    ln_z: f64,
    #[serde(serialize_with = "json::number")]
    log10_z: f64,
    /// By variable one probability for each state; `None` if `Z = 0`.
    marginals: Option<Vec<Vec<f64>>>,
    #[serde(flatten)]
    common: Common,
}

pub(crate) fn run(args: &ExactArgs) -> Result<Done<Report>, Failure> {
    let answers = eliminate(args, "marginals", Task::marginals())?;
    answered(args, answers, "are no marginals", |found, common| {
        let (ln_z, marginals) = found.unzip();
        let ln_z = ln_z.unwrap_or(f64::NEG_INFINITY);
        let solution = marginals.clone().map(Solution::Mar);
        let report = Report {
            ln_z,
            log10_z: log10(ln_z),
            marginals,
            common,
        };
        (report, solution)
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.common.head(f)?;
        writeln!(f, "ln Z     {}", digits(self.ln_z))?;
        writeln!(f, "log10 Z  {}", digits(self.log10_z))?;
        let Some(marginals) = &self.marginals else {
            self.common.impossible(f)?;
            return write!(f, "{}", self.common);
        };
        write!(f, "{}", self.common)?;
        writeln!(f, "\nvariable  probability of state 0, 1, …")?;
        for (variable, marginal) in marginals.iter().enumerate() {
            write!(f, "{variable:<8}")?;
            for p in marginal {
                write!(f, "  {p:.6}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

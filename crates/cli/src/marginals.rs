//! `forney marginals`: the probabilities of the states of every variable.

use std::fmt;

use forney_exact::{Keep, marginals};
use forney_model::simplify;
use forney_uai::Solution;
use serde::Serialize;

use crate::args::ExactArgs;
use crate::done::{Done, Output};
use crate::elimination::{Spent, Task, eliminate};
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
    /// By variable one probability for each state; all zero if `Z = 0`.
    marginals: Vec<Vec<f64>>,
    #[serde(flatten)]
    spent: Spent,
}

pub(crate) fn run(args: &ExactArgs) -> Result<Done<Report>, Failure> {
    let done = eliminate(
        args,
        Task {
            simplify,
            keep: Keep::All,
            passes: 6.0,
            run: marginals,
        },
    )?;
    let (ln_z, marginals) = match done.found {
        Some((found, restriction)) => (found.ln_z, restriction.lift_marginals(&found.variables)),
        None => {
            let zeros = done.graph.cards().iter().map(|&card| vec![0.0; card]);
            (f64::NEG_INFINITY, zeros.collect())
        }
    };
    let solution = Solution::Mar(marginals.clone());
    Ok(Done {
        file: Output::solution(args.uai_output.as_deref(), &solution)?,
        ..Done::new(Report {
            ln_z,
            log10_z: log10(ln_z),
            marginals,
            spent: done.spent,
        })
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ln Z     {}", digits(self.ln_z))?;
        writeln!(f, "log10 Z  {}", digits(self.log10_z))?;
        if self.ln_z == f64::NEG_INFINITY {
            writeln!(
                f,
                "         Z = 0: every assignment is forbidden, there are no marginals"
            )?;
            return write!(f, "{}", self.spent);
        }
        write!(f, "{}", self.spent)?;
        writeln!(f, "\nvariable  probability of state 0, 1, …")?;
        for (variable, marginal) in self.marginals.iter().enumerate() {
            write!(f, "{variable:<8}")?;
            for p in marginal {
                write!(f, "  {p:.6}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

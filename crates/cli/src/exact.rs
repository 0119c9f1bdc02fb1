//! `forney exact`: the logarithm of the partition function.

use std::fmt;

use forney_exact::{Keep, ln_z};
use forney_model::simplify_sum;
use forney_uai::Solution;
use serde::Serialize;

use crate::args::ExactArgs;
use crate::done::{Done, Output};
use crate::elimination::{Spent, Task, eliminate};
use crate::error::Failure;
use crate::json;
use crate::text::{digits, log10};

/// What `forney exact` prints.
#[derive(Serialize)]
pub(crate) struct Report {
    #[serde(serialize_with = "json::number")]
    ln_z: f64,
    #[serde(serialize_with = "json::number")]
    log10_z: f64,
    #[serde(flatten)]
    spent: Spent,
}

pub(crate) fn run(args: &ExactArgs) -> Result<Done<Report>, Failure> {
    let done = eliminate(
        args,
        Task {
            simplify: simplify_sum,
            keep: Keep::Live,
            passes: 1.0,
            run: ln_z,
        },
    )?;
    let ln_z = done.found.map_or(f64::NEG_INFINITY, |(ln_z, _)| ln_z);
    let log10_z = log10(ln_z);
    let solution = Solution::Pr { log10_z };
    Ok(Done {
        file: Output::solution(args.uai_output.as_deref(), &solution)?,
        ..Done::new(Report {
            ln_z,
            log10_z,
            spent: done.spent,
        })
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ln Z     {}", digits(self.ln_z))?;
        writeln!(f, "log10 Z  {}", digits(self.log10_z))?;
        if self.ln_z == f64::NEG_INFINITY {
            writeln!(f, "         Z = 0: every assignment is forbidden")?;
        }
        write!(f, "{}", self.spent)
    }
}

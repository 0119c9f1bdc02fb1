//! `forney exact`: the logarithm of the partition function.

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

/// What `forney exact` prints.
#[derive(Serialize)]
pub(crate) struct Report {
    #[serde(serialize_with = "json::number")]
    ln_z: f64,
    #[serde(serialize_with = "json::number")]
    log10_z: f64,
    #[serde(flatten)]
    common: Common,
}

pub(crate) fn run(args: &ExactArgs) -> Result<Done<Report>, Failure> {
    let answers = eliminate(args, "exact", Task::ln_z())?;
    answered(args, answers, "is no value", |found, common| {
        // ln 0 is a value as any other.
        let ln_z = found.unwrap_or(f64::NEG_INFINITY);
        let log10_z = log10(ln_z);
        let report = Report {
            ln_z,
            log10_z,
            common,
        };
        (report, Some(Solution::Pr { log10_z }))
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.common.head(f)?;
        writeln!(f, "ln Z     {}", digits(self.ln_z))?;
        writeln!(f, "log10 Z  {}", digits(self.log10_z))?;
        if self.ln_z == f64::NEG_INFINITY {
            self.common.impossible(f)?;
        }
        write!(f, "{}", self.common)
    }
}

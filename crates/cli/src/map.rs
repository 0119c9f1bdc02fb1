//! `forney map`: a most probable assignment.

use std::fmt;

use forney::{MostProbable, Task};
use forney_uai::Solution;
use serde::Serialize;

use crate::answered::{Common, answered};
use crate::args::ExactArgs;
use crate::done::Done;
use crate::elimination::eliminate;
use crate::error::Failure;
use crate::json;
use crate::text::{digits, log10};

/// What `forney map` prints.
#[derive(Serialize)]
pub(crate) struct Report {
    #[serde(serialize_with = "json::number")]
    ln_value: f64,
    #[serde(serialize_with = "json::number")]
    log10_value: f64,
    /// The state of each variable; `None` if `Z = 0`.
    assignment: Option<Vec<usize>>,
    #[serde(flatten)]
    common: Common,
}

pub(crate) fn run(args: &ExactArgs) -> Result<Done<Report>, Failure> {
    let answers = eliminate(args, "map", Task::most_probable())?;
    let what = "is no most probable assignment";
    answered(args, answers, what, |found, common| {
        let (ln_value, assignment) = found
            .map(|MostProbable { states, ln_value }| (ln_value, states))
            .unzip();
        let ln_value = ln_value.unwrap_or(f64::NEG_INFINITY);
        let solution = assignment.clone().map(Solution::Map);
        let report = Report {
            ln_value,
            log10_value: log10(ln_value),
            assignment,
            common,
        };
        (report, solution)
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.common.head(f)?;
        writeln!(f, "ln value     {}", digits(self.ln_value))?;
        writeln!(f, "log10 value  {}", digits(self.log10_value))?;
        let Some(assignment) = &self.assignment else {
            self.common.impossible(f)?;
            return write!(f, "{}", self.common);
        };
        write!(f, "{}", self.common)?;
        writeln!(f, "\nstate of variable 0, 1, …")?;
        for (variable, state) in assignment.iter().enumerate() {
            let space = if variable == 0 { "" } else { " " };
            write!(f, "{space}{state}")?;
        }
        writeln!(f)
    }
}

//! `forney map`: a most probable assignment.

use std::fmt;

use forney_exact::{Keep, most_probable};
use forney_model::{VarId, simplify};
use forney_uai::Solution;
use serde::Serialize;

use crate::args::ExactArgs;
use crate::done::{Done, Output};
use crate::elimination::{Spent, Task, eliminate};
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
    /// The state of each variable.
    assignment: Vec<usize>,
    #[serde(flatten)]
    spent: Spent,
}

pub(crate) fn run(args: &ExactArgs) -> Result<Done<Report>, Failure> {
    let done = eliminate(
        args,
        Task {
            simplify,
            keep: Keep::All,
            passes: 1.0,
            run: most_probable,
        },
    )?;
    let assignment = match done.found {
        Some((best, restriction)) => restriction.lift_assignment(&best.states),
        // All assignments are as good as any, as long as they agree with the evidence.
        None => {
            let observed = |v| done.problem.evidence.state(VarId::new(v)).unwrap_or(0);
            (0..done.graph.num_variables()).map(observed).collect()
        }
    };
    // The value is that of the whole model, whatever was done to reduce it.
    let ln_value = done.graph.ln_value(&assignment);
    let solution = Solution::Map(assignment.clone());
    Ok(Done {
        file: Output::solution(args.uai_output.as_deref(), &solution)?,
        ..Done::new(Report {
            ln_value,
            log10_value: log10(ln_value),
            assignment,
            spent: done.spent,
        })
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ln value     {}", digits(self.ln_value))?;
        writeln!(f, "log10 value  {}", digits(self.log10_value))?;
        if self.ln_value == f64::NEG_INFINITY {
            writeln!(f, "             Z = 0: every assignment is forbidden")?;
        }
        write!(f, "{}", self.spent)?;
        writeln!(f, "\nstate of variable 0, 1, …")?;
        for (variable, state) in self.assignment.iter().enumerate() {
            let space = if variable == 0 { "" } else { " " };
            write!(f, "{space}{state}")?;
        }
        writeln!(f)
    }
}

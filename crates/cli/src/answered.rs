//! Answers, one for each sample of evidence, as reports and as one file.

use std::fmt;

use forney_uai::Solution;
use serde::Serialize;

use crate::args::ExactArgs;
use crate::clash::{Clash, Impossible};
use crate::done::{Done, Output};
use crate::elimination::{Answer, Answers, Spent};
use crate::error::Failure;

/// What the reports of `exact`, `marginals` and `map` have in common.
#[derive(Serialize)]
pub(crate) struct Common {
    /// Left out unless `Z = 0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<Clash>,
    #[serde(flatten)]
    spent: Spent,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<usize>,
}

/// Makes reports of the answers, and the result file that was asked for.
///
/// `value` says how what was found is reported, and how it is written: `None` if `Z = 0` and
/// there is none, which `what` says. The file holds all answers or is not written.
pub(crate) fn answered<T, R>(
    args: &ExactArgs,
    answers: Answers<T>,
    what: &'static str,
    value: impl Fn(Option<T>, Common) -> (R, Option<Solution>),
) -> Result<Done<R>, Failure> {
    let Answers { answers, trouble } = answers;
    let path = args.uai_output.as_deref();
    let mut trouble: Vec<Failure> = trouble.into_iter().collect();
    let complete = trouble.is_empty();
    let mut reports = Vec::new();
    let mut solutions = Vec::new();
    let mut impossible = Vec::new();
    for Answer {
        sample,
        found,
        conflict,
        spent,
    } in answers
    {
        let common = Common {
            conflict,
            spent,
            sample,
        };
        let (report, solution) = value(found, common);
        reports.push(report);
        match solution {
            Some(solution) => solutions.push(solution),
            None => impossible.push(sample),
        }
    }
    let file = match (impossible.is_empty(), complete) {
        (true, true) => Output::solutions(path, &solutions)?,
        _ => None,
    };
    if !impossible.is_empty() {
        trouble.push(Failure::NoAssignment {
            what,
            samples: impossible.into_iter().flatten().collect(),
        });
    }
    if let (Some(path), None) = (path, &file) {
        trouble.push(Failure::NoAnswer {
            path: path.to_owned(),
        });
    }
    Ok(Done {
        reports,
        file,
        trouble,
        interrupted: false,
    })
}

impl Common {
    /// Heads the report of one sample among several.
    pub(crate) fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sample {
            Some(sample) => writeln!(f, "sample {sample}"),
            None => Ok(()),
        }
    }

    /// Says that nothing is allowed, and why where that is known.
    pub(crate) fn impossible(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Impossible(self.conflict.as_ref()))
    }
}

impl fmt::Display for Common {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spent.fmt(f)
    }
}

//! What contradicts each other where `Z = 0`, in the words of the user's files.

use std::fmt;
use std::time::Duration;

use forney_certify::Budget;
use forney_model::{Evidence, FactorGraph, conflict};
use serde::Serialize;

/// Longest search for what contradicts each other.
const LONGEST: Duration = Duration::from_millis(200);

/// More parts than this are counted, not listed, for people.
const MOST: usize = 12;

/// Parts of the model and the evidence that contradict each other, whatever the rest says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Clash {
    factors: Vec<Factor>,
    observed: Vec<Observed>,
    /// Variables whose soft evidence takes part.
    likelihoods: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Factor {
    /// Its number in the file, from 0.
    factor: usize,
    scope: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Observed {
    variable: usize,
    state: usize,
}

impl Clash {
    /// What is found where it is cheap; factors from `soft` on are soft evidence.
    pub(crate) fn find(
        graph: &FactorGraph,
        soft: usize,
        evidence: &Evidence,
        budget: &Budget,
    ) -> Option<Self> {
        let found = conflict(graph, evidence, &budget.capped(LONGEST))?;
        let scope = |factor: usize| {
            let scope = graph.factors()[factor].scope().iter();
            scope.map(|v| v.index()).collect::<Vec<_>>()
        };
        let (factors, likelihoods): (Vec<usize>, Vec<usize>) =
            (found.factors.iter().map(|a| a.index())).partition(|&a| a < soft);
        let observed = found.observed.iter();
        Some(Self {
            factors: factors
                .into_iter()
                .map(|factor| Factor {
                    factor,
                    scope: scope(factor),
                })
                .collect(),
            observed: observed
                .map(|&(v, state)| Observed {
                    variable: v.index(),
                    state,
                })
                .collect(),
            likelihoods: likelihoods.into_iter().flat_map(scope).collect(),
        })
    }
}

/// Says that nothing is allowed, and why where that is known.
pub(crate) struct Impossible<'a>(pub(crate) Option<&'a Clash>);

impl fmt::Display for Impossible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Z = 0: no assignment is allowed")?;
        match self.0 {
            Some(clash) => writeln!(f, "{clash}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (factors, observed) = (&self.factors, &self.observed);
        let parts = factors.len() + observed.len() + self.likelihoods.len();
        if parts > MOST {
            return write!(
                f,
                "{} factors and {} observations contradict each other",
                factors.len(),
                parts - factors.len()
            );
        }
        let factors = factors.iter().map(|Factor { factor, scope }| {
            let scope: Vec<String> = scope.iter().map(usize::to_string).collect();
            match scope.len() {
                0 => format!("factor {factor}"),
                1 => format!("factor {factor} of variable {}", scope[0]),
                _ => format!("factor {factor} of variables {}", scope.join(", ")),
            }
        });
        let observed = observed
            .iter()
            .map(|Observed { variable, state }| format!("variable {variable} = {state}"));
        let likelihoods =
            (self.likelihoods.iter()).map(|v| format!("the likelihoods of variable {v}"));
        let told: Vec<String> = factors.chain(observed).chain(likelihoods).collect();
        match parts {
            1 => write!(f, "{} allows nothing", told[0]),
            _ => write!(f, "these contradict each other: {}", told.join("; ")),
        }
    }
}

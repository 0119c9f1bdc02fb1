//! An observation as a user writes it on the command line.

use std::str::FromStr;

use forney_model::{Evidence, ModelError, VarId};
use forney_uai::read_likelihood;

use crate::error::Failure;

/// `VAR=STATE` or `VAR=L,L,…`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observation {
    var: usize,
    seen: Seen,
}

/// What was seen of a variable.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    /// Its state.
    State(usize),
    /// `p(observation | x_v)` for each state, up to a factor.
    Likelihoods(Vec<f64>),
}

impl FromStr for Observation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "expected VAR=STATE, or VAR=L,L,… with a likelihood for each state";
        // What begins with no variable may be the name of a file, which may hold a `=`, too.
        let file = "a file of observations is given by --evidence FILE";
        let (var, seen) = (text.split_once('=')).ok_or_else(|| format!("{form}; {file}"))?;
        let var: usize = (var.trim().parse()).map_err(|_| {
            format!("`{var}` is no number of a variable, they count from 0; {form}; {file}")
        })?;
        if !seen.contains(',') {
            let state = (seen.trim().parse()).map_err(|_| {
                format!("`{seen}` is no number of a state, they count from 0; {form}")
            })?;
            return Ok(Self {
                var,
                seen: Seen::State(state),
            });
        }
        let likelihood = |text: &str| {
            read_likelihood(text.trim()).ok_or_else(|| {
                format!("`{text}` is no likelihood: 0, or a number from 2.3e-308 to 1.79e308")
            })
        };
        let seen: Vec<f64> = seen.split(',').map(likelihood).collect::<Result<_, _>>()?;
        if seen.iter().all(|&value| value == 0.0) {
            return Err("likelihoods that are all 0 leave nothing".to_owned());
        }
        Ok(Self {
            var,
            seen: Seen::Likelihoods(seen),
        })
    }
}

impl Observation {
    /// Adds what was seen to the evidence, or to the likelihoods.
    pub(crate) fn enter(
        &self,
        cards: &[usize],
        evidence: &mut [Evidence],
        likelihoods: &mut Vec<(VarId, Vec<f64>)>,
    ) -> Result<(), Failure> {
        let variables = cards.len();
        let Some(&card) = cards.get(self.var) else {
            return Err(Failure::Usage(format!(
                "--observe names variable {}, but the model has {variables}, numbered from 0",
                self.var
            )));
        };
        let var = VarId::new(self.var);
        match &self.seen {
            &Seen::State(state) if state >= card => {
                return Err(ModelError::UnknownState { var, state, card }.into());
            }
            &Seen::State(state) => {
                for sample in evidence {
                    sample.observe(var, state)?;
                }
            }
            Seen::Likelihoods(values) if values.len() != card => {
                return Err(Failure::Usage(format!(
                    "--observe gives {} likelihoods for variable {var}, which has {card} states",
                    values.len()
                )));
            }
            Seen::Likelihoods(values) => likelihoods.push((var, values.clone())),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hard_and_soft() {
        let of = |text: &str| text.parse::<Observation>();
        let seen = |seen| Ok(Observation { var: 7, seen });
        assert_eq!(of("7=1"), seen(Seen::State(1)));
        assert_eq!(of(" 7 = 1 "), seen(Seen::State(1)));
        assert_eq!(of("7=0.7,0"), seen(Seen::Likelihoods(vec![0.7, 0.0])));
        for text in [
            "", "7", "7=", "7=x", "7=0.5", "x=1", "-1=0", "7=1,nan", "7=1,-1", "7=inf,1", "7=0,0",
            "7=1,",
        ] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}

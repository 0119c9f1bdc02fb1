//! The product distribution and the bound that it proves.

use forney_certify::{Below, Certificate, DoubleDouble, Flaw, Lower};
use forney_model::FactorGraph;

use crate::elbo::expectation;

/// A product distribution `q(x) = Π_v q_v(x_v)`: a witness of `ln Z ≥ ELBO(q)`.
///
/// # Example
/// ```
/// use forney_bounds::MeanField;
/// use forney_certify::Certificate;
/// use forney_model::{FactorGraph, Table, VarId};
/// let pair = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[4.0, 1.0, 1.0, 4.0])?;
/// let model = FactorGraph::new(vec![2, 2], vec![pair])?;
/// let lower = MeanField::uniform(&model).verify(&model)?;
/// assert!((lower.ln() - 8f64.ln()).abs() < 1e-12); // the mean of ln f is ln 2, the entropy ln 4
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MeanField {
    /// One distribution for each variable.
    pub q: Vec<Vec<f64>>,
}

/// How far a distribution of a witness may be from summing to 1.
const NORMALISATION: f64 = 1e-6;

impl MeanField {
    /// Every state of a variable with the same probability.
    #[must_use]
    pub fn uniform(graph: &FactorGraph) -> Self {
        let uniform = |&card: &usize| vec![1.0 / card as f64; card];
        Self {
            q: graph.cards().iter().map(uniform).collect(),
        }
    }

    /// All probability on one assignment.
    ///
    /// # Panics
    /// If there is not one existing state for each variable.
    #[must_use]
    pub fn point_mass(graph: &FactorGraph, states: &[usize]) -> Self {
        assert_eq!(states.len(), graph.num_variables(), "one for each variable");
        let mass = |(&card, &state): (&usize, &usize)| {
            let mut q = vec![0.0; card];
            q[state] = 1.0;
            q
        };
        Self {
            q: graph.cards().iter().zip(states).map(mass).collect(),
        }
    }

    /// The distributions, each divided by its sum.
    pub(crate) fn normalised(&self, graph: &FactorGraph) -> Result<Vec<Vec<f64>>, Flaw> {
        if self.q.len() != graph.num_variables() {
            return Err(Flaw::Invalid(format!(
                "{} distributions for {} variables",
                self.q.len(),
                graph.num_variables()
            )));
        }
        let normalise = |(v, q): (usize, &Vec<f64>)| {
            let sum: f64 = q.iter().sum();
            let fits = q.len() == graph.cards()[v]
                && q.iter().all(|&p| p >= 0.0)
                && (sum - 1.0).abs() <= NORMALISATION;
            if !fits {
                return Err(Flaw::Invalid(format!(
                    "q of variable {v} is no distribution over its {} states: {q:?}",
                    graph.cards()[v]
                )));
            }
            Ok(q.iter().map(|p| p / sum).collect())
        };
        self.q.iter().enumerate().map(normalise).collect()
    }
}

impl Certificate<FactorGraph> for MeanField {
    type Side = Below;

    /// `ELBO(q) = Σ_a E_q[ln f_a] + Σ_v H(q_v) ≤ ln Z`; `−∞` if `q` gives a forbidden entry any
    /// probability.
    ///
    /// # Errors
    /// [`Flaw::Invalid`] if some `q_v` is not a distribution over the states of `v`; those that
    /// are, but for rounding, are normalised first, so that rounding cannot raise the bound.
    ///
    /// # Complexity
    /// Linear in the table entries, times the scope size.
    fn verify(&self, graph: &FactorGraph) -> Result<Lower, Flaw> {
        let q = self.normalised(graph)?;
        let energy: DoubleDouble = (graph.factors().iter())
            .map(|table| {
                let alone: Vec<(usize, usize)> = (0..table.scope().len()).map(|v| (v, 1)).collect();
                let q: Vec<&[f64]> = table.scope().iter().map(|v| &*q[v.index()]).collect();
                expectation(table, &alone, &q)
            })
            .sum();
        let entropy: DoubleDouble = (q.iter().flatten())
            .filter(|&&p| p > 0.0)
            .map(|p| -p * p.ln())
            .sum();
        Lower::new((energy + entropy + graph.ln_scale()).value())
    }
}

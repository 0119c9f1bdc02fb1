//! The witness of gauged lower bounds.

use forney_bounds::MeanField;
use forney_certify::{Below, Certificate, Flaw, Lower};
use forney_model::{FactorGraph, FactorId, Table};

use crate::Gauges;

/// Positive entries further below the largest of their table, in nats, are no plain numbers.
pub(super) const RANGE: f64 = 660.0;

/// Gauges that keep every table non-negative, and a witness of a lower bound of the gauged model,
/// which has the same `Z`.
///
/// With a product distribution it proves `ln Z ≥ Σ_a E_q[ln f_{a,G}] + H(q)`: [`GaugedMeanField`].
/// With all probability on one assignment `x⁰` it proves the bound of gauged belief propagation,
/// `Z ≥ Π_a f_{a,G}(x⁰_a)`: the other terms of `Z` are not negative either.
///
/// # Example
/// ```
/// use forney_bounds::MeanField;
/// use forney_certify::Certificate;
/// use forney_gauge::{GaugedMeanField, Gauges};
/// use forney_model::{FactorGraph, Table, VarId};
/// use nalgebra::DMatrix;
/// let single = |values: &[f64]| Table::from_values(vec![VarId(0)], vec![2], values);
/// let model = FactorGraph::new(vec![2], vec![single(&[1.0, 2.0])?, single(&[3.0, 4.0])?])?;
/// // Z = 3 + 8. This gauge takes the tables to (3, 0.25) and (3.5, 2), so Z = 10.5 + 0.5.
/// let gauge = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, -0.25, 0.25]);
/// let witness = GaugedMeanField {
///     gauges: Gauges::new(&model, vec![(VarId(0), gauge)])?,
///     q: MeanField::point_mass(&model, &[0]),
/// };
/// let plain = MeanField::point_mass(&model, &[1]).verify(&model)?;
/// let gauged = witness.verify(&model)?;
/// assert!((plain.ln() - 8f64.ln()).abs() < 1e-9 && (gauged.ln() - 10.5f64.ln()).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Gauged<Q> {
    /// The gauges.
    pub gauges: Gauges,
    /// What bounds the gauged model.
    pub q: Q,
}

/// The witness of gauged mean field and of gauged belief propagation.
pub type GaugedMeanField = Gauged<MeanField>;

impl<Q: Certificate<FactorGraph, Side = Below>> Certificate<FactorGraph> for Gauged<Q> {
    type Side = Below;

    /// Transforms the factors, proves that no entry is negative whatever rounding did, and
    /// recomputes the bound with every entry as small as it may be without rounding.
    ///
    /// # Errors
    /// [`Flaw::Invalid`] for gauges of another model, for whatever is wrong with `q`, for an entry that is not
    /// certainly `≥ 0`, and for a gauged table that spans more than plain numbers hold.
    ///
    /// # Complexity
    /// Entries of each table times the cardinality of each gauged variable of its scope, and what
    /// `q` takes.
    fn verify(&self, graph: &FactorGraph) -> Result<Lower, Flaw> {
        self.gauges
            .check(graph)
            .map_err(|error| Flaw::Invalid(error.to_string()))?;
        self.q.verify(&gauged_model(&self.gauges, graph)?)
    }
}

/// The transformed model with every entry as small as it may be without rounding.
pub(super) fn gauged_model(gauges: &Gauges, graph: &FactorGraph) -> Result<FactorGraph, Flaw> {
    let factors = graph.factors().iter().enumerate();
    let least = factors.map(|(a, factor)| at_least(gauges, FactorId::new(a), factor));
    FactorGraph::new(graph.cards().to_vec(), least.collect::<Result<_, _>>()?)
        .map_err(|error| Flaw::Invalid(error.to_string()))
}

/// What a transformed factor is at least.
fn at_least(gauges: &Gauges, a: FactorId, factor: &Table) -> Result<Table, Flaw> {
    let gauged = |v| gauges.matrix(v, a).is_some();
    if !factor.scope().iter().any(|&v| gauged(v)) {
        return Ok(factor.clone());
    }
    if !is_plain(factor) {
        return Err(Flaw::Invalid(format!(
            "factor {a} spans more than plain numbers hold; leave its variables ungauged"
        )));
    }
    let Some(table) = gauges.at_least(a, factor) else {
        return Err(Flaw::Invalid(format!(
            "the gauged factor {a} has an entry that may be negative, so it does not bound Z from below"
        )));
    };
    let ln = table.values.iter().map(|x| x.ln()).collect();
    let gauged = Table::from_ln(table.scope, table.cards, ln);
    let gauged = gauged.and_then(|gauged| gauged.scaled(table.ln_scale));
    gauged.map_err(|error| Flaw::Invalid(error.to_string()))
}

/// Do plain numbers hold every positive entry of a table beside its largest one?
pub(super) fn is_plain(factor: &Table) -> bool {
    let plain = |&ln: &f64| ln == f64::NEG_INFINITY || -ln <= RANGE;
    factor.relative().iter().all(plain)
}

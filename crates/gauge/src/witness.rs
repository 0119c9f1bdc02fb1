//! The witness of a gauged mini-bucket bound.

use std::marker::PhantomData;
use std::sync::Arc;

use forney_bounds::wmbe::{Wmbe, check_parameters};
use forney_certify::{Bound, Certificate, DoubleDouble, Flaw, Side};
use forney_exact::{Base, Engine, Keep, Message, Schedule, Source, Step};
use forney_model::walk::{Offsets, strides_within};
use forney_model::{FactorGraph, FactorId, Table};

use crate::Gauges;

/// Products of positive entries below this might underflow to 0, which is no upper bound.
const LEAST: f64 = 1e-290;

/// A split schedule with gauges, Hölder weights and cost shifts: a proof of `ln Z_w ≥ ln Z`, or of
/// `ln Z_w ≤ ln Z` if every gauged table is non-negative.
///
/// [`Certificate::verify`] shares no number with the optimiser: it derives one side of every gauge
/// from the other, so that `G_vaᵀ G_vb = I`, transforms the factors of the model and runs one pass.
/// Cancellation cannot make the bound too low, because every table carries an upper bound of its
/// own rounding errors, which is added once signs are dropped. On the lower side it is subtracted,
/// and a table that is then negative anywhere proves nothing.
#[derive(Clone, Debug)]
pub struct GaugedWmbe<S: Side> {
    /// Which tables meet where.
    pub schedule: Arc<Schedule>,
    /// The gauges.
    pub gauges: Gauges,
    /// `w_r`, [`Schedule::num_weights`] of them.
    pub weights: Vec<f64>,
    /// `λ`, [`Schedule::num_shifts`] of them.
    pub shifts: Vec<f64>,
    side: PhantomData<S>,
}

impl<S: Side> Certificate<FactorGraph> for GaugedWmbe<S> {
    type Side = S;

    /// Recomputes the bound with weights and shifts that pass [`check_parameters`], where no weight
    /// is 0. On the lower side no gauged table may have a negative entry.
    ///
    /// # Errors
    /// A schedule or gauges of another model, weights or shifts that prove nothing, tables that
    /// span more than plain numbers hold, and below a gauged entry that is not certainly ≥ 0.
    fn verify(&self, graph: &FactorGraph) -> Result<Bound<S>, Flaw> {
        check_parameters::<S>(&self.schedule, graph, &self.weights, &self.shifts)?;
        if self.weights.contains(&0.0) {
            return Err(Flaw::Invalid(
                "a weight is 0: gauged sums take no maxima or minima".into(),
            ));
        }
        self.gauges
            .check(graph)
            .map_err(|error| Flaw::Invalid(error.to_string()))?;
        Bound::new(self.pass(graph)?)
    }
}

/// Is this the side of upper bounds?
pub(crate) fn is_above<S: Side>() -> bool {
    S::TRIVIAL > 0.0
}

/// A table as the pass meets it.
enum Entries {
    /// Plain numbers that may be negative, and what they are without rounding.
    Guarded(Guarded),
    /// A bound on the absolute values: from above, on the lower side from below.
    Certain(Message),
}

/// Plain numbers with a bound on what they are without rounding: from above `|exact| ≤ bound`,
/// `|value| ≤ bound` and `|exact − value| ≤ bound − |value|`; on the lower side `value = bound ≤ exact`.
#[derive(Clone, Debug)]
struct Guarded {
    value: Vec<f64>,
    bound: Vec<f64>,
}

impl Guarded {
    /// The smallest bound that is not 0.
    fn least(&self) -> f64 {
        let positive = self.bound.iter().copied().filter(|&x| x > 0.0);
        positive.fold(1.0, f64::min)
    }
}

impl<S: Side> GaugedWmbe<S> {
    /// Joins the parts of a witness; [`Certificate::verify`] judges them.
    #[must_use]
    pub fn new(
        schedule: Arc<Schedule>,
        gauges: Gauges,
        weights: Vec<f64>,
        shifts: Vec<f64>,
    ) -> Self {
        Self {
            schedule,
            gauges,
            weights,
            shifts,
            side: PhantomData,
        }
    }

    /// The witness of mini-buckets, in gauges.
    pub(crate) fn in_gauges(plain: Wmbe<S>, gauges: Gauges) -> Self {
        Self::new(plain.schedule, gauges, plain.weights, plain.shifts)
    }

    fn pass(&self, graph: &FactorGraph) -> Result<f64, Flaw> {
        let schedule = &self.schedule;
        if self.gauges.is_identity() {
            // Mini-buckets without gauges, whose tables need not fit plain numbers.
            let mut engine = Engine::new(Arc::clone(schedule), graph, Keep::Live);
            return Ok(engine.forward(&self.weights, &self.shifts));
        }
        // The scales of the factors are kept out of their transforms.
        let mut ln_z = graph.ln_scale();
        for &a in schedule.constants() {
            // Gauges of variables with one state are numbers, and act here too.
            let table = self.factor(a, &graph.factors()[a.index()])?;
            ln_z += table.bound[0].ln();
        }
        for &v in schedule.free() {
            ln_z += DoubleDouble::ln(graph.card(v) as f64);
        }
        let mut messages: Vec<Option<Entries>> = Vec::with_capacity(schedule.steps().len());
        for step in schedule.steps() {
            let mut inputs = Vec::with_capacity(step.inputs.len());
            for input in &step.inputs {
                inputs.push(match input.source {
                    Source::Base(base) => self.base(&schedule.bases()[base], graph)?,
                    Source::Message(child) => messages[child].take().expect("it is used once"),
                    Source::Shift(shift, added) => {
                        let shift = &schedule.shifts()[shift];
                        let sign = if added { 1.0 } else { -1.0 };
                        let lambda = &self.shifts[shift.offset..shift.offset + shift.len];
                        let lambda = lambda.iter().map(|x| sign * x);
                        if step.weight.is_some() {
                            Entries::Certain(Message::ln(lambda.collect()))
                        } else {
                            let most = lambda.clone().fold(f64::NEG_INFINITY, f64::max);
                            ln_z += most;
                            let value: Vec<f64> = lambda.map(|x| (x - most).exp()).collect();
                            let bound = value.clone();
                            Entries::Guarded(Guarded { value, bound })
                        }
                    }
                });
            }
            let guarded = |input: &Entries| matches!(input, Entries::Guarded(_));
            let (message, ln_scale) = match step.weight {
                Some(weight) => sum(step, self.weights[weight], inputs)?,
                None if inputs.iter().all(guarded) => signed_sum(step, &inputs)?,
                None => sum(step, 1.0, inputs)?,
            };
            ln_z += ln_scale;
            if step.parent.is_none() {
                ln_z += match &message {
                    Entries::Guarded(root) => root.bound[0].ln(),
                    Entries::Certain(root) => root.ln_entry(0),
                };
            }
            messages.push(Some(message));
        }
        Ok(ln_z.value())
    }

    /// The product of the transformed factors of a base, each divided by its largest entry.
    fn base(&self, base: &Base, graph: &FactorGraph) -> Result<Entries, Flaw> {
        let cards: Vec<usize> = base.scope.iter().map(|&v| graph.card(v)).collect();
        let mut value = vec![1.0; base.len];
        let mut bound = vec![1.0; base.len];
        let mut least = 1.0;
        for &a in &base.factors {
            let factor = &graph.factors()[a.index()];
            let table = self.factor(a, factor)?;
            least *= table.least();
            let strides = strides_within(&base.scope, factor.scope(), factor.cards());
            for (at, offset) in Offsets::new(&cards, &strides).enumerate() {
                value[at] *= table.value[offset];
                bound[at] *= table.bound[offset];
            }
        }
        admit(least)?;
        let direction = if is_above::<S>() { 1.0 } else { -1.0 };
        let rounding = 1.0 + direction * f64::EPSILON * base.factors.len() as f64;
        bound.iter_mut().for_each(|u| *u *= rounding);
        Ok(if is_above::<S>() {
            Entries::Guarded(Guarded { value, bound })
        } else {
            Entries::Certain(Message::plain(bound))
        })
    }

    /// A transformed factor, divided by its largest entry before.
    fn factor(&self, a: FactorId, factor: &Table) -> Result<Guarded, Flaw> {
        let lost = |&ln: &f64| ln > f64::NEG_INFINITY && ln < LEAST.ln();
        if factor.relative().iter().any(lost) {
            return Err(Flaw::Invalid(format!(
                "factor {a} spans more than plain numbers hold; bound without gauges"
            )));
        }
        if is_above::<S>() {
            let value = self.gauges.transform_factor(a, factor).values;
            let (total, error) = self.gauges.rounding(a, factor);
            let bound = value.iter().zip(total).map(|(x, t)| x.abs() + error * t);
            let bound = bound.collect();
            return Ok(Guarded { value, bound });
        }
        let Some(table) = self.gauges.at_least(a, factor) else {
            return Err(Flaw::Invalid(format!(
                "the gauged factor {a} has an entry that may be negative, so reverse Hölder does \
                 not bound Z"
            )));
        };
        Ok(Guarded {
            value: table.values.clone(),
            bound: table.values,
        })
    }
}

/// Absolute values from here on: `(Σ_x Π bound^{1/w})^w`, and what was taken out of it.
fn sum(step: &Step, weight: f64, inputs: Vec<Entries>) -> Result<(Entries, DoubleDouble), Flaw> {
    let mut certain = Vec::with_capacity(inputs.len());
    for input in inputs {
        certain.push(match input {
            Entries::Guarded(table) => {
                finite(&table)?;
                Message::plain(table.bound)
            }
            Entries::Certain(message) => message,
        });
    }
    let message = step.forward(weight, &certain.iter().collect::<Vec<_>>());
    let ln_scale = message.ln_scale();
    Ok((Entries::Certain(message), ln_scale))
}

/// `Σ_x Π value`, and as its bound `|Σ value|` with everything that the sum may be off by: what its
/// terms are off by, `Σ bound − Σ |value|`, and the rounding of the three sums. Divided by the largest
/// bound, whose logarithm comes beside it.
fn signed_sum(step: &Step, inputs: &[Entries]) -> Result<(Entries, DoubleDouble), Flaw> {
    let tables = inputs.iter().filter_map(|input| match input {
        Entries::Guarded(table) => Some(table),
        Entries::Certain(_) => None,
    });
    let tables: Vec<&Guarded> = tables.collect();
    let mut least = 1.0;
    for table in &tables {
        finite(table)?;
        least *= table.least();
    }
    admit(least)?;
    let absolute = tables
        .iter()
        .map(|table| table.value.iter().map(|x| x.abs()));
    let absolute: Vec<Vec<f64>> = absolute.map(Iterator::collect).collect();
    let of =
        |entries: &mut dyn Iterator<Item = &[f64]>| step.sum_products(&entries.collect::<Vec<_>>());
    let mut value = of(&mut tables.iter().map(|table| &table.value[..]));
    let mut bound = of(&mut tables.iter().map(|table| &table.bound[..]));
    let absolute = of(&mut absolute.iter().map(|entries| &entries[..]));
    let count = (step.inputs.len() + step.rows + 2) as f64;
    for ((bound, value), absolute) in bound.iter_mut().zip(&value).zip(absolute) {
        let rounding = 4.0 * count * f64::EPSILON * *bound;
        *bound = (*bound - absolute).max(0.0) + value.abs() + rounding;
    }
    let most = bound.iter().copied().fold(0.0, f64::max);
    let mut ln_scale = DoubleDouble::ZERO;
    if most > 0.0 {
        ln_scale += most.ln();
        value.iter_mut().chain(&mut bound).for_each(|x| *x /= most);
    }
    Ok((Entries::Guarded(Guarded { value, bound }), ln_scale))
}

/// Fails where a bound is infinite or NaN.
fn finite(table: &Guarded) -> Result<(), Flaw> {
    if table.bound.iter().all(|x| x.is_finite()) {
        Ok(())
    } else {
        Err(too_wide())
    }
}

/// Fails where products of bounds are as small as `least`. Written so that NaN fails.
fn admit(least: f64) -> Result<(), Flaw> {
    if least >= LEAST {
        Ok(())
    } else {
        Err(too_wide())
    }
}

fn too_wide() -> Flaw {
    Flaw::Invalid("the tables span more than plain numbers hold; bound without gauges".into())
}

//! The witness of a gauged mini-bucket bound.

use std::marker::PhantomData;
use std::sync::Arc;

use forney_bounds::wmbe::check_parameters;
use forney_certify::{Bound, Certificate, DoubleDouble, Flaw, Side};
use forney_exact::{Base, Engine, Keep, Schedule, Source, Step};
use forney_model::{FactorGraph, FactorId, Table, VarId};

use crate::Gauges;
use crate::objective::is_above;
use crate::sum;
use crate::walk::Walk;

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

/// A table with a bound on what it is without rounding: `|exact| ≤ upper`, `|value| ≤ upper`, and
/// `|exact − value| ≤ upper − |value|` while `signed`. On the lower side both are what it is at least.
#[derive(Clone, Debug)]
struct Guarded {
    value: Vec<f64>,
    upper: Vec<f64>,
    signed: bool,
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

    fn pass(&self, graph: &FactorGraph) -> Result<f64, Flaw> {
        let schedule = &self.schedule;
        if self.gauges.is_identity() {
            // Mini-buckets without gauges, whose engine takes logarithms where plain numbers end.
            let mut engine = Engine::new(Arc::clone(schedule), graph, Keep::Live);
            return Ok(engine.forward(&self.weights, &self.shifts));
        }
        // The scales of the factors are kept out of their transforms.
        let mut ln_z = graph.ln_scale();
        for &a in schedule.constants() {
            // Gauges of variables with one state are numbers, and act here too.
            let table = self.factor(a, &graph.factors()[a.index()])?;
            ln_z += table.upper[0].ln();
        }
        for &v in schedule.free() {
            ln_z += DoubleDouble::ln(graph.card(v) as f64);
        }
        let mut messages: Vec<Guarded> = Vec::with_capacity(schedule.steps().len());
        for step in schedule.steps() {
            let mut clique = Guarded {
                value: vec![1.0; step.entries()],
                upper: vec![1.0; step.entries()],
                signed: true,
            };
            let mut least = 1.0;
            for input in &step.inputs {
                let owned;
                let (table, scope) = match input.source {
                    Source::Base(base) => {
                        let base = &schedule.bases()[base];
                        owned = self.base(base, graph)?;
                        (&owned, &base.scope[..])
                    }
                    Source::Message(child) => {
                        (&messages[child], schedule.steps()[child].message_scope())
                    }
                    Source::Shift(shift, added) => {
                        let shift = &schedule.shifts()[shift];
                        let range = shift.offset..shift.offset + shift.len;
                        let sign = if added { 1.0 } else { -1.0 };
                        let lambda: Vec<f64> =
                            self.shifts[range].iter().map(|x| sign * x).collect();
                        let most = lambda.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                        ln_z += most;
                        let upper: Vec<f64> = lambda.iter().map(|x| (x - most).exp()).collect();
                        owned = Guarded {
                            value: upper.clone(),
                            upper,
                            signed: true,
                        };
                        (&owned, &shift.scope[..])
                    }
                };
                let positive = table.upper.iter().copied().filter(|&x| x > 0.0);
                least *= positive.fold(1.0, f64::min);
                // Written so that NaN fails, as an infinite entry does.
                if !(least >= LEAST && table.upper.iter().all(|x| x.is_finite())) {
                    return Err(Flaw::Invalid(
                        "the tables span more than plain numbers hold; bound without gauges".into(),
                    ));
                }
                let walk = Walk::new(&step.scope, scope, |v| graph.card(v));
                walk.multiply(&table.value, &mut clique.value);
                walk.multiply(&table.upper, &mut clique.upper);
                clique.signed &= table.signed;
            }
            let mut message = self.sum(step, clique);
            let most = message.upper.iter().copied().fold(0.0, f64::max);
            if most > 0.0 {
                ln_z += most.ln();
                let entries = message.value.iter_mut().chain(&mut message.upper);
                entries.for_each(|x| *x /= most);
            }
            if step.parent.is_none() {
                ln_z += message.upper[0].ln();
            }
            messages.push(message);
        }
        Ok(ln_z.value())
    }

    fn sum(&self, step: &Step, mut clique: Guarded) -> Guarded {
        let mut upper = vec![0.0; step.cols];
        if let Some(weight) = step.weight {
            let mut entropy = vec![0.0; step.cols];
            let weight = self.weights[weight];
            let mut work = vec![0.0; sum::work_len(step.rows, step.cols)];
            sum::weighted(
                &mut clique.upper,
                weight,
                &mut upper,
                &mut entropy,
                &mut work,
            );
            return Guarded {
                value: upper.clone(),
                upper,
                signed: false,
            };
        }
        let mut value = vec![0.0; step.cols];
        let rows = clique.value.chunks_exact(step.cols);
        for (p, u) in rows.zip(clique.upper.chunks_exact(step.cols)) {
            for (((value, upper), p), u) in value.iter_mut().zip(&mut upper).zip(p).zip(u) {
                *value += p;
                *upper += u;
                if clique.signed {
                    *upper -= p.abs();
                }
            }
        }
        if clique.signed {
            // |Σ p| plus everything that p may be off by, plus the rounding of the sum itself.
            let count = (step.inputs.len() + step.rows + 2) as f64;
            let sums = clique.upper.chunks_exact(step.cols);
            let mut total = vec![0.0; step.cols];
            for row in sums {
                total.iter_mut().zip(row).for_each(|(total, u)| *total += u);
            }
            for ((upper, value), total) in upper.iter_mut().zip(&value).zip(total) {
                *upper = upper.max(0.0) + value.abs() + 2.0 * count * f64::EPSILON * total;
            }
        } else {
            value.clone_from(&upper);
        }
        Guarded {
            value,
            upper,
            signed: clique.signed,
        }
    }

    /// The product of the transformed factors of a base, each divided by its largest entry.
    fn base(&self, base: &Base, graph: &FactorGraph) -> Result<Guarded, Flaw> {
        let mut product = Guarded {
            value: vec![1.0; base.len],
            upper: vec![1.0; base.len],
            signed: true,
        };
        for &a in &base.factors {
            let factor = &graph.factors()[a.index()];
            let wide = |v: &VarId| graph.card(*v) > 1;
            let held = |v: &VarId| factor.scope().contains(v);
            let scope: Vec<VarId> = base.scope.iter().copied().filter(held).collect();
            let narrow = factor.scope().iter().copied().filter(|v| !wide(v));
            let axes: Vec<VarId> = scope.iter().copied().chain(narrow).collect();
            let table = self.factor(a, &factor.permuted(&axes))?;
            let walk = Walk::new(&base.scope, &scope, |v| graph.card(v));
            walk.multiply(&table.value, &mut product.value);
            walk.multiply(&table.upper, &mut product.upper);
        }
        let direction = if is_above::<S>() { 1.0 } else { -1.0 };
        let rounding = 1.0 + direction * f64::EPSILON * base.factors.len() as f64;
        product.upper.iter_mut().for_each(|u| *u *= rounding);
        Ok(product)
    }

    /// A transformed factor, divided by its largest entry before.
    fn factor(&self, a: FactorId, factor: &Table) -> Result<Guarded, Flaw> {
        let lost = |&ln: &f64| ln > f64::NEG_INFINITY && ln < LEAST.ln();
        if factor.relative().iter().any(lost) {
            return Err(Flaw::Invalid(format!(
                "factor {a} spans more than plain numbers hold; bound without gauges"
            )));
        }
        let table = self.gauges.transform_factor(a, factor);
        let (total, error) = self.gauges.rounding(a, factor);
        let pairs = table.values.iter().zip(total);
        Ok(if is_above::<S>() {
            Guarded {
                upper: pairs.map(|(x, t)| x.abs() + error * t).collect(),
                value: table.values,
                signed: true,
            }
        } else {
            let lower: Vec<f64> = pairs.map(|(x, t)| x - error * t).collect();
            // Written so that NaN fails.
            if !lower.iter().all(|&x| x >= 0.0) {
                return Err(Flaw::Invalid(format!(
                    "the gauged factor {a} has an entry that may be negative, so reverse Hölder \
                     does not bound Z"
                )));
            }
            Guarded {
                value: lower.clone(),
                upper: lower,
                signed: false,
            }
        })
    }
}

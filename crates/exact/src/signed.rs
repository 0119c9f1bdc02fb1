//! An engine whose tables the caller sets, of either sign.
//!
//! Hölder's inequality needs no signs, so the tables may be negative (Ahn et al. 2018, eq. 8):
//!
//! ```text
//! Z_w = Σ^{w_n}_{x̄_n} … Σ^{w_1}_{x̄_1} Π_a f_a(x̄_a) ≥ |Z| ,   Σ^w_x f = (Σ_x |f(x)|^{1/w})^w .
//! ```
//!
//! While nothing below a step is split its sum is exact and keeps its sign; absolute values are taken
//! from the first split on, because `|Σ| ≤ Σ|·|`.

use std::sync::Arc;

use forney_model::FactorGraph;

use crate::dispatch::dispatch;
use crate::engine::{Engine, Keep};
use crate::prepare::reserve;
use crate::schedule::Schedule;
use crate::table::{Form, Signs, Values, range};
use crate::varying::{Varying, fixed_steps};
use crate::vmath;

impl Engine {
    /// An engine for passes back and forth whose bases may be given other tables, of either sign, where
    /// `vary` says so ([`Engine::set_base`]). They begin as those of the model.
    ///
    /// With `keep_signs` a step below which nothing is split adds signed numbers; without it absolute
    /// values are taken everywhere.
    ///
    /// # Panics
    /// If the schedule was compiled for another model, or `vary` has not one entry for each base.
    ///
    /// # Complexity
    /// As [`Engine::new`]. Steps that depend on no base that varies, weight or shift run once.
    ///
    /// # Example
    /// ```
    /// use forney_exact::{Engine, Order, Schedule, Whole};
    /// use forney_model::{FactorGraph, Table, VarId};
    /// let coin = Table::from_values(vec![VarId(0)], vec![2], &[1.0, 3.0])?;
    /// let model = FactorGraph::new(vec![2], vec![coin])?;
    /// let order = Order::new(vec![VarId(0)], &model)?;
    /// let schedule = Schedule::compile(&model, &order, &mut Whole)?;
    /// let mut engine = Engine::signed(schedule.into(), &model, true, &[true]);
    /// assert!((engine.forward(&[], &[]) - 4f64.ln()).abs() < 1e-12);
    /// // The scale of the factor, 3, stays outside: |−1/3 + 1| · 3 = 2.
    /// engine.set_base(0, &[-1.0 / 3.0, 1.0]);
    /// assert!((engine.forward(&[], &[]) - 2f64.ln()).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn signed(
        schedule: Arc<Schedule>,
        graph: &FactorGraph,
        keep_signs: bool,
        vary: &[bool],
    ) -> Self {
        assert_eq!(
            vary.len(),
            schedule.bases().len(),
            "one answer for each base"
        );
        let mut engine = Self::new(Arc::clone(&schedule), graph, Keep::All);
        engine.varying = Varying::new(&schedule, keep_signs, vary);
        engine.fixed = fixed_steps(&schedule, |base| engine.varying.holds(base));
        for (base, table) in engine.bases.iter_mut().enumerate() {
            if vary[base] && table.form == Form::Log && !table.range.is_empty() {
                let most = table.range.max;
                table.data.iter_mut().for_each(|x| *x -= most);
                engine.constant += most;
                table.range.min -= most;
                table.range.max = 0.0;
            }
        }
        engine
    }

    /// Bytes of [`Engine::signed`] at most, known from the schedule alone: messages without their signs
    /// have sums beside them.
    #[must_use]
    pub fn signed_bytes(schedule: &Schedule) -> f64 {
        let demand = schedule.demand();
        demand.kept_bytes + 8.0 * demand.message_entries
    }

    /// The entries of a base as plain numbers, the largest of them 1, before any other was set: last
    /// variable fastest, in the order of its scope.
    #[must_use]
    pub fn base(&self, base: usize) -> Vec<f64> {
        let table = &self.bases[base];
        let mut entries = table.data[..self.schedule.bases()[base].len].to_vec();
        if table.form == Form::Log {
            vmath::exp_in_place(&mut entries);
        }
        entries
    }

    /// Gives a base that varies other entries, plain numbers of order 1 and of any sign. What the
    /// factors of the base were divided by remains outside of them.
    ///
    /// # Panics
    /// If the base does not vary, or has another number of entries.
    pub fn set_base(&mut self, base: usize, entries: &[f64]) {
        let (step, _) = self.varying.holders[base].expect("a base that varies");
        let split = self.schedule.steps()[step].weight.is_some();
        let signs = self.varying.signs(step);
        let form = match signs {
            _ if split => Form::Log,
            Signs::Absent => Form::Linear,
            Signs::Kept | Signs::Dropped => Form::Signed,
        };
        store(entries, form, &mut self.bases[base]);
    }

    /// `∂ ln Z_w / ∂f` for the entries of a base that varies, after [`Engine::backward`]; `entries` are
    /// those of [`Engine::set_base`]. Where an absolute value has its kink the subgradient is 0.
    ///
    /// # Panics
    /// If the base does not vary or no pass went back, or the lengths differ.
    pub fn base_gradient(&self, base: usize, entries: &[f64], gradient: &mut [f64]) {
        let (step, place) = self.varying.holders[base].expect("a base that varies");
        let kept = self.states[step].kept().expect("a pass went back");
        let belief = &kept.beliefs[place][..entries.len()];
        if self.varying.signs(step) == Signs::Absent {
            for ((g, b), x) in gradient.iter_mut().zip(belief).zip(entries) {
                // Subnormal entries count as zeros: their reciprocals overflow.
                let quotient = b / x;
                *g = if x.abs() >= f64::MIN_POSITIVE {
                    quotient
                } else {
                    0.0
                };
            }
        } else {
            gradient.copy_from_slice(belief);
        }
    }
}

dispatch! {
    /// Writes entries of any sign in some form, without their signs where it has none.
    fn store(entries: &[f64], form: Form, table: &mut Values) {
        let data = reserve(&mut table.data, entries.len());
        match form {
            Form::Log => vmath::ln_abs::body(entries, data),
            Form::Linear => data.iter_mut().zip(entries).for_each(|(x, e)| *x = e.abs()),
            Form::Signed => data.copy_from_slice(entries),
        }
        table.form = form;
        table.range = range::body(form, data);
    }
}

#[cfg(test)]
mod tests {
    use forney_model::generate::ising_grid;
    use rand::SeedableRng;

    use super::*;
    use crate::{Bucket, Heuristic, SplitRule, greedy};

    /// Mini-buckets of at most so many tables.
    struct Few(usize);

    impl SplitRule for Few {
        fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>> {
            let tables: Vec<usize> = (0..bucket.scopes.len()).collect();
            tables.chunks(self.0).map(<[usize]>::to_vec).collect()
        }
    }

    #[test]
    fn an_engine_takes_the_bytes_that_were_predicted() {
        let graph = ising_grid(15, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
        let order = greedy(&graph, Heuristic::MinFill, None);
        for tables in [2, 3, 64] {
            let schedule = Schedule::compile(&graph, &order, &mut Few(tables)).unwrap();
            let predicted = Engine::signed_bytes(&schedule);
            let vary = vec![true; schedule.bases().len()];
            let mut engine = Engine::signed(schedule.into(), &graph, true, &vary);
            for base in 0..vary.len() {
                let entries = engine.base(base);
                engine.set_base(base, &entries);
            }
            let schedule = engine.schedule();
            let weights = vec![0.5; schedule.num_weights()];
            let shifts = vec![0.1; schedule.num_shifts()];
            let (d_weights, d_shifts) = (&mut weights.clone(), &mut shifts.clone());
            engine.forward(&weights, &shifts);
            engine.backward(&weights, &shifts, false, d_weights, d_shifts);
            let bases: usize = engine.bases.iter().map(|base| base.data.len()).sum();
            let states = engine.states.iter().map(|state| {
                let kept = state.kept().unwrap();
                let beliefs = kept.beliefs.iter().map(Vec::len).sum::<usize>();
                state.message.data.len() + kept.adjoint.len() + beliefs + kept.scratch.entries()
            });
            let taken = 8.0 * (bases + states.sum::<usize>()) as f64;
            assert!(taken <= predicted, "{tables}: {taken} of {predicted}");
            assert!(2.0 * taken >= predicted, "{tables}: {taken} of {predicted}");
        }
    }
}

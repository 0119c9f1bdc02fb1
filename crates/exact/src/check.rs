//! Is a schedule a proof? The conditions under which the value of a forward pass is a bound.
//!
//! Hölder's inequality is applied variable by variable along one order. It is enough that
//! (a) every factor enters once, every message and base is used once, every shift is added once
//! and subtracted once; (b) no table is lost or grows variables on its way; (c) in every clique the
//! eliminated variables come before the others in the order, so that the mini-buckets of a
//! variable together hold every table that mentions it when its turn comes; (d) a variable
//! eliminated in several steps is a split whose weights are listed.

use forney_model::{FactorGraph, VarId};

use crate::schedule::{Schedule, Source};

impl Schedule {
    /// Checks that a forward pass over this schedule computes `ln Z_w` of `graph`.
    ///
    /// # Errors
    /// A sentence that names the first condition that fails.
    ///
    /// # Complexity
    /// Linear in the scope entries of all steps.
    pub fn check(&self, graph: &FactorGraph) -> Result<(), String> {
        if *self.cards != *graph.cards() {
            return Err("the schedule was compiled for other cardinalities".into());
        }
        let position = self.positions()?;
        self.check_factors(graph)?;
        self.check_tables()?;
        self.check_elimination(&position)
    }

    fn positions(&self) -> Result<Vec<usize>, String> {
        let mut position = vec![usize::MAX; self.cards.len()];
        for (at, v) in self.order.iter().enumerate() {
            match position.get_mut(v.index()) {
                Some(slot) if *slot == usize::MAX => *slot = at,
                _ => return Err(format!("variable {v} has no single place in the order")),
            }
        }
        if self.order.len() != self.cards.len() {
            return Err("the order does not hold every variable".into());
        }
        Ok(position)
    }

    /// Condition (a) for factors, and (b) for the bases they form.
    fn check_factors(&self, graph: &FactorGraph) -> Result<(), String> {
        let mut used = vec![0usize; graph.num_factors()];
        let bases = self.bases.iter().flat_map(|base| &base.factors);
        for a in bases.chain(&self.constants) {
            match used.get_mut(a.index()) {
                Some(count) => *count += 1,
                None => return Err(format!("factor {a} does not exist")),
            }
        }
        if let Some(a) = used.iter().position(|&count| count != 1) {
            return Err(format!("factor {a} is used {} times", used[a]));
        }
        let wide = |&&v: &&VarId| graph.card(v) > 1;
        for base in &self.bases {
            for a in &base.factors {
                let scope = graph.factors()[a.index()].scope();
                if !scope.iter().filter(wide).all(|v| base.scope.contains(v)) {
                    return Err(format!("factor {a} loses a variable"));
                }
            }
        }
        for a in &self.constants {
            if graph.factors()[a.index()].scope().iter().any(|v| wide(&v)) {
                return Err(format!("factor {a} is not constant"));
            }
        }
        let mut mentioned = vec![false; graph.num_variables()];
        for v in graph.factors().iter().flat_map(|factor| factor.scope()) {
            mentioned[v.index()] = true;
        }
        for v in graph.variables().filter(|v| wide(&v)) {
            if mentioned[v.index()] == self.free.contains(&v) {
                return Err(format!("variable {v} is neither free nor in a factor"));
            }
        }
        Ok(())
    }

    /// Conditions (a) and (b) for the inputs of steps.
    fn check_tables(&self) -> Result<(), String> {
        let mut bases = vec![0usize; self.bases.len()];
        let mut messages = vec![0usize; self.steps.len()];
        let mut shifts = vec![(0usize, 0usize); self.shifts.len()];
        for (at, step) in self.steps.iter().enumerate() {
            for input in &step.inputs {
                let scope: &[VarId] = match input.source {
                    Source::Base(base) => {
                        bases[base] += 1;
                        &self.bases[base].scope
                    }
                    Source::Message(child) => {
                        if child >= at || self.steps[child].parent != Some(at) {
                            return Err(format!("step {at} reads a message sent elsewhere"));
                        }
                        messages[child] += 1;
                        self.steps[child].message_scope()
                    }
                    Source::Shift(shift, added) => {
                        let uses = &mut shifts[shift];
                        *(if added { &mut uses.0 } else { &mut uses.1 }) += 1;
                        &self.shifts[shift].scope
                    }
                };
                if !scope.iter().all(|v| step.scope.contains(v)) {
                    return Err(format!("an input of step {at} reaches beyond its clique"));
                }
            }
        }
        let sent = |at: usize| usize::from(!self.steps[at].message_scope().is_empty());
        if bases.iter().any(|&uses| uses != 1)
            || shifts.iter().any(|&uses| uses != (1, 1))
            || messages
                .iter()
                .enumerate()
                .any(|(at, &uses)| uses != sent(at))
        {
            return Err("a table is not used exactly once".into());
        }
        Ok(())
    }

    /// Conditions (c) and (d).
    fn check_elimination(&self, position: &[usize]) -> Result<(), String> {
        let mut eliminations = vec![Vec::new(); self.cards.len()];
        for (at, step) in self.steps.iter().enumerate() {
            let (gone, left) = step.scope.split_at(step.eliminated);
            let last = gone.iter().map(|v| position[v.index()]).max();
            let next = left.iter().map(|v| position[v.index()]).min();
            if let (Some(last), Some(next)) = (last, next)
                && next <= last
            {
                return Err(format!("step {at} eliminates out of order"));
            }
            if step.weight.is_some() && gone.len() != 1 {
                return Err(format!(
                    "step {at} is split and eliminates {} variables",
                    gone.len()
                ));
            }
            for v in gone {
                eliminations[v.index()].push(at);
            }
        }
        for split in &self.splits {
            let steps = &mut eliminations[split.variable.index()];
            let listed = split.steps.iter().enumerate().all(|(r, s)| {
                steps.contains(s) && self.steps[*s].weight == Some(split.first_weight + r)
            });
            if !listed || split.steps.len() != steps.len() {
                return Err(format!(
                    "the mini-buckets of variable {} are incomplete",
                    split.variable
                ));
            }
            steps.truncate(1);
        }
        match eliminations.iter().position(|steps| steps.len() > 1) {
            Some(v) => Err(format!(
                "variable {v} is eliminated more than once without a split"
            )),
            None => Ok(()),
        }
    }
}

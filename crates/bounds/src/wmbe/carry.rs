//! Parameters of one schedule as a start for another of the same model.

use std::collections::HashMap;

use forney_exact::{Schedule, Source};
use forney_model::{Table, VarId};

use super::{WeightMap, WmbeObjective};

/// The parameters of one schedule, found again by the cliques they belong to.
///
/// A cost shift goes along where both mini-buckets are there again, a weight where all of its split
/// are; the others start anew.
pub(super) struct Carried<'s> {
    schedule: &'s Schedule,
    x: &'s [f64],
    shifts: HashMap<[Clique; 2], usize>,
    weights: HashMap<Clique, usize>,
}

/// A mini-bucket: the variable that it eliminates, and its others in the order of their numbers.
type Clique = (VarId, Vec<VarId>);

impl<'s> Carried<'s> {
    pub(super) fn new(schedule: &'s Schedule, x: &'s [f64]) -> Self {
        let cliques = cliques(schedule);
        let shifts = ends(schedule, &cliques).into_iter().enumerate();
        let mut weights = HashMap::new();
        for split in schedule.splits() {
            for (r, &step) in split.steps.iter().enumerate() {
                if let Some(clique) = &cliques[step] {
                    weights.insert(
                        clique.clone(),
                        schedule.num_shifts() + split.first_weight + r,
                    );
                }
            }
        }
        Self {
            schedule,
            x,
            shifts: shifts.map(|(shift, ends)| (ends, shift)).collect(),
            weights,
        }
    }

    /// Where the other schedule starts; `None` if it has the very same mini-buckets.
    pub(super) fn start<S: WeightMap>(&self, other: &Schedule) -> Option<Vec<f64>> {
        let mut x = WmbeObjective::<S>::start(other);
        let cliques = cliques(other);
        let split = cliques.iter().flatten();
        if other.num_weights() == self.weights.len()
            && split
                .clone()
                .all(|clique| self.weights.contains_key(clique))
        {
            return None;
        }
        for (shift, [plus, minus]) in other.shifts().iter().zip(ends(other, &cliques)) {
            let ends = [plus, minus];
            let (from, sign) = match self.shifts.get(&ends) {
                Some(from) => (Some(from), 1.0),
                None => {
                    let [plus, minus] = ends;
                    (self.shifts.get(&[minus, plus]), -1.0)
                }
            };
            let Some(from) = from.map(|&from| &self.schedule.shifts()[from]) else {
                continue;
            };
            let cards = from.scope.iter().map(|v| other.cards()[v.index()]);
            let entries = self.x[from.offset..from.offset + from.len].to_vec();
            let table = Table::from_ln(from.scope.clone(), cards.collect(), entries);
            // A shift that is no number is left behind, and so is what it adds to all entries: that
            // is subtracted at its other end.
            let Ok(table) = table else {
                continue;
            };
            let out = &mut x[shift.offset..shift.offset + shift.len];
            for (out, entry) in out.iter_mut().zip(table.permuted(&shift.scope).relative()) {
                *out = sign * entry;
            }
        }
        for split in other.splits() {
            let found = split.steps.iter().map(|&step| {
                let clique = cliques[step].as_ref()?;
                self.weights.get(clique).map(|&at| self.x[at])
            });
            if let Some(found) = found.collect::<Option<Vec<f64>>>() {
                let first = other.num_shifts() + split.first_weight;
                x[first..first + found.len()].copy_from_slice(&found);
            }
        }
        Some(x)
    }
}

/// The clique of each step of a split.
fn cliques(schedule: &Schedule) -> Vec<Option<Clique>> {
    let mut cliques = vec![None; schedule.steps().len()];
    for split in schedule.splits() {
        for &step in &split.steps {
            let mut scope = schedule.steps()[step].scope.clone();
            scope.sort_unstable();
            cliques[step] = Some((split.variable, scope));
        }
    }
    cliques
}

/// The cliques to which each shift is added and from which it is subtracted.
fn ends(schedule: &Schedule, cliques: &[Option<Clique>]) -> Vec<[Clique; 2]> {
    let steps = schedule.steps();
    let mut ends = vec![[0; 2]; schedule.shifts().len()];
    for (at, step) in steps.iter().enumerate() {
        for input in &step.inputs {
            if let Source::Shift(shift, added) = input.source {
                ends[shift][usize::from(!added)] = at;
            }
        }
    }
    // A shift may enter a join before it meets the mini-bucket.
    let clique = |mut at: usize| {
        while let (None, Some(parent)) = (&cliques[at], steps[at].parent) {
            at = parent;
        }
        cliques[at].clone().unwrap_or((VarId::new(0), Vec::new()))
    };
    ends.into_iter().map(|ends| ends.map(clique)).collect()
}

//! From drafts to numbered steps with planned walks and assigned buffers.

use std::collections::HashMap;

use forney_model::VarId;

use super::Compiler;
use crate::buffers::Buffers;
use crate::error::TooLarge;
use crate::layout::Plan;
use crate::post_order::post_order;
use crate::schedule::{Base, Demand, Input, Schedule, Shift, Source, Split, Step};

/// Larger cliques are refused before anything of their size is worked out.
const MAX_ENTRIES: f64 = (1u64 << 44) as f64;

/// Steps in the order in which they run.
struct Numbering {
    /// The draft of each step.
    drafts: Vec<usize>,
    /// The step of each draft.
    steps: Vec<usize>,
    /// The receiver of each step's message.
    parents: Vec<Option<usize>>,
}

impl Compiler<'_> {
    pub(super) fn emit(self) -> Result<Schedule, TooLarge> {
        let mut demand = self.cliques()?;
        let numbering = self.number();
        let (splits, weight_of) = self.number_splits(&numbering);
        let (bases, base_number) = self.number_bases();
        let shifts = self.place_shifts();
        let steps: Vec<Step> = (0..numbering.drafts.len())
            .map(|step| {
                let weight = weight_of.get(&step).copied();
                self.step(step, weight, &numbering, &base_number)
            })
            .collect();
        let lens: Vec<usize> = steps.iter().map(|step| step.cols).collect();
        let children: Vec<Vec<usize>> =
            steps.iter().map(|step| step.children().collect()).collect();
        let buffers = Buffers::assign(&lens, &children);
        demand.count_bytes(&bases, &steps, &buffers);
        Ok(Schedule {
            cards: self.graph.cards().to_vec(),
            order: self.order.to_vec(),
            steps,
            bases,
            splits,
            constants: self.constants,
            free: self.free,
            num_weights: weight_of.len(),
            num_shifts: shifts.last().map_or(0, |shift| shift.offset + shift.len),
            shifts,
            buffers,
            demand,
        })
    }

    /// The cost of the cliques, checked before anything of their size is worked out.
    fn cliques(&self) -> Result<Demand, TooLarge> {
        let mut demand = Demand {
            width: self.width,
            ..Demand::default()
        };
        for draft in self.drafts.iter().filter(|draft| !draft.scope.is_empty()) {
            let entries = self.entries(&draft.scope);
            demand.max_entries = demand.max_entries.max(entries);
            demand.total_entries += entries;
            demand.message_entries += self.entries(&draft.scope[draft.eliminated..]);
        }
        if demand.max_entries > MAX_ENTRIES {
            return Err(TooLarge {
                width: demand.width,
                bytes: demand.max_entries * 8.0,
                limit: MAX_ENTRIES * 8.0,
            });
        }
        Ok(demand)
    }

    fn number(&self) -> Numbering {
        let children: Vec<Vec<usize>> = self
            .drafts
            .iter()
            .map(|draft| draft.children().collect())
            .collect();
        let message_entries: Vec<f64> = self
            .drafts
            .iter()
            .map(|draft| self.entries(&draft.scope[draft.eliminated..]))
            .collect();
        let mut drafts = post_order(&children, &message_entries);
        drafts.retain(|&draft| !self.drafts[draft].scope.is_empty());
        let mut steps = vec![usize::MAX; self.drafts.len()];
        for (step, &draft) in drafts.iter().enumerate() {
            steps[draft] = step;
        }
        let mut parents = vec![None; drafts.len()];
        for (draft, children) in children.iter().enumerate() {
            for &child in children {
                parents[steps[child]] = Some(steps[draft]);
            }
        }
        Numbering {
            drafts,
            steps,
            parents,
        }
    }

    /// The splits, and the position of the weight of each split step.
    fn number_splits(&self, numbering: &Numbering) -> (Vec<Split>, HashMap<usize, usize>) {
        let mut weight_of = HashMap::new();
        let mut splits = Vec::new();
        for (variable, drafts) in &self.splits {
            let steps: Vec<usize> = drafts.iter().map(|&draft| numbering.steps[draft]).collect();
            let first_weight = weight_of.len();
            for &step in &steps {
                weight_of.insert(step, weight_of.len());
            }
            splits.push(Split {
                variable: *variable,
                steps,
                first_weight,
            });
        }
        (splits, weight_of)
    }

    /// The bases that were not absorbed by others, and their numbers.
    fn number_bases(&self) -> (Vec<Base>, Vec<usize>) {
        let mut bases = Vec::new();
        let mut numbers = vec![usize::MAX; self.bases.len()];
        for (number, (factors, scope)) in numbers.iter_mut().zip(&self.bases) {
            if !factors.is_empty() {
                *number = bases.len();
                bases.push(Base {
                    factors: factors.clone(),
                    scope: self.variables(scope),
                    len: self.entries(scope) as usize,
                });
            }
        }
        (bases, numbers)
    }

    fn place_shifts(&self) -> Vec<Shift> {
        let mut offset = 0;
        let place = |scope: &Vec<usize>| {
            let len = self.entries(scope) as usize;
            offset += len;
            Shift {
                scope: self.variables(scope),
                offset: offset - len,
                len,
            }
        };
        self.shifts.iter().map(place).collect()
    }

    fn step(
        &self,
        number: usize,
        weight: Option<usize>,
        numbering: &Numbering,
        base_number: &[usize],
    ) -> Step {
        let draft = &self.drafts[numbering.drafts[number]];
        let axes = |scope: &[usize]| -> Vec<(usize, usize)> {
            scope.iter().map(|&p| (p, self.card(p))).collect()
        };
        let (rows, cols) = draft.scope.split_at(draft.eliminated);
        let input_axes: Vec<_> = draft.inputs.iter().map(|t| axes(&t.scope)).collect();
        let inputs = draft.inputs.iter().map(|table| Input {
            source: match table.source {
                Source::Base(base) => Source::Base(base_number[base]),
                Source::Message(child) => Source::Message(numbering.steps[child]),
                shift @ Source::Shift(..) => shift,
            },
            len: self.entries(&table.scope) as usize,
        });
        Step {
            scope: self.variables(&draft.scope),
            eliminated: draft.eliminated,
            rows: self.entries(rows) as usize,
            cols: self.entries(cols) as usize,
            inputs: inputs.collect(),
            parent: numbering.parents[number],
            weight,
            plan: Plan::new(&axes(rows), &axes(cols), &input_axes),
        }
    }

    fn variables(&self, scope: &[usize]) -> Vec<VarId> {
        scope.iter().map(|&p| self.order[p]).collect()
    }
}

impl Demand {
    fn count_bytes(&mut self, bases: &[Base], steps: &[Step], buffers: &Buffers) {
        let base_entries: f64 = bases.iter().map(|base| base.len as f64).sum();
        let shared: f64 = buffers.sizes.iter().map(|&size| size as f64).sum();
        self.live_bytes = 8.0 * (base_entries + shared);
        let kept: f64 = steps.iter().map(|step| kept_entries(step, steps)).sum();
        self.kept_bytes = 8.0 * (base_entries + kept);
    }
}

/// Entries that a step keeps for the backward pass.
fn kept_entries(step: &Step, steps: &[Step]) -> f64 {
    let split = |step: usize| steps[step].weight.is_some();
    // Message and adjoint; sums where the message is a power of them or goes to a split step.
    let own_sums = step.weight.is_some() || step.parent.is_some_and(split);
    let columns = step.cols as f64 * if own_sums { 3.0 } else { 2.0 };
    let inputs = step
        .inputs
        .iter()
        .zip(&step.plan.inputs)
        .map(|(input, access)| {
            let message = matches!(input.source, Source::Message(_));
            // Powers of logarithms; beliefs, which for messages are the adjoints of their senders.
            let powers = step.weight.is_some() || step.children().any(split);
            let copies = f64::from(u8::from(powers)) + f64::from(u8::from(!message));
            let spread = access
                .spread
                .as_ref()
                .map_or(0, |spread| 2 * spread.entries());
            copies * input.len as f64 + spread as f64
        });
    columns + inputs.sum::<f64>()
}

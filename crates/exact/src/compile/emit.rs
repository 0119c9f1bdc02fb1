//! From drafts to numbered steps with planned walks and assigned buffers.

use std::collections::HashMap;

use forney_model::{FactorId, VarId};

use super::buckets::Origin;
use super::plans::Plans;
use super::scopes::Place;
use super::{Compiler, Draft};
use crate::buffers::Buffers;
use crate::error::TooLarge;
use crate::layout::MAX_INPUTS;
use crate::post_order::post_order;
use crate::schedule::{Base, Demand, Input, Schedule, Shift, Source, Split, Step};
use crate::watch::Watch;

/// Larger cliques are refused before anything of their size is worked out.
const MAX_ENTRIES: f64 = (1u64 << 44) as f64;

/// No step, base or parent.
const NONE: u32 = u32::MAX;

/// Steps in the order in which they run.
struct Numbering {
    /// The draft of each step.
    drafts: Vec<u32>,
    /// The step of each draft.
    steps: Vec<u32>,
    /// The draft that receives the message of each draft.
    receivers: Vec<u32>,
}

impl Compiler<'_> {
    pub(super) fn emit(mut self, watch: &Watch<'_>) -> Result<Option<Schedule>, TooLarge> {
        let mut demand = self.cliques()?;
        let numbering = self.number();
        let (splits, weight_of) = self.number_splits(&numbering);
        let (mut bases, base_number) = self.number_bases();
        let shifts = self.place_shifts();
        let mut plans = Plans::default();
        // By input the scope of its table; used again by every step.
        let mut scopes: Vec<Vec<Place>> = vec![Vec::new(); MAX_INPUTS];
        let mut steps = Vec::with_capacity(numbering.drafts.len());
        for (at, &draft) in numbering.drafts.iter().enumerate() {
            if watch.stop_at(at) {
                return Ok(None);
            }
            // What a draft holds goes as its step comes.
            let draft = std::mem::take(&mut self.drafts[draft as usize]);
            for (&table, scope) in draft.inputs.iter().zip(&mut scopes) {
                scope.clear();
                match table {
                    Origin::Base(leader) => {
                        self.write_base(leader, scope);
                        let base = &mut bases[base_number[leader as usize] as usize];
                        base.scope = self.variables(scope);
                        base.len = self.entries(scope) as usize;
                    }
                    Origin::Message(child) => {
                        let child: &Step = &steps[numbering.steps[child as usize] as usize];
                        let message = child.message_scope().iter();
                        scope.extend(message.map(|v| self.position[v.index()]));
                    }
                    Origin::Shift(shift, _) => {
                        scope.extend_from_slice(&self.shifts[shift as usize]);
                    }
                }
            }
            let numbers = (&numbering, &base_number[..], &weight_of);
            steps.push(self.step(at, &draft, &scopes, numbers, &mut plans));
        }
        drop((numbering, base_number, self.drafts, self.products));
        let lens = steps.iter().map(|step| step.cols);
        let buffers = Buffers::assign(lens, |step| steps[step].children());
        demand.count_bytes(&bases, &steps, &buffers);
        Ok(Some(Schedule {
            cards: self.graph.shared_cards(),
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
        }))
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
            demand.message_entries += self.entries(draft.message());
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
        let mut receivers = vec![NONE; self.drafts.len()];
        for (number, draft) in (0u32..).zip(&self.drafts) {
            for child in draft.children() {
                receivers[child] = number;
            }
        }
        let message_entries: Vec<f64> = self
            .drafts
            .iter()
            .map(|draft| self.entries(draft.message()))
            .collect();
        let mut drafts = post_order(&receivers, &message_entries);
        drafts.retain(|&draft| !self.drafts[draft as usize].scope.is_empty());
        let mut steps = vec![NONE; self.drafts.len()];
        for (step, &draft) in (0u32..).zip(&drafts) {
            steps[draft as usize] = step;
        }
        Numbering {
            drafts,
            steps,
            receivers,
        }
    }

    /// The splits, and the position of the weight of each split step.
    fn number_splits(&self, numbering: &Numbering) -> (Vec<Split>, HashMap<usize, usize>) {
        let mut weight_of = HashMap::new();
        let mut splits = Vec::new();
        for (variable, drafts) in &self.splits {
            let step = |&draft: &usize| numbering.steps[draft] as usize;
            let steps: Vec<usize> = drafts.iter().map(step).collect();
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

    /// The bases that were not absorbed by others, still without scopes, and the number of each by
    /// the factor that leads it.
    fn number_bases(&self) -> (Vec<Base>, Vec<u32>) {
        const SOME: u32 = 0;
        let mut numbers = vec![NONE; self.graph.num_factors()];
        for table in self.drafts.iter().flat_map(|draft| &draft.inputs) {
            if let Origin::Base(leader) = *table {
                numbers[leader as usize] = SOME;
            }
        }
        let mut bases = Vec::new();
        for (leader, number) in numbers.iter_mut().enumerate() {
            if *number == SOME {
                *number = bases.len() as u32;
                let mut factors: Vec<FactorId> =
                    self.products.of(leader as u32).map(FactorId::new).collect();
                factors.shrink_to_fit();
                bases.push(Base {
                    factors,
                    scope: Vec::new(),
                    len: 0,
                });
            }
        }
        (bases, numbers)
    }

    fn place_shifts(&self) -> Vec<Shift> {
        let mut offset = 0;
        let place = |scope: &Vec<Place>| {
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
        draft: &Draft,
        scopes: &[Vec<Place>],
        (numbering, base_number, weight_of): (&Numbering, &[u32], &HashMap<usize, usize>),
        plans: &mut Plans,
    ) -> Step {
        let eliminated = draft.eliminated();
        let (rows, cols) = draft.scope.split_at(eliminated);
        let inputs = draft
            .inputs
            .iter()
            .zip(scopes)
            .map(|(&table, scope)| Input {
                source: match table {
                    Origin::Base(leader) => Source::Base(base_number[leader as usize] as usize),
                    Origin::Message(child) => {
                        Source::Message(numbering.steps[child as usize] as usize)
                    }
                    Origin::Shift(shift, added) => Source::Shift(shift as usize, added),
                },
                len: self.entries(scope) as usize,
            });
        let receiver = numbering.receivers[numbering.drafts[number] as usize];
        let tables = scopes[..draft.inputs.len()].iter().map(Vec::as_slice);
        Step {
            scope: self.variables(&draft.scope),
            eliminated,
            rows: self.entries(rows) as usize,
            cols: self.entries(cols) as usize,
            inputs: inputs.collect(),
            parent: (receiver != NONE).then(|| numbering.steps[receiver as usize] as usize),
            weight: weight_of.get(&number).copied(),
            plan: plans.plan(&draft.scope, eliminated, |p| self.card(p), tables),
        }
    }

    fn variables(&self, scope: &[Place]) -> Vec<VarId> {
        scope.iter().map(|&p| self.order[p as usize]).collect()
    }
}

impl Demand {
    fn count_bytes(&mut self, bases: &[Base], steps: &[Step], buffers: &Buffers) {
        // The sum of nothing is a negative zero.
        let base_entries = 0.0 + bases.iter().map(|base| base.len as f64).sum::<f64>();
        let shared: f64 = buffers.sizes.iter().map(|&size| size as f64).sum();
        self.live_bytes = 8.0 * (base_entries + shared);
        // One table for each input of a step, as large as the largest.
        let mut loaded = [0usize; MAX_INPUTS];
        for step in steps {
            for (most, input) in loaded.iter_mut().zip(&step.inputs) {
                if matches!(input.source, Source::Base(_)) {
                    *most = input.len.max(*most);
                }
            }
        }
        let loaded: f64 = loaded.iter().map(|&len| len as f64).sum();
        self.once_bytes = 8.0 * (loaded + shared);
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
    let products = if step.plan.whole { step.entries() } else { 0 };
    columns + products as f64 + inputs.sum::<f64>()
}

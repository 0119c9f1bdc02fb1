//! The engine: one schedule, its numbers, and the two loops of the workspace.
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `w` | weights of split steps | [`Schedule::num_weights`] |
//! | `λ` | cost shifts | [`Schedule::num_shifts`] |
//! | `ln Z_w` | value of [`Engine::forward`] | nats |

use std::sync::Arc;

use forney_certify::{Budget, DoubleDouble};
use forney_model::{FactorGraph, VarId};

use crate::live::Live;
use crate::load::{constant, ln_states, load};
use crate::pass::{self, Pass, State};
use crate::schedule::{Schedule, Source, Step};
use crate::step::Algebra;
use crate::table::{Range, Values};
use crate::tasks::Tasks;
use crate::varying::{Varying, fixed_steps};
use crate::watch::Watch;

/// Whether messages outlive their use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// A message's buffer is reused once its receiver has run: least memory, forward passes only.
    Live,
    /// Everything is kept: backward passes and tracing back are possible.
    All,
}

/// A schedule with the numbers of a model, ready to run many times.
///
/// # Example
/// ```
/// use forney_exact::{Engine, Keep, Order, Schedule, Whole};
/// use forney_model::{generate::ising_grid, enumerate::enumerate};
/// use rand::SeedableRng;
/// let model = ising_grid(3, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let order = Order::new(model.variables().collect(), &model)?;
/// let schedule = Schedule::compile(&model, &order, &mut Whole)?;
/// let mut engine = Engine::new(schedule.into(), &model, Keep::Live);
/// assert!((engine.forward(&[], &[]) - enumerate(&model).ln_z).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) schedule: Arc<Schedule>,
    /// What no pass changes: [`constant`], and the scales of the bases.
    pub(crate) constant: DoubleDouble,
    pub(crate) bases: Vec<Values>,
    /// With [`Keep::All`]: the numbers of each step.
    pub(crate) states: Vec<State>,
    /// With [`Keep::Live`]: the messages that are alive.
    live: Option<Live>,
    tasks: Tasks,
    /// Those of the last forward pass.
    shift_ranges: Vec<Range>,
    /// Tables that the caller sets.
    pub(crate) varying: Varying,
    /// Steps whose messages depend on neither weights, shifts nor tables that the caller sets.
    pub(crate) fixed: Vec<bool>,
    /// The algebra for which kept messages of fixed steps are known.
    known: Option<Algebra>,
}

impl Engine {
    /// Loads the factors of `graph` into the tables of `schedule`.
    ///
    /// # Panics
    /// If the schedule was compiled for another model.
    ///
    /// # Complexity
    /// Linear in the entries of the joined factor tables; messages are allocated when first needed.
    #[must_use]
    pub fn new(schedule: Arc<Schedule>, graph: &FactorGraph, keep: Keep) -> Self {
        let mut constant = constant(&schedule, graph);
        let mut split = vec![false; schedule.bases().len()];
        for step in schedule.steps().iter().filter(|step| step.weight.is_some()) {
            for input in &step.inputs {
                if let Source::Base(base) = input.source {
                    split[base] = true;
                }
            }
        }
        let mut bases = Vec::with_capacity(schedule.bases().len());
        for (base, split) in schedule.bases().iter().zip(split) {
            let mut table = Values::empty();
            load(base, graph, split, &Watch::new(None), &mut table);
            constant += table.ln_scale;
            bases.push(table);
        }
        let (states, live) = match keep {
            Keep::Live => (Vec::new(), Some(Live::new(&schedule))),
            Keep::All => {
                let states = schedule.steps().iter().map(|_| State::new());
                (states.collect(), None)
            }
        };
        Self {
            tasks: Tasks::new(&schedule),
            shift_ranges: Vec::new(),
            fixed: fixed_steps(&schedule, |_| false),
            schedule,
            constant,
            bases,
            states,
            live,
            varying: Varying::default(),
            known: None,
        }
    }

    /// The schedule.
    #[must_use]
    pub fn schedule(&self) -> &Arc<Schedule> {
        &self.schedule
    }

    /// One forward pass: `ln Z_w`, in nats; `ln Z` itself if nothing is split.
    ///
    /// # Panics
    /// If there is not one weight for each split step and one number for each shift entry.
    ///
    /// # Complexity
    /// One multiply-add per clique entry and input, one `exp` and `ln` per message entry where a
    /// weight differs from 1.
    pub fn forward(&mut self, weights: &[f64], shifts: &[f64]) -> f64 {
        self.forward_unrounded(weights, shifts).value()
    }

    /// [`Engine::forward`] to twice the digits.
    pub(crate) fn forward_unrounded(&mut self, weights: &[f64], shifts: &[f64]) -> DoubleDouble {
        self.run_forward(Algebra::Sum, weights, shifts, &Watch::new(None))
    }

    /// As [`Engine::forward`]; `None` if the budget ended before the pass did.
    ///
    /// The budget is asked between steps and between the parts of large ones, some ten thousand
    /// entries each. A pass that was stopped leaves nothing that a backward pass could use.
    ///
    /// # Panics
    /// As [`Engine::forward`].
    ///
    /// # Example
    /// ```
    /// use forney_certify::{Budget, DoubleDouble};
    /// use forney_exact::{Engine, Heuristic, Keep, Schedule, Whole, greedy};
    /// use forney_model::generate::ising_grid;
    /// use rand::SeedableRng;
    /// use std::time::Duration;
    /// let model = ising_grid(12, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
    /// let order = greedy(&model, Heuristic::MinFill, None);
    /// let schedule = Schedule::compile(&model, &order, &mut Whole)?;
    /// let mut engine = Engine::new(schedule.into(), &model, Keep::Live);
    /// let unlimited = Budget::unlimited();
    /// assert_eq!(engine.forward_within(&[], &[], &unlimited.capped(Duration::ZERO)), None);
    /// assert_eq!(engine.forward_within(&[], &[], &unlimited), Some(engine.forward(&[], &[])));
    /// # Ok::<(), forney_exact::TooLarge>(())
    /// ```
    pub fn forward_within(
        &mut self,
        weights: &[f64],
        shifts: &[f64],
        budget: &Budget,
    ) -> Option<f64> {
        let watch = Watch::new(Some(budget));
        let value = self.run_forward(Algebra::Sum, weights, shifts, &watch);
        (!watch.is_over()).then_some(value.value())
    }

    /// One forward pass of maxima: `max_x Σ_a ln f_a(x_a)`, in nats.
    ///
    /// # Panics
    /// If the schedule splits buckets.
    pub fn forward_max(&mut self) -> f64 {
        assert!(
            self.schedule.is_exact(),
            "maxima of a split schedule are no maximum"
        );
        let free = ln_states(&self.schedule);
        let value = self.run_forward(Algebra::Max, &[], &[], &Watch::new(None));
        (value - free).value()
    }

    /// The value of a pass; void if the watch says that it is over.
    fn run_forward(
        &mut self,
        algebra: Algebra,
        weights: &[f64],
        shifts: &[f64],
        watch: &Watch<'_>,
    ) -> DoubleDouble {
        let schedule = Arc::clone(&self.schedule);
        assert_eq!(
            weights.len(),
            schedule.num_weights(),
            "one weight for each mini-bucket"
        );
        assert_eq!(
            shifts.len(),
            schedule.num_shifts(),
            "one number for each shift entry"
        );
        pass::shift_ranges(&schedule, shifts, &mut self.shift_ranges);
        let bases = std::mem::take(&mut self.bases);
        let pass = Pass {
            schedule: &schedule,
            bases: &bases,
            weights,
            shifts,
            shift_ranges: &self.shift_ranges,
            algebra,
            watch,
            varying: &self.varying,
            fixed: &self.fixed,
            known: self.known == Some(algebra),
            factor_beliefs: false,
        };
        let mut ln_z = self.constant;
        if let Some(live) = &mut self.live {
            live.run(&pass, &mut ln_z);
        } else {
            self.tasks
                .forward(&mut self.states, &|first, steps, states| {
                    pass::forward(&pass, first, steps, states);
                });
            for (step, state) in schedule.steps().iter().zip(&self.states) {
                ln_z += state.message.ln_scale;
                if step.parent.is_none() {
                    ln_z += state.message.ln_only();
                }
            }
            self.known = (!watch.is_over()).then_some(algebra);
        }
        self.bases = bases;
        ln_z
    }

    /// One backward pass after a forward pass with the same arguments: the gradient of `ln Z_w`.
    ///
    /// `d_weights[r]` becomes `∂ ln Z_w / ∂w_r` (a conditional entropy) with all weights taken as
    /// independent, `d_shifts` the difference of the beliefs of the two mini-buckets.
    /// `factor_beliefs` asks for the beliefs of the factors of unsplit steps as well.
    ///
    /// # Panics
    /// If messages were not kept, or the lengths do not fit.
    pub fn backward(
        &mut self,
        weights: &[f64],
        shifts: &[f64],
        factor_beliefs: bool,
        d_weights: &mut [f64],
        d_shifts: &mut [f64],
    ) {
        assert!(
            self.live.is_none(),
            "a backward pass needs the messages of the forward pass"
        );
        let schedule = Arc::clone(&self.schedule);
        let bases = std::mem::take(&mut self.bases);
        let pass = Pass {
            schedule: &schedule,
            bases: &bases,
            weights,
            shifts,
            shift_ranges: &self.shift_ranges,
            algebra: Algebra::Sum,
            watch: &Watch::new(None),
            varying: &self.varying,
            fixed: &self.fixed,
            known: true,
            factor_beliefs,
        };
        self.tasks
            .backward(&mut self.states, &|first, steps, states| {
                pass::backward(&pass, first, steps, states);
            });
        self.bases = bases;

        d_shifts.fill(0.0);
        for (step, state) in schedule.steps().iter().zip(&self.states) {
            let Some(kept) = state.kept() else { continue };
            if let Some(weight) = step.weight {
                d_weights[weight] = kept.entropy;
            }
            for (input, belief) in step.inputs.iter().zip(&kept.beliefs) {
                if let Source::Shift(shift, added) = input.source {
                    let shift = &schedule.shifts()[shift];
                    let gradient = &mut d_shifts[shift.offset..shift.offset + shift.len];
                    let sign = if added { 1.0 } else { -1.0 };
                    for (g, b) in gradient.iter_mut().zip(belief) {
                        *g += sign * b;
                    }
                }
            }
        }
    }

    /// The belief over the scope of every base, after [`Engine::backward`] with `factor_beliefs`:
    /// the marginal of the model if nothing is split.
    pub(crate) fn base_beliefs(&self) -> Vec<&[f64]> {
        let mut beliefs: Vec<&[f64]> = vec![&[]; self.bases.len()];
        for (step, state) in self.schedule.steps().iter().zip(&self.states) {
            let kept = state.kept().into_iter().flat_map(|kept| &kept.beliefs);
            for (input, belief) in step.inputs.iter().zip(kept) {
                if let Source::Base(base) = input.source {
                    beliefs[base] = &belief[..input.len];
                }
            }
        }
        beliefs
    }

    /// An assignment that attains [`Engine::forward_max`], by going back through the kept messages.
    pub(crate) fn trace_back(&self) -> Vec<usize> {
        let schedule = &self.schedule;
        let mut assignment = vec![0; schedule.cards().len()];
        for (step, _) in schedule.steps().iter().zip(&self.states).rev() {
            if step.eliminated == 0 {
                continue;
            }
            let mut best = (f64::NEG_INFINITY, 0);
            for row in 0..step.rows {
                set_row(step, row, schedule.cards(), &mut assignment);
                let value: f64 = step
                    .inputs
                    .iter()
                    .map(|input| self.entry(input.source, &assignment))
                    .sum();
                if value > best.0 {
                    best = (value, row);
                }
            }
            set_row(step, best.1, schedule.cards(), &mut assignment);
        }
        assignment
    }

    /// `ln` of the entry of a table at an assignment.
    fn entry(&self, source: Source, assignment: &[usize]) -> f64 {
        let schedule = &self.schedule;
        let (scope, values): (&[VarId], &Values) = match source {
            Source::Base(base) => (&schedule.bases()[base].scope, &self.bases[base]),
            Source::Message(child) => (
                schedule.steps()[child].message_scope(),
                &self.states[child].message,
            ),
            Source::Shift(..) => unreachable!("an exact schedule has no shifts"),
        };
        let at = scope.iter().fold(0, |at, v| {
            at * schedule.cards()[v.index()] + assignment[v.index()]
        });
        values.ln_entry(at)
    }
}

/// Sets the eliminated variables of a step to joint state number `row`.
fn set_row(step: &Step, mut row: usize, cards: &[usize], assignment: &mut [usize]) {
    for v in step.scope[..step.eliminated].iter().rev() {
        assignment[v.index()] = row % cards[v.index()];
        row /= cards[v.index()];
    }
}

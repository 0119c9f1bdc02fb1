//! Passes that keep messages only as long as they are read.

use forney_certify::{Budget, DoubleDouble};
use forney_model::FactorGraph;

use crate::layout::MAX_INPUTS;
use crate::load::{constant, load};
use crate::pass::Pass;
use crate::schedule::{Schedule, Source};
use crate::step::{self, Algebra, Scratch};
use crate::table::{Values, View};
use crate::varying::Varying;
use crate::watch::Watch;

/// A message for each buffer of a schedule, and one scratch for all steps.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    messages: Vec<Values>,
    scratch: Scratch,
    tile: Vec<f64>,
}

/// Factors that are multiplied into the tables of a step when its turn comes, one for each input.
struct Loaded<'g> {
    graph: &'g FactorGraph,
    tables: [Values; MAX_INPUTS],
}

impl Live {
    pub(crate) fn new(schedule: &Schedule) -> Self {
        let sizes = schedule.buffers.sizes.iter();
        Self {
            messages: sizes.map(|_| Values::empty()).collect(),
            scratch: Scratch::default(),
            tile: Vec::new(),
        }
    }

    /// Adds the values of the roots to `ln_z`, and what was taken out of messages; void if the watch
    /// says that it is over.
    pub(crate) fn run(&mut self, pass: &Pass<'_>, ln_z: &mut DoubleDouble) {
        self.run_over(pass, None, ln_z);
    }

    /// As [`Live::run`]; with `loaded` the tables of a step are loaded first, and what was taken out of
    /// them is added, too.
    fn run_over(
        &mut self,
        pass: &Pass<'_>,
        mut loaded: Option<Loaded<'_>>,
        ln_z: &mut DoubleDouble,
    ) {
        let (schedule, watch) = (pass.schedule, pass.watch);
        for (at, step) in schedule.steps().iter().enumerate() {
            if watch.stop_before(at, step.entries()) {
                return;
            }
            if let Some(Loaded { graph, tables }) = &mut loaded {
                for (input, table) in step.inputs.iter().zip(tables) {
                    if let Source::Base(base) = input.source {
                        load(&schedule.bases()[base], graph, false, watch, table);
                        *ln_z += table.ln_scale;
                    }
                }
                // A base that was not loaded to its end goes no further.
                if watch.is_over() {
                    return;
                }
            }
            let own = schedule.buffers.of(at);
            let mut message = std::mem::replace(&mut self.messages[own], Values::empty());
            let mut views = [View::NONE; MAX_INPUTS];
            let base = |place: usize, base: usize| match &loaded {
                Some(loaded) => &loaded.tables[place],
                None => &pass.bases[base],
            };
            let sent = |child: usize| &self.messages[schedule.buffers.of(child)];
            let views = pass.views(step, base, sent, &mut views);
            let call = pass.call(at, views);
            step::forward(&call, &mut self.scratch, &mut message, &mut self.tile);
            *ln_z += message.ln_scale;
            if step.parent.is_none() {
                *ln_z += message.ln_only();
            }
            self.messages[own] = message;
        }
    }
}

/// `ln Z` along a schedule that splits nothing, in nats, to twice the digits; `None` if the budget
/// ended first.
///
/// The tables of one step are those of the next one after it: beside the messages that are alive
/// together no more is held than the factors of one step.
pub(crate) fn ln_z_once(
    schedule: &Schedule,
    graph: &FactorGraph,
    budget: Option<&Budget>,
) -> Option<DoubleDouble> {
    assert!(schedule.is_exact(), "a split schedule has no ln Z");
    let watch = Watch::new(budget);
    let pass = Pass {
        schedule,
        bases: &[],
        weights: &[],
        shifts: &[],
        shift_ranges: &[],
        algebra: Algebra::Sum,
        watch: &watch,
        varying: &Varying::default(),
        fixed: &[],
        known: false,
        factor_beliefs: false,
    };
    let loaded = Loaded {
        graph,
        tables: std::array::from_fn(|_| Values::empty()),
    };
    let mut ln_z = constant(schedule, graph);
    Live::new(schedule).run_over(&pass, Some(loaded), &mut ln_z);
    (!watch.stop()).then_some(ln_z)
}

//! The compiled form of (scopes, order, split rule): which tables meet in which clique.
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `c` | [`Step`], one (mini-)bucket or join | |
//! | `x_c` | [`Step::scope`] | eliminated variables first |
//! | `rows × cols` | entries of the clique | eliminated × remaining states |
//! | `m_{c→p}` | message to [`Step::parent`] | `cols` |
//! | `w_r` | weight of a mini-bucket, by [`Step::weight`] | one for each split step |
//! | `λ` | cost shift between two mini-buckets, [`Shift`] | entries of the scope they share |

use std::sync::Arc;

use forney_model::{FactorId, VarId};

use crate::buffers::Buffers;
use crate::error::TooLarge;
use crate::layout::Plan;

/// Where an input of a step comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A product of factors of the model, [`Schedule::bases`].
    Base(usize),
    /// The message of an earlier step.
    Message(usize),
    /// A cost shift, added (`true`) or subtracted (`false`).
    Shift(usize, bool),
}

/// One table that enters a step.
#[derive(Clone, Debug)]
pub struct Input {
    /// Where it comes from.
    pub source: Source,
    /// Number of its entries.
    pub len: usize,
}

/// One (mini-)bucket: a product of tables from which variables are summed out.
///
/// A step that eliminates nothing is a *join*: it multiplies small tables before they meet a
/// large one.
#[derive(Clone, Debug)]
pub struct Step {
    /// Variables of the clique: the eliminated ones first, each part in layout order.
    pub scope: Vec<VarId>,
    /// How many of them are eliminated here.
    pub eliminated: usize,
    /// States of the eliminated variables.
    pub rows: usize,
    /// States of the remaining ones: entries of the message.
    pub cols: usize,
    /// What is multiplied.
    pub inputs: Vec<Input>,
    /// The step that receives the message; `None` if the message is a number.
    pub parent: Option<usize>,
    /// Position of its Hölder weight if its bucket was split; `None` means weight 1.
    pub weight: Option<usize>,
    /// How its clique is walked, shared by all steps of one shape.
    pub(crate) plan: Arc<Plan>,
}

impl Step {
    /// Table entries that one pass over the clique touches.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.rows * self.cols
    }

    /// The steps whose messages it receives.
    pub fn children(&self) -> impl Iterator<Item = usize> + '_ {
        self.inputs.iter().filter_map(|input| match input.source {
            Source::Message(child) => Some(child),
            Source::Base(_) | Source::Shift(..) => None,
        })
    }

    /// The variables of the message.
    #[must_use]
    pub fn message_scope(&self) -> &[VarId] {
        &self.scope[self.eliminated..]
    }
}

/// A product of factors that enters a step as one table.
#[derive(Clone, Debug)]
pub struct Base {
    /// The factors.
    pub factors: Vec<FactorId>,
    /// The variables, in layout order; variables of cardinality 1 left out.
    pub scope: Vec<VarId>,
    /// Number of entries.
    pub len: usize,
}

/// A cost shift between two mini-buckets: `λ(x_S)` is added to one and subtracted from the other.
#[derive(Clone, Debug)]
pub struct Shift {
    /// The variables both mini-buckets hold, in layout order.
    pub scope: Vec<VarId>,
    /// First entry in the vector of all shifts.
    pub offset: usize,
    /// Number of entries.
    pub len: usize,
}

/// A bucket that was split: its mini-buckets and the variable that they eliminate.
#[derive(Clone, Debug)]
pub struct Split {
    /// The variable.
    pub variable: VarId,
    /// The steps of its mini-buckets; their weights lie side by side in this order.
    pub steps: Vec<usize>,
    /// Position of the first of their weights.
    pub first_weight: usize,
}

/// What a schedule costs, known before anything is allocated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// Variables of the largest clique, minus 1.
    pub width: usize,
    /// Entries of the largest clique.
    pub max_entries: f64,
    /// Entries of all cliques together: the multiply-adds of one pass, per input.
    pub total_entries: f64,
    /// Entries of all messages together.
    pub message_entries: f64,
    /// Bytes of a single forward pass that loads the factors of each step when its turn comes
    /// ([`ln_z_along`](crate::ln_z_along)).
    pub once_bytes: f64,
    /// Bytes of forward passes that reuse the buffers of messages ([`Keep::Live`](crate::Keep)).
    pub live_bytes: f64,
    /// Bytes of forward and backward passes that keep everything ([`Keep::All`](crate::Keep)).
    /// Tables whose entries span more than `e^600` have powers of their own beside that.
    pub kept_bytes: f64,
}

/// Steps in an order in which every message is ready when it is needed (post-order of the bucket
/// forest), with everything about their structure worked out. Numbers are kept elsewhere, so one
/// schedule runs many times.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub(crate) cards: Arc<[usize]>,
    pub(crate) order: Vec<VarId>,
    pub(crate) steps: Vec<Step>,
    pub(crate) bases: Vec<Base>,
    pub(crate) shifts: Vec<Shift>,
    pub(crate) splits: Vec<Split>,
    pub(crate) constants: Vec<FactorId>,
    pub(crate) free: Vec<VarId>,
    pub(crate) num_weights: usize,
    pub(crate) num_shifts: usize,
    pub(crate) buffers: Buffers,
    pub(crate) demand: Demand,
}

impl Schedule {
    /// Cardinalities of the model it was compiled for.
    #[must_use]
    pub fn cards(&self) -> &[usize] {
        &self.cards
    }

    /// The steps, children before parents.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Products of factors that enter as one table.
    #[must_use]
    pub fn bases(&self) -> &[Base] {
        &self.bases
    }

    /// Cost shifts between mini-buckets.
    #[must_use]
    pub fn shifts(&self) -> &[Shift] {
        &self.shifts
    }

    /// Buckets that were split.
    #[must_use]
    pub fn splits(&self) -> &[Split] {
        &self.splits
    }

    /// Factors without variables of more than one state.
    #[must_use]
    pub fn constants(&self) -> &[FactorId] {
        &self.constants
    }

    /// Variables in no scope: each multiplies `Z` by its cardinality.
    #[must_use]
    pub fn free(&self) -> &[VarId] {
        &self.free
    }

    /// Number of Hölder weights: mini-buckets of all splits.
    #[must_use]
    pub fn num_weights(&self) -> usize {
        self.num_weights
    }

    /// Number of cost-shift entries.
    #[must_use]
    pub fn num_shifts(&self) -> usize {
        self.num_shifts
    }

    /// Was no bucket split, so that a pass gives `ln Z` itself?
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.splits.is_empty()
    }

    /// What it costs.
    #[must_use]
    pub fn demand(&self) -> Demand {
        self.demand
    }
}

impl Demand {
    /// Checks a number of bytes against the memory allowed.
    ///
    /// # Errors
    /// [`TooLarge`] if it exceeds it.
    pub fn admit(&self, bytes: f64, memory: f64) -> Result<(), TooLarge> {
        if bytes <= memory {
            Ok(())
        } else {
            Err(TooLarge {
                width: self.width,
                bytes,
                limit: memory,
            })
        }
    }
}

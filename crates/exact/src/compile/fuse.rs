//! Buckets fused with the buckets that feed them.
//!
//! Summing out `x_1` and then `x_2` passes twice over memory and stores a message between. One step
//! over the clique of both has no more entries if the second bucket adds few variables:
//!
//! ```text
//! Σ_{x_2} g(x_2, z) Σ_{x_1} f(x_1, x_2, y) = Σ_{x_1, x_2} f(x_1, x_2, y) g(x_2, z) .
//! ```

use super::buckets::Origin;
use super::scopes::merged;
use super::{Compiler, Draft};
use crate::layout::MAX_INPUTS;

/// A step eliminates at most this many joint states.
const MAX_ROWS: f64 = 1024.0;

/// Cliques of so few entries take longer to begin than to run, so fusing two of them pays even if
/// the clique of both has more.
const SMALL: f64 = 32.0;

impl Compiler<'_> {
    /// Takes over the inputs of the steps that feed `draft`, largest first, while it pays; returns
    /// the place of one that is no more.
    pub(super) fn fuse(&mut self, draft: &mut Draft) -> Option<usize> {
        let mut place = None;
        loop {
            // Factors are multiplied when a model is loaded, so only messages count.
            let messages = draft.children().count();
            if messages > MAX_INPUTS {
                return place;
            }
            let fed = draft.inputs.iter().enumerate();
            let candidate = fed
                .filter_map(|(at, table)| match *table {
                    Origin::Message(child) => Some((at, child as usize)),
                    Origin::Base(_) | Origin::Shift(..) => None,
                })
                .filter(|&(_, child)| self.pays(child, draft, messages))
                .max_by(|a, b| {
                    let entries = |child: usize| self.entries(&self.drafts[child].scope);
                    entries(a.1).total_cmp(&entries(b.1))
                });
            let Some((at, child)) = candidate else {
                return place;
            };
            draft.inputs.swap_remove(at);
            place = Some(child);
            let child = std::mem::take(&mut self.drafts[child]);
            draft.inputs.extend(child.inputs);
            draft.eliminated += child.eliminated;
            // The message lies within both cliques, so nothing leaves with it.
            draft.scope = merged(&draft.scope, &child.scope).collect();
        }
    }

    /// Is it worth while to fuse a step with the one that receives so many messages, its own
    /// among them?
    fn pays(&self, child: usize, draft: &Draft, messages: usize) -> bool {
        let child = &self.drafts[child];
        if child.split || child.children().count() + messages > MAX_INPUTS {
            return false;
        }
        let eliminated = child.eliminated() + draft.eliminated();
        let (mut rows, mut both) = (1.0, 1.0);
        for (at, place) in merged(&child.scope, &draft.scope).enumerate() {
            both *= self.card(place) as f64;
            if at + 1 == eliminated {
                rows = both;
            }
        }
        let apart = self.entries(&child.scope) + self.entries(&draft.scope);
        rows <= MAX_ROWS && both <= apart.max(SMALL)
    }
}

//! The rules that a search of a part begins with.

use rand_pcg::Pcg64;

use super::dissect::stages;
use super::frontier::frontier_order;
use super::greedy::{Heuristic, greedy_order};
use super::quotient::{Score, quotient_order};
use super::reduce::Part;
use crate::watch::Watch;

/// A way to an order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// Minimal bounds of the fill, or of the size of the clique.
    Fill,
    Size,
    Dissection,
    Frontier,
    Greedy(Heuristic),
}

/// The near-linear rules.
pub(super) const QUICK: [Rule; 4] = [Rule::Fill, Rule::Size, Rule::Dissection, Rule::Frontier];

/// The rules of the first round, with random ties.
pub(super) const FIRST: [Rule; 8] = [
    Rule::Greedy(Heuristic::MinFill),
    Rule::Greedy(Heuristic::MinFill),
    Rule::Greedy(Heuristic::WeightedMinFill),
    Rule::Greedy(Heuristic::MinSize),
    Rule::Frontier,
    Rule::Frontier,
    Rule::Dissection,
    Rule::Dissection,
];

/// The rules that a search starts from anew, one of each family, with random ties.
pub(super) const FRESH: [Rule; 4] = [
    Rule::Greedy(Heuristic::MinFill),
    Rule::Greedy(Heuristic::WeightedMinFill),
    Rule::Greedy(Heuristic::MinSize),
    Rule::Frontier,
];

impl Part {
    /// The order of a rule; when the watch ends it, the rest comes in some order.
    pub(super) fn by_rule(
        &self,
        rule: Rule,
        ties: Option<&mut Pcg64>,
        watch: &Watch<'_>,
    ) -> Vec<u32> {
        let quotient = |score, stage: Option<&[u32]>, ties| {
            let all: Vec<u32> = (0..self.primal.len() as u32).collect();
            let adjacent = self.primal.adjacent.clone();
            quotient_order(&all, adjacent, &self.primal.log2, stage, score, ties, watch)
        };
        match rule {
            Rule::Fill => quotient(Score::Fill, None, ties),
            Rule::Size => quotient(Score::Size, None, ties),
            Rule::Dissection => {
                let stage = stages(&self.primal, ties, watch);
                quotient(Score::Fill, Some(&stage), None)
            }
            Rule::Frontier => frontier_order(&self.primal, ties, watch),
            Rule::Greedy(heuristic) => greedy_order(&self.primal, heuristic, ties, watch),
        }
    }

    /// About what a rule takes, in table entries of elimination (measured, a nanosecond each).
    pub(super) fn rule_work(&self) -> f64 {
        let edges: usize = self.primal.adjacent.iter().map(Vec::len).sum();
        50.0 * edges as f64
    }
}

//! From a distribution over pruned domains to one over all states.

use forney_exact::Order;
use forney_model::{Domains, FactorGraph, Table, VarId};

use crate::elbo::Tractable;

/// The same distribution over the variables of `graph`, but for a factor: it need not be normalised.
/// Excluded states get no probability.
pub(super) fn lift(point: &Tractable, graph: &FactorGraph, domains: &Domains) -> Tractable {
    let full = |v: VarId| domains.num_states(v) == graph.card(v);
    let mut tables: Vec<Table> = (point.q.factors().iter())
        .map(|table| {
            if table.scope().iter().all(|&v| full(v)) {
                table.clone()
            } else {
                widened(table, graph, domains)
            }
        })
        .collect();
    for v in graph.variables().filter(|&v| !full(v)) {
        let mut allowed = vec![f64::NEG_INFINITY; graph.card(v)];
        for state in domains.states(v) {
            allowed[state] = 0.0;
        }
        let table = Table::from_ln(vec![v], vec![graph.card(v)], allowed);
        tables.push(table.expect("one entry for each state"));
    }
    Tractable {
        q: FactorGraph::new(graph.cards().to_vec(), tables).expect("tables over the variables"),
        order: Order::new(point.order.vars().to_vec(), graph).expect("the same variables"),
        memory: point.memory,
    }
}

/// The table over all states of its variables, zero where a state is excluded.
fn widened(table: &Table, graph: &FactorGraph, domains: &Domains) -> Table {
    let states = table.scope().iter().map(|&v| domains.states(v).collect());
    let states: Vec<Vec<usize>> = states.collect();
    let cards: Vec<usize> = table.scope().iter().map(|&v| graph.card(v)).collect();
    let mut ln = vec![f64::NEG_INFINITY; cards.iter().product()];
    for (entry, &value) in table.relative().iter().enumerate() {
        let (mut rest, mut at, mut stride) = (entry, 0, 1);
        let axes = states.iter().zip(table.cards()).zip(&cards);
        for ((states, &own), &card) in axes.rev() {
            at += states[rest % own] * stride;
            rest /= own;
            stride *= card;
        }
        ln[at] = value;
    }
    Table::from_ln(table.scope().to_vec(), cards, ln).expect("one entry for each state")
}

//! What every order has in common: vertices that are best eliminated first, and connected parts.

use forney_model::FactorGraph;

use super::fill::Elimination;
use super::primal::Primal;
use crate::watch::Watch;

/// A connected part of a reduced model, with variables of its own numbering.
pub(super) struct Part {
    /// The variables of the model, by variable of the part.
    pub(super) variables: Vec<u32>,
    pub(super) primal: Primal,
    /// Scopes of the tables, none inside another.
    pub(super) scopes: Vec<Vec<u32>>,
}

/// Eliminates what is safe to eliminate first; returns those variables and the parts that are left.
///
/// Safe are vertices whose neighbours form a clique, and vertices of degree 2 that are no smaller than
/// one of the two (van den Eijkhof, Bodlaender and Koster 2007). When the watch ends it, all is
/// taken as it is numbered.
pub(super) fn reduce(model: &FactorGraph, watch: &Watch<'_>) -> (Vec<u32>, Vec<Part>) {
    let Primal { log2, adjacent } = Primal::new(model);
    let variables = log2.len();
    let ones = vec![1.0; variables];
    let mut graph = Elimination::new(&log2, adjacent, &ones, watch);
    let mut order = Vec::new();
    // The neighbours of each variable of the order, one list behind the other, and where they end.
    let (mut around, mut ends) = (Vec::new(), vec![0]);
    let mut queue: Vec<u32> = (0..variables as u32).rev().collect();
    // A vertex of degree 2 waits until nothing is free: in a tree it adds an edge, the leaves do not.
    let mut of_degree_2 = Vec::new();
    while let Some(v) = queue.pop().or_else(|| of_degree_2.pop()) {
        if graph.is_gone(v) {
            continue;
        }
        if watch.stop_at(order.len()) || graph.is_exhausted() {
            break;
        }
        let free = graph.fill(v) <= 0.0;
        let is_no_smaller = |u: u32| log2[v as usize] >= log2[u as usize];
        let series = graph.degree(v) == 2 && graph.neighbours(v).any(is_no_smaller);
        if series && !free && !queue.is_empty() {
            of_degree_2.push(v);
        } else if series || free {
            order.push(v);
            around.extend(graph.neighbours(v));
            ends.push(around.len());
            queue.extend_from_slice(graph.eliminate(v));
        }
    }
    if watch.is_over() {
        order.extend((0..variables as u32).filter(|&v| !graph.is_gone(v)));
        return (order, Vec::new());
    }
    let own = model.factors().iter().filter_map(|factor| {
        let scope = factor.scope().iter().map(|v| v.0);
        let scope = scope.filter(|&v| log2[v as usize] > 0.0);
        let left = !scope.clone().any(|v| graph.is_gone(v));
        left.then(|| scope.collect())
    });
    let made = ends.windows(2).map(|ends| &around[ends[0]..ends[1]]);
    let made = made.filter(|scope| !scope.iter().any(|&v| graph.is_gone(v)));
    let scopes = own.chain(made.map(<[u32]>::to_vec)).collect();
    let parts = parts(&log2, maximal(variables, scopes));
    (order, parts)
}

/// The scopes that no other scope contains.
fn maximal(variables: usize, mut scopes: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
    for scope in &mut scopes {
        scope.sort_unstable();
    }
    scopes.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    let mut holders: Vec<Vec<usize>> = vec![Vec::new(); variables];
    let mut kept: Vec<Vec<u32>> = Vec::new();
    for scope in scopes {
        let Some(&rarest) = scope.iter().min_by_key(|&&v| holders[v as usize].len()) else {
            continue;
        };
        let inside = |&at: &usize| scope.iter().all(|v| kept[at].binary_search(v).is_ok());
        if !holders[rarest as usize].iter().any(inside) {
            for &v in &scope {
                holders[v as usize].push(kept.len());
            }
            kept.push(scope);
        }
    }
    kept
}

fn parts(log2: &[f64], scopes: Vec<Vec<u32>>) -> Vec<Part> {
    let n = log2.len();
    let mut holders: Vec<Vec<usize>> = vec![Vec::new(); n];
    for (at, scope) in scopes.iter().enumerate() {
        scope.iter().for_each(|&v| holders[v as usize].push(at));
    }
    let mut scopes: Vec<Option<Vec<u32>>> = scopes.into_iter().map(Some).collect();
    let mut local = vec![u32::MAX; n];
    let mut parts = Vec::new();
    for start in 0..n as u32 {
        if local[start as usize] != u32::MAX || holders[start as usize].is_empty() {
            continue;
        }
        local[start as usize] = 0;
        let mut variables = vec![start];
        let mut inside = Vec::new();
        let mut at = 0;
        while at < variables.len() {
            for &holder in &holders[variables[at] as usize] {
                let Some(mut scope) = scopes[holder].take() else {
                    continue;
                };
                for v in &mut scope {
                    if local[*v as usize] == u32::MAX {
                        local[*v as usize] = variables.len() as u32;
                        variables.push(*v);
                    }
                    *v = local[*v as usize];
                }
                inside.push(scope);
            }
            at += 1;
        }
        let log2 = variables.iter().map(|&v| log2[v as usize]).collect();
        parts.push(Part {
            primal: Primal::from_scopes(log2, inside.iter().cloned()),
            variables,
            scopes: inside,
        });
    }
    parts
}

//! What lies between some variables of a forest.

use forney_model::{FactorGraph, VarId};

/// A forest of variables and factors, each with its parent.
pub(super) struct Forest {
    variables: usize,
    /// Nodes: the variables, then the members. A root is its own parent.
    parent: Vec<usize>,
    depth: Vec<usize>,
    root: Vec<usize>,
}

impl Forest {
    /// Roots the forest of these factors; the graph of variables and `members` has no cycle but
    /// through variables of one state, which are left out.
    pub(super) fn new(graph: &FactorGraph, members: &[usize]) -> Self {
        let variables = graph.num_variables();
        let nodes = variables + members.len();
        let mut adjacent = vec![Vec::new(); nodes];
        for (number, &a) in members.iter().enumerate() {
            let scope = graph.factors()[a].scope().iter();
            for v in scope.filter(|&&v| graph.card(v) > 1) {
                adjacent[v.index()].push(variables + number);
                adjacent[variables + number].push(v.index());
            }
        }
        let mut forest = Self {
            variables,
            parent: (0..nodes).collect(),
            depth: vec![usize::MAX; nodes],
            root: (0..nodes).collect(),
        };
        for root in 0..nodes {
            if forest.depth[root] != usize::MAX {
                continue;
            }
            forest.depth[root] = 0;
            let mut open = vec![root];
            while let Some(node) = open.pop() {
                for &next in &adjacent[node] {
                    if forest.depth[next] == usize::MAX {
                        forest.depth[next] = forest.depth[node] + 1;
                        forest.parent[next] = node;
                        forest.root[next] = root;
                        open.push(next);
                    }
                }
            }
        }
        forest
    }

    /// The nodes `S` between some variables, each with what the joint distribution of these has in
    /// the exponent of its marginal: 1 for factors, `1 − d_S(v)` for variables; without zeros.
    ///
    /// `q(x_a) = Σ Π_{c ∈ S} q(x_c) Π_v q(x_v)^{1 − d_S(v)}`.
    pub(super) fn between(&self, scope: &[VarId]) -> Vec<(usize, f64)> {
        let mut inside: Vec<usize> = Vec::new();
        let mut ends: Vec<usize> = scope.iter().map(|v| v.index()).collect();
        // Every end climbs, the deepest first, until those of one tree have met.
        ends.sort_unstable();
        ends.dedup();
        while let Some(at) = self.deepest(&ends) {
            let end = ends.swap_remove(at);
            inside.push(end);
            let met = ends.contains(&end);
            let alone = !ends.iter().any(|&other| self.root[other] == self.root[end]);
            if !met && !alone {
                ends.push(self.parent[end]);
            }
        }
        inside.sort_unstable();
        inside.dedup();
        let exponent = |&node: &usize| {
            if node >= self.variables {
                return (node, 1.0);
            }
            let above = inside.binary_search(&self.parent[node]).is_ok();
            let factors = inside.iter().filter(|&&c| c >= self.variables);
            let below = factors.filter(|&&c| self.parent[c] == node).count();
            // The parent of a root is itself, and no factor.
            let root = self.root[node] == node;
            (node, 1.0 - below as f64 - f64::from(above && !root))
        };
        let all = inside.iter().map(exponent);
        all.filter(|(_, times)| times.abs() > 0.5).collect()
    }

    fn deepest(&self, ends: &[usize]) -> Option<usize> {
        (0..ends.len()).max_by_key(|&at| self.depth[ends[at]])
    }
}

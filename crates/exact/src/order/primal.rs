//! The primal graph of a model, in which variables that share a factor are neighbours, and searches
//! through it.

use forney_model::FactorGraph;

/// Sizes are multiples of `1/UNIT`.
pub(super) const UNIT: f64 = (1u64 << 32) as f64;

/// An undirected graph on `0..n` with a size for each vertex.
#[derive(Clone, Debug)]
pub(super) struct Primal {
    /// `log2 |X_v|` to 10 decimals; a variable of cardinality 1 has 0 and no neighbours.
    pub(super) log2: Vec<f64>,
    /// Neighbours, ascending.
    pub(super) adjacent: Vec<Vec<u32>>,
}

impl Primal {
    pub(super) fn new(graph: &FactorGraph) -> Self {
        // Rounded so that sums of them are exact, in whichever order they are taken.
        let log2 = |&card: &usize| ((card as f64).log2() * UNIT).round() / UNIT;
        let log2: Vec<f64> = graph.cards().iter().map(log2).collect();
        let scopes = graph.factors().iter().map(|factor| {
            let scope = factor.scope().iter().map(|v| v.0);
            scope
                .filter(|&v| log2[v as usize] > 0.0)
                .collect::<Vec<u32>>()
        });
        Self::from_scopes(log2.clone(), scopes)
    }

    /// Each scope becomes a clique.
    pub(super) fn from_scopes(log2: Vec<f64>, scopes: impl Iterator<Item = Vec<u32>>) -> Self {
        let mut adjacent = vec![Vec::new(); log2.len()];
        for scope in scopes {
            for &v in &scope {
                adjacent[v as usize].extend(scope.iter().copied().filter(|&u| u != v));
            }
        }
        for list in &mut adjacent {
            list.sort_unstable();
            list.dedup();
        }
        Self { log2, adjacent }
    }

    pub(super) fn len(&self) -> usize {
        self.log2.len()
    }
}

/// Marks on vertices, all taken off at once.
pub(super) struct Marks {
    seen: Vec<u32>,
    round: u32,
}

impl Marks {
    pub(super) fn new(vertices: usize) -> Self {
        Self {
            seen: vec![0; vertices],
            round: 1,
        }
    }

    /// Takes off all marks.
    pub(super) fn clear(&mut self) {
        self.round += 1;
    }

    pub(super) fn has(&self, v: u32) -> bool {
        self.seen[v as usize] == self.round
    }

    pub(super) fn put(&mut self, v: u32) {
        self.seen[v as usize] = self.round;
    }

    /// The vertices `inside` that a breadth-first search from `start` reaches, and where each level of
    /// it begins; they are marked.
    pub(super) fn levels(
        &mut self,
        primal: &Primal,
        start: u32,
        inside: impl Fn(u32) -> bool,
    ) -> (Vec<u32>, Vec<usize>) {
        self.clear();
        self.put(start);
        let mut reached = vec![start];
        let mut begins = vec![0];
        let mut at = 0;
        while at < reached.len() {
            let end = reached.len();
            for next in at..end {
                for &u in &primal.adjacent[reached[next] as usize] {
                    if inside(u) && !self.has(u) {
                        self.put(u);
                        reached.push(u);
                    }
                }
            }
            at = end;
            begins.push(end);
        }
        (reached, begins)
    }
}

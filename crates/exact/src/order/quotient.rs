//! Greedy elimination on a quotient graph: no edge is ever added, so that it is near-linear.
//!
//! An eliminated variable becomes an *element*, which stands for the clique of its neighbours; elements
//! that meet are merged, variables with the same neighbours are one, and scores are bounds (Amestoy,
//! Davis and Duff 1996; the bound of the fill is that of Rothberg and Eisenstat 1998).

use rand::RngExt;
use rand_pcg::Pcg64;

use super::queue::Queue;
use crate::watch::Watch;

/// What is kept small, to good approximation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Score {
    /// The sizes of the neighbours, in `log2`.
    Size,
    /// The pairs of neighbours that are not in a common clique yet.
    Fill,
}

/// Vertices with more than this many times the root of the number of vertices as neighbours go last:
/// each of their neighbours would have to look through the list of all the others.
const DENSE: f64 = 10.0;
/// Fewer neighbours are never dense.
const SPARSE: usize = 512;

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Variable,
    Element,
    /// Merged into another variable or element, or set aside.
    Gone,
}

/// The quotient graph; variables and the elements that they become share their numbers.
pub(super) struct Quotient<'a> {
    stage: Option<&'a [u32]>,
    state: Vec<State>,
    /// The neighbours of a variable that are in no common element, or the members of an element.
    beside: Vec<Vec<u32>>,
    /// The elements around a variable.
    elements: Vec<Vec<u32>>,
    /// `Σ log2 |X_u|` over the variables that one stands for, or over the members of an element.
    weight: Vec<f64>,
    /// Bound of the weights of the neighbours of a variable.
    around: Vec<f64>,
    /// Variables that stand for the same, as linked lists.
    next: Vec<u32>,
    last: Vec<u32>,
    /// Of an element: the weight of its members outside of the present front; valid for its stamp.
    outside: Vec<f64>,
    stamp: Vec<u32>,
    mark: Vec<u32>,
    round: u32,
}

/// An order of the vertices given, whose neighbours must be among them; vertices of a lower `stage` come
/// first. When the watch ends it, what is left comes stage by stage.
pub(super) fn quotient_order(
    vertices: &[u32],
    adjacent: Vec<Vec<u32>>,
    log2: &[f64],
    stage: Option<&[u32]>,
    score: Score,
    ties: Option<&mut Pcg64>,
    watch: &Watch<'_>,
) -> Vec<u32> {
    let mut graph = Quotient::new(vertices, adjacent, log2, stage);
    let dense = graph.set_dense_aside(vertices);
    let mut order = graph.run(vertices, score, ties, watch);
    let mut rest: Vec<u32> = vertices.to_vec();
    rest.retain(|&v| graph.state[v as usize] == State::Variable);
    rest.sort_by_key(|&v| (graph.stage(v), v));
    for v in rest.into_iter().chain(dense) {
        graph.unfold(v, &mut order);
    }
    order
}

impl<'a> Quotient<'a> {
    fn new(
        vertices: &[u32],
        adjacent: Vec<Vec<u32>>,
        log2: &[f64],
        stage: Option<&'a [u32]>,
    ) -> Self {
        let n = adjacent.len();
        let mut graph = Self {
            stage,
            state: vec![State::Gone; n],
            beside: adjacent,
            elements: vec![Vec::new(); n],
            weight: log2.to_vec(),
            around: vec![0.0; n],
            next: vec![NONE; n],
            last: (0..n as u32).collect(),
            outside: vec![0.0; n],
            stamp: vec![0; n],
            mark: vec![0; n],
            round: 0,
        };
        for &v in vertices {
            let sum = graph.beside[v as usize].iter().map(|&u| log2[u as usize]);
            graph.around[v as usize] = sum.sum();
            graph.state[v as usize] = State::Variable;
        }
        graph
    }

    fn stage(&self, v: u32) -> u32 {
        self.stage.map_or(0, |stage| stage[v as usize])
    }

    fn is_variable(&self, v: u32) -> bool {
        self.state[v as usize] == State::Variable
    }

    /// Takes out the vertices with very many neighbours, the fewest first.
    fn set_dense_aside(&mut self, vertices: &[u32]) -> Vec<u32> {
        let most = ((DENSE * (vertices.len() as f64).sqrt()) as usize).max(SPARSE);
        let degree = |v: u32| self.beside[v as usize].len();
        let mut dense: Vec<u32> = vertices.to_vec();
        dense.retain(|&v| degree(v) > most);
        dense.sort_by_key(|&v| (degree(v), v));
        for &v in &dense {
            self.state[v as usize] = State::Gone;
        }
        dense
    }

    /// The variables that `v` stands for.
    fn unfold(&self, v: u32, order: &mut Vec<u32>) {
        let mut at = v;
        while at != NONE {
            order.push(at);
            at = self.next[at as usize];
        }
    }

    fn run(
        &mut self,
        vertices: &[u32],
        score: Score,
        mut ties: Option<&mut Pcg64>,
        watch: &Watch<'_>,
    ) -> Vec<u32> {
        let mut tie = |v: u32| ties.as_mut().map_or(v, |rng| rng.random());
        let mut queue = Queue::new(self.state.len());
        for &v in vertices.iter().filter(|&&v| self.is_variable(v)) {
            queue.set(self.stage(v), v, self.score(score, v, 0.0), || tie(v));
        }
        let mut order = Vec::with_capacity(vertices.len());
        let mut steps = 0;
        while let Some(pivot) = queue.pop() {
            if !self.is_variable(pivot) {
                continue;
            }
            if watch.stop_at(steps) {
                break;
            }
            steps += 1;
            self.unfold(pivot, &mut order);
            self.eliminate(pivot, &mut order);
            let front = self.weight[pivot as usize];
            for at in 0..self.beside[pivot as usize].len() {
                let v = self.beside[pivot as usize][at];
                let inside = front - self.weight[v as usize];
                let new = self.score(score, v, inside);
                queue.set(self.stage(v), v, new, || tie(v));
            }
        }
        order
    }

    /// The score of a variable, of whose neighbours so much is in one clique.
    fn score(&self, score: Score, v: u32, inside: f64) -> f64 {
        let around = self.around[v as usize];
        match score {
            Score::Size => around,
            Score::Fill => around * (around - 1.0) - inside * (inside - 1.0),
        }
    }

    /// Makes `pivot` an element; variables that become free by it are put into the order, too.
    fn eliminate(&mut self, pivot: u32, order: &mut Vec<u32>) {
        self.round += 1;
        let mut front = self.take_front(pivot);
        self.count_outside(&front);
        let mut weight: f64 = front.iter().map(|&v| self.weight[v as usize]).sum();
        let mut hashes: Vec<(u64, u32)> = Vec::with_capacity(front.len());
        for &v in &front {
            let outside = self.clean(v);
            if self.elements[v as usize].is_empty() && self.beside[v as usize].is_empty() {
                // All neighbours are in the front: it is free.
                self.state[v as usize] = State::Gone;
                weight -= self.weight[v as usize];
                self.unfold(v, order);
                continue;
            }
            let inside = weight - self.weight[v as usize];
            let around = self.around[v as usize];
            self.around[v as usize] = (outside + inside).min(around + inside);
            let both = self.elements[v as usize]
                .iter()
                .chain(&self.beside[v as usize]);
            let hash = both.fold(u64::from(self.stage(v)), |sum, &x| {
                sum.wrapping_add(u64::from(x).wrapping_mul(0x9e37_79b9_7f4a_7c15))
            });
            hashes.push((hash, v));
            self.elements[v as usize].push(pivot);
        }
        hashes.sort_unstable();
        for same in hashes.chunk_by(|a, b| a.0 == b.0) {
            self.merge(same);
        }
        front.retain(|&v| self.is_variable(v));
        self.state[pivot as usize] = State::Element;
        self.weight[pivot as usize] = weight;
        self.beside[pivot as usize] = front;
    }

    /// The variables around a pivot, marked with the round; its elements are taken up by it.
    fn take_front(&mut self, pivot: u32) -> Vec<u32> {
        self.state[pivot as usize] = State::Gone;
        let mut front = Vec::new();
        let own = std::mem::take(&mut self.beside[pivot as usize]);
        self.enter(own, &mut front);
        for element in std::mem::take(&mut self.elements[pivot as usize]) {
            if self.state[element as usize] == State::Element {
                self.state[element as usize] = State::Gone;
                let members = std::mem::take(&mut self.beside[element as usize]);
                self.enter(members, &mut front);
            }
        }
        front
    }

    fn enter(&mut self, list: Vec<u32>, front: &mut Vec<u32>) {
        for v in list {
            if self.is_variable(v) && self.mark[v as usize] != self.round {
                self.mark[v as usize] = self.round;
                front.push(v);
            }
        }
    }

    /// For every element around the front the weight of its members outside; one that has none is in
    /// the clique of the front and goes.
    fn count_outside(&mut self, front: &[u32]) {
        for &v in front {
            for &element in &self.elements[v as usize] {
                let element = element as usize;
                if self.state[element] != State::Element {
                    continue;
                }
                if self.stamp[element] != self.round {
                    self.stamp[element] = self.round;
                    self.outside[element] = self.weight[element];
                }
                self.outside[element] -= self.weight[v as usize];
            }
        }
        for &v in front {
            for &element in &self.elements[v as usize] {
                let element = element as usize;
                if self.state[element] == State::Element && self.outside[element] <= 0.0 {
                    self.state[element] = State::Gone;
                    self.beside[element] = Vec::new();
                }
            }
        }
    }

    /// Drops what is gone or inside the front from the lists of a variable; returns the weight of what
    /// is left, which counts twice where elements overlap.
    fn clean(&mut self, v: u32) -> f64 {
        let Self {
            state,
            beside,
            elements,
            weight,
            outside,
            mark,
            round,
            ..
        } = self;
        let mut sum = 0.0;
        elements[v as usize].retain(|&element| {
            let keep = state[element as usize] == State::Element;
            if keep {
                sum += outside[element as usize];
            }
            keep
        });
        beside[v as usize].retain(|&u| {
            let keep = state[u as usize] == State::Variable && mark[u as usize] != *round;
            if keep {
                sum += weight[u as usize];
            }
            keep
        });
        sum
    }

    /// Merges those of the variables, whose hashes are equal, that have the same neighbours.
    fn merge(&mut self, same: &[(u64, u32)]) {
        for (at, &(_, v)) in same.iter().enumerate() {
            if !self.is_variable(v) || at + 1 == same.len() {
                continue;
            }
            let lists = [&self.elements, &self.beside].map(|of| {
                let mut list = of[v as usize].clone();
                list.sort_unstable();
                list
            });
            for &(_, u) in &same[at + 1..] {
                let equal = self.is_variable(u) && self.stage(u) == self.stage(v) && {
                    let of = [&self.elements[u as usize], &self.beside[u as usize]];
                    lists.iter().zip(of).all(|(list, other)| {
                        list.len() == other.len()
                            && other.iter().all(|x| list.binary_search(x).is_ok())
                    })
                };
                if equal {
                    let (v, u) = (v as usize, u as usize);
                    self.weight[v] += self.weight[u];
                    self.around[v] -= self.weight[u];
                    self.state[u] = State::Gone;
                    self.next[self.last[v] as usize] = u as u32;
                    self.last[v] = self.last[u];
                    self.elements[u] = Vec::new();
                    self.beside[u] = Vec::new();
                }
            }
        }
    }
}

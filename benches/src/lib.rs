//! What the benchmarks share: models, compiled schedules, and the limits of the machine.

use std::path::Path;
use std::sync::Arc;

use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
use forney_exact::{Engine, Heuristic, Keep, Order, Schedule, Whole, greedy, vmath};
use forney_model::{FactorGraph, Table, VarId, generate};
use ndarray::Array2;
use ndarray::linalg::general_mat_mul;
use rand::SeedableRng;
use rand_pcg::Pcg64;

/// The model in a file under `testdata`.
///
/// # Panics
/// If the file is missing or broken.
#[must_use]
pub fn bundled(path: &str) -> FactorGraph {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    let bytes = std::fs::read(root.join(path)).expect("a bundled file");
    let model = forney_uai::read_model(&bytes).expect("a legal file");
    model.to_graph().expect("a legal model")
}

/// An Ising grid with couplings of deviation 1 and fields of deviation 0.1.
#[must_use]
pub fn grid(side: usize) -> FactorGraph {
    generate::ising_grid(side, 1.0, 0.1, &mut Pcg64::seed_from_u64(1))
}

/// Variables in their own order: row by row on a grid.
///
/// # Panics
/// Never: it is a permutation.
#[must_use]
pub fn row_order(graph: &FactorGraph) -> Order {
    Order::new(graph.variables().collect(), graph).expect("a permutation")
}

/// One product of two tables that share `shared` binary variables, one of which is summed out; each
/// has `own` further ones.
///
/// # Panics
/// Never: the tables fit their scopes.
#[must_use]
pub fn two_tables(shared: u32, own: u32) -> Engine {
    let n = shared + 2 * own;
    let table = |scope: Vec<VarId>| {
        let len = 1usize << scope.len();
        let ln = (0..len).map(|at| (at as f64 * 0.37).sin()).collect();
        Table::from_ln(scope.clone(), vec![2; scope.len()], ln).expect("a table")
    };
    let left = (0..shared + own).map(VarId).collect();
    let right = (0..shared).chain(shared + own..n).map(VarId).collect();
    let graph = FactorGraph::new(vec![2; n as usize], vec![table(left), table(right)]);
    let graph = graph.expect("a model");
    let schedule = Schedule::compile(&graph, &row_order(&graph), &mut Whole).expect("it fits");
    Engine::new(schedule.into(), &graph, Keep::Live)
}

/// Weighted mini-buckets of a model, with the weights of an upper bound.
pub struct Split {
    /// Ready to run forward and backward.
    pub engine: Engine,
    /// Equal weights.
    pub weights: Vec<f64>,
    /// Small shifts.
    pub shifts: Vec<f64>,
    /// Gradient by weight.
    pub d_weights: Vec<f64>,
    /// Gradient by shift.
    pub d_shifts: Vec<f64>,
    /// Entries of all cliques together.
    pub entries: u64,
}

impl Split {
    /// Compiles `graph` along the min-fill order.
    ///
    /// # Panics
    /// If it does not fit.
    #[must_use]
    pub fn new(graph: &FactorGraph, ibound: usize) -> Self {
        let limit = CliqueLimit {
            ibound,
            entries: 1e9,
        };
        let order = greedy(graph, Heuristic::MinFill, None);
        let mut rule = MiniBuckets::new(limit, None);
        let schedule = Schedule::compile(graph, &order, &mut rule).expect("it fits");
        let mut weights = vec![0.0; schedule.num_weights()];
        for split in schedule.splits() {
            let count = split.steps.len();
            weights[split.first_weight..split.first_weight + count].fill(1.0 / count as f64);
        }
        let shifts: Vec<f64> = (0..schedule.num_shifts())
            .map(|at| 0.1 * (at as f64).sin())
            .collect();
        let entries = schedule.demand().total_entries as u64;
        Self {
            engine: Engine::new(Arc::new(schedule), graph, Keep::All),
            d_weights: weights.clone(),
            d_shifts: shifts.clone(),
            weights,
            shifts,
            entries,
        }
    }

    /// One forward pass.
    pub fn forward(&mut self) -> f64 {
        self.engine.forward(&self.weights, &self.shifts)
    }

    /// One forward pass and one backward pass with all gradients.
    pub fn both(&mut self) -> f64 {
        let value = self.forward();
        self.engine.backward(
            &self.weights,
            &self.shifts,
            false,
            &mut self.d_weights,
            &mut self.d_shifts,
        );
        value
    }
}

/// The limit of a weighted pass: one vectorised exponential for each entry, in cache.
pub struct ExpLimit {
    x: Vec<f64>,
    out: Vec<f64>,
}

impl Default for ExpLimit {
    fn default() -> Self {
        let x = (0..Self::LEN)
            .map(|i| -((i * 7919 % 4001) as f64) / 100.0)
            .collect();
        Self {
            x,
            out: vec![0.0; Self::LEN],
        }
    }
}

impl ExpLimit {
    /// Entries in one slice: both slices fit the first-level cache.
    pub const LEN: usize = 1024;

    /// At least so many exponentials.
    pub fn run(&mut self, entries: u64) {
        for _ in 0..entries.div_ceil(Self::LEN as u64) {
            vmath::exp_slice(
                std::hint::black_box(&self.x),
                std::hint::black_box(&mut self.out),
            );
        }
    }
}

/// The limit of an unweighted pass: one multiply-add over memory for each entry.
pub struct AddLimit {
    a: Vec<f64>,
    out: Vec<f64>,
}

impl AddLimit {
    /// Tables of so many entries, the size of the largest message, are read and written.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self {
            a: vec![0.5; len],
            out: vec![0.25; len],
        }
    }

    /// At least so many multiply-adds.
    pub fn run(&mut self, entries: u64) {
        for _ in 0..entries.div_ceil(self.a.len() as u64) {
            let factor = std::hint::black_box(0.5);
            for (out, a) in self.out.iter_mut().zip(&self.a) {
                *out += factor * a;
            }
            std::hint::black_box(&mut self.out);
        }
    }
}

/// The throughput of products of dense matrices: what a sparse elimination in dense fronts cannot exceed.
pub struct ProductLimit {
    a: Array2<f64>,
    b: Array2<f64>,
    out: Array2<f64>,
}

impl Default for ProductLimit {
    fn default() -> Self {
        Self::new()
    }
}

impl ProductLimit {
    const SIDE: usize = 256;

    /// Matrices that fit in the caches.
    #[must_use]
    pub fn new() -> Self {
        let matrix = || {
            Array2::from_shape_fn((Self::SIDE, Self::SIDE), |(i, j)| {
                ((i * 7 + j) % 5) as f64 * 1e-3
            })
        };
        Self {
            a: matrix(),
            b: matrix(),
            out: matrix(),
        }
    }

    /// About `products` multiply-adds, on one thread.
    pub fn run(&mut self, products: u64) {
        for _ in 0..products.div_ceil(Self::SIDE.pow(3) as u64) {
            let (a, b) = (std::hint::black_box(&self.a), std::hint::black_box(&self.b));
            general_mat_mul(1.0, a, b, 0.5, &mut self.out);
        }
    }
}

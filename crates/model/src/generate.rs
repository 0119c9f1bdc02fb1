//! Generators: the families of the experiments, and random models for law suites.

use forney_certify::DoubleDouble;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Normal};

use crate::{FactorGraph, Table, VarId};

/// Ising spin glass on an `l × l` grid without wrap-around:
/// `exp(Σ_v φ_v x_v + Σ_uv φ_uv x_u x_v)`, `x ∈ {−1, +1}`,
/// couplings `φ_uv ~ β·U[−1, 1]`, fields `φ_v ~ U[−field, field]`.
///
/// # Panics
/// If a strength is not a finite number.
///
/// # Example
/// ```
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(4, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(7));
/// assert_eq!((model.num_variables(), model.num_factors()), (16, 16 + 24));
/// ```
pub fn ising_grid(l: usize, beta: f64, field: f64, rng: &mut impl Rng) -> FactorGraph {
    let mut factors = Vec::new();
    let mut uniform = |bound: f64| (2.0 * rng.random::<f64>() - 1.0) * bound;
    for v in 0..l * l {
        let phi = uniform(field);
        factors.push(Table::from_ln(
            vec![VarId::new(v)],
            vec![2],
            vec![-phi, phi],
        ));
    }
    for row in 0..l {
        for col in 0..l {
            let here = row * l + col;
            let right = (col + 1 < l).then_some(here + 1);
            let down = (row + 1 < l).then_some(here + l);
            for there in [right, down].into_iter().flatten() {
                let phi = uniform(beta);
                let scope = vec![VarId::new(here), VarId::new(there)];
                factors.push(Table::from_ln(
                    scope,
                    vec![2, 2],
                    vec![phi, -phi, -phi, phi],
                ));
            }
        }
    }
    let factors = factors
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("grid tables are valid");
    FactorGraph::new(vec![2; l * l], factors).expect("a grid is a valid model")
}

/// The paper's 3-regular family: `n` factors on a cycle (n even), factor `a` over the variables
/// `(a−1 mod n, a, n + (a mod n/2))`, entries `ln f ~ N(0, t²)`.
///
/// # Panics
/// If `n` is odd or less than 4, or `t` is not finite.
pub fn mobius(n: usize, t: f64, rng: &mut impl Rng) -> FactorGraph {
    assert!(
        n >= 4 && n.is_multiple_of(2),
        "an even cycle of at least 4 factors"
    );
    let normal = Normal::new(0.0, t).expect("a finite standard deviation");
    let factors = (0..n)
        .map(|a| {
            let scope = [(a + n - 1) % n, a, n + a % (n / 2)]
                .map(VarId::new)
                .to_vec();
            let ln = (0..8).map(|_| normal.sample(rng)).collect();
            Table::from_ln(scope, vec![2; 3], ln).expect("normal tables are valid")
        })
        .collect();
    FactorGraph::new(vec![2; n + n / 2], factors).expect("a cycle is a valid model")
}

/// What [`random`] draws.
#[derive(Clone, Copy, Debug)]
pub struct RandomModel {
    /// Number of variables.
    pub variables: usize,
    /// Largest cardinality; each is drawn from `1..=max_card`.
    pub max_card: usize,
    /// Number of factors.
    pub factors: usize,
    /// Largest scope; each is drawn from `0..=max_scope`.
    pub max_scope: usize,
    /// Probability that an entry is a hard zero.
    pub zeros: f64,
    /// Entries are `exp(spread · U[−1, 1])`.
    pub spread: f64,
}

/// A random model: mixed cardinalities (1 included), empty and repeated scopes, hard zeros,
/// isolated variables and disconnected parts.
///
/// # Panics
/// If no cardinality can be drawn, the spread is not a finite number, or a table has more entries than a
/// model may hold.
pub fn random(spec: &RandomModel, rng: &mut impl Rng) -> FactorGraph {
    let cards: Vec<usize> = (0..spec.variables)
        .map(|_| rng.random_range(1..=spec.max_card))
        .collect();
    let factors = (0..spec.factors)
        .map(|_| {
            let size = rng.random_range(0..=spec.max_scope.min(spec.variables));
            let mut scope: Vec<VarId> = Vec::with_capacity(size);
            while scope.len() < size {
                let v = VarId::new(rng.random_range(0..spec.variables));
                if !scope.contains(&v) {
                    scope.push(v);
                }
            }
            let scope_cards: Vec<usize> = scope.iter().map(|v| cards[v.index()]).collect();
            let len = scope_cards.iter().product();
            let ln = (0..len)
                .map(|_| {
                    let ln = spec.spread * (2.0 * rng.random::<f64>() - 1.0);
                    if rng.random::<f64>() < spec.zeros {
                        f64::NEG_INFINITY
                    } else {
                        ln
                    }
                })
                .collect();
            Table::from_ln(scope, scope_cards, ln).expect("drawn tables are valid")
        })
        .collect();
    FactorGraph::new(cards, factors).expect("drawn models are valid")
}

/// The same model with its factors multiplied by `10^k`, `k ~ U[−299, 299]`, such that the product of
/// all these is 1: what has to come out is what comes out without them.
///
/// # Panics
/// Never: every scale is a finite number.
///
/// # Example
/// ```
/// use forney_model::enumerate::enumerate;
/// use forney_model::generate::{mobius, with_scales};
/// use rand::SeedableRng;
/// let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
/// let model = mobius(8, 1.0, &mut rng);
/// let wild = with_scales(&model, &mut rng);
/// assert!(wild.factors().iter().any(|table| table.ln_scale().value() > 200.0));
/// assert!((enumerate(&wild).ln_z - enumerate(&model).ln_z).abs() < 1e-13);
/// ```
pub fn with_scales(graph: &FactorGraph, rng: &mut impl Rng) -> FactorGraph {
    let mut factors = graph.factors().to_vec();
    let mut sum = DoubleDouble::ZERO;
    let mut last = None;
    for (a, table) in factors.iter_mut().enumerate() {
        // A table of zeros takes no scale.
        if !table.is_zero() {
            let ln = DoubleDouble::ln(10f64.powi(rng.random_range(-299..300)));
            *table = table.clone().scaled(ln).expect("finite logarithms");
            sum += ln;
            last = Some(a);
        }
    }
    if let Some(a) = last {
        factors[a] = factors[a].clone().scaled(-sum).expect("finite logarithms");
    }
    FactorGraph::new(graph.cards().to_vec(), factors).expect("the same scopes")
}

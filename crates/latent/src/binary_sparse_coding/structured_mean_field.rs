//! Structured mean field: `q(h) = Π_B q_B(h_B)` over blocks of units that depend on each other most
//! (L. K. Saul, M. I. Jordan, *Exploiting tractable substructures in intractable networks*, 1996).
//!
//! | symbol | name | |
//! |---|---|---|
//! | `B` | a block of at most [`StructuredMeanField::block`] units | chosen for each example |
//! | `q_B` | any distribution over the `2^\|B\|` states of a block | |
//! | `a_i = c_i − Σ_{k ∉ B} G_ik ĥ_k` | what the other blocks leave of the field, in the mean | |

use forney_exact::vmath::exp_scaled;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, Axis};
use serde::{Deserialize, Serialize};

use super::e_step::{EStep, Posteriors, Problem};
use super::exact::{self, MAX_UNITS};
use super::mean_field::MeanField;
use super::model::sigmoid;
use crate::simd::axpy;
use crate::{LatentError, check};

/// The structured mean-field E-step: starts from [`MeanField`], joins the units that it wrongly takes
/// as independent into blocks, and maximises the bound over all distributions of one block after
/// another, so that it is never below that of mean field. One block of all units is exact.
///
/// Two units are joined by the information that they have about each other while all other units
/// are at their means, the strongest pairs first: units that explain the same part of an example
/// exclude each other, which no product distribution can say.
///
/// # Complexity
/// For each example that of [`MeanField`], `O(H²)` for the blocks, and `O(H 2^B + H²)` for each
/// cycle.
///
/// # Example
/// ```
/// use forney_latent::binary_sparse_coding::{
///     BinarySparseCoding, EStep, Exact, MeanField, StructuredMeanField,
/// };
/// let model = BinarySparseCoding::bars(4, 1.5, 1.0);
/// let data = model.sample(50, 1)?;
/// let bound = |e_step: &dyn EStep| model.score(data.view(), e_step).unwrap();
/// let structured = bound(&StructuredMeanField::default());
/// assert!(bound(&MeanField::default()) < structured && structured <= bound(&Exact) + 1e-9);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StructuredMeanField {
    /// The most units in a block; default 6.
    pub block: usize,
    /// The mean field that it starts from.
    pub start: MeanField,
    /// A cycle that changes every mean by at most so much is the last; default `1e-6`.
    pub tolerance: f64,
    /// The most cycles; default 100.
    pub max_cycles: usize,
}

impl Default for StructuredMeanField {
    fn default() -> Self {
        Self {
            block: 6,
            start: MeanField::default(),
            tolerance: 1e-6,
            max_cycles: 100,
        }
    }
}

/// Pairs with less mutual information than this, in nats, are as good as independent.
const LEAST_INFORMATION: f64 = 1e-6;

/// A unit whose logit is beyond this on either side counts as certain.
const CERTAIN: f64 = 20.0;

impl EStep for StructuredMeanField {
    fn name(&self) -> &'static str {
        "structured mean field"
    }

    fn infer(&self, problem: &Problem<'_>) -> Result<Posteriors, LatentError> {
        let what = "the number of units in a block";
        let admissible = (1..=MAX_UNITS).contains(&self.block);
        check::within(what, "from 1 to 20", self.block as f64, admissible)?;
        check::tolerance(self.tolerance)?;
        self.start.check()?;
        let couplings = problem.couplings.as_standard_layout();
        let mut means = Array2::zeros(problem.fields.dim());
        // What the blocks' joint distributions add to the product of the means.
        let mut within = Array2::zeros(couplings.dim());
        let mut entropy = 0.0;
        for (field, mut mean) in problem.fields.rows().into_iter().zip(means.rows_mut()) {
            if problem.is_over() {
                break;
            }
            let mut logits = MeanField::first_logits(problem.units());
            self.start.solve(field, couplings.view(), &mut logits);
            let mut state = State::new(field, couplings.view(), logits.mapv(sigmoid));
            let mut blocks = state.blocks(self.block, &logits)?;
            for _ in 0..self.max_cycles {
                let update = |block: &mut Block| state.update(block);
                let change = blocks.iter_mut().map(update).fold(0.0, f64::max);
                if change <= self.tolerance {
                    break;
                }
            }
            // All moments are those of the tables, however they came about.
            for block in &blocks {
                entropy += block.entropy();
                block.write_means(&mut mean);
                block.add_pairs(mean.view(), &mut within);
            }
        }
        let mut second = means.t().dot(&means) + within;
        second.diag_mut().assign(&means.sum_axis(Axis(0)));
        Ok(Posteriors {
            means,
            second,
            entropy,
        })
    }
}

/// `q` of one example.
struct State<'a> {
    couplings: ArrayView2<'a, f64>,
    /// `ĥ`.
    means: Array1<f64>,
    /// `c − G ĥ`.
    input: Array1<f64>,
}

/// A block and its distribution.
struct Block {
    units: Vec<usize>,
    /// `−Σ_{i<j ∈ B} G_ij h_i h_j` of every state.
    pairs: Vec<f64>,
    /// Scratch: `ln q̃_B` of every state.
    ln: Vec<f64>,
    /// `q_B` of every state, a distribution from the beginning: that of the mean field.
    p: Vec<f64>,
}

impl<'a> State<'a> {
    fn new(field: ArrayView1<'_, f64>, couplings: ArrayView2<'a, f64>, means: Array1<f64>) -> Self {
        let input = &field - &couplings.dot(&means);
        Self {
            couplings,
            means,
            input,
        }
    }

    /// Joins units, the pairs with most mutual information first, into blocks of at most `most`.
    fn blocks(&self, most: usize, logits: &Array1<f64>) -> Result<Vec<Block>, LatentError> {
        let units = self.means.len();
        let mut pairs = Vec::new();
        if most > 1 {
            for i in 0..units {
                for j in 0..i {
                    let information = self.information(i, j);
                    if information > LEAST_INFORMATION {
                        pairs.push((information, i, j));
                    }
                }
            }
        }
        pairs.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut block_of: Vec<usize> = (0..units).collect();
        let mut members: Vec<Vec<usize>> = (0..units).map(|unit| vec![unit]).collect();
        for (_, i, j) in pairs {
            let (a, b) = (block_of[i], block_of[j]);
            if a != b && members[a].len() + members[b].len() <= most {
                let moved = std::mem::take(&mut members[b]);
                for &unit in &moved {
                    block_of[unit] = a;
                }
                members[a].extend(moved);
            }
        }
        let filled = members.into_iter().filter(|members| !members.is_empty());
        filled
            .map(|units| Block::new(units, self.couplings, logits))
            .collect()
    }

    /// The mutual information of two units while the others are at their means, in nats.
    fn information(&self, i: usize, j: usize) -> f64 {
        let g = self.couplings[[i, j]];
        let a = self.input[i] + g * self.means[j];
        let b = self.input[j] + g * self.means[i];
        // Most pairs have a unit that is on, or off, whatever the other one does.
        let open = |a: f64| a.max(a - g) > -CERTAIN && a.min(a - g) < CERTAIN;
        if g == 0.0 || !open(a) || !open(b) {
            return 0.0;
        }
        let ln = [0.0, a, b, a + b - g];
        let mut p = [0.0; 4];
        exp_scaled(&ln, 1.0, ln.into_iter().fold(0.0, f64::max), &mut p);
        let sum: f64 = p.iter().sum();
        let p = p.map(|p| p / sum);
        let (of_i, of_j) = (p[1] + p[3], p[2] + p[3]);
        let entropy = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        let single = entropy(of_i) + entropy(p[0] + p[2]) + entropy(of_j) + entropy(p[0] + p[1]);
        single - p.into_iter().map(entropy).sum::<f64>()
    }

    /// Maximises the bound over the distribution of one block; the largest change of a mean.
    fn update(&mut self, block: &mut Block) -> f64 {
        let own = |i: usize| {
            let inside = block.units.iter();
            let inside: f64 = inside
                .map(|&j| self.couplings[[i, j]] * self.means[j])
                .sum();
            self.input[i] + inside
        };
        let fields: Vec<f64> = block.units.iter().map(|&i| own(i)).collect();
        let fields = fields.into_iter();
        exact::normalise(fields, &block.pairs, &mut block.ln, &mut block.p);
        let new = block.means();
        let mut largest = 0.0_f64;
        for (&i, new) in block.units.iter().zip(new) {
            let step = new - self.means[i];
            self.means[i] = new;
            if let (Some(row), Some(input)) =
                (self.couplings.row(i).to_slice(), self.input.as_slice_mut())
                && step != 0.0
            {
                axpy(-step, row, input);
            }
            largest = largest.max(step.abs());
        }
        largest
    }
}

impl Block {
    fn new(
        units: Vec<usize>,
        couplings: ArrayView2<'_, f64>,
        logits: &Array1<f64>,
    ) -> Result<Self, LatentError> {
        let size = units.len();
        let inner = Array2::from_shape_fn((size, size), |(i, j)| couplings[[units[i], units[j]]]);
        let pairs = exact::pair_terms(inner.view())?;
        let mut p = vec![1.0; pairs.len()];
        for (i, &unit) in units.iter().enumerate() {
            let (on, off) = (sigmoid(logits[unit]), sigmoid(-logits[unit]));
            let (without, with) = p[..2 << i].split_at_mut(1 << i);
            for (without, with) in without.iter_mut().zip(with) {
                *with = *without * on;
                *without *= off;
            }
        }
        Ok(Self {
            units,
            ln: vec![0.0; pairs.len()],
            p,
            pairs,
        })
    }

    /// `H(q_B)`, in nats.
    fn entropy(&self) -> f64 {
        let terms = self.p.iter().filter(|&&p| p > 0.0);
        -terms.map(|p| p * p.ln()).sum::<f64>()
    }

    /// `ĥ_i` of the units of the block.
    fn means(&self) -> Vec<f64> {
        let mut folded = self.p.clone();
        let mut means = vec![0.0; self.units.len()];
        exact::marginals(&mut folded, means.iter_mut());
        means
    }

    fn write_means(&self, into: &mut ArrayViewMut1<'_, f64>) {
        for (&unit, mean) in self.units.iter().zip(self.means()) {
            into[unit] = mean;
        }
    }

    /// Adds the covariances of the units of the block.
    fn add_pairs(&self, means: ArrayView1<'_, f64>, within: &mut Array2<f64>) {
        if self.units.len() < 2 {
            return;
        }
        let joint = exact::pair_marginals(self.p.clone(), self.units.len());
        for ((i, j), p) in joint.indexed_iter() {
            let (i, j) = (self.units[i], self.units[j]);
            within[[i, j]] += p - means[i] * means[j];
        }
    }
}

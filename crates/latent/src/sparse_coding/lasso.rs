//! The inference problem of one example, in terms of the Gram matrix of the dictionary.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::simd::add_rows;
use crate::{LatentError, check};

/// The values that a coefficient may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sign {
    /// Any number: the prior is the Laplace density (19.14).
    #[default]
    Any,
    /// `h ≥ 0`: the prior is the exponential density `λ e^{−λh}`.
    NonNegative,
}

/// The family of problems `min_h ½‖v − W h‖² + λ‖h‖₁` that the examples of one dictionary share.
///
/// A solver sees the dictionary through its Gram matrix `G = WᵀW` and an example through the
/// correlations `c = Wᵀv`; `r = c − G h` are the correlations of the residual. The optimality
/// conditions are `r_k = λ sign(h_k)` where `h_k ≠ 0` and `|r_k| ≤ λ` elsewhere (`r_k ≤ λ` for
/// non-negative codes).
#[derive(Clone, Debug)]
pub(super) struct Lasso {
    pub(super) atoms: usize,
    /// Row-major `G`, `K × K`.
    pub(super) gram: Vec<f64>,
    pub(super) diagonal: Vec<f64>,
    pub(super) lambda: f64,
    pub(super) sign: Sign,
}

impl Lasso {
    /// The problems of a dictionary with atoms in columns.
    pub(super) fn new(
        dictionary: ArrayView2<'_, f64>,
        lambda: f64,
        sign: Sign,
    ) -> Result<Self, LatentError> {
        check::positive("the penalty λ", lambda)?;
        check::finite("the dictionary", dictionary)?;
        let gram: Array2<f64> = dictionary.t().dot(&dictionary);
        check::finite("the Gram matrix of the dictionary", gram.view())?;
        let diagonal = gram.diag().to_vec();
        Ok(Self {
            atoms: dictionary.ncols(),
            gram: gram.as_standard_layout().iter().copied().collect(),
            diagonal,
            lambda,
            sign,
        })
    }

    /// `G[k, :]`.
    #[inline(always)]
    pub(super) fn row(&self, k: usize) -> &[f64] {
        &self.gram[k * self.atoms..(k + 1) * self.atoms]
    }

    /// `r ← c − G h`, from the non-zeros of `−h`.
    #[inline(always)]
    pub(super) fn correlate(&self, c: &[f64], indices: &[usize], minus: &[f64], r: &mut Vec<f64>) {
        r.clear();
        r.extend_from_slice(c);
        add_rows(&self.gram, indices, minus, r);
    }

    /// How far `r` lies outside of its bound: above `λ` in the directions that the code may go.
    #[inline(always)]
    pub(super) fn pull(&self, r: f64) -> f64 {
        match self.sign {
            Sign::Any => r.abs(),
            Sign::NonNegative => r,
        }
    }

    /// The minimiser of `½ g h² − r h + λ|h|` for the curvature `g > 0`.
    #[inline(always)]
    pub(super) fn shrink(&self, r: f64, threshold: f64) -> f64 {
        match self.sign {
            Sign::Any if r < -threshold => r + threshold,
            _ if r > threshold => r - threshold,
            _ => 0.0,
        }
    }

    /// The relative duality gap of a code with non-zeros `h` at `indices`, and the objective.
    ///
    /// With the residual `ρ = v − W h`, the point `s ρ`, `s = min(1, λ/max_k |r_k|)`, is feasible
    /// for the dual `max_u ½‖v‖² − ½‖v − u‖²`, `|Wᵀu| ≤ λ`, and the gap is the sum of the
    /// non-negative terms `½(1 − s)²‖ρ‖² + Σ_k (λ|h_k| − s h_k r_k)`, free of cancellation.
    pub(super) fn gap(&self, example: Example<'_>, r: &[f64], indices: &[usize], h: &[f64]) -> Gap {
        // Written so that NaN stays: it must not pass for a proof.
        let steepest = r.iter().fold(0.0, |most: f64, &r| {
            let pull = self.pull(r);
            if pull > most || pull.is_nan() {
                pull
            } else {
                most
            }
        });
        let scale = if steepest <= self.lambda {
            1.0
        } else {
            self.lambda / steepest
        };
        let (mut norm1, mut slack) = (0.0, 0.0);
        let mut residual = example.energy;
        for (&k, &h) in indices.iter().zip(h) {
            norm1 += h.abs();
            slack += (self.lambda * h.abs() - scale * h * r[k]).max(0.0);
            residual -= h * (example.c[k] + r[k]);
        }
        let residual = if residual < 0.0 { 0.0 } else { residual };
        let objective = 0.5 * residual + self.lambda * norm1;
        let gap = 0.5 * (1.0 - scale) * (1.0 - scale) * residual + slack;
        let relative = if gap <= 0.0 { 0.0 } else { gap / objective };
        Gap {
            relative,
            objective,
        }
    }
}

/// One example, as the solvers see it.
#[derive(Clone, Copy)]
pub(super) struct Example<'a> {
    /// `c = Wᵀv`.
    pub(super) c: &'a [f64],
    /// `‖v‖²`.
    pub(super) energy: f64,
}

/// How good a code is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// `(P − D)/P` of the primal value `P` and the dual value `D`.
    pub(super) relative: f64,
    /// `P = ½‖v − W h‖² + λ‖h‖₁`.
    pub(super) objective: f64,
}

//! The state of the solvers that keep all coefficients, zeros included.

use super::lasso::{Example, Gap, Lasso};

/// A code with its correlations, reused from example to example.
#[derive(Clone, Debug, Default)]
pub(super) struct Dense {
    /// All coefficients `h`.
    pub(super) x: Vec<f64>,
    /// `r = c − G h`.
    pub(super) r: Vec<f64>,
    /// Where the coefficients are not zero.
    pub(super) indices: Vec<usize>,
    /// The coefficients there.
    pub(super) values: Vec<f64>,
    /// Scratch: the same with the other sign.
    minus: Vec<f64>,
}

impl Dense {
    /// Starts from a sparse code.
    pub(super) fn begin(&mut self, lasso: &Lasso, c: &[f64], start: (&[usize], &[f64])) {
        self.x.clear();
        self.x.resize(lasso.atoms, 0.0);
        for (&k, &h) in start.0.iter().zip(start.1) {
            if lasso.pull(h) > 0.0 {
                self.x[k] = h;
            }
        }
        self.collect();
        self.correlate(lasso, c);
    }

    /// Lists the non-zeros.
    #[inline(always)]
    pub(super) fn collect(&mut self) {
        self.indices.clear();
        self.values.clear();
        for (k, &x) in self.x.iter().enumerate() {
            if x != 0.0 {
                self.indices.push(k);
                self.values.push(x);
            }
        }
    }

    /// `r ← c − G h` of the listed non-zeros.
    #[inline(always)]
    pub(super) fn correlate(&mut self, lasso: &Lasso, c: &[f64]) {
        self.minus.clear();
        self.minus.extend(self.values.iter().map(|x| -x));
        lasso.correlate(c, &self.indices, &self.minus, &mut self.r);
    }

    /// The gap of the listed non-zeros.
    #[inline(always)]
    pub(super) fn gap(&self, lasso: &Lasso, example: Example<'_>) -> Gap {
        lasso.gap(example, &self.r, &self.indices, &self.values)
    }
}

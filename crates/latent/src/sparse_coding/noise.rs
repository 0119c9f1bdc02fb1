//! The evidence lower bound of sparse coding with noise around the most probable code.
//!
//! A Dirac `q(h) = δ(h − μ)` (19.11) has the entropy `−∞`: its bound says nothing. CodeNoise of any
//! width above zero mends that, and the bound is concave in the widths, so the best ones are found
//! exactly, each for itself:
//!
//! `L = Σ_k (ln λ/2 − λ E|h_k| + H(q_k)) + D/2 ln β/2π − β/2 (‖v − b − W μ‖² + Σ_k ‖w_k‖² Var h_k)`.

use std::f64::consts::{E, PI};

use ndarray::{Array1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::codes::Codes;
use super::lasso::Sign;
use super::model::SparseCoding;
use crate::{LatentError, check};

/// The density of the noise around a coefficient, with a scale `s` of its own for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodeNoise {
    /// `q(h) = N(h; μ, s²)`.
    Gaussian,
    /// `q(h) = e^{−|h − μ|/s}/2s`, which fits coefficients at zero better.
    Laplace,
}

impl CodeNoise {
    /// `E|h|`.
    fn mean_abs(self, mean: f64, scale: f64) -> f64 {
        let ratio = mean.abs() / scale;
        match self {
            Self::Gaussian => {
                scale * (2.0 / PI).sqrt() * (-0.5 * ratio * ratio).exp()
                    + mean.abs() * erf(ratio / 2.0_f64.sqrt())
            }
            Self::Laplace => mean.abs() + scale * (-ratio).exp(),
        }
    }

    /// `d E|h| / ds`.
    fn mean_abs_slope(self, mean: f64, scale: f64) -> f64 {
        let ratio = mean.abs() / scale;
        match self {
            Self::Gaussian => (2.0 / PI).sqrt() * (-0.5 * ratio * ratio).exp(),
            Self::Laplace => (1.0 + ratio) * (-ratio).exp(),
        }
    }

    /// `Var h / s²`.
    fn variance(self) -> f64 {
        match self {
            Self::Gaussian => 1.0,
            Self::Laplace => 2.0,
        }
    }

    /// `H(q)` at the scale `s`, in nats.
    fn entropy(self, scale: f64) -> f64 {
        match self {
            Self::Gaussian => 0.5 * (2.0 * PI * E).ln() + scale.ln(),
            Self::Laplace => (2.0 * E).ln() + scale.ln(),
        }
    }

    /// The scale that maximises `H(q) − λ E|h| − curvature/2 Var h`: the root of the decreasing
    /// function `1/s − λ dE|h|/ds − curvature·s·Var h/s²`.
    fn best_scale(self, mean: f64, lambda: f64, curvature: f64) -> f64 {
        let slope = |s: f64| {
            1.0 / s - lambda * self.mean_abs_slope(mean, s) - curvature * self.variance() * s
        };
        // Without the curvature the scale is at most that of the prior or follows the mean; it is
        // bracketed by doubling, and bisected to the last bit that matters.
        let (mut low, mut high) = (f64::MIN_POSITIVE.sqrt(), 1.0 / lambda);
        while slope(high) > 0.0 && high < f64::MAX.sqrt() {
            high *= 2.0;
        }
        while high - low > 1e-15 * high {
            // The geometric mean while the bracket spans magnitudes.
            let middle = if high > 4.0 * low {
                low.sqrt() * high.sqrt()
            } else {
                f64::midpoint(low, high)
            };
            if middle <= low || middle >= high {
                break;
            }
            if slope(middle) > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

impl SparseCoding {
    /// `L(v, θ, q) ≤ ln p(v)` of each row of `data`, in nats, for `q = Π_k q(h_k)` with means `codes`
    /// and the best scales.
    ///
    /// # Errors
    /// NaN or an infinity in the data, sizes that do not fit, or a model with non-negative codes:
    /// noise would leave the support of its prior.
    ///
    /// # Complexity
    /// `O(N K)` one-dimensional root searches.
    ///
    /// # Example
    /// ```
    /// use forney_latent::sparse_coding::{Inference, CodeNoise, SparseCoding};
    /// use ndarray::array;
    /// let model = SparseCoding {
    ///     dictionary: array![[1.0]],
    ///     bias: array![0.0],
    ///     lambda: 1.0,
    ///     beta: 1.0,
    ///     inference: Inference::default(),
    /// };
    /// let data = array![[2.0]];
    /// let codes = model.transform(data.view())?.codes;
    /// let bound = model.elbo(data.view(), &codes, CodeNoise::Gaussian)?[0];
    /// // ln ∫ ½e^{−|h|} N(2; h, 1) dh
    /// let ln_p = -2.281_93;
    /// assert!(bound <= ln_p && bound > ln_p - 0.1, "{bound}");
    /// # Ok::<(), forney_latent::LatentError>(())
    /// ```
    pub fn elbo(
        &self,
        data: ArrayView2<'_, f64>,
        codes: &Codes,
        noise: CodeNoise,
    ) -> Result<Array1<f64>, LatentError> {
        self.check(data)?;
        check::shape("the number of codes", data.nrows(), codes.len())?;
        check::within(
            "the sign of codes with noise around them",
            "any (the prior of non-negative codes has no mass below 0)",
            0.0,
            self.inference.sign == Sign::Any,
        )?;
        let mean = self.reconstruct(codes)?;
        let squared_norms: Vec<f64> = self
            .dictionary
            .columns()
            .into_iter()
            .map(|w| w.dot(&w))
            .collect();
        let term = |mean: f64, squared_norm: f64| {
            let curvature = self.beta * squared_norm;
            let scale = noise.best_scale(mean, self.lambda, curvature);
            (0.5 * self.lambda).ln() - self.lambda * noise.mean_abs(mean, scale)
                + noise.entropy(scale)
                - 0.5 * curvature * noise.variance() * scale * scale
        };
        let at_zero: Vec<f64> = squared_norms.iter().map(|&norm| term(0.0, norm)).collect();
        let constant = 0.5 * self.dimension() as f64 * (self.beta / (2.0 * PI)).ln()
            + at_zero.iter().sum::<f64>();
        let bounds = data.rows().into_iter().zip(mean.rows()).zip(codes.rows());
        let bounds: Array1<f64> = bounds
            .map(|((v, mean), (indices, values))| {
                let error: f64 = v.iter().zip(mean).map(|(v, m)| (v - m) * (v - m)).sum();
                let used = indices.iter().zip(values);
                let noise: f64 = used
                    .map(|(&k, &h)| term(h, squared_norms[k]) - at_zero[k])
                    .sum();
                constant - 0.5 * self.beta * error + noise
            })
            .collect();
        check::computed("the bound", &bounds)?;
        Ok(bounds)
    }
}

/// The error function for `x ≥ 0`, to about `1e-15`: the series `2/√π e^{−x²} Σ 2^n x^{2n+1}/(2n+1)!!`,
/// and beyond 2.5 the continued fraction of its complement (Abramowitz and Stegun 7.1.6, 7.1.14).
fn erf(x: f64) -> f64 {
    let envelope = (-x * x).exp() / PI.sqrt();
    if x < 2.5 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term > 1e-17 * sum {
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
        }
        2.0 * envelope * sum
    } else {
        // erfc(x) = e^{−x²}/√π · 1/(x + ½/(x + 1/(x + 1½/(x + …))))
        let fraction = (1..=60)
            .rev()
            .fold(x, |tail, n| x + 0.5 * f64::from(n) / tail);
        1.0 - envelope / fraction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_function_agrees_with_tables() {
        for (x, value) in [
            (0.0, 0.0),
            (0.1, 0.112_462_916_018_284_9),
            (1.0, 0.842_700_792_949_714_9),
            (2.4, 0.999_311_486_103_354_9),
            (2.6, 0.999_763_965_583_470_7),
            (4.0, 0.999_999_984_582_742_1),
            (40.0, 1.0),
        ] {
            assert!((erf(x) - value).abs() < 3e-16, "{x}: {}", erf(x));
        }
    }

    #[test]
    fn moments_agree_with_quadrature_and_the_best_scale_is_a_maximum() {
        for noise in [CodeNoise::Gaussian, CodeNoise::Laplace] {
            for (mean, scale) in [(0.0, 1.0), (0.3, 0.7), (-2.0, 0.5), (5.0, 2.0)] {
                let density = |h: f64| match noise {
                    CodeNoise::Gaussian => {
                        (-0.5 * ((h - mean) / scale).powi(2)).exp() / (scale * (2.0 * PI).sqrt())
                    }
                    CodeNoise::Laplace => (-((h - mean) / scale).abs()).exp() / (2.0 * scale),
                };
                let step = 1e-3;
                let points = (-60_000..60_000).map(|i| (f64::from(i) + 0.5) * step);
                let sum: f64 = points.map(|h| h.abs() * density(h) * step).sum();
                assert!((sum - noise.mean_abs(mean, scale)).abs() < 1e-5);
                let change =
                    noise.mean_abs(mean, scale + 1e-6) - noise.mean_abs(mean, scale - 1e-6);
                assert!((change / 2e-6 - noise.mean_abs_slope(mean, scale)).abs() < 1e-7);

                let value = |s: f64| {
                    noise.entropy(s)
                        - 2.0 * noise.mean_abs(mean, s)
                        - 1.5 * noise.variance() * s * s
                };
                let best = noise.best_scale(mean, 2.0, 3.0);
                assert!(value(best) >= value(best * 1.01) && value(best) >= value(best * 0.99));
            }
        }
    }
}

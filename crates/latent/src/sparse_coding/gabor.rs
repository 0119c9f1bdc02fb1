//! Gabor functions, the shape of receptive fields in primary visual cortex and of the atoms that sparse
//! coding learns from natural images (J. P. Jones, L. A. Palmer 1987; B. A. Olshausen, D. J. Field 1996).
//!
//! `g(x, y) = A exp(−x'²/2σ² − y'²/2τ²) cos(2π f x' + φ)`, with `x' = (x − x₀) cos θ + (y − y₀) sin θ`
//! across the stripes and `y' = (y − y₀) cos θ − (x − x₀) sin θ` along them.
//!
//! | symbol | name | unit |
//! |---|---|---|
//! | `x₀`, `y₀` | [`Gabor::x`], [`Gabor::y`] | pixels, from the middle of the first one |
//! | `θ` | [`Gabor::angle`] | radians |
//! | `σ`, `τ` | [`Gabor::across`], [`Gabor::along`] | pixels |
//! | `f` | [`Gabor::frequency`] | cycles per pixel, at most ½ |
//! | `A`, `φ` | [`Gabor::amplitude`], [`Gabor::phase`] | |
//!
//! The best `A` and `φ` for the other six are a linear least-squares problem; those six are found by
//! quasi-Newton steps from the best points of a grid.

use std::f64::consts::{PI, TAU};

use forney_certify::{Lbfgs, Objective, Refine};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::{LatentError, check};

/// A Gabor function on a grid of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gabor {
    /// `A ≥ 0`.
    pub amplitude: f64,
    /// `φ`.
    pub phase: f64,
    /// `x₀`, the column of the centre.
    pub x: f64,
    /// `y₀`, the row of the centre.
    pub y: f64,
    /// `θ`, the direction across the stripes.
    pub angle: f64,
    /// `σ`, the width across the stripes.
    pub across: f64,
    /// `τ`, the width along the stripes.
    pub along: f64,
    /// `f`.
    pub frequency: f64,
}

/// The Gabor function closest to a patch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaborFit {
    /// The function.
    pub gabor: Gabor,
    /// `R² = 1 − Σ(w − g)² / Σ(w − w̄)²`, the share of the variance of the patch that it explains.
    pub r2: f64,
}

/// Grid points from which quasi-Newton steps start.
const STARTS: usize = 8;

/// Quasi-Newton steps from each.
const STEPS: usize = 80;

/// The narrowest envelope, in pixels: the grid does not resolve less.
const NARROWEST: f64 = 0.5;

/// The frequency above which a grid of pixels shows another one, in cycles per pixel.
const NYQUIST: f64 = 0.5;

impl Gabor {
    /// The values on a grid of pixels.
    #[must_use]
    pub fn render(&self, rows: usize, columns: usize) -> Array2<f64> {
        let (sin, cos) = self.angle.sin_cos();
        Array2::from_shape_fn((rows, columns), |(row, column)| {
            let (dx, dy) = (column as f64 - self.x, row as f64 - self.y);
            let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
            let envelope = (u / self.across).powi(2) + (v / self.along).powi(2);
            let wave = (TAU * self.frequency * u + self.phase).cos();
            self.amplitude * (-0.5 * envelope).exp() * wave
        })
    }

    /// The least-squares fit to a patch, the best of several local minima.
    ///
    /// # Errors
    /// NaN or infinities, fewer than 3 rows or columns, or a patch of equal values.
    ///
    /// # Complexity
    /// Some 3000 evaluations of the function on the grid of pixels.
    ///
    /// # Example
    /// ```
    /// use forney_latent::sparse_coding::Gabor;
    /// let truth = Gabor {
    ///     amplitude: 2.0, phase: 0.3, x: 4.2, y: 5.1, angle: 0.7, across: 1.5, along: 2.5, frequency: 0.2,
    /// };
    /// let fit = Gabor::fit(truth.render(10, 10).view())?;
    /// assert!(fit.r2 > 0.999);
    /// assert!((fit.gabor.frequency - 0.2).abs() < 0.01);
    /// # Ok::<(), forney_latent::LatentError>(())
    /// ```
    pub fn fit(patch: ArrayView2<'_, f64>) -> Result<GaborFit, LatentError> {
        check::finite("the patch", patch)?;
        let (rows, columns) = patch.dim();
        let least = rows.min(columns);
        check::within(
            "the side of a patch",
            "at least 3",
            least as f64,
            least >= 3,
        )?;
        let mean = patch.sum() / patch.len() as f64;
        let total: f64 = patch.iter().map(|w| (w - mean).powi(2)).sum();
        check::within("the variance of a patch", "above 0", total, total > 0.0)?;
        // Errors are measured in units of the variance, so that steps mean the same for any scale.
        let scale = total.sqrt();
        let residual = Residual::new(patch.mapv(|w| w / scale));
        let mut starts: Vec<(f64, [f64; FREE])> = grid(rows, columns)
            .map(|point| (residual.project(&point).0, point))
            .collect();
        starts.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut best = (f64::INFINITY, [0.0; FREE]);
        for (_, start) in starts.into_iter().take(STARTS) {
            let mut climb = Lbfgs::new(residual.clone(), start.to_vec(), FREE);
            let mut value = climb.value();
            for _ in 0..STEPS {
                let before = value;
                value = climb.sweep();
                if before - value <= 1e-9 {
                    break;
                }
            }
            let point: Result<[f64; FREE], _> = climb.point().try_into();
            if let Ok(point) = point
                && value < best.0
            {
                best = (value, point);
            }
        }
        let (error, [a, b]) = residual.project(&best.1);
        let shape = residual.shape(&best.1);
        Ok(GaborFit {
            gabor: Gabor {
                // A cos(ωu + φ) = a cos ωu + b sin ωu
                amplitude: scale * a.hypot(b),
                phase: (-b).atan2(a),
                ..shape
            },
            r2: 1.0 - error,
        })
    }
}

/// Free parameters: `x₀, y₀, θ` and the logits of `ln σ`, `ln τ` and `f` between their limits.
const FREE: usize = 6;

/// Starting points: middles, directions, frequencies and widths.
fn grid(rows: usize, columns: usize) -> impl Iterator<Item = [f64; FREE]> {
    let middles = (0..9).map(move |at| {
        let place = |size: usize, at: usize| (size as f64 - 1.0) * (at as f64 + 1.0) / 4.0;
        (place(columns, at % 3), place(rows, at / 3))
    });
    middles.flat_map(|(x, y)| {
        (0..8).flat_map(move |direction| {
            [-2.5, -1.3, -0.4, 0.4].into_iter().flat_map(move |f| {
                [-1.0, 0.3].map(|width| [x, y, PI * f64::from(direction) / 8.0, width, width, f])
            })
        })
    })
}

/// The squared error of the best amplitude and phase, as a function of the free parameters.
#[derive(Clone, Debug)]
struct Residual {
    patch: Array2<f64>,
    /// `ln σ` and `ln τ` lie between `ln` [`NARROWEST`] and this more.
    ln_range: f64,
}

/// A logistic function, its value and slope.
fn logistic(t: f64) -> (f64, f64) {
    let s = 1.0 / (1.0 + (-t).exp());
    (s, s * (1.0 - s))
}

impl Residual {
    fn new(patch: Array2<f64>) -> Self {
        let side = patch.nrows().max(patch.ncols()) as f64;
        Self {
            patch,
            ln_range: (side / NARROWEST).ln(),
        }
    }

    /// The function with unit amplitude and no phase.
    fn shape(&self, point: &[f64]) -> Gabor {
        let width = |t| NARROWEST * (self.ln_range * logistic(t).0).exp();
        Gabor {
            amplitude: 1.0,
            phase: 0.0,
            x: point[0],
            y: point[1],
            angle: point[2],
            across: width(point[3]),
            along: width(point[4]),
            frequency: NYQUIST * logistic(point[5]).0,
        }
    }

    /// The error, and the best amplitudes of the cosine and the sine.
    fn project(&self, point: &[f64]) -> (f64, [f64; 2]) {
        let shape = self.shape(point);
        let (sin, cos) = shape.angle.sin_cos();
        // The normal equations of two unknowns.
        let (mut cc, mut cs, mut ss, mut cw, mut sw, mut ww) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for ((row, column), &w) in self.patch.indexed_iter() {
            let wave = Wave::at(&shape, sin, cos, row, column);
            let (c, s) = (wave.envelope * wave.cos, wave.envelope * wave.sin);
            cc += c * c;
            cs += c * s;
            ss += s * s;
            cw += c * w;
            sw += s * w;
            ww += w * w;
        }
        // The ridge decides where the sine vanishes on all pixels.
        let ridge = 1e-12 * (cc + ss) + f64::MIN_POSITIVE;
        let (cc, ss) = (cc + ridge, ss + ridge);
        let determinant = cc * ss - cs * cs;
        let (a, b) = (
            (ss * cw - cs * sw) / determinant,
            (cc * sw - cs * cw) / determinant,
        );
        (ww - a * cw - b * sw, [a, b])
    }
}

/// A pixel seen by a Gabor function.
struct Wave {
    /// Its place across and along the stripes.
    u: f64,
    v: f64,
    envelope: f64,
    cos: f64,
    sin: f64,
}

impl Wave {
    fn at(shape: &Gabor, sin: f64, cos: f64, row: usize, column: usize) -> Self {
        let (dx, dy) = (column as f64 - shape.x, row as f64 - shape.y);
        let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let square = (u / shape.across).powi(2) + (v / shape.along).powi(2);
        let (wave_sin, wave_cos) = (TAU * shape.frequency * u).sin_cos();
        Self {
            u,
            v,
            envelope: (-0.5 * square).exp(),
            cos: wave_cos,
            sin: wave_sin,
        }
    }
}

impl Objective for Residual {
    /// The error; its gradient is that with the amplitudes held fixed, since they are optimal.
    fn evaluate(&mut self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let (error, [a, b]) = self.project(point);
        let shape = self.shape(point);
        let (sin, cos) = shape.angle.sin_cos();
        gradient.fill(0.0);
        for ((row, column), &w) in self.patch.indexed_iter() {
            let wave = Wave::at(&shape, sin, cos, row, column);
            let Wave { u, v, envelope, .. } = wave;
            let carrier = a * wave.cos + b * wave.sin;
            let turned = b * wave.cos - a * wave.sin;
            let slope = -2.0 * (w - envelope * carrier);
            // By u, v, the widths and the frequency.
            let by_u =
                envelope * (-u / shape.across.powi(2) * carrier + TAU * shape.frequency * turned);
            let by_v = -v / shape.along.powi(2) * envelope * carrier;
            gradient[0] += slope * (by_v * sin - by_u * cos);
            gradient[1] -= slope * (by_u * sin + by_v * cos);
            gradient[2] += slope * (by_u * v - by_v * u);
            gradient[3] += slope * envelope * carrier * (u / shape.across).powi(2);
            gradient[4] += slope * envelope * carrier * (v / shape.along).powi(2);
            gradient[5] += slope * envelope * turned * TAU * u;
        }
        gradient[3] *= self.ln_range * logistic(point[3]).1;
        gradient[4] *= self.ln_range * logistic(point[4]).1;
        gradient[5] *= NYQUIST * logistic(point[5]).1;
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let mut rng = Pcg64::seed_from_u64(1);
        for _ in 0..100 {
            let patch = Array2::from_shape_simple_fn((7, 6), || rng.random_range(-1.0..1.0));
            let mut residual = Residual::new(patch);
            let point: Vec<f64> = [2.5, 3.0, 0.0, 0.0, 0.0, 0.0]
                .iter()
                .map(|x| x + rng.random_range(-1.0..1.0))
                .collect();
            let mut gradient = vec![0.0; FREE];
            residual.evaluate(&point, &mut gradient);
            for at in 0..FREE {
                let moved = |by: f64| {
                    let mut moved = point.clone();
                    moved[at] += by;
                    residual.project(&moved).0
                };
                let numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((numeric - gradient[at]).abs() < 1e-6 * (1.0 + numeric.abs()));
            }
        }
    }

    #[test]
    fn gabors_are_recognised_in_noise_and_noise_is_not() {
        let mut rng = Pcg64::seed_from_u64(2);
        let mut noise = |scale: f64| {
            Array2::from_shape_simple_fn((10, 10), || scale * rng.random_range(-1.0..1.0))
        };
        for turn in 0..12 {
            let truth = Gabor {
                amplitude: 1.0,
                phase: 0.5 * f64::from(turn),
                x: 3.0 + 0.3 * f64::from(turn),
                y: 6.0 - 0.2 * f64::from(turn),
                angle: 0.26 * f64::from(turn),
                across: 1.2,
                along: 2.0,
                frequency: 0.08 + 0.02 * f64::from(turn),
            };
            let fit = Gabor::fit(truth.render(10, 10).view()).unwrap();
            assert!(fit.r2 > 0.999, "{turn}: {}", fit.r2);
            let error = &fit.gabor.render(10, 10) - &truth.render(10, 10);
            assert!(
                error.iter().all(|e| e.abs() < 0.03),
                "what is returned is what was measured"
            );
            let noisy = truth.render(10, 10) + noise(0.05);
            assert!(Gabor::fit(noisy.view()).unwrap().r2 > 0.9);
            assert!(Gabor::fit(noise(1.0).view()).unwrap().r2 < 0.6);
        }
    }

    #[test]
    fn hostile_patches_are_refused() {
        let flat = Array2::from_elem((5, 5), 0.3);
        assert!(Gabor::fit(flat.view()).is_err());
        let mut bad = Array2::from_shape_fn((5, 5), |(i, j)| (i * j) as f64);
        assert!(Gabor::fit(bad.view()).is_ok());
        assert!(Gabor::fit(bad.slice(ndarray::s![..2, ..])).is_err());
        bad[[1, 1]] = f64::NAN;
        assert!(Gabor::fit(bad.view()).is_err());
    }
}

//! Mean field with continuous latent variables (chapter 19.4.3).
//!
//! The optimal factor of `q(h) = Π_i q(h_i)` is `q(h_i) ∝ exp E_{q(h_{−i})} ln p̃(v, h)` (19.56).
//! [`FixedPoint`] iterates it for any density that is a product of functions of few variables, with
//! each factor of `q` on a grid: the form of `q` comes out, it is not put in. For
//! [`LinearGaussian`] models it comes out Gaussian, and there the updates are in closed form for any
//! number of variables. [`LinearGaussianParams`] learns such a model with the mean-field E-step.

mod fixed_point;
mod learner;
mod linear_gaussian;

pub use fixed_point::{Factors, FixedPoint, Term};
pub use learner::{LinearGaussianLearner, LinearGaussianParams, LinearGaussianState};
pub use linear_gaussian::{LinearGaussian, MeanFieldGaussian, Posterior};

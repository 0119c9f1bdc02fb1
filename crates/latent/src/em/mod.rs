//! Expectation maximisation as coordinate ascent on `L(v, θ, q)` (Neal & Hinton 1998).
//!
//! The E-step sets `q(h | v)` to the posterior at the present parameters, which makes
//! `L(v, θ, q) = E_q[ln p(h, v; θ)] + H(q)` equal to `ln p(v; θ)`; the M-step raises `L` over `θ`, to its
//! maximum or by one step of its gradient (19.8). One learner, [`EmLearner`], does that for every
//! [`LatentModel`], over all examples at a time or by batches ([`Variant`]). It keeps sufficient
//! statistics, nothing for each example; sums run over fixed parts in a fixed order, so the numbers do
//! not depend on the number of threads; the free energy it reports is that of the parameters it returns.
//!
//! | symbol | name | unit |
//! |---|---|---|
//! | `v` | [`LatentModel::Data`], examples | |
//! | `h` | latent variables | |
//! | `θ` | a [`LatentModel`] | |
//! | `q` | [`LatentModel::Posterior`] | |
//! | `E_q[s(h, v)]` | [`LatentModel::Statistics`] | |
//! | `L(v, θ, q)` | [`Fit::objective`](crate::learn::Fit) | nats per example |

mod bayes_net;
mod e_step;
mod factor;
mod gaussian;
mod gradient;
mod hmm;
mod kmeans;
mod learner;
mod mixture;
mod model;
mod options;
mod rows;
mod simplex;
mod visit;

pub use crate::m_step::MStep;
pub use bayes_net::{
    BayesNet, BayesNetParams, BayesNetPosterior, FamilyCounts, MISSING, Observations, Start,
};
pub use factor::{
    FactorAnalysis, FactorAnalysisParams, FactorMoments, FactorPosterior, Noise, Scatter,
};
pub use gaussian::{Covariance, Covariances, GaussianMoments, Gaussians};
pub use hmm::{
    Categorical, CategoricalHmmParams, Emission, GaussianEmission, GaussianHmmParams, Hmm,
    HmmMoments, HmmPosterior, Sequences,
};
pub use learner::{EmLearner, EmState};
pub use mixture::{GaussianMixture, GaussianMixtureParams, MixturePosterior};
pub use model::{Examples, Expected, LatentModel, Statistics};
pub use options::{Em, Variant};
pub use rows::Rows;

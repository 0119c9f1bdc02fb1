//! The published method: plain gradient steps of fixed size (Ahn et al. 2018, algorithm 3).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use forney_certify::{Above, Objective, Refine};
use forney_exact::Schedule;
use forney_model::FactorGraph;

use crate::GaugeObjective;
use crate::axis;

// Steps as published.

/// Step of the gauges.
const GAUGE_STEP: f64 = 0.005;
/// Step of the logarithms of the weights.
const WEIGHT_STEP: f64 = 0.1;
/// Step of the reparameterisation.
const SHIFT_STEP: f64 = 0.1;

/// Which parameters the published method on gauges moves.
///
/// Those without gauges are here in the terms of gauges; with the same steps plain mini-buckets
/// ([`wmbe::Variant`](forney_bounds::wmbe::Variant)) go the same way, on any model and both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishedVariant {
    /// None: uniform weights, identity gauges.
    Wmbe,
    /// Hölder weights.
    W,
    /// Reparameterisations `θ_va + θ_vb = 0`, which are the gauges `diag(e^θ)`.
    Theta,
    /// Reparameterisations and weights.
    ThetaW,
    /// Gauges.
    G,
    /// Gauges and weights.
    Gw,
}

impl PublishedVariant {
    /// All variants, in the order of the paper.
    pub const ALL: [Self; 6] = [
        Self::Wmbe,
        Self::W,
        Self::Theta,
        Self::G,
        Self::ThetaW,
        Self::Gw,
    ];

    /// Its name in the paper.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wmbe => "WMBE",
            Self::W => "WMBE-w",
            Self::Theta => "WMBE-θ",
            Self::ThetaW => "WMBE-θw",
            Self::G => "WMBE-G",
            Self::Gw => "WMBE-Gw",
        }
    }

    /// The name of its bounds in reports, and of the method in the program.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::Wmbe => "published-wmbe",
            Self::W => "published-wmbe-w",
            Self::Theta => "published-wmbe-theta",
            Self::ThetaW => "published-wmbe-theta-w",
            Self::G => "published-wmbe-g",
            Self::Gw => "published-wmbe-gw",
        }
    }

    fn moves_weights(self) -> bool {
        matches!(self, Self::W | Self::ThetaW | Self::Gw)
    }
}

impl fmt::Display for PublishedVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of [`PublishedVariant::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no variant {0:?}; the variants are WMBE, WMBE-w, WMBE-θ, WMBE-G, WMBE-θw, WMBE-Gw"
)]
pub struct UnknownVariant(String);

impl FromStr for PublishedVariant {
    type Err = UnknownVariant;

    /// Reads the name of the paper; `theta` may be written for `θ`, in either case.
    fn from_str(name: &str) -> Result<Self, UnknownVariant> {
        let plain = |name: &str| name.to_lowercase().replace("theta", "θ");
        Self::ALL
            .into_iter()
            .find(|variant| plain(variant.name()) == plain(name))
            .ok_or_else(|| UnknownVariant(name.into()))
    }
}

/// The published descent; one [`sweep`](Refine::sweep) is one of its iterations.
///
/// ```text
/// G ← (I − 0.005 E) G ,   E = ∂ ln Z_w / ∂G at G = I                                  (36, 37)
/// θ ← θ − 0.1 diag E ,   w_r ← w_r exp(−0.1 (H_r − H̄)) / Σ
/// ```
///
/// All sums are absolute, as in the paper. Unlike it this keeps the tables of the model and the
/// product of all steps so far, which is the same and leaves a witness.
#[derive(Clone, Debug)]
pub struct Published {
    objective: GaugeObjective<Above>,
    variant: PublishedVariant,
    x: Vec<f64>,
    gradient: Vec<f64>,
}

impl Published {
    /// Starts at identity gauges and uniform weights.
    #[must_use]
    pub fn new(schedule: Arc<Schedule>, graph: &FactorGraph, variant: PublishedVariant) -> Self {
        let mut objective = GaugeObjective::new(schedule, graph, false);
        let x = objective.start();
        let mut gradient = vec![0.0; x.len()];
        objective.evaluate(&x, &mut gradient);
        Self {
            objective,
            variant,
            x,
            gradient,
        }
    }

    /// Goes on from the present point with other parameters, as the paper does to tell their gains
    /// apart.
    pub fn switch(&mut self, variant: PublishedVariant) {
        self.variant = variant;
    }

    /// The objective, which makes witnesses of points.
    #[must_use]
    pub fn objective(&self) -> &GaugeObjective<Above> {
        &self.objective
    }

    fn step(&mut self) {
        for gauge in self.objective.gauges().slots() {
            let (card, range) = (gauge.card, gauge.range.clone());
            let tangent = &self.objective.gauges().tangents()[range.clone()];
            let mut change = vec![0.0; tangent.len()];
            for i in 0..card {
                for j in 0..card {
                    let one = if i == j { 1.0 } else { 0.0 };
                    let e = tangent[i * card + j];
                    change[i * card + j] = match self.variant {
                        PublishedVariant::Wmbe | PublishedVariant::W => one,
                        PublishedVariant::Theta | PublishedVariant::ThetaW => {
                            one * (-SHIFT_STEP * e).exp()
                        }
                        PublishedVariant::G | PublishedVariant::Gw => one - GAUGE_STEP * e,
                    };
                }
            }
            let before = self.x[range.clone()].to_vec();
            axis::product(&change, &before, card, &mut self.x[range]);
        }
        if self.variant.moves_weights() {
            let entropies = self.objective.weight_gradient();
            let schedule = self.objective.schedule();
            let first = self.x.len() - schedule.num_weights();
            // Subtracting the mean H̄ changes nothing once the weights are normalised.
            for (logit, h) in self.x[first..].iter_mut().zip(entropies) {
                *logit -= WEIGHT_STEP * h;
            }
        }
    }
}

impl Refine for Published {
    type Point = Vec<f64>;

    fn sweep(&mut self) -> f64 {
        self.step();
        self.objective.evaluate(&self.x, &mut self.gradient)
    }

    fn point(&self) -> Vec<f64> {
        self.x.clone()
    }
}

//! The partial M-step: one step of gradient ascent.

use super::model::LatentModel;

/// After so many halvings a step is below rounding, and the parameters stay as they are.
const HALVINGS: usize = 50;

/// One step `θ + rate · ∇` on `E_q[ln p(h, v; θ)] + ln p(θ)`, halved until the value does not fall:
/// a generalised EM step (Dempster, Laird & Rubin 1977), so the free energy never falls either.
pub(super) fn ascend<M: LatentModel>(model: &M, statistics: &M::Statistics, rate: f64) -> M {
    let value = |model: &M| model.expected_ln_joint(statistics) + model.ln_prior();
    let here = value(model);
    let start = model.parameters();
    let gradient = model.gradient(statistics);
    let mut step = rate;
    for _ in 0..HALVINGS {
        let moved: Vec<f64> = start
            .iter()
            .zip(&gradient)
            .map(|(x, g)| x + step * g)
            .collect();
        if let Some(there) = model.with_parameters(&moved)
            && value(&there) >= here
        {
            return there;
        }
        step /= 2.0;
    }
    model.clone()
}

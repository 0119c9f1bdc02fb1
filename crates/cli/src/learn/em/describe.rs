//! Learned models as arrays and UAI files.

use forney_latent::em::{
    BayesNet, Categorical, Covariances, FactorAnalysis, GaussianEmission, GaussianMixture, Hmm,
};
use forney_uai::{ModelKind, UaiModel, write_model};
use serde_json::json;

use crate::error::Failure;
use crate::learn::learned::{Described, Named, named};

pub(super) fn mixture(model: &GaussianMixture) -> Result<Described, Failure> {
    let told = Described::new(vec![
        named("weights", model.weights()),
        named("means", model.means()),
        covariances(model.covariances()),
    ]);
    Ok(told.with_fact("weights", json!(model.weights().to_vec())))
}

fn covariances(covariances: &Covariances) -> Named {
    let name = "covariances";
    match covariances {
        Covariances::Full(full) => named(name, full),
        Covariances::Diagonal(diagonal) => named(name, diagonal),
        Covariances::Tied(tied) => named(name, tied),
        Covariances::Spherical(spherical) => named(name, spherical),
    }
}

pub(super) fn factor_analysis(model: &FactorAnalysis) -> Result<Described, Failure> {
    let told = Described::new(vec![
        named("mean", model.mean()),
        named("loadings", model.loadings()),
        named("noise", model.noise()),
    ]);
    let mean = model.noise().mean().unwrap_or(0.0);
    Ok(told.with_fact("mean_noise", json!(mean)))
}

pub(super) fn gaussian_hmm(model: &Hmm<GaussianEmission>) -> Result<Described, Failure> {
    Ok(Described::new(vec![
        named("start", model.start()),
        named("transitions", model.transitions()),
        named("means", model.emission().means()),
        covariances(model.emission().covariances()),
    ]))
}

pub(super) fn categorical_hmm(model: &Hmm<Categorical>) -> Result<Described, Failure> {
    Ok(Described::new(vec![
        named("start", model.start()),
        named("transitions", model.transitions()),
        named("emissions", model.emission().probabilities()),
    ]))
}

pub(super) fn bayes_net(model: &BayesNet) -> Result<Described, Failure> {
    let mut file = UaiModel::from_graph(&model.to_graph());
    file.kind = ModelKind::Bayes;
    let mut bytes = Vec::new();
    write_model(&mut bytes, &file).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(Described {
        uai: Some(bytes),
        ..Described::default()
    })
}

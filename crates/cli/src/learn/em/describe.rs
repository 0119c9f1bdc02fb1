//! Learned models as arrays and UAI files.

use forney_latent::em::{
    BayesNet, Categorical, Covariances, FactorAnalysis, GaussianEmission, GaussianMixture, Hmm,
};
use forney_uai::{ModelKind, UaiModel, write_model};
use ndarray::ArrayD;
use serde_json::{Map, json};

use crate::error::Failure;
use crate::learn::learned::Described;

pub(super) fn mixture(model: &GaussianMixture) -> Result<Described, Failure> {
    let arrays = vec![
        ("weights", model.weights().clone().into_dyn()),
        ("means", model.means().clone().into_dyn()),
        ("covariances", covariances(model.covariances())),
    ];
    let weights = json!(model.weights().to_vec());
    Ok(Described {
        arrays,
        facts: Map::from_iter([("weights".to_owned(), weights)]),
        ..Described::default()
    })
}

fn covariances(covariances: &Covariances) -> ArrayD<f64> {
    match covariances {
        Covariances::Full(full) => full.clone().into_dyn(),
        Covariances::Diagonal(diagonal) => diagonal.clone().into_dyn(),
        Covariances::Tied(tied) => tied.clone().into_dyn(),
        Covariances::Spherical(spherical) => spherical.clone().into_dyn(),
    }
}

pub(super) fn factor_analysis(model: &FactorAnalysis) -> Result<Described, Failure> {
    let arrays = vec![
        ("mean", model.mean().clone().into_dyn()),
        ("loadings", model.loadings().clone().into_dyn()),
        ("noise", model.noise().clone().into_dyn()),
    ];
    let mean = json!(model.noise().mean().unwrap_or(0.0));
    Ok(Described {
        arrays,
        facts: Map::from_iter([("mean_noise".to_owned(), mean)]),
        ..Described::default()
    })
}

pub(super) fn gaussian_hmm(model: &Hmm<GaussianEmission>) -> Result<Described, Failure> {
    let arrays = vec![
        ("start", model.start().clone().into_dyn()),
        ("transitions", model.transitions().clone().into_dyn()),
        ("means", model.emission().means().clone().into_dyn()),
        ("covariances", covariances(model.emission().covariances())),
    ];
    Ok(Described {
        arrays,
        ..Described::default()
    })
}

pub(super) fn categorical_hmm(model: &Hmm<Categorical>) -> Result<Described, Failure> {
    let arrays = vec![
        ("start", model.start().clone().into_dyn()),
        ("transitions", model.transitions().clone().into_dyn()),
        (
            "emissions",
            model.emission().probabilities().clone().into_dyn(),
        ),
    ];
    Ok(Described {
        arrays,
        ..Described::default()
    })
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

//! Strategies that the law suites share.

use forney_model::FactorGraph;
use forney_model::generate::{RandomModel, random};
use forney_uai::{ModelKind, UaiModel, write_model};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_pcg::Pcg64;

/// Small models with mixed cardinalities, empty and repeated scopes, hard zeros, isolated variables.
pub(crate) fn graphs() -> impl Strategy<Value = FactorGraph> {
    let spec = (
        0..8usize,
        1..5usize,
        0..8usize,
        0..4usize,
        0.0..0.5,
        0.0..40.0,
    );
    (spec, any::<u64>()).prop_map(
        |((variables, max_card, factors, max_scope, zeros, spread), seed)| {
            let spec = RandomModel {
                variables,
                max_card,
                factors,
                max_scope,
                zeros,
                spread,
            };
            random(&spec, &mut Pcg64::seed_from_u64(seed))
        },
    )
}

/// Such models of both kinds, one entry in four any finite value ≥ 0 that an `f64` can hold.
pub(crate) fn models() -> impl Strategy<Value = UaiModel> {
    (graphs(), any::<bool>(), any::<u64>()).prop_map(|(graph, bayes, seed)| {
        let mut model = UaiModel::from_graph(&graph).unwrap();
        if bayes {
            model.kind = ModelKind::Bayes;
        }
        let mut bits = seed;
        for value in model
            .factors
            .iter_mut()
            .flat_map(|factor| &mut factor.values)
        {
            // A linear congruential generator: its high bits are as random as is needed here.
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let any = f64::from_bits(bits).abs();
            if (bits >> 33) % 4 == 0 && any.is_finite() {
                *value = any;
            }
        }
        model
    })
}

/// The text of a model file.
pub(crate) fn text(model: &UaiModel) -> Vec<u8> {
    let mut text = Vec::new();
    write_model(&mut text, model).unwrap();
    text
}

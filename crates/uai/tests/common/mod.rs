//! Strategies that the law suites share.

use forney_model::FactorGraph;
use forney_model::generate::{RandomModel, random};
use forney_uai::{Entries, ModelKind, UaiModel, write_model};
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

/// Such models of both kinds; one entry in four is any normal `f64` above 0, and one table in four
/// holds logarithms, at least one of them of a number that no `f64` holds.
pub(crate) fn models() -> impl Strategy<Value = UaiModel> {
    (graphs(), any::<bool>(), any::<u64>()).prop_map(|(graph, bayes, seed)| {
        let mut model = UaiModel::from_graph(&graph);
        if bayes {
            model.kind = ModelKind::Bayes;
        }
        let mut bits = seed;
        // A linear congruential generator: its high bits are as random as is needed here.
        let mut random = || {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            bits
        };
        for factor in &mut model.factors {
            let Entries::Values(values) = &mut factor.entries else {
                continue;
            };
            for value in values.iter_mut() {
                let bits = random();
                let any = f64::from_bits(bits).abs();
                if (bits >> 33) % 4 == 0 && any.is_normal() {
                    *value = any;
                }
            }
            if (random() >> 33) % 4 == 0 {
                let mut ln: Vec<f64> = values.iter().map(|value| value.ln()).collect();
                let far = 1000.0 + (random() >> 40) as f64 / 7.0;
                ln[0] = if random() >> 63 == 0 { far } else { -far };
                factor.entries = Entries::Ln(ln);
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

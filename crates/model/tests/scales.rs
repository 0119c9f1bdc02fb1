//! Laws of scales: whatever rewrites a model neither loses the scale of a table nor counts it twice.

use forney_model::enumerate::enumerate;
use forney_model::generate::with_scales;
use forney_model::{
    Domains, Evidence, FactorGraph, Forney, VarId, simplify, simplify_sum, without_barren,
};
use forney_testing::Family;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

#[track_caller]
fn assert_same(found: &FactorGraph, expected: f64, what: &str) {
    let ln_z = enumerate(found).ln_z;
    let same = ln_z.to_bits() == expected.to_bits() || (ln_z - expected).abs() < 1e-11;
    assert!(same, "{what}: {ln_z} for {expected}");
}

#[test]
fn rewriting_a_model_keeps_its_scale() {
    for seed in 0..1500 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let plain = Family::TINY.draw(&mut rng);
        let wild = with_scales(&plain, &mut rng);
        let expected = enumerate(&plain).ln_z;
        assert_same(&wild, expected, &format!("itself, seed {seed}"));
        let simple = simplify(&wild).unwrap();
        assert_same(&simple, expected, &format!("simplify, seed {seed}"));
        let simple = simplify_sum(&wild).unwrap();
        assert_same(&simple, expected, &format!("simplify_sum, seed {seed}"));
        let (reduced, _) = without_barren(&wild).unwrap();
        assert_same(&reduced, expected, &format!("without_barren, seed {seed}"));
        let mut domains = Domains::full(&wild);
        if domains.prune(&wild).is_ok() {
            let pruned = domains.restrict(&wild);
            assert_same(pruned.graph(), expected, &format!("prune, seed {seed}"));
        }
        if enumerate(&wild).marginals.iter().all(|p| p.len() < 3) {
            let form = Forney::new(&wild, 3).unwrap();
            if form.graph().num_variables() < 14 {
                assert_same(form.graph(), expected, &format!("Forney, seed {seed}"));
            }
        }
        let v = VarId::new(rng.random_range(0..wild.num_variables()));
        let mut evidence = Evidence::default();
        evidence.observe(v, 0).unwrap();
        let observed = [&plain, &wild].map(|graph| {
            let domains = Domains::observed(graph, &evidence).unwrap();
            domains.restrict(graph)
        });
        let given = enumerate(observed[0].graph()).ln_z;
        assert_same(
            observed[1].graph(),
            given,
            &format!("evidence, seed {seed}"),
        );
    }
}

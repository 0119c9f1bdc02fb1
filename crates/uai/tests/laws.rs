//! Laws of reading and writing, on random models.

mod common;

use common::{graphs, models, text};
use forney_model::{Evidence, FactorGraph, VarId};
use forney_uai::{
    Solution, UaiModel, read_evidence, read_model, read_order, read_solution, write_solution,
};
use proptest::prelude::*;

/// Every bit of a model, where `==` would take −0 for 0.
fn bits(model: &UaiModel) -> Vec<u64> {
    let values = model.factors.iter().flat_map(|factor| &factor.values);
    values.map(|value| value.to_bits()).collect()
}

fn relaid(text: &[u8], spaces: &[String]) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    let mut spaces = spaces.iter().cycle();
    let mut relaid = spaces.next().unwrap().clone();
    for token in text.split_ascii_whitespace() {
        relaid += token;
        relaid += spaces.next().unwrap();
    }
    relaid.into_bytes()
}

fn spaces() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[ \t\r\n\x0b\x0c]{1,3}", 1..20)
}

fn same_within_rounding(one: &FactorGraph, other: &FactorGraph) -> bool {
    let close = |a: f64, b: f64| {
        a.to_bits() == b.to_bits() || (a - b).abs() <= 4.0 * f64::EPSILON * a.abs().max(1.0)
    };
    one.cards() == other.cards()
        && one.num_factors() == other.num_factors()
        && one
            .factors()
            .iter()
            .zip(other.factors())
            .all(|(one, other)| {
                one.scope() == other.scope()
                    && one.num_entries() == other.num_entries()
                    && (0..one.num_entries()).all(|at| close(one.ln_entry(at), other.ln_entry(at)))
            })
}

/// Variables with a cardinality and a state each, some of them observed.
fn observed() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    let variable = (1..6usize, any::<prop::sample::Index>(), any::<bool>());
    let variable = variable.prop_map(|(card, state, seen)| (card, state.index(card), seen));
    prop::collection::vec(variable, 0..12)
}

fn numbers(numbers: &[usize]) -> Vec<u8> {
    let words: Vec<String> = numbers.iter().map(usize::to_string).collect();
    words.join(" ").into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_written_reads_back_to_the_same_bits(model in models()) {
        let read = read_model(&text(&model)).unwrap();
        prop_assert_eq!(&read, &model);
        prop_assert_eq!(bits(&read), bits(&model));
    }

    #[test]
    fn lines_mean_nothing(model in models(), spaces in spaces()) {
        prop_assert_eq!(read_model(&relaid(&text(&model), &spaces)).unwrap(), model);
    }

    #[test]
    fn graphs_keep_their_logarithms(graph in graphs()) {
        let read = read_model(&text(&UaiModel::from_graph(&graph).unwrap())).unwrap();
        prop_assert!(same_within_rounding(&read.to_graph().unwrap(), &graph));
    }

    #[test]
    fn a_file_cut_short_is_refused(model in models(), cut in any::<prop::sample::Index>()) {
        let text = text(&model);
        let tokens = text.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()).count();
        let kept = cut.index(tokens);
        let text = String::from_utf8(text).unwrap();
        let short: Vec<&str> = text.split_ascii_whitespace().take(kept).collect();
        prop_assert!(read_model(short.join(" ").as_bytes()).is_err());
    }

    #[test]
    fn evidence_reads_the_same_in_both_conventions(variables in observed()) {
        let cards: Vec<usize> = variables.iter().map(|variable| variable.0).collect();
        let mut evidence = Evidence::default();
        let mut pairs = Vec::new();
        for (var, &(_, state, seen)) in variables.iter().enumerate() {
            if seen {
                evidence.observe(VarId::new(var), state).unwrap();
                pairs.extend([var, state]);
            }
        }
        let plain = [vec![pairs.len() / 2], pairs].concat();
        let older = [vec![1], plain.clone()].concat();
        prop_assert_eq!(&read_evidence(&numbers(&plain), &cards).unwrap(), &evidence);
        prop_assert_eq!(&read_evidence(&numbers(&older), &cards).unwrap(), &evidence);
    }

    #[test]
    fn orders_read_the_same_with_and_without_their_count(
        order in (0..20usize).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle())
    ) {
        let vars: Vec<VarId> = order.iter().map(|&var| VarId::new(var)).collect();
        let counted = [vec![order.len()], order.clone()].concat();
        prop_assert_eq!(&read_order(&numbers(&order), order.len()).unwrap(), &vars);
        prop_assert_eq!(&read_order(&numbers(&counted), order.len()).unwrap(), &vars);
    }

    #[test]
    fn solutions_read_back(
        log10_z in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        marginals in prop::collection::vec(prop::collection::vec(0.0..1.0f64, 1..5), 0..6),
        states in prop::collection::vec(0..1000usize, 0..9),
    ) {
        for solution in [
            Solution::Pr { log10_z },
            Solution::Pr { log10_z: f64::NEG_INFINITY },
            Solution::Mar(marginals),
            Solution::Map(states),
        ] {
            let mut text = Vec::new();
            write_solution(&mut text, &solution).unwrap();
            prop_assert_eq!(read_solution(&text).unwrap(), solution);
        }
    }
}

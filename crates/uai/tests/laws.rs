//! Laws of reading and writing, on random models.

mod common;

use common::{graphs, models, text};
use forney_model::{Evidence, FactorGraph, Table, VarId};
use forney_uai::{
    Entries, Solution, UaiModel, read_evidence, read_evidences, read_log_model, read_model,
    read_order, read_solution, write_solution,
};
use proptest::prelude::*;

/// Every bit of a model, where `==` would take −0 for 0.
fn bits(model: &UaiModel) -> Vec<u64> {
    let entries = model
        .factors
        .iter()
        .flat_map(|factor| match &factor.entries {
            Entries::Values(entries) | Entries::Ln(entries) => entries,
        });
    entries.map(|entry| entry.to_bits()).collect()
}

/// The same model; what the reader doubts is no part of it.
fn same(one: &UaiModel, other: &UaiModel) -> bool {
    (one.kind, &one.cards, &one.factors) == (other.kind, &other.cards, &other.factors)
}

/// The text of a file of log tables.
fn log_text(model: &UaiModel, graph: &FactorGraph) -> String {
    let mut words = vec![model.kind.word().to_owned(), model.cards.len().to_string()];
    words.extend(model.cards.iter().map(usize::to_string));
    words.push(model.factors.len().to_string());
    for factor in &model.factors {
        words.push(factor.scope.len().to_string());
        words.extend(factor.scope.iter().map(VarId::to_string));
    }
    for table in graph.factors() {
        words.push(table.num_entries().to_string());
        words.extend((0..table.num_entries()).map(|entry| table.ln_entry(entry).to_string()));
    }
    words.join(" ")
}

fn relaid(text: &[u8], spaces: &[String]) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    let mut spaces = spaces.iter().cycle();
    // No token stands before the first.
    let mut relaid = spaces.next().unwrap().trim_start_matches(',').to_owned();
    for token in text.split_ascii_whitespace() {
        relaid += token;
        relaid += spaces.next().unwrap();
    }
    relaid.into_bytes()
}

fn spaces() -> impl Strategy<Value = Vec<String>> {
    // White space, commas that it follows, and comments.
    let space = "(,?[ \t\r\n\x0b\x0c]{1,3}|,?( {0,2}#| {0,2}//|\n *c |\n\tc\t)[a-z0-9,#/ ]{0,5}\n)";
    prop::collection::vec(space, 1..20)
}

/// The same logarithms, but for the rounding of the largest of each table, which its others are
/// relative to.
fn same_within_rounding(one: &FactorGraph, other: &FactorGraph) -> bool {
    let ln = |table: &Table| -> Vec<f64> {
        let entries = 0..table.num_entries();
        entries.map(|entry| table.ln_entry(entry)).collect()
    };
    let close = |(one, other): (&Table, &Table)| {
        let (lns, others) = (ln(one), ln(other));
        let finite = lns.iter().filter(|ln| ln.is_finite());
        let size = finite.fold(1.0, |size: f64, ln| size.max(ln.abs()));
        let close = |(a, b): (&f64, &f64)| {
            a.to_bits() == b.to_bits() || (a - b).abs() <= 4.0 * f64::EPSILON * size
        };
        one.scope() == other.scope()
            && lns.len() == others.len()
            && lns.iter().zip(&others).all(close)
    };
    one.cards() == other.cards()
        && one.num_factors() == other.num_factors()
        && one.factors().iter().zip(other.factors()).all(close)
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
        prop_assert!(same(&read, &model));
        prop_assert_eq!(bits(&read), bits(&model));
    }

    #[test]
    fn lines_mean_nothing(model in models(), spaces in spaces()) {
        prop_assert!(same(&read_model(&relaid(&text(&model), &spaces)).unwrap(), &model));
    }

    #[test]
    fn both_ways_to_the_graph_lead_to_the_same(model in models()) {
        let graph = model.to_graph().unwrap();
        prop_assert_eq!(model.into_graph().unwrap(), graph);
    }

    #[test]
    fn logarithms_read_as_they_stand(model in models()) {
        let graph = model.to_graph().unwrap();
        let read = read_log_model(log_text(&model, &graph).as_bytes()).unwrap();
        prop_assert!(same_within_rounding(&read.to_graph().unwrap(), &graph));
    }

    #[test]
    fn graphs_keep_their_logarithms(graph in graphs()) {
        let read = read_model(&text(&UaiModel::from_graph(&graph))).unwrap();
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
    fn samples_are_read_as_they_stand(
        variables in observed(),
        masks in prop::collection::vec(any::<u16>(), 1..9),
    ) {
        let cards: Vec<usize> = variables.iter().map(|variable| variable.0).collect();
        let mut lines = vec![masks.len().to_string()];
        let mut samples = Vec::new();
        for mask in masks {
            let seen = variables.iter().enumerate().filter(|(var, _)| mask >> var & 1 == 1);
            let mut evidence = Evidence::default();
            let mut pairs = Vec::new();
            for (var, &(_, state, _)) in seen {
                evidence.observe(VarId::new(var), state).unwrap();
                pairs.push(format!(" {var} {state}"));
            }
            lines.push(pairs.len().to_string() + &pairs.concat());
            samples.push(evidence);
        }
        let read = read_evidences(lines.join("\n").as_bytes(), &cards).unwrap();
        prop_assert_eq!(read.samples, samples);
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

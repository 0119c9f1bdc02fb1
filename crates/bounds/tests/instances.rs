//! Brackets of bundled instances: on the right side of the reference, and as tight as they were.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use forney_bounds::{BoundOptions, Method, bracket};
use forney_certify::{Budget, slack};
use forney_model::{Domains, FactorGraph};
use forney_uai::{read_evidence, read_file, read_model};

/// Every bundled model with a known `ln Z`, restricted to its evidence.
fn instances() -> Vec<(String, FactorGraph, f64)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let table = std::fs::read_to_string(root.join("REFERENCE.tsv")).unwrap();
    table
        .lines()
        .skip(1)
        .map(|line| {
            let row: Vec<&str> = line.split('\t').collect();
            let model = read_file(root.join(row[0]), read_model).unwrap();
            let graph = model.to_graph().unwrap();
            let graph = match row[3] {
                "-" => graph,
                file => {
                    let read = |bytes: &[u8]| read_evidence(bytes, &model.cards);
                    let evidence = read_file(root.join(file), read).unwrap();
                    let domains = Domains::observed(&graph, &evidence).unwrap();
                    domains.restrict(&graph).graph().clone()
                }
            };
            (row[0].to_owned(), graph, row[1].parse().unwrap())
        })
        .collect()
}

#[test]
fn every_bundled_model_closes_to_its_reference() {
    let instances = instances();
    assert!(instances.len() > 30, "{} models", instances.len());
    for (name, graph, ln_z) in instances {
        let report = bracket(
            &graph,
            &BoundOptions::default(),
            &Budget::unlimited(),
            &mut |_| {},
        )
        .unwrap();
        assert!(report.exact, "{name}");
        let value = report.bracket.upper().ln();
        // Equal infinities have no difference.
        let same = value.to_bits() == ln_z.to_bits() || (value - ln_z).abs() <= slack(ln_z);
        assert!(same, "{name}: {value} for {ln_z}");
    }
}

#[test]
fn brackets_at_a_small_ibound() {
    let mut lines = String::new();
    let wanted = [
        "ising10_b1",
        "ising15_b1",
        "mobius24_T1",
        "mobius180_T1",
        "reg3_60_T1",
        "mixed40",
    ];
    for (name, graph, ln_z) in instances() {
        let Some(short) = wanted
            .iter()
            .find(|short| name.ends_with(&format!("{short}.uai")))
        else {
            continue;
        };
        let options = BoundOptions {
            ibound: Some(4),
            iterations: Some(400),
            method: Method::Wmbe,
            ..BoundOptions::default()
        };
        let report = bracket(&graph, &options, &Budget::unlimited(), &mut |_| {}).unwrap();
        let (lower, upper) = (report.bracket.lower().ln(), report.bracket.upper().ln());
        assert!(
            lower <= ln_z + slack(ln_z) && upper >= ln_z - slack(ln_z),
            "{name}"
        );
        // The optimiser amplifies the last bits of exp and ln, so a snapshot keeps two digits.
        lines += &format!("{short}: {:+.2} {:+.2}\n", lower - ln_z, upper - ln_z);
    }
    insta::assert_snapshot!(lines);
}

/// Competition instances with their published values, read from beside the repository.
#[test]
#[allow(clippy::print_stderr)] // A skipped test says so.
#[ignore = "takes minutes and needs the competition files in ../shared/data"]
fn competition_instances_are_bracketed() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(manifest) = std::fs::read_to_string(data.join("MANIFEST.md")) else {
        eprintln!("skipped: {} is not there", data.display());
        return;
    };
    let mut checked = 0;
    for line in manifest.lines() {
        let row: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, file, _, _, _, _, _, _, _, _, exact, ..] = row[..] else {
            continue;
        };
        // Published decimal logarithms have few digits and some are wrong; exact values have many.
        let (Ok(ln_z), true) = (exact.parse::<f64>(), file.ends_with(".uai")) else {
            continue;
        };
        let model = read_file(data.join(file), read_model).unwrap();
        let mut graph = model.to_graph().unwrap();
        let evidence = data.join(format!("{file}.evid"));
        if evidence.is_file() {
            let read = |bytes: &[u8]| read_evidence(bytes, &model.cards);
            let evidence = read_file(evidence, read).unwrap();
            let domains = Domains::observed(&graph, &evidence).unwrap();
            graph = domains.restrict(&graph).graph().clone();
        }
        let budget = Budget::new(Some(Duration::from_secs(5)), Arc::default());
        let report = bracket(&graph, &BoundOptions::default(), &budget, &mut |_| {}).unwrap();
        let (lower, upper) = (report.bracket.lower().ln(), report.bracket.upper().ln());
        // CPTs printed with few digits sum to 1 only so far.
        let slack = if ln_z.is_finite() {
            1e-9 * ln_z.abs().max(100.0)
        } else {
            0.0
        };
        assert!(lower <= ln_z + slack, "{file}: lower {lower} above {ln_z}");
        assert!(upper >= ln_z - slack, "{file}: upper {upper} below {ln_z}");
        checked += 1;
    }
    assert!(checked > 40, "only {checked} files were checked");
}

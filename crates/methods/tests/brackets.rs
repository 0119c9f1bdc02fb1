//! Brackets of bundled instances: on the right side of the reference, and as tight as they were.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use forney_certify::{Budget, slack};
use forney_methods::{BoundOptions, Options, WMBE, bracket};
use forney_testing::{Reference, instances, restricted};

#[test]
fn every_bundled_model_closes_to_its_reference() {
    for (reference, graph) in instances() {
        let options = BoundOptions::default();
        let report = bracket(&graph, &options, &Budget::unlimited(), &mut |_| {}).unwrap();
        assert!(report.exact, "{}", reference.file);
        let value = report.bracket.upper().ln();
        assert!(reference.is(value), "{reference:?}: {value}");
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
    for (Reference { file, ln_z, .. }, graph) in instances() {
        let Some(short) = wanted
            .iter()
            .find(|short| file.ends_with(&format!("{short}.uai")))
        else {
            continue;
        };
        let options = BoundOptions {
            limits: Options {
                ibound: Some(4),
                iterations: Some(400),
                ..Options::default()
            },
            method: Some(WMBE),
            ..BoundOptions::default()
        };
        let report = bracket(&graph, &options, &Budget::unlimited(), &mut |_| {}).unwrap();
        let (lower, upper) = (report.bracket.lower().ln(), report.bracket.upper().ln());
        assert!(
            lower <= ln_z + slack(ln_z) && upper >= ln_z - slack(ln_z),
            "{file}"
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
        let evidence = Some(data.join(format!("{file}.evid"))).filter(|file| file.is_file());
        let graph = restricted(&data.join(file), evidence.as_deref());
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

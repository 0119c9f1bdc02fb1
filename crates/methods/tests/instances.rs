//! Every method on files with a known `ln Z`: each value on its side of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use forney_certify::{Budget, slack};
use forney_methods::{Gives, METHODS, Options, entrants};
use forney_model::FactorGraph;
use forney_testing::{Reference, instances, restricted};
use rayon::prelude::*;

/// Time of each method on each model.
const SHARE: Duration = Duration::from_millis(500);

/// Runs every method; returns how many gave a finite bound.
fn check(name: &str, graph: &FactorGraph, ln_z: f64, slack: f64, options: &Options) -> usize {
    let check = |job: &forney_methods::Entrant| {
        let budget = Budget::new(Some(SHARE), Arc::default());
        let run = job
            .method
            .run(graph, job.side, options, &budget, &mut |_| {});
        // A method that does not apply says so.
        let Ok(found) = run else { return 0 };
        let ln = found.value.ln();
        let sound = match job.side {
            Gives::Upper => ln >= ln_z - slack,
            Gives::Lower => ln <= ln_z + slack,
            Gives::Both => ln >= ln_z - slack,
            Gives::Estimate => !ln.is_nan(),
        };
        assert!(
            sound,
            "{name}: {} {} {ln} for {ln_z}",
            job.method.name(),
            job.side
        );
        usize::from(job.side != Gives::Estimate && ln.is_finite())
    };
    entrants(METHODS).par_iter().map(check).sum()
}

#[test]
fn bundled_models() {
    let mut bounds = 0;
    for (Reference { file, ln_z, .. }, graph) in instances() {
        let options = Options {
            ibound: Some(5),
            iterations: Some(3),
            ..Options::default()
        };
        bounds += check(&file, &graph, ln_z, slack(ln_z), &options);
    }
    assert!(bounds > 300, "only {bounds} bounds");
}

/// Set `FORNEY_DATA` to a folder with a `MANIFEST.md` of UAI files and their exact values.
#[test]
#[ignore = "takes many minutes, and needs a folder of files in FORNEY_DATA"]
#[allow(clippy::print_stderr)] // A skipped test says so.
fn files_of_a_folder() {
    let Some(data) = std::env::var_os("FORNEY_DATA").map(PathBuf::from) else {
        eprintln!("skipped: FORNEY_DATA is not set");
        return;
    };
    let manifest = std::fs::read_to_string(data.join("MANIFEST.md")).unwrap();
    let mut files = 0;
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
        // Tables printed with few digits sum to 1 only so far.
        let slack = if ln_z.is_finite() {
            1e-9 * ln_z.abs().max(100.0)
        } else {
            0.0
        };
        let options = Options::default();
        let bounds = check(file, &graph, ln_z, slack, &options);
        eprintln!("{file}: {bounds} bounds");
        files += 1;
    }
    assert!(
        files > 0,
        "no file of {} has an exact value",
        data.display()
    );
}

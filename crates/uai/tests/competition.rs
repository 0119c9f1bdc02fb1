//! Instances of the competitions, read where they are present beside the workspace.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use forney_uai::{Solution, read_evidence, read_file, read_model, read_solution, write_model};

/// The folder of instances; where it is absent, `None` and a word past the capture of the tests.
fn instances() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if folder.join("MANIFEST.md").is_file() {
        return Some(folder);
    }
    let message = format!(
        "SKIPPED: {} is absent, no competition instance was read",
        folder.display()
    );
    let _ = writeln!(io::stderr(), "{message}");
    None
}

/// What the table of `MANIFEST.md` says of a model.
struct Row {
    file: String,
    kind: String,
    variables: usize,
    factors: usize,
    max_card: usize,
    max_scope: usize,
    observed: usize,
}

fn rows(manifest: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in manifest.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [
            _,
            file,
            kind,
            variables,
            factors,
            max_card,
            max_scope,
            observed,
            ..,
        ] = cells[..]
            && file.ends_with(".uai")
        {
            let number = |cell: &str| cell.parse().unwrap();
            rows.push(Row {
                file: file.to_owned(),
                kind: kind.to_owned(),
                variables: number(variables),
                factors: number(factors),
                max_card: number(max_card),
                max_scope: number(max_scope),
                observed: number(observed),
            });
        }
    }
    rows
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_manifest_describes_what_is_read() {
    let Some(folder) = instances() else { return };
    let rows = rows(&fs::read_to_string(folder.join("MANIFEST.md")).unwrap());
    assert!(rows.len() > 50, "{} rows", rows.len());
    for row in rows {
        let file = &row.file;
        let model = read_file(folder.join(file), read_model).unwrap();
        assert_eq!(model.kind.word(), row.kind, "{file}");
        assert_eq!(model.cards.len(), row.variables, "{file}");
        assert_eq!(model.factors.len(), row.factors, "{file}");
        assert_eq!(model.cards.iter().max(), Some(&row.max_card), "{file}");
        let scopes = model.factors.iter().map(|factor| factor.scope.len());
        assert_eq!(scopes.max(), Some(row.max_scope), "{file}");
        let evidence = folder.join(format!("{file}.evid"));
        let observed = match evidence.is_file() {
            true => read_file(evidence, |bytes| read_evidence(bytes, &model.cards))
                .unwrap()
                .len(),
            false => 0,
        };
        assert_eq!(observed, row.observed, "{file}");
    }
}

#[test]
fn every_file_reads_and_every_model_survives_writing() {
    let Some(folder) = instances() else { return };
    let models = files(&folder, "uai");
    assert!(models.len() > 90, "{} models", models.len());
    for path in models {
        let model = read_file(&path, read_model).unwrap();
        model.to_graph().unwrap();
        let mut text = Vec::new();
        write_model(&mut text, &model).unwrap();
        let again = read_model(&text).unwrap();
        assert_eq!(again.factors, model.factors, "{}", path.display());
    }
    let results = files(&folder, "PR");
    assert!(results.len() > 30, "{} results", results.len());
    for path in results {
        let solution = read_file(&path, read_solution).unwrap();
        assert!(
            matches!(solution, Solution::Pr { log10_z } if log10_z.is_finite()),
            "{solution:?}"
        );
    }
}

//! The models in the repository: they read, and what is said of them is true.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use forney_model::Domains;
use forney_model::enumerate::enumerate;
use forney_testing::{references, root};
use forney_uai::{ModelKind, UaiModel, read_evidence, read_file, read_model, write_model};

fn model_files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(
                model_files(&path)
                    .into_iter()
                    .map(|file| format!("{name}/{file}")),
            );
        } else if name.ends_with(".uai") {
            found.insert(name);
        }
    }
    found
}

#[test]
fn every_model_has_a_reference_and_reads() {
    let folder = root().join("testdata");
    let named: BTreeSet<String> = references().into_iter().map(|row| row.file).collect();
    assert_eq!(named, model_files(&folder));
    for file in named {
        let model: UaiModel = read_file(folder.join(&file), read_model).unwrap();
        assert_eq!(model.warnings, [], "{file}");
        assert_eq!(
            model.kind == ModelKind::Bayes,
            file.starts_with("bayesnets/"),
            "{file}"
        );
        let mut text = Vec::new();
        write_model(&mut text, &model).unwrap();
        assert_eq!(read_model(&text).unwrap(), model, "{file}");
    }
}

#[test]
fn references_of_the_smallest_models_are_those_of_enumeration() {
    let folder = root().join("testdata");
    let mut compared = 0;
    for row in references() {
        let model = read_file(folder.join(&row.file), read_model).unwrap();
        let graph = model.to_graph().unwrap();
        let read = |bytes: &[u8]| read_evidence(bytes, &model.cards);
        let evidence = match &row.evidence {
            Some(file) => read_file(folder.join(file), read).unwrap(),
            None => Default::default(),
        };
        let restricted = Domains::observed(&graph, &evidence)
            .unwrap()
            .restrict(&graph);
        let graph = restricted.graph();
        let assignments = forney_model::table_len(graph.cards());
        if assignments.is_none_or(|assignments| assignments > 50_000) {
            continue;
        }
        let ln_z = enumerate(graph).ln_z;
        let close = (ln_z - row.ln_z).abs() <= 1e-12 * row.ln_z.abs().max(1.0);
        assert!(
            ln_z.to_bits() == row.ln_z.to_bits() || close,
            "{}: {ln_z} and {}",
            row.file,
            row.ln_z
        );
        compared += 1;
    }
    assert!(compared >= 20, "{compared} rows were small enough");
}

#[test]
fn the_examples_are_what_their_readme_says() {
    let folder = root().join("examples/models");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let reference = references();
    let mut told = BTreeSet::new();
    for line in readme.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let [
            _,
            file,
            kind,
            variables,
            factors,
            card,
            evidence,
            ln_z,
            _,
            copy_of,
            _,
        ] = cells[..]
        else {
            panic!("{line}");
        };
        let original = copy_of.strip_prefix("testdata/").unwrap();
        let same = |one: &str, other: &str| {
            let other = root().join("testdata").join(other);
            assert_eq!(
                fs::read(folder.join(one)).unwrap(),
                fs::read(other).unwrap(),
                "{one}"
            );
        };
        same(file, original);
        let original_evidence = (evidence != "–").then(|| format!("{original}.evid"));
        if let Some(original) = &original_evidence {
            same(evidence, original);
        }
        let row = reference
            .iter()
            .find(|row| row.file == original && row.evidence == original_evidence)
            .unwrap();
        assert_eq!(ln_z.parse(), Ok(row.ln_z), "{file}");
        let model = read_file(folder.join(file), read_model).unwrap();
        assert_eq!(kind, model.kind.word(), "{file}");
        assert_eq!(variables.parse(), Ok(model.cards.len()), "{file}");
        assert_eq!(factors.parse(), Ok(model.factors.len()), "{file}");
        assert_eq!(
            card.parse().ok().as_ref(),
            model.cards.iter().max(),
            "{file}"
        );
        told.insert(file.to_owned());
    }
    assert_eq!(told, model_files(&folder));
}

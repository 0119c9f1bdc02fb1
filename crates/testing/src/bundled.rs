//! The models in `testdata` and what is known of them.

use std::path::{Path, PathBuf};

use forney_certify::slack;
use forney_model::{Domains, FactorGraph};
use forney_uai::{read_evidence, read_file, read_model};

/// The folder of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A row of `testdata/REFERENCE.tsv`.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The file, relative to `testdata`.
    pub file: String,
    /// What exact inference with independent code found.
    pub ln_z: f64,
    /// The file of its evidence, relative to `testdata`.
    pub evidence: Option<String>,
}

/// Every row of the table.
///
/// # Panics
/// If the table is missing or broken.
#[must_use]
pub fn references() -> Vec<Reference> {
    let file = root().join("testdata/REFERENCE.tsv");
    let text = std::fs::read_to_string(file).expect("the table is in the repository");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("file\tln_z\twidth_minfill\tevidence"));
    let row = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [file, ln_z, _, evidence] => Reference {
            file: file.to_owned(),
            ln_z: ln_z.parse().expect("a number"),
            evidence: (evidence != "-").then(|| evidence.to_owned()),
        },
        _ => panic!("{line}"),
    };
    let rows: Vec<_> = lines.map(row).collect();
    assert!(rows.len() > 30, "only {} models", rows.len());
    rows
}

impl Reference {
    /// The model, restricted to its evidence.
    ///
    /// # Panics
    /// If a file is missing or broken.
    #[must_use]
    pub fn graph(&self) -> FactorGraph {
        let folder = root().join("testdata");
        let evidence = self.evidence.as_ref().map(|file| folder.join(file));
        restricted(&folder.join(&self.file), evidence.as_deref())
    }

    /// Is it the exact value, but for rounding of sums in another order?
    #[must_use]
    pub fn is(&self, ln: f64) -> bool {
        ln.to_bits() == self.ln_z.to_bits() || (ln - self.ln_z).abs() <= slack(self.ln_z)
    }
}

/// Every bundled model with a known `ln Z`, restricted to its evidence.
///
/// # Panics
/// If a file is missing or broken.
pub fn instances() -> impl Iterator<Item = (Reference, FactorGraph)> {
    references().into_iter().map(|row| {
        let graph = row.graph();
        (row, graph)
    })
}

/// A model file, restricted to its evidence.
///
/// # Panics
/// If a file is missing or broken.
#[must_use]
pub fn restricted(file: &Path, evidence: Option<&Path>) -> FactorGraph {
    let model = read_file(file, read_model).unwrap_or_else(|error| panic!("{error}"));
    let graph = model.to_graph().expect("what was read is a model");
    let Some(evidence) = evidence else {
        return graph;
    };
    let read = |bytes: &[u8]| read_evidence(bytes, &model.cards);
    let evidence = read_file(evidence, read).unwrap_or_else(|error| panic!("{error}"));
    let domains = Domains::observed(&graph, &evidence).expect("it was checked as it was read");
    domains.restrict(&graph).graph().clone()
}

//! `forney convert`: a model in the standard layout, evidence clamped in.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use forney_certify::Budget;
use forney_model::Evidence;
use forney_uai::{ModelKind, UaiFactor, UaiModel, write_model};
use serde::Serialize;

use crate::args::ConvertArgs;
use crate::done::{Done, Output};
use crate::error::Failure;
use crate::problem::Samples;
use crate::unfinished::Stage;
use crate::work::Tell;
use crate::{interrupt, work};

/// What `forney convert` prints: the model, unless that went to a file.
#[derive(Serialize)]
pub(crate) struct Report {
    kind: &'static str,
    variables: usize,
    factors: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

pub(crate) fn run(args: &ConvertArgs) -> Result<Done<Report>, Failure> {
    let budget = Budget::new(None, interrupt::flag());
    let its_args = args.clone();
    // Reading does not end where a pipe does not.
    let converted = work::within(
        &budget,
        Duration::ZERO,
        move |_: &Tell<'_, ()>| convert(&its_args),
        |()| {},
    );
    let (mut report, bytes) =
        converted.unwrap_or_else(|stop| Err(Failure::out_of(stop, Stage::Reading)))?;
    match args.uai_output.clone() {
        // The report says that it is written. An interruption waits for that: a file is written as a
        // whole or not at all, and nothing stays beside it.
        Some(path) => Output { path, bytes }.write()?,
        None => report.model = Some(String::from_utf8_lossy(&bytes).into_owned()),
    }
    Ok(Done::new(report))
}

/// The report without the model, and the text of the model.
fn convert(args: &ConvertArgs) -> Result<(Report, Vec<u8>), Failure> {
    let (model, evidence) = Samples::read(&args.model)?.single()?;
    let mut model = clamped(model, &evidence);
    if args.markov {
        model.kind = ModelKind::Markov;
    }
    let report = Report {
        kind: model.kind.word(),
        variables: model.cards.len(),
        factors: model.factors.len(),
        file: args.uai_output.clone(),
        model: None,
    };
    let mut bytes = Vec::new();
    let written = write_model(&mut bytes, &model);
    written.map_err(|source| Failure::Output {
        path: args.model.file.clone(),
        source,
    })?;
    Ok((report, bytes))
}

/// The model in which every observed variable has its observed state only: cardinality 1, in no
/// scope. Entries keep their bits. Conditional tables become plain factors.
fn clamped(model: UaiModel, evidence: &Evidence) -> UaiModel {
    if evidence.is_empty() {
        return model;
    }
    let factors = model.factors.iter();
    let factors = factors.map(|factor| clamped_factor(factor, &model.cards, evidence));
    let mut clamped = UaiModel {
        kind: ModelKind::Markov,
        cards: model.cards.clone(),
        factors: factors.collect(),
        warnings: Vec::new(),
    };
    for (var, _) in evidence.iter() {
        clamped.cards[var.index()] = 1;
    }
    clamped
}

fn clamped_factor(factor: &UaiFactor, cards: &[usize], evidence: &Evidence) -> UaiFactor {
    let free = factor.scope.iter();
    let free = free.filter(|var| evidence.state(**var).is_none());
    UaiFactor {
        scope: free.copied().collect(),
        entries: factor.entries.select(|entries| {
            let mut entries = entries.to_vec();
            // From the last variable to the first: what is left of the later ones runs side by side.
            let mut inner = 1;
            for var in factor.scope.iter().rev() {
                let card = cards[var.index()];
                match evidence.state(*var) {
                    None => inner *= card,
                    Some(state) => {
                        let blocks = entries.chunks_exact(card * inner);
                        let here = state * inner..(state + 1) * inner;
                        let kept = blocks.flat_map(|block| &block[here.clone()]);
                        entries = kept.copied().collect();
                    }
                }
            }
            entries
        }),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.model, &self.file) {
            (Some(model), _) => f.write_str(model),
            (None, file) => {
                let Self {
                    kind,
                    variables,
                    factors,
                    ..
                } = self;
                write!(
                    f,
                    "{kind} model of {variables} variables and {factors} factors"
                )?;
                match file {
                    Some(file) => writeln!(f, " written to {}", file.display()),
                    None => writeln!(f),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use forney_model::VarId;
    use forney_uai::{Entries, read_model};

    use super::*;

    #[test]
    fn clamping_keeps_the_entries_that_agree() {
        let model =
            read_model(b"BAYES 3 2 3 2  2  3 0 1 2  1 2  12 0 1 2 3 4 5 6 7 8 9 10 11  2 20 21")
                .unwrap();
        let mut evidence = Evidence::default();
        evidence.observe(VarId(1), 2).unwrap();
        let one = clamped(model.clone(), &evidence);
        assert_eq!(one.kind, ModelKind::Markov);
        assert_eq!(one.cards, [2, 1, 2]);
        assert_eq!(one.factors[0].scope, [VarId(0), VarId(2)]);
        assert_eq!(
            one.factors[0].entries,
            Entries::Values(vec![4.0, 5.0, 10.0, 11.0])
        );
        evidence.observe(VarId(0), 1).unwrap();
        evidence.observe(VarId(2), 0).unwrap();
        let all = clamped(model, &evidence);
        assert_eq!(all.factors[0].entries, Entries::Values(vec![10.0]));
        assert_eq!(all.factors[1].scope, []);
        assert_eq!(all.factors[1].entries, Entries::Values(vec![20.0]));
    }
}

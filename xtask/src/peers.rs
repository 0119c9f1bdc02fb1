//! Figures of other tools on the same files, measured once on a similar machine.

/// One figure.
pub(crate) struct Figure {
    pub(crate) model: &'static str,
    /// `exact`, `upper`, `lower`, `estimate` or `iteration`; `-abs` where ln Z is unknown.
    pub(crate) kind: &'static str,
    pub(crate) tool: &'static str,
    /// Bound minus ln Z in nats.
    pub(crate) value: Option<f64>,
    pub(crate) cpu_s: f64,
    pub(crate) megabytes: f64,
}

/// All of them.
pub(crate) fn figures() -> Vec<Figure> {
    rows(include_str!("../data/peers.tsv"))
        .map(|row| Figure {
            model: row[0],
            kind: row[1],
            tool: row[2],
            value: row[3].parse().ok(),
            cpu_s: row[4].parse().unwrap_or(f64::NAN),
            megabytes: row[5].parse().unwrap_or(f64::NAN),
        })
        .collect()
}

/// The models with their exact ln Z, agreed by every tool that finished.
pub(crate) fn models() -> Vec<(&'static str, f64)> {
    let exact = rows(include_str!("../data/peers-exact.tsv"));
    exact
        .filter_map(|row| Some((row[0], row[1].parse().ok()?)))
        .collect()
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().skip(1).map(|line| line.split('\t').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_read() {
        let figures = figures();
        let models = models();
        let lines = |text: &str| text.lines().count() - 1;
        assert_eq!(figures.len(), lines(include_str!("../data/peers.tsv")));
        assert!(models.len() > 10, "only {} models", models.len());
        for figure in &figures {
            let what = format!("{} of {} on {}", figure.kind, figure.tool, figure.model);
            let kind = figure.kind.trim_end_matches("-abs");
            assert!(
                matches!(kind, "exact" | "upper" | "lower" | "estimate" | "iteration"),
                "{what}"
            );
            // A cell that is no number would be compared with nothing.
            assert!(figure.cpu_s >= 0.0, "{what}: {}", figure.cpu_s);
            let value = figure.value.unwrap_or(f64::NAN);
            if matches!(figure.kind, "upper" | "lower") {
                let sign = if kind == "upper" { 1.0 } else { -1.0 };
                assert!(sign * value > -1e-3, "{what}: {value}");
            }
        }
        for (at, (name, ln_z)) in models.iter().enumerate() {
            assert!(ln_z.is_finite(), "{name}");
            assert!(
                models[..at].iter().all(|(other, _)| other != name),
                "{name}"
            );
        }
    }
}

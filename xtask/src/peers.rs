//! Figures of other tools on the same files, measured once on a similar machine.

/// What a figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An exact answer; its time counts, not its value.
    Exact,
    /// Bounds and estimates, less ln Z.
    Upper,
    Lower,
    Estimate,
    /// The time of one iteration.
    Iteration,
    /// A bound or an estimate itself, where ln Z is unknown.
    Absolute,
}

impl Kind {
    /// The kind of a word of the table, if there is such a kind.
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "exact" => Self::Exact,
            "upper" => Self::Upper,
            "lower" => Self::Lower,
            "estimate" => Self::Estimate,
            "iteration" => Self::Iteration,
            "upper-abs" | "lower-abs" | "estimate-abs" => Self::Absolute,
            _ => return None,
        })
    }

    /// A bound or an estimate as a word in a table; `None` if it is neither.
    pub(crate) fn side(self) -> Option<&'static str> {
        match self {
            Self::Upper => Some("upper"),
            Self::Lower => Some("lower"),
            Self::Estimate => Some("estimate"),
            Self::Exact | Self::Iteration | Self::Absolute => None,
        }
    }
}

/// A tool that figures are looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Merlin,
    PyGms,
    LibDaiBp,
    LibDaiMf,
    LibDaiTrw,
    /// One that has nothing but its name.
    Other,
}

impl Tool {
    fn of(name: &str) -> Self {
        match name {
            "libdai-BP" => Self::LibDaiBp,
            "libdai-MF" => Self::LibDaiMf,
            "libdai-TRW" => Self::LibDaiTrw,
            _ if name.starts_with("merlin-") => Self::Merlin,
            _ if name.starts_with("pygms-") => Self::PyGms,
            _ => Self::Other,
        }
    }
}

/// One figure.
pub(crate) struct Figure {
    pub(crate) model: &'static str,
    pub(crate) kind: Kind,
    /// The tool with its options, as it is shown.
    pub(crate) name: &'static str,
    pub(crate) tool: Tool,
    /// If its cliques were limited.
    pub(crate) ibound: Option<usize>,
    /// Bound minus ln Z in nats.
    pub(crate) value: Option<f64>,
    pub(crate) cpu_s: f64,
    pub(crate) megabytes: f64,
}

/// All of them.
pub(crate) fn figures() -> Vec<Figure> {
    let ibound = |part: &str| part.strip_prefix('i')?.parse().ok();
    rows(include_str!("../data/peers.tsv"))
        .filter_map(|row| {
            Some(Figure {
                model: row[0],
                kind: Kind::of(row[1])?,
                name: row[2],
                tool: Tool::of(row[2]),
                ibound: row[2].split('-').find_map(ibound),
                value: row[3].parse().ok(),
                cpu_s: row[4].parse().unwrap_or(f64::NAN),
                megabytes: row[5].parse().unwrap_or(f64::NAN),
            })
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
            let what = format!("{:?} of {} on {}", figure.kind, figure.name, figure.model);
            // A cell that is no number would be compared with nothing.
            assert!(figure.cpu_s >= 0.0, "{what}: {}", figure.cpu_s);
            let value = figure.value.unwrap_or(f64::NAN);
            match figure.kind {
                Kind::Upper => assert!(value > -1e-3, "{what}: {value}"),
                Kind::Lower => assert!(value < 1e-3, "{what}: {value}"),
                _ => {}
            }
            // One figure alone answers to a look-up.
            let same = |other: &&Figure| {
                let key = |f: &Figure| (f.model, f.tool, f.ibound);
                other.kind == figure.kind && key(other) == key(figure)
            };
            let looked_up = matches!(figure.kind, Kind::Upper | Kind::Lower | Kind::Iteration);
            assert!(
                !looked_up || figures.iter().filter(same).count() == 1,
                "{what}"
            );
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

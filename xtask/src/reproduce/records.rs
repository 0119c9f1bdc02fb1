//! Numbers of runs: the rows of a CSV, averaged for charts and compared for claims.

use std::f64::consts::LN_10;

use forney_plot::{Axis, Chart, Point, Series, Style};
use serde::{Deserialize, Serialize};

use super::shown::Shown;

/// What a bound is compared with, in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reference {
    /// The exact value.
    Exact(f64),
    /// The bound of mini-bucket elimination.
    MiniBuckets(f64),
}

impl Reference {
    pub(crate) fn ln(self) -> f64 {
        match self {
            Self::Exact(ln) | Self::MiniBuckets(ln) => ln,
        }
    }
}

/// One number that a run found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The chart it belongs to.
    pub(crate) panel: String,
    /// The line in the chart.
    pub(crate) series: String,
    pub(crate) x: f64,
    pub(crate) seed: u64,
    /// What is plotted; none if the method did not apply or proved nothing.
    pub(crate) value: Option<f64>,
    /// The bound, in nats.
    pub(crate) ln_bound: Option<f64>,
    /// What it is compared with; the panel says it in words.
    pub(crate) reference: Option<Reference>,
    /// Iterations or gradient evaluations.
    pub(crate) iterations: usize,
    /// What the method worked with, or why it did not apply.
    pub(crate) options: String,
}

impl Record {
    /// The same run in another panel, as `log10(bound / Z)`.
    pub(crate) fn against_exact(&self, panel: &str, ln_z: f64) -> Self {
        let value = self.ln_bound.map(|ln| (ln - ln_z) / LN_10);
        Self {
            panel: panel.to_owned(),
            reference: Some(Reference::Exact(ln_z)),
            value,
            ..self.clone()
        }
    }
}

/// Columns of the CSV of records.
pub(crate) const HEADER: [&str; 9] = [
    "panel",
    "series",
    "x",
    "seed",
    "value",
    "ln_bound",
    "ln_reference",
    "iterations",
    "options",
];

/// How the options of a run begin that time has ended, so that no other machine repeats it.
pub(crate) const TIMED: &str = "timed";

/// Records in order.
pub(crate) struct Records(pub(crate) Vec<Record>);

impl Records {
    /// Everything shown but the figures and claims.
    pub(crate) fn shown(&self) -> Shown {
        let number = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v}"));
        let row = |r: &Record| {
            vec![
                r.panel.clone(),
                r.series.clone(),
                format!("{}", r.x),
                r.seed.to_string(),
                number(r.value),
                number(r.ln_bound),
                number(r.reference.map(Reference::ln)),
                r.iterations.to_string(),
                r.options.clone(),
            ]
        };
        Shown {
            header: HEADER.to_vec(),
            table: self.0.iter().map(row).collect(),
            ..Shown::default()
        }
    }

    /// Those with an x of at most this.
    pub(crate) fn up_to(&self, x: f64) -> Self {
        Self(self.0.iter().filter(|r| r.x <= x).cloned().collect())
    }

    /// The mean over seeds of every series of a panel, with standard errors.
    pub(crate) fn chart(&self, panel: &str, x: Axis, y: Axis, style: Style) -> Chart {
        let series = self.series(panel).into_iter().map(|name| Series {
            points: (self.means(panel, name).into_iter())
                .map(|(x, values)| Point::mean(x, &values))
                .collect(),
            name: name.to_owned(),
            style,
        });
        Chart {
            title: panel.to_owned(),
            x,
            y,
            series: series.collect(),
        }
    }

    /// Charts of all panels.
    pub(crate) fn charts(&self, x: &Axis, y: &Axis, style: Style) -> Vec<Chart> {
        let panels = self.panels();
        let charts = panels
            .iter()
            .map(|p| self.chart(p, x.clone(), y.clone(), style));
        charts
            .filter(|c| c.series.iter().any(|s| !s.points.is_empty()))
            .collect()
    }

    /// Names of the panels in order of appearance.
    pub(crate) fn panels(&self) -> Vec<&str> {
        distinct(self.0.iter().map(|r| r.panel.as_str()))
    }

    /// What the bounds of a panel are compared with, as its first record says.
    pub(crate) fn reference(&self, panel: &str) -> Option<Reference> {
        self.0.iter().find(|r| r.panel == panel)?.reference
    }

    fn series(&self, panel: &str) -> Vec<&str> {
        let of_panel = self.0.iter().filter(|r| r.panel == panel);
        distinct(of_panel.map(|r| r.series.as_str()))
    }

    /// For each x, ascending, the values of all seeds.
    fn means(&self, panel: &str, series: &str) -> Vec<(f64, Vec<f64>)> {
        let mut means: Vec<(f64, Vec<f64>)> = Vec::new();
        for r in self
            .0
            .iter()
            .filter(|r| r.panel == panel && r.series == series)
        {
            let Some(value) = r.value else { continue };
            match means.iter_mut().find(|(x, _)| x.to_bits() == r.x.to_bits()) {
                Some((_, values)) => values.push(value),
                None => means.push((r.x, vec![value])),
            }
        }
        means.sort_by(|a, b| a.0.total_cmp(&b.0));
        means
    }

    /// The mean of a series at one x.
    pub(crate) fn at(&self, panel: &str, series: &str, x: f64) -> Option<f64> {
        let means = self.means(panel, series);
        let found = means.iter().find(|m| m.0.to_bits() == x.to_bits())?;
        Some(mean(&found.1))
    }

    /// The means of all series of a panel at one x.
    pub(crate) fn all_at(&self, panel: &str, x: f64) -> Vec<f64> {
        let series = self.series(panel).into_iter();
        series.filter_map(|s| self.at(panel, s, x)).collect()
    }

    /// Is the mean of `better` at most that of `worse` plus the tolerance, at every x of these panels?
    ///
    /// Nothing to compare is no agreement.
    pub(crate) fn at_most(&self, better: &str, worse: &str, tolerance: f64) -> (bool, String) {
        let mut compared = 0;
        let mut differences = Vec::new();
        for panel in self.panels() {
            let worse = self.means(panel, worse);
            for (x, values) in self.means(panel, better) {
                let Some((_, others)) = worse.iter().find(|w| w.0.to_bits() == x.to_bits()) else {
                    continue;
                };
                compared += 1;
                differences.push((mean(&values) - mean(others), panel, x));
            }
        }
        let holding = differences.iter().filter(|d| d.0 <= tolerance).count();
        let worst = differences.iter().max_by(|a, b| a.0.total_cmp(&b.0));
        let measured = match worst {
            None => format!("{better} and {worse} have no point in common"),
            Some((worst, panel, x)) => format!(
                "{better} ≤ {worse} at {holding} of {compared} points; largest difference {worst:+.3} ({panel}, x = {x})"
            ),
        };
        (compared > 0 && holding == compared, measured)
    }

    /// [`Records::at_most`] against several others at once.
    pub(crate) fn best(&self, better: &str, others: &[&str], tolerance: f64) -> (bool, String) {
        let found: Vec<_> = others
            .iter()
            .map(|o| self.at_most(better, o, tolerance))
            .collect();
        let measured: Vec<_> = found.iter().map(|f| f.1.as_str()).collect();
        (found.iter().all(|f| f.0), measured.join("; "))
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn distinct<'t>(names: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(rows: &[(&str, &str, f64, u64, Option<f64>)]) -> Records {
        let record =
            |&(panel, series, x, seed, value): &(&str, &str, f64, u64, Option<f64>)| Record {
                panel: panel.to_owned(),
                series: series.to_owned(),
                x,
                seed,
                value,
                ln_bound: value,
                reference: None,
                iterations: 1,
                options: String::new(),
            };
        Records(rows.iter().map(record).collect())
    }

    #[test]
    fn an_order_holds_only_where_it_was_compared_and_holds() {
        let found = records(&[
            ("a", "WMBE", 1.0, 1, Some(3.0)),
            ("a", "WMBE", 1.0, 2, Some(1.0)),
            ("a", "MBE", 1.0, 1, Some(2.5)),
            ("a", "MBE", 2.0, 1, None),
            ("a", "WMBE", 2.0, 1, Some(9.0)),
        ]);
        // The mean over seeds is 2; at 2 there is nothing to compare.
        assert!(found.at_most("WMBE", "MBE", 0.0).0);
        let (holds, measured) = found.at_most("MBE", "WMBE", 0.25);
        assert!(!holds);
        assert!(measured.contains("at 0 of 1 points; largest difference +0.500 (a, x = 1)"));
        assert!(found.at_most("MBE", "WMBE", 0.5).0);
        let (holds, measured) = found.at_most("WMBE", "nobody", 1e9);
        assert!(
            !holds && measured.ends_with("have no point in common"),
            "{measured}"
        );
        assert!(!found.best("WMBE", &["MBE", "nobody"], 0.0).0);
        let broken = records(&[
            ("a", "WMBE", 1.0, 1, Some(f64::NAN)),
            ("a", "MBE", 1.0, 1, Some(1.0)),
        ]);
        assert!(!broken.at_most("WMBE", "MBE", 1e9).0);
    }

    #[test]
    fn rows_have_a_cell_for_each_column_and_none_for_what_is_missing() {
        let found = records(&[
            ("a", "WMBE", 0.5, 3, None),
            ("b", "MBE", 1.0, 4, Some(0.25)),
        ]);
        let shown = found.shown();
        assert!(
            shown
                .table
                .iter()
                .all(|row| row.len() == shown.header.len())
        );
        assert_eq!(shown.table[0][..5], ["a", "WMBE", "0.5", "3", ""]);
        assert_eq!(shown.table[1][4], "0.25");
        assert_eq!(found.panels(), ["a", "b"]);
        assert_eq!(found.up_to(0.5).0.len(), 1);
        assert_eq!(found.at("b", "MBE", 1.0), Some(0.25));
        assert_eq!(found.at("a", "WMBE", 0.5), None);
        let against = found.0[1].against_exact("c", 0.25 - LN_10);
        assert_eq!((&against.panel[..], against.value), ("c", Some(1.0)));
    }
}

//! What `forney compare` prints.

use std::borrow::Cow;
use std::fmt;

use forney_certify::{Bracket, Crossed, Lower, Stop, Upper};
use forney_methods::{Entrant, Gives, Inapplicable, Outcome, Point, Value, best};
use forney_model::FactorGraph;
use serde::{Serialize, Serializer};

use crate::json;
use crate::text::{MILLIONTH, digits, gap, rounded_down, rounded_up, seconds, table};

/// The table.
#[derive(Serialize)]
pub(crate) struct Report {
    /// `ln Z` itself, where elimination fits.
    #[serde(rename = "ln_z", serialize_with = "optional_ends")]
    pub(crate) exact: Option<Bracket>,
    pub(crate) rows: Vec<Row>,
    /// Variables with a choice and factors, before and after the reduction.
    #[serde(skip)]
    sizes: [(usize, usize); 2],
    #[serde(skip)]
    bracket: Bracket,
    #[serde(skip)]
    pub(crate) elapsed_s: f64,
}

/// One method on one side.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) method: &'static str,
    pub(crate) side: Gives,
    #[serde(serialize_with = "optional_value")]
    pub(crate) value: Option<Value>,
    /// How far the value may be from `ln Z`.
    #[serde(serialize_with = "optional")]
    pub(crate) gap: Option<f64>,
    pub(crate) iterations: usize,
    pub(crate) elapsed_s: f64,
    pub(crate) stop: Ending,
    pub(crate) note: Cow<'static, str>,
    /// All improvements.
    #[serde(skip)]
    pub(crate) points: Vec<Point>,
}

/// How a row ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", untagged)]
pub(crate) enum Ending {
    Stopped(Stop),
    Other(Other),
}

/// Endings that are no stop of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Other {
    /// It has not ended yet.
    Running,
    /// The method does not apply.
    Inapplicable,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(stop) => stop.fmt(f),
            Self::Other(Other::Running) => f.write_str("running"),
            Self::Other(Other::Inapplicable) => f.write_str("inapplicable"),
        }
    }
}

impl Report {
    /// A table whose rows have said nothing yet.
    pub(crate) fn new(given: &FactorGraph, reduced: &FactorGraph, jobs: &[Entrant]) -> Self {
        Self {
            exact: None,
            rows: jobs.iter().map(Row::new).collect(),
            sizes: [size(given), size(reduced)],
            bracket: Bracket::trivial(),
            elapsed_s: 0.0,
        }
    }

    /// Hard zeros alone show that every assignment is forbidden.
    pub(crate) fn impossible(given: &FactorGraph, jobs: &[Entrant]) -> Self {
        let mut report = Self::new(given, given, jobs);
        // The upper bound of no assignment is exact.
        let nothing =
            Upper::new(f64::NEG_INFINITY).map(|upper| Bracket::new(Lower::trivial(), upper));
        report.exact = nothing.ok().and_then(Result::ok);
        for row in &mut report.rows {
            row.stop = Ending::Other(Other::Inapplicable);
            row.note = "Z = 0: hard zeros forbid every assignment".into();
        }
        report
    }

    /// `ln Z` itself, in nats, where elimination fits.
    pub(crate) fn ln_z(&self) -> Option<f64> {
        self.exact.map(|both| both.upper().ln())
    }

    /// `ln Z` itself on both sides where it is known, else the best bounds.
    pub(crate) fn bracket(&self) -> &Bracket {
        &self.bracket
    }

    /// One line for those who wait.
    pub(crate) fn progress(&self) -> String {
        let running = |row: &&Row| row.stop == Ending::Other(Other::Running);
        let left = self.rows.iter().filter(running).count();
        let values = self.rows.iter().filter_map(|row| row.value);
        let bracket = best(values).unwrap_or_else(|_| Bracket::trivial());
        format!(
            "{:.4} ≤ ln Z ≤ {:.4}  {} of {} done",
            bracket.lower().ln(),
            bracket.upper().ln(),
            self.rows.len() - left,
            self.rows.len(),
        )
    }

    /// Ends the rows of methods that are still running.
    pub(crate) fn cut_short(&mut self, stop: Stop) {
        for row in &mut self.rows {
            if row.stop == Ending::Other(Other::Running) {
                row.stop = Ending::Stopped(stop);
            }
        }
    }

    /// Joins the best bounds to a bracket and measures every row by it.
    ///
    /// # Errors
    /// [`Crossed`] if two values contradict each other.
    pub(crate) fn close(&mut self) -> Result<(), Crossed> {
        let proved = best(self.rows.iter().filter_map(|row| row.value))?;
        self.bracket = match self.exact {
            Some(exact) => {
                Bracket::new(proved.lower(), exact.upper())?;
                Bracket::new(exact.lower(), proved.upper())?;
                exact
            }
            None => proved,
        };
        for row in &mut self.rows {
            row.gap = row.value.map(|value| distance(value.ln(), &self.bracket));
        }
        Ok(())
    }
}

/// How far a value may be from `ln Z`: to the other end of the bracket.
pub(crate) fn distance(ln: f64, bracket: &Bracket) -> f64 {
    let apart = |end: f64| {
        let equal = ln.to_bits() == end.to_bits();
        if equal { 0.0 } else { (ln - end).abs() }
    };
    apart(bracket.lower().ln()).max(apart(bracket.upper().ln()))
}

/// Variables with a choice, and factors.
fn size(graph: &FactorGraph) -> (usize, usize) {
    let free = graph.cards().iter().filter(|&&card| card > 1).count();
    (free, graph.num_factors())
}

impl Row {
    fn new(job: &Entrant) -> Self {
        Self {
            method: job.method.name(),
            side: job.side,
            value: None,
            gap: None,
            iterations: 0,
            elapsed_s: 0.0,
            stop: Ending::Other(Other::Running),
            note: Cow::Borrowed(""),
            points: Vec::new(),
        }
    }

    pub(crate) fn improve(&mut self, point: Point) {
        self.value = Some(point.value);
        self.iterations = point.iterations;
        self.elapsed_s = point.elapsed_s;
        self.points.push(point);
    }

    pub(crate) fn end(&mut self, found: Result<Outcome, Inapplicable>, elapsed_s: f64) {
        self.elapsed_s = elapsed_s;
        match found {
            Ok(outcome) => {
                self.value = Some(outcome.value);
                self.iterations = outcome.iterations;
                self.stop = Ending::Stopped(outcome.stop);
                self.note = outcome.note;
            }
            Err(reason) => {
                self.stop = Ending::Other(Other::Inapplicable);
                self.note = reason.to_string().into();
            }
        }
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.stop == Ending::Stopped(Stop::Interrupted)
    }

    /// The value, rounded to the side on which it is true; where that would show a gap that is not
    /// there, all digits.
    fn rounded(&self) -> String {
        match (self.value, self.gap) {
            (None, _) => "–".to_owned(),
            (Some(value), Some(gap)) if gap < MILLIONTH => digits(value.ln()),
            (Some(Value::Both(both)), _) => digits(both.upper().ln()),
            (Some(Value::Upper(bound)), _) => rounded_up(bound.ln()),
            (Some(Value::Lower(bound)), _) => rounded_down(bound.ln()),
            (Some(Value::Estimate(estimate)), _) => format!("{:.6}", estimate.ln),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [given, reduced] = self.sizes;
        if given != reduced {
            writeln!(
                f,
                "model    {} variables and {} factors; {} and {} after evidence, hard zeros and \
                 sums that need no search",
                given.0, given.1, reduced.0, reduced.1
            )?;
        }
        let closed = || (self.bracket.gap() == 0.0).then(|| self.bracket.upper().ln());
        match self.ln_z().or_else(closed) {
            Some(ln_z) => writeln!(f, "ln Z     {}  exact", digits(ln_z))?,
            None => writeln!(
                f,
                "ln Z     {} to {}",
                rounded_down(self.bracket.lower().ln()),
                rounded_up(self.bracket.upper().ln())
            )?,
        }
        let head = [
            "method",
            "side",
            "value",
            "gap",
            "iterations",
            "time",
            "stopped",
            "note",
        ];
        let mut lines = vec![head.map(str::to_owned)];
        lines.extend(self.rows.iter().map(|row| {
            [
                row.method.to_owned(),
                row.side.to_string(),
                row.rounded(),
                row.gap.map_or_else(|| "–".to_owned(), gap),
                row.iterations.to_string(),
                seconds(row.elapsed_s),
                row.stop.to_string(),
                row.note.to_string(),
            ]
        }));
        write!(f, "\n{}", table(&lines, 2..=5))?;
        writeln!(f, "\ntime     {}", seconds(self.elapsed_s))
    }
}

fn optional<S: Serializer>(x: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match x {
        Some(x) => json::number(x, serializer),
        None => serializer.serialize_none(),
    }
}

fn optional_ends<S: Serializer>(x: &Option<Bracket>, serializer: S) -> Result<S::Ok, S::Error> {
    optional(&x.map(|both| both.upper().ln()), serializer)
}

fn optional_value<S: Serializer>(x: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    optional(&x.map(Value::ln), serializer)
}

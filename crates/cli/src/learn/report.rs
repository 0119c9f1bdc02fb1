//! What `forney learn` prints.

use std::fmt;
use std::path::PathBuf;

use forney_certify::Stop;
use serde::Serialize;
use serde_json::{Map, Value};

use super::bar::short;
use crate::json;
use crate::text::{digits, seconds};

/// What `forney learn` prints.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(super) model: &'static str,
    #[serde(serialize_with = "json::number")]
    pub(super) objective: f64,
    pub(super) iterations: usize,
    pub(super) examples: usize,
    pub(super) columns: usize,
    pub(super) stop: Stop,
    pub(super) elapsed_s: f64,
    pub(super) examples_per_s: f64,
    #[serde(flatten)]
    pub(super) facts: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checkpoint: Option<PathBuf>,
    #[serde(skip)]
    pub(super) measure: &'static str,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "objective   {}  {}",
            digits(self.objective),
            self.measure
        )?;
        writeln!(
            f,
            "data        {} examples of {} columns",
            self.examples, self.columns
        )?;
        for (name, value) in &self.facts {
            writeln!(f, "{:11} {}", name.replace('_', " "), told(value))?;
        }
        writeln!(
            f,
            "iterations  {}, {} examples/s",
            self.iterations,
            short(self.examples_per_s)
        )?;
        writeln!(
            f,
            "stopped     {} after {}",
            self.stop,
            seconds(self.elapsed_s)
        )?;
        for (name, file) in [("model", &self.output), ("checkpoint", &self.checkpoint)] {
            if let Some(file) = file {
                writeln!(f, "{name:11} {}", file.display())?;
            }
        }
        Ok(())
    }
}

/// A number, or several, as people read them.
fn told(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(x) if x != 0.0 && x.abs() < 1e-4 => format!("{x:.1e}"),
            Some(x) => format!("{x:.4}"),
            None => number.to_string(),
        },
        Value::Array(all) => all.iter().map(told).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

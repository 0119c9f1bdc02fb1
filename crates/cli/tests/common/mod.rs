//! Runs the program as a user does, from the root of the workspace.

// Each test binary uses its own part of this.
#![allow(dead_code)]
// Infinities are compared as they are.
#![allow(clippy::float_cmp)]

pub(crate) mod learning;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What the program left behind.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        let ran = Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        ran
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {:?}; {}", self.stdout, self.stderr))
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program, in the folder of the workspace, with an empty standard input.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forney"));
    command.args(args).current_dir(root()).stdin(Stdio::null());
    command
}

pub(crate) fn forney(args: &[&str]) -> Ran {
    Ran::of(command(args).output().expect("the program starts"))
}

/// The same in a shell: `$forney` is the program.
pub(crate) fn shell(line: &str) -> Ran {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(root());
    shell.env("forney", env!("CARGO_BIN_EXE_forney"));
    Ran::of(shell.output().expect("a shell starts"))
}

/// The same with something on standard input.
pub(crate) fn forney_reading(args: &[&str], input: &[u8]) -> Ran {
    let mut child = command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it was piped");
    stdin.write_all(input).expect("the program reads its input");
    drop(stdin);
    Ran::of(child.wait_with_output().expect("the program ends"))
}

/// A number, or an infinite one as a string.
#[track_caller]
pub(crate) fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().expect("a double"),
        Value::String(infinite) => {
            assert!(matches!(infinite.as_str(), "inf" | "-inf"), "{infinite}");
            infinite.parse().expect("an infinite number")
        }
        other => panic!("{other} is no number"),
    }
}

/// A row of `testdata/REFERENCE.tsv`.
pub(crate) struct Reference {
    /// The model, relative to the workspace.
    pub(crate) model: String,
    pub(crate) ln_z: f64,
    pub(crate) evidence: Option<String>,
}

pub(crate) fn references() -> Vec<Reference> {
    let table =
        std::fs::read_to_string(root().join("testdata/REFERENCE.tsv")).expect("it is there");
    let rows = table.lines().skip(1).map(|row| {
        let cells: Vec<&str> = row.split('\t').collect();
        let [model, ln_z, _, evidence] = cells[..] else {
            panic!("{row}");
        };
        let in_testdata = |name: &str| format!("testdata/{name}");
        Reference {
            model: in_testdata(model),
            ln_z: ln_z.parse().expect("a number"),
            evidence: (evidence != "-").then(|| in_testdata(evidence)),
        }
    });
    rows.collect()
}

impl Reference {
    /// `command model --json`, with the evidence and further words.
    pub(crate) fn run(&self, command: &str, more: &[&str]) -> Ran {
        let mut args = vec![command, &self.model, "--json"];
        if let Some(evidence) = &self.evidence {
            args.extend(["--evidence", evidence]);
        }
        args.extend(more);
        forney(&args)
    }

    /// What rounding may do to sums in another order.
    pub(crate) fn tolerance(&self) -> f64 {
        if self.ln_z.is_finite() {
            1e-9 * self.ln_z.abs().max(1.0)
        } else {
            0.0
        }
    }
}

#[track_caller]
pub(crate) fn assert_close(found: f64, reference: &Reference) {
    let same = if reference.ln_z.is_finite() {
        (found - reference.ln_z).abs() <= reference.tolerance()
    } else {
        found == reference.ln_z
    };
    assert!(
        same,
        "{found} for {} of {}",
        reference.ln_z, reference.model
    );
}

/// The error object, which must be all there is on standard output.
#[track_caller]
pub(crate) fn refused(ran: &Ran, code: i32, kind: &str, message: &str) -> Value {
    assert_eq!(ran.code, Some(code), "{} {}", ran.stdout, ran.stderr);
    let error = ran.json()["error"].take();
    assert_eq!(error["kind"], kind, "{error}");
    let told = error["message"].as_str().expect("a sentence");
    assert!(told.contains(message), "{told:?} lacks {message:?}");
    error
}

/// An `n × n` grid of binary variables.
pub(crate) fn grid(n: usize) -> String {
    let at = |row, column| row * n + column;
    let mut edges = Vec::new();
    for row in 0..n {
        for column in 0..n - 1 {
            edges.push((at(row, column), at(row, column + 1)));
            edges.push((at(column, row), at(column + 1, row)));
        }
    }
    let mut text = format!("MARKOV {} {} {}\n", n * n, "2 ".repeat(n * n), edges.len());
    edges
        .iter()
        .for_each(|(a, b)| text += &format!("2 {a} {b}\n"));
    text + &"4 1 2 3 1\n".repeat(edges.len())
}

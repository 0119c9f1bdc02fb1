//! Runs the program as a user does, from the root of the workspace.

// Each test binary uses its own part of this.
#![allow(dead_code)]
// Infinities are compared as they are.
#![allow(clippy::float_cmp)]

pub(crate) mod learning;

use std::io::Write;
use std::process::{Command, Output, Stdio};

pub(crate) use forney_testing::root;

use forney_testing::Reference;
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

/// `command model --json` on a bundled model, with its evidence and further words.
pub(crate) fn forney_on(reference: &Reference, command: &str, more: &[&str]) -> Ran {
    let in_testdata = |name: &String| format!("testdata/{name}");
    let model = in_testdata(&reference.file);
    let evidence = reference.evidence.as_ref().map(in_testdata);
    let mut args = vec![command, &model, "--json"];
    if let Some(evidence) = &evidence {
        args.extend(["--evidence", evidence]);
    }
    args.extend(more);
    forney(&args)
}

#[track_caller]
pub(crate) fn assert_exact(found: f64, reference: &Reference) {
    assert!(reference.is(found), "{found} for {reference:?}");
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

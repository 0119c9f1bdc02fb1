//! Ctrl-C ends a run with the best bracket so far.
#![cfg(unix)]

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{command, number};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

/// A run that would take much longer than the test waits.
fn long_run(trace: &Path) -> Child {
    let trace = trace.to_str().unwrap();
    let model = "testdata/generated/ising15_b2.uai";
    command(&[
        "bound", model, "--json", "--ibound", "6", "--time", "1h", "--method", "wmbe", "--trace",
        trace,
    ])
    .stdout(Stdio::piped())
    .spawn()
    .expect("the program starts")
}

/// Waits until both sides of the bracket are proved.
fn wait_for_bracket(trace: &Path) {
    let begun = Instant::now();
    let finite = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        line["lower"].is_number() && line["upper"].is_number()
    };
    loop {
        let text = std::fs::read_to_string(trace).unwrap_or_default();
        if text.lines().any(finite) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "no bracket: {text:?}");
        sleep(Duration::from_millis(20));
    }
}

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    let sent = Command::new("kill")
        .args([signal, &id])
        .status()
        .expect("kill starts");
    assert!(sent.success());
}

#[test]
fn interrupted_runs_print_what_they_have_proved() {
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace.jsonl");
        let child = long_run(&trace);
        wait_for_bracket(&trace);
        send(signal, &child);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(130), "{signal}");
        let json: Value = serde_json::from_slice(&output.stdout).expect("a JSON object");
        assert_eq!(json["stop"], "interrupted");
        assert_eq!(json["exact"], false);
        let ln_z = 358.073_273_433_738;
        assert!(number(&json["lower"]) <= ln_z && ln_z <= number(&json["upper"]));
        assert!(number(&json["gap"]).is_finite());
    }
}

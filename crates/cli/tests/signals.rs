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

/// Waits until the program would notice a signal.
#[cfg(target_os = "linux")]
fn wait_for_handler(child: &Child) {
    let begun = Instant::now();
    let file = format!("/proc/{}/status", child.id());
    let catches = |text: &str| {
        let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        // Signal 2 is the second bit.
        mask.is_some_and(|mask| mask & 2 != 0)
    };
    while !catches(&std::fs::read_to_string(&file).unwrap_or_default()) {
        assert!(begun.elapsed() < PATIENCE, "no handler");
        sleep(Duration::from_millis(5));
    }
}

/// Sends a signal to the program a while after it would notice one, on an input that does not end: it says that
/// it was interrupted.
#[cfg(target_os = "linux")]
#[track_caller]
fn interrupt(words: &[&str], signal: &str, after: Duration) {
    let mut child = command(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Without this the program would see the end of its input.
    let input = child.stdin.take();
    wait_for_handler(&child);
    sleep(after);
    send(signal, &child);
    let output = child.wait_with_output().expect("it ends");
    drop(input);
    assert_eq!(output.status.code(), Some(130), "{signal} {words:?}");
    let json: Value = serde_json::from_slice(&output.stdout).expect("a JSON object");
    assert_eq!(json["error"]["kind"], "interrupted");
}

#[test]
#[cfg(target_os = "linux")]
fn an_interruption_is_one_at_every_stage() {
    let folder = tempfile::tempdir().unwrap();
    let grid = folder.path().join("grid.uai");
    // No search and no elimination is done with it soon.
    std::fs::write(&grid, forney_testing::grid_text(45)).unwrap();
    for name in ["exact", "marginals", "map"] {
        // While the order is searched for, and while standard input does not end.
        for model in [grid.to_str().unwrap(), "-"] {
            let words = [name, model, "--memory", "1kB", "--json"];
            interrupt(&words, "-INT", Duration::from_millis(100));
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupted_conversion_leaves_nothing() {
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.uai");
        let words = ["convert", "-", "-o", out.to_str().unwrap(), "--json"];
        interrupt(&words, signal, Duration::ZERO);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn time_ends_also_while_the_model_is_read() {
    let mut child = command(&["exact", "-", "--time", "50ms", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let input = child.stdin.take();
    let output = child.wait_with_output().expect("it ends");
    drop(input);
    assert_eq!(output.status.code(), Some(3));
    let json: Value = serde_json::from_slice(&output.stdout).expect("a JSON object");
    assert_eq!(json["error"]["kind"], "out-of-time");
    let message = json["error"]["message"].as_str().expect("a sentence");
    assert!(message.contains("was not read within --time"), "{message}");
}

//! `forney learn`: one run at a time on a checkpoint, and interruptions at any time.
#![cfg(unix)]

mod common;

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::learning::{BARS, Folder, learn, refused};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

fn start(words: &str) -> Child {
    let words = format!("learn {words} --json");
    common::command(&words.split_whitespace().collect::<Vec<_>>())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < PATIENCE, "no {what}");
        sleep(Duration::from_millis(5));
    }
}

fn interrupt(child: &Child) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("kill starts").success());
}

/// How it ended, what it printed, and what it complained of.
fn end(child: Child) -> (Option<i32>, Value, String) {
    let output = child.wait_with_output().expect("it ends");
    let told = serde_json::from_slice(&output.stdout).expect("a JSON object");
    let stderr = String::from_utf8(output.stderr).expect("a text");
    (output.status.code(), told, stderr)
}

#[test]
fn interrupted_learning_keeps_its_checkpoint_and_goes_on() {
    let folder = Folder::new();
    let [whole, parts, checkpoint, trace] =
        ["whole", "parts", "checkpoint", "trace"].map(|name| folder.file(name));
    let words =
        format!("sparse-coding --data {BARS} --atoms 30 --lambda 3 --batch 16 --epochs 200");
    learn(&format!("{words} -o {whole}"));
    let long = start(&format!(
        "{words} --checkpoint {checkpoint} --checkpoint-every 20ms --trace {trace}"
    ));
    wait_for("trace", || {
        let text = std::fs::read_to_string(&trace).unwrap_or_default();
        text.lines().count() >= 3
    });
    interrupt(&long);
    let (code, told, stderr) = end(long);
    assert_eq!(code, Some(130), "{stderr}");
    assert_eq!(told["stop"], "interrupted");
    assert!(told["iterations"].as_u64().unwrap() < 200);
    let advice = format!("go on with --resume {checkpoint}");
    assert!(stderr.contains(&advice), "{stderr}");
    learn(&format!("{words} --resume {checkpoint} -o {parts}"));
    assert!(std::fs::read(whole).unwrap() == std::fs::read(parts).unwrap());
}

#[test]
fn a_checkpoint_belongs_to_one_run_at_a_time() {
    let folder = Folder::new();
    let file = folder.file("checkpoint");
    let words = format!("sparse-coding --data {BARS} --atoms 30 --lambda 3 --batch 16");
    let long = start(&format!(
        "{words} --epochs 1000000 --checkpoint {file} --checkpoint-every 10ms"
    ));
    wait_for("checkpoint", || Path::new(&file).exists());
    for other in ["--resume", "--checkpoint"] {
        let words = format!("{words} --epochs 1 {other} {file}");
        let message = format!("is in use by another run (process {})", long.id());
        refused(&words, "checkpoint", &message);
    }
    interrupt(&long);
    let (code, told, _) = end(long);
    assert_eq!(code, Some(130));
    assert_eq!(told["checkpoint"], file.as_str());
    let done = told["iterations"].as_u64().unwrap();
    let resumed = learn(&format!("{words} --epochs {} --resume {file}", done + 1));
    assert_eq!(resumed["iterations"].as_u64(), Some(done + 1));
    let names = std::fs::read_dir(folder.path("")).unwrap();
    assert_eq!(names.count(), 1, "the checkpoint is all that stays");
}

#[test]
fn reading_is_interrupted_and_ends_in_time() {
    let folder = Folder::new();
    let pipe = folder.path("data.csv");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let checkpoint = folder.file("checkpoint");
    let words = format!(
        "em --model mixture --data {} --checkpoint {checkpoint}",
        pipe.display()
    );
    // Data that never come.
    let reading = start(&words);
    let keep = OpenOptions::new().write(true).open(&pipe).unwrap();
    interrupt(&reading);
    let (code, told, _) = end(reading);
    assert_eq!(code, Some(130));
    assert_eq!(told["error"]["kind"], "interrupted");
    drop(keep);

    let late = start(&format!("{words} --time 50ms"));
    let keep = OpenOptions::new().write(true).open(&pipe).unwrap();
    let (code, told, _) = end(late);
    assert_eq!(code, Some(3));
    assert_eq!(told["error"]["kind"], "out-of-time");
    drop(keep);
    let names = std::fs::read_dir(folder.path("")).unwrap();
    assert_eq!(names.count(), 1, "the pipe is all that stays");
}

#[test]
fn one_long_step_is_interrupted() {
    // Enough rows for a sweep of exact posteriors that takes hours.
    let folder = Folder::new();
    let row = (0..25).map(|i| (i % 3).to_string()).collect::<Vec<_>>();
    let other = (0..25).map(|i| (i % 3 + 1).to_string()).collect::<Vec<_>>();
    let text = format!("{}\n{}\n", row.join(","), other.join(",")).repeat(20_000);
    let data = folder.write("data.csv", &text);
    let words = format!("bsc --data {data} --units 20 --e-step exact --annealing 0");
    let long = start(&format!(
        "{words} --checkpoint {}",
        folder.file("checkpoint")
    ));
    // Signals are handled before the checkpoint is locked, and then the data are read.
    wait_for("lock", || folder.path("checkpoint.lock").exists());
    sleep(Duration::from_millis(300));
    interrupt(&long);
    assert_eq!(end(long).0, Some(130));
}

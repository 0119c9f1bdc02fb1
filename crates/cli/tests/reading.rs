//! What the program reads, what it says of it, and that it keeps time meanwhile.

mod common;

use std::io::Write;
use std::process::{Child, Command, Stdio};

use common::{command, forney, forney_reading, number};

/// Entries that no `f64` holds.
const TINY: &str = "MARKOV\n2\n2 2\n1\n2 0 1\n4\n1 2 3 4.87331e-525\n";

#[track_caller]
fn ln_z(args: &[&str], input: &str) -> f64 {
    let ran = forney_reading(&[args, &["--json"]].concat(), input.as_bytes());
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    number(&ran.json()["ln_z"])
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
}

#[test]
fn numbers_outside_of_a_double() {
    assert_near(ln_z(&["exact", "-"], TINY), 6f64.ln());
    let far = "MARKOV 1 2 2 1 0 1 0 2 1e-400 2e-400 2 1e300 1e300";
    let expected = 3f64.ln() - 100.0 * 10f64.ln();
    assert_near(ln_z(&["exact", "-"], far), expected);
}

#[test]
fn numbers_outside_of_a_double_survive_convert() {
    let ran = forney_reading(&["convert", "-"], TINY.as_bytes());
    assert!(
        ran.stdout.contains("\n 1 2\n 3 4.87331e-525\n"),
        "{}",
        ran.stdout
    );
    assert_near(ln_z(&["exact", "-"], &ran.stdout), 6f64.ln());
    let clamped = forney_reading(&["convert", "-", "-e", "0=1", "-e", "1=1"], TINY.as_bytes());
    let expected = 4.87331f64.ln() - 525.0 * 10f64.ln();
    assert_near(ln_z(&["exact", "-"], &clamped.stdout), expected);
}

#[test]
fn log_tables_by_name_and_by_word() {
    let text = "MARKOV\n2\n2 2\n1\n2 0 1\n4\n0 -1 -2 -400\n";
    let expected = (1.0 + (-1f64).exp() + (-2f64).exp()).ln();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("small.LG");
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    assert_near(ln_z(&["exact", path], ""), expected);
    assert_near(ln_z(&["exact", "-", "--log-tables"], text), expected);
    let converted = forney(&["convert", path]).stdout;
    assert_near(ln_z(&["exact", "-"], &converted), expected);
    let plain = forney_reading(&["exact", "-"], text.as_bytes());
    assert_eq!(plain.code, Some(2));
    assert!(plain.stderr.contains(".LG"), "{}", plain.stderr);
}

#[test]
fn what_is_doubtful_is_told_once_and_answered() {
    let pgmpy =
        "BAYES 3 2 2 2 3\n1 0\n2 0 1\n2 1 2\n2 .01 .99\n4 .05 .01 .95 .99\n4 .6 .3 .4 .7\nend";
    let ran = forney_reading(&["exact", "-", "--json"], pgmpy.as_bytes());
    assert_eq!(ran.code, Some(0));
    ran.json();
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.stderr);
    assert!(
        lines[0].contains("factor 1 sum to 0.06 instead of 1"),
        "{}",
        lines[0]
    );
    assert!(lines[0].contains("pgmpy"), "{}", lines[0]);
    assert!(lines[1].ends_with("line 8, column 1: 1 word after the last table ignored"));
}

#[test]
fn another_format_is_named() {
    let ran = forney_reading(&["exact", "-", "--json"], b"network asia {\n}\n");
    assert_eq!(ran.code, Some(2));
    let error = ran.json()["error"].take();
    assert_eq!(error["kind"], "malformed");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("this looks like BIF"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn convert_does_not_say_that_it_has_written_what_it_could_not() {
    for json in [false, true] {
        let mut words = vec!["convert", "examples/models/asia.uai", "-o", "/dev/full"];
        words.extend(json.then_some("--json"));
        let ran = forney(&words);
        assert_eq!(ran.code, Some(2));
        assert!(!ran.stdout.contains("written to"), "{}", ran.stdout);
        let told = if json { &ran.stdout } else { &ran.stderr };
        assert!(told.contains("cannot write /dev/full: "), "{told}");
    }
}

/// The program with the beginning of a model on its standard input, which it has begun to read
/// and which stays open.
fn reading(words: &[&str]) -> Child {
    let mut child = command(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stdin = child.stdin.as_mut().expect("it was piped");
    // More than a pipe holds, so that it was read in part when this returns.
    stdin
        .write_all(&b"MARKOV\n".repeat(100_000))
        .expect("the program reads its input");
    child
}

#[test]
fn time_runs_while_a_model_is_read() {
    for name in ["exact", "marginals", "map", "bound", "compare"] {
        let mut child = reading(&[name, "-", "--json", "--time", "300ms"]);
        let open = child.stdin.take();
        let output = child.wait_with_output().expect("it ends");
        drop(open);
        assert_eq!(output.status.code(), Some(3), "{name}");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            told.contains("the model was not read within --time"),
            "{name}: {told}"
        );
    }
}

#[cfg(unix)]
#[test]
fn signals_are_seen_while_a_model_is_read() {
    for name in ["info", "exact", "marginals", "map", "bound", "compare"] {
        let mut child = reading(&[name, "-", "--json"]);
        let open = child.stdin.take();
        let sent = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(sent.expect("kill starts").success());
        let output = child.wait_with_output().expect("it ends");
        drop(open);
        assert_eq!(output.status.code(), Some(130), "{name}");
    }
}

//! Evidence of every kind: several samples in one file, likelihoods, and the command line.

mod common;

use std::path::Path;

use common::{Ran, forney, number};
use serde_json::Value;

const ASIA: &str = "examples/models/asia.uai";

/// A file in a folder that goes with the value.
struct File {
    _folder: tempfile::TempDir,
    path: String,
}

fn file(name: &str, text: &str) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    File {
        path: path.to_str().unwrap().to_owned(),
        _folder: folder,
    }
}

#[track_caller]
fn answered(words: &[&str]) -> Ran {
    let ran = forney(words);
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    assert_eq!(ran.stderr, "");
    ran
}

#[track_caller]
fn refused(words: &[&str], message: &str) {
    let ran = forney(words);
    assert_eq!(ran.code, Some(2), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(message), "{}", ran.stderr);
}

fn lines(ran: &Ran) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).expect("each line is an object");
    ran.stdout.lines().map(line).collect()
}

/// Everything but what varies from run to run.
fn steady(mut json: Value) -> Value {
    let object = json.as_object_mut().expect("an object");
    object.remove("elapsed_s");
    object.remove("sample");
    json
}

#[test]
fn several_samples_are_answered_as_each_alone() {
    // The same variables, others, none, and all again.
    let samples = ["1 0 0", "1 0 1", "2 3 0 6 1", "0", "1 0 0"];
    let all = file(
        "all.evid",
        &format!("{}\n{}", samples.len(), samples.join("\n")),
    );
    let value = |json: &Value| number(json.get("ln_z").unwrap_or(&json["ln_value"]));
    for command in ["exact", "marginals", "map"] {
        for order in ["minfill", "search"] {
            let run = |evidence: &str| {
                answered(&[
                    command,
                    ASIA,
                    "--evidence",
                    evidence,
                    "--order",
                    order,
                    "--json",
                ])
            };
            let together = lines(&run(&all.path));
            assert_eq!(together.len(), samples.len());
            for (at, sample) in samples.iter().enumerate() {
                assert_eq!(together[at]["sample"], at + 1);
                let alone = run(&file("one.evid", sample).path).json();
                assert_eq!(alone["sample"], Value::Null);
                let difference = value(&together[at]) - value(&alone);
                assert!(difference.abs() < 1e-12, "{command} {sample}");
                // An order that was found for a sample before rounds in another way.
                if order == "minfill" {
                    let together = steady(together[at].clone());
                    assert_eq!(together, steady(alone), "{command} {sample}");
                }
            }
        }
    }
}

#[test]
fn several_samples_have_a_line_each_in_result_files() {
    let two = file("two.evid", "2\n1 0 0\n1 0 1\n");
    let out = file("out", "");
    let written = |command: &str| {
        answered(&[command, ASIA, "--evidence", &two.path, "-o", &out.path]);
        std::fs::read_to_string(&out.path).unwrap()
    };
    let pr = written("exact");
    let numbers: Vec<f64> = (pr.lines().skip(2))
        .map(|line| line.parse().unwrap())
        .collect();
    assert!(pr.starts_with("PR\n2\n"), "{pr}");
    for (found, ln_z) in numbers.iter().zip([0.01f64.ln(), 0.99f64.ln()]) {
        assert!(
            (found * std::f64::consts::LN_10 - ln_z).abs() < 1e-9,
            "{pr}"
        );
    }
    for (command, word) in [("marginals", "MAR"), ("map", "MAP")] {
        let text = written(command);
        assert!(text.starts_with(&format!("{word}\n2\n8 ")), "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }
}

#[test]
fn several_samples_in_text() {
    let two = file("two.evid", "2\n1 0 0\n1 0 1\n");
    let ran = answered(&["exact", ASIA, "--evidence", &two.path]);
    let heads: Vec<&str> = ran
        .stdout
        .split("\n\n")
        .map(|s| s.lines().next().unwrap())
        .collect();
    assert_eq!(heads, ["sample 1", "sample 2"], "{}", ran.stdout);
    assert!(ran.stdout.contains("\nln Z     -0.01005"), "{}", ran.stdout);
}

#[test]
fn what_takes_one_sample_says_how_many_there_are() {
    let two = file("two.evid", "2\n1 0 0\n1 0 1\n");
    for command in ["bound", "info", "compare", "convert"] {
        let words = [command, ASIA, "--evidence", &two.path];
        refused(
            &words,
            "the evidence holds 2 samples, and this command takes one",
        );
    }
}

/// `p(likelihoods) = Σ_s L(s) p(x_v = s)`, whichever way they are given.
#[test]
fn likelihoods_weigh_the_states() {
    let virt = file("asia.virt", "1\n7 2 0.7 0.5\n");
    let evid = file("asia.evid", "1 6 0");
    let marginals = answered(&["marginals", ASIA, "--evidence", &evid.path, "--json"]).json();
    let expected = number(&marginals["ln_z"])
        + (0.7 * number(&marginals["marginals"][7][0])
            + 0.5 * number(&marginals["marginals"][7][1]))
        .ln();
    let ways: [&[&str]; 4] = [
        &["--evidence", &evid.path, "--evidence", &virt.path],
        &["--evidence", &virt.path, "-e", "6=0"],
        &["--evidence", &evid.path, "--observe", "7=0.7,0.5"],
        &["-e", "6=0", "-e", "7=0.7,0.5"],
    ];
    for way in ways {
        for command in ["exact", "bound", "marginals"] {
            let words = [&[command, ASIA, "--json"], way].concat();
            let json = answered(&words).json();
            let value = number(json.get("ln_z").unwrap_or(&json["lower"]));
            assert!((value - expected).abs() < 1e-12, "{words:?}: {json}");
        }
        // A model with that evidence in it is one like any other.
        let words = [&["convert", ASIA], way].concat();
        let converted = file("converted.uai", &answered(&words).stdout);
        let json = answered(&["exact", &converted.path, "--json"]).json();
        assert!((number(&json["ln_z"]) - expected).abs() < 1e-12, "{json}");
    }
}

#[test]
fn likelihoods_apply_to_every_sample() {
    let two = file("two.evid", "2\n1 0 0\n1 0 1\n");
    let words = [
        "exact",
        ASIA,
        "--evidence",
        &two.path,
        "-e",
        "0=0.5,0.25",
        "--json",
    ];
    let found = lines(&answered(&words));
    for (json, z) in found.iter().zip([0.005f64, 0.2475]) {
        assert!((number(&json["ln_z"]) - z.ln()).abs() < 1e-12, "{json}");
    }
}

#[test]
fn observations_that_make_no_sense() {
    let evid = file("asia.evid", "1 6 0");
    let two = file("two.evid", "2\n1 0 0\n1 0 1\n");
    let cases: [(&[&str], &str); 8] = [
        (
            &["-e", "8=0"],
            "names variable 8, but the model has 8, numbered from 0",
        ),
        (
            &["-e", "7=2"],
            "variable 7 has 2 states; state 2 does not exist",
        ),
        (
            &["-e", "7=1,2,3"],
            "gives 3 likelihoods for variable 7, which has 2 states",
        ),
        (&["-e", "7"], "expected VAR=STATE"),
        (&["-e", "7=-1,2"], "`-1` is no likelihood"),
        (&["-e", "7=0,0"], "likelihoods that are all 0"),
        (
            &["-e", "6=1", "--evidence", &evid.path],
            "variable 6 is observed twice, in state 0 and in state 1",
        ),
        (
            &["--evidence", &evid.path, "--evidence", &two.path],
            "--evidence takes one file of observed states",
        ),
    ];
    for (words, message) in cases {
        refused(&[&["exact", ASIA], words].concat(), message);
    }
}

#[test]
fn a_sample_that_does_not_fit_keeps_the_answers_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (first, out) = (folder.path().join("three.evid"), folder.path().join("out"));
    // A grid of 225 variables: observed as a whole, but for one variable, and not at all.
    let all: Vec<String> = (0..225).map(|v| format!("{v} 0")).collect();
    let samples = format!("3\n225 {}\n224 {}\n0\n", all.join(" "), all[1..].join(" "));
    std::fs::write(&first, samples).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (evidence, out) = (path(&first), path(&out));
    let words = [
        "exact",
        "examples/models/ising15.uai",
        "--evidence",
        &evidence,
        "--json",
        "--memory",
        "1kB",
        "--order",
        "minfill",
        "-o",
        &out,
    ];
    let ran = forney(&words);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert_eq!(lines(&ran).len(), 2);
    assert!(
        ran.stderr.contains("sample 3 of 3: `exact` needs"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("was not written"), "{}", ran.stderr);
    assert!(!Path::new(&out).exists());
}

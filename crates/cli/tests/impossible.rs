//! Models and evidence that allow no assignment: `Z = 0`.

mod common;

use common::{Ran, forney, number};
use serde_json::{Value, json};

/// Either is certain if lung is yes or tub is yes.
const CONTRADICTION: [&str; 7] = [
    "examples/models/asia.uai",
    "-e",
    "5=0",
    "-e",
    "3=1",
    "-e",
    "1=1",
];

fn run(command: &str, more: &[&str]) -> Ran {
    forney(&[&[command], &CONTRADICTION[..], more].concat())
}

#[test]
fn ln_0_is_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let ran = run("exact", &["--json", "-o", out.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.json()["ln_z"], "-inf");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "PR\n-inf\n");
    let ran = run("exact", &[]);
    assert!(
        ran.stdout.contains("Z = 0: no assignment is allowed"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_does_not_exist_is_null_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    for (command, key, value) in [
        ("marginals", "marginals", "ln_z"),
        ("map", "assignment", "ln_value"),
    ] {
        let ran = run(command, &["--json", "-o", out.to_str().unwrap()]);
        assert_eq!(ran.code, Some(4), "{command}: {}", ran.stdout);
        let json = ran.json();
        assert_eq!((&json[key], &json[value]), (&Value::Null, &json!("-inf")));
        assert!(
            ran.stderr
                .contains("Z = 0: no assignment is allowed, so there ")
        );
        assert!(ran.stderr.contains("was not written"), "{}", ran.stderr);
        assert!(!out.exists(), "{command}");
        let ran = run(command, &[]);
        assert_eq!(ran.code, Some(4));
        assert!(
            ran.stdout.contains("Z = 0: no assignment is allowed"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn what_contradicts_each_other_is_named() {
    let expected = json!({
        "factors": [{"factor": 5, "scope": [3, 1, 5]}],
        "observed": [
            {"variable": 1, "state": 1},
            {"variable": 3, "state": 1},
            {"variable": 5, "state": 0},
        ],
        "likelihoods": [],
    });
    for command in ["exact", "marginals", "map", "bound", "info"] {
        // An observation that has nothing to do with it.
        let ran = run(command, &["-e", "0=1", "--json"]);
        assert_eq!(ran.json()["conflict"], expected, "{command}");
        let told = "these contradict each other: factor 5 of variables 3, 1, 5; variable 1 = 1; \
                    variable 3 = 1; variable 5 = 0\n";
        let ran = run(command, &[]);
        assert!(ran.stdout.contains(told), "{}", ran.stdout);
    }
    let ran = forney(&[
        "exact",
        "examples/models/asia.uai",
        "-e",
        "5=0,1",
        "-e",
        "1=0",
        "--json",
    ]);
    assert_eq!(ran.json()["conflict"]["likelihoods"], json!([5]));
    let ran = forney(&["exact", "examples/models/asia.uai", "--json"]);
    assert_eq!(ran.json().get("conflict"), None);
}

/// An odd ring of inequalities: propagation does not see it, elimination does.
#[test]
fn zeros_that_only_elimination_sees() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ring.uai");
    let model = "MARKOV 5 2 2 2 2 2 5 2 0 1 2 1 2 2 2 3 2 3 4 2 4 0";
    std::fs::write(&file, model.to_owned() + &" 4 0 1 1 0".repeat(5)).unwrap();
    let file = file.to_str().unwrap();
    for (command, code) in [("exact", 0), ("marginals", 4), ("map", 4)] {
        let ran = forney(&[command, file, "--json"]);
        assert_eq!(ran.code, Some(code), "{command}: {}", ran.stdout);
        let json = ran.json();
        let value = json.get("ln_z").unwrap_or(&json["ln_value"]);
        assert!(number(value).is_infinite());
    }
}

#[test]
fn one_impossible_sample_among_others() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("three.evid"), folder.path().join("out"));
    std::fs::write(&file, "3\n1 0 0\n3 5 0 3 1 1 1\n1 0 1\n").unwrap();
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    let words = ["--evidence", file, "--json", "-o", out];
    let ran = forney(&[&["map", "examples/models/asia.uai"], &words[..]].concat());
    assert_eq!(ran.code, Some(4));
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let absent: Vec<bool> = lines
        .iter()
        .map(|line| line["assignment"].is_null())
        .collect();
    assert_eq!(absent, [false, true, false]);
    assert!(ran.stderr.contains("Z = 0 for sample 2"), "{}", ran.stderr);
    assert!(!std::path::Path::new(out).exists());
    let ran = forney(&[&["exact", "examples/models/asia.uai"], &words[..]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let text = std::fs::read_to_string(out).unwrap();
    assert_eq!(text.lines().nth(3), Some("-inf"), "{text}");
}

//! What is wrong is said clearly, with the right exit code, and nothing panics.

mod common;

use std::path::Path;

use common::{forney, forney_reading, refused, shell};

const ASIA: &str = "examples/models/asia.uai";

#[test]
fn malformed_models() {
    let deep = format!("MARKOV 1 2 1 1 0 2 {}x 1", "9".repeat(5000));
    let cases: &[(&[u8], &str)] = &[
        (
            b"",
            "line 1, column 1: expected MARKOV or BAYES; found the end of the file",
        ),
        (
            b"MARKOV\n",
            "expected the number of variables; found the end of the file",
        ),
        (
            b"MARKOV 2\n2 2\n1\n2 0 1\n4\n1 2 3",
            "entry 3 of factor 0; found the end of the file",
        ),
        (b"MARKOW 0 0", "expected MARKOV or BAYES; found `MARKOW`"),
        (
            b"MARKOV 1 2 1 1 0 2 1 x",
            "line 1, column 22: expected entry 1 of factor 0",
        ),
        (b"MARKOV 1 2 1 1 0 2 1 -1", "found `-1`"),
        (b"MARKOV 1 2 1 1 0 2 1 nan", "found `nan`"),
        (b"MARKOV 1 2 1 1 0 2 1 1,5", "a decimal point"),
        (
            b"MARKOV 1 2 1 1 0 1000000000000000000 1 1",
            "the number of entries of factor 0, 2",
        ),
        (b"MARKOV 1000000000000000000 2", "the number of variables"),
        (
            b"MARKOV 99999999999999999999999 2",
            "found `99999999999999999999999`",
        ),
        (b"MARKOV 1 2 1000000000000 1 0", "the number of factors"),
        (
            b"MARKOV 2 2 2 1 2 0 2 4 1 1 1 1",
            "a variable of factor 0, below 2; found `2`",
        ),
        (
            b"MARKOV 2 2 2 1 2 1 1 4 1 1 1 1",
            "each variable of factor 0 once; found `1`",
        ),
        (
            b"MARKOV 1 0 0",
            "the cardinality of variable 0, 1 to 16777216; found `0`",
        ),
        (b"p cnf 2 1\n1 2 0\n", "this looks like DIMACS"),
        (b"{\"cards\": [2]}", "this looks like JSON"),
        (
            b"\x7fELF\x02\x01\x00\x00\xff\xfe",
            "expected MARKOV or BAYES; found `\\u{7f}ELF",
        ),
        (deep.as_bytes(), "entry 0 of factor 0"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.uai");
    let path = file.to_str().unwrap();
    for (content, message) in cases {
        std::fs::write(&file, content).unwrap();
        for command in ["exact", "bound", "info"] {
            let error = refused(&forney(&[command, path, "--json"]), 2, "malformed", message);
            assert_eq!(error["file"], path);
            assert!(
                error["line"].is_u64() && error["column"].is_u64(),
                "{error}"
            );
            assert!(
                error["expected"].is_string() && error["found"].is_string(),
                "{error}"
            );
        }
        let text = forney(&["exact", path]);
        assert_eq!((text.code, text.stdout.as_str()), (Some(2), ""));
        assert!(
            text.stderr.starts_with(&format!("forney: {path}, line ")),
            "{}",
            text.stderr
        );
        assert!(text.stderr.contains(message), "{}", text.stderr);
        let piped = forney_reading(&["exact", "-", "--json"], content);
        assert_eq!(
            refused(&piped, 2, "malformed", message)["file"],
            "standard input"
        );
    }
}

#[test]
fn malformed_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.evid");
    let path = file.to_str().unwrap();
    for (content, message) in [
        ("1 99 0", "an observed variable, below 8; found `99`"),
        ("1 0 2", "a state of variable 0, below 2; found `2`"),
        (
            "2 0 0 0 1",
            "variable 0 in state 0, as observed before; found `1`",
        ),
        ("2 0 1", "the number of observed variables"),
        ("", "found the end of the file"),
        ("1 0 x", "found `x`"),
    ] {
        std::fs::write(&file, content).unwrap();
        let ran = forney(&["bound", ASIA, "--evidence", path, "--json"]);
        assert_eq!(refused(&ran, 2, "malformed", message)["file"], path);
    }
}

#[test]
fn malformed_orders() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("order");
    let path = file.to_str().unwrap();
    for (content, message) in [
        ("0 1 2 3 4 5 6", "variable 7 is missing"),
        ("0 1 2 3 4 5 6 6", "each variable once; found `6`"),
        (
            "0 1 2 3 4 5 6 9",
            "a variable of the model, below 8; found `9`",
        ),
    ] {
        std::fs::write(&file, content).unwrap();
        for command in ["exact", "bound"] {
            refused(
                &forney(&[command, ASIA, "--order", path, "--json"]),
                2,
                "malformed",
                message,
            );
        }
    }
    let misspelt = forney(&["exact", ASIA, "--order", "min-fill", "--json"]);
    let error = refused(&misspelt, 2, "io", "min-fill: ");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("minfill, wminfill, minsize")
    );
}

#[test]
fn a_file_of_settings_is_no_json() {
    let ran = forney(&["exact", "Cargo.toml", "--json"]);
    let error = refused(&ran, 2, "malformed", "found `[workspace]`");
    assert!(!error["message"].as_str().unwrap().contains("JSON"));
}

#[test]
fn files_that_are_not_there() {
    for words in [
        vec!["exact", "no/such.uai"],
        vec!["exact", ASIA, "--evidence", "no/such.uai"],
        vec!["convert", "no/such.uai"],
    ] {
        let text = forney(&words);
        assert_eq!((text.code, text.stdout.as_str()), (Some(2), ""));
        assert!(
            text.stderr.starts_with("forney: no/such.uai: "),
            "{}",
            text.stderr
        );
        let mut words = words;
        words.push("--json");
        assert_eq!(
            refused(&forney(&words), 2, "io", "no/such.uai: ")["file"],
            "no/such.uai"
        );
    }
    assert_eq!(
        forney(&["exact", "examples"]).code,
        Some(2),
        "a folder is no model"
    );
}

#[test]
fn words_that_make_no_sense() {
    for (words, message) in [
        (vec!["bound", ASIA, "--time", "0"], "more than 0"),
        (vec!["exact", ASIA, "--time", "0s"], "more than 0"),
        (vec!["bound", ASIA, "--time", "soon"], "--time"),
        (vec!["bound", ASIA, "--memory", "0"], "at least one byte"),
        (vec!["bound", ASIA, "--memory", "4 apples"], "`apples`"),
        (vec!["bound", ASIA, "--gap=-1"], "0 or more"),
        (vec!["bound", ASIA, "--threads", "0"], "--threads"),
        (vec!["bound", ASIA, "--ibound", "two"], "--ibound"),
        (
            vec!["bound", ASIA, "--side", "middle"],
            "both, upper, lower",
        ),
        (
            vec!["bound", ASIA, "--method", "magic"],
            "there is no method 'magic'",
        ),
        (
            vec!["bound", ASIA, "-e", "examples/models/asia.uai.evid"],
            "--evidence FILE",
        ),
        (vec!["bound", ASIA, "-e", "run=3.evid"], "--evidence FILE"),
        (vec!["bound"], "<FILE>"),
        (vec!["guess", ASIA], "'guess'"),
        (vec!["exact", "-", "--evidence", "-"], "only one"),
    ] {
        let text = forney(&words);
        assert_eq!(
            (text.code, text.stdout.as_str()),
            (Some(2), ""),
            "{words:?}"
        );
        assert!(text.stderr.starts_with("forney: "), "{}", text.stderr);
        assert!(text.stderr.contains(message), "{}", text.stderr);
        let mut words = words;
        words.push("--json");
        refused(&forney(&words), 2, "usage", message);
    }
}

#[test]
fn an_ibound_that_is_too_small_names_the_least() {
    let ran = forney(&[
        "bound",
        "testdata/generated/mixed12_s0.uai",
        "--ibound",
        "1",
        "--json",
    ]);
    let error = refused(&ran, 2, "ibound-too-small", "an ibound of at least ");
    let least = error["least"].as_u64().unwrap().to_string();
    let words = [
        "bound",
        "testdata/generated/mixed12_s0.uai",
        "--ibound",
        &least,
        "--json",
    ];
    assert_eq!(
        forney(&words).code,
        Some(0),
        "the least that was named works"
    );
}

#[test]
fn a_result_that_cannot_be_written_is_still_printed() {
    for (command, key) in [
        ("exact", "ln_z"),
        ("marginals", "marginals"),
        ("map", "assignment"),
        ("bound", "lower"),
    ] {
        let ran = forney(&[
            command,
            ASIA,
            "--json",
            "--uai-output",
            "no/such/folder/out",
        ]);
        assert_eq!(ran.code, Some(2));
        assert!(!ran.json()[key].is_null(), "{}", ran.stdout);
        assert!(
            ran.stderr.contains("cannot write no/such/folder/out: "),
            "{}",
            ran.stderr
        );
    }
    let ran = forney(&["bound", ASIA, "--json", "--trace", "no/such/folder/trace"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.json()["exact"], true);
    assert!(
        ran.stderr.contains("cannot write no/such/folder/trace: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_open_bracket_is_no_pr_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.PR");
    let path = out.to_str().unwrap();
    let model = "testdata/generated/ising10_b1.uai";
    let words = [
        "bound",
        model,
        "--json",
        "--ibound",
        "4",
        "--iterations",
        "5",
        "-o",
        path,
    ];
    let ran = forney(&words);
    assert_eq!(ran.code, Some(3));
    assert_eq!(ran.json()["exact"], false);
    assert!(
        ran.stderr.contains("the bracket did not close"),
        "{}",
        ran.stderr
    );
    assert!(!out.exists());
}

#[cfg(unix)]
#[test]
fn closed_and_broken_standard_streams() {
    let closed = shell("exec $forney exact - --json <&-");
    refused(&closed, 2, "malformed", "standard input, line 1, column 1");
    let nobody_reads = shell("$forney map examples/models/pigs.uai | true");
    assert_eq!(nobody_reads.stderr, "");
    let neither = shell("exec $forney exact no/such.uai >&- 2>&-");
    assert_eq!(neither.code, Some(2));
    if Path::new("/dev/full").exists() {
        let full = shell("exec $forney exact examples/models/asia.uai > /dev/full");
        assert_eq!(full.code, Some(2));
        assert!(
            full.stderr
                .starts_with("forney: cannot write standard output: "),
            "{}",
            full.stderr
        );
    }
}

#[test]
fn what_cannot_be_is_told_before_it_is_tried() {
    let words = ["bound", ASIA, "--method", "mf", "--side", "upper", "--json"];
    refused(&forney(&words), 2, "usage", "mf proves lower bounds only");

    let words = ["exact", ASIA, "--evidence", ASIA, "--json"];
    refused(
        &forney(&words),
        2,
        "malformed",
        "this is a model, not evidence",
    );

    let negative = b"MARKOV 1 2 1 1 0 2 1 -1";
    let ran = forney_reading(&["exact", "-", "--json"], negative);
    refused(
        &ran,
        2,
        "malformed",
        "found `-1` (if the tables hold natural logarithms, let the name of the file end in .LG, or \
         say --log-tables)",
    );
}

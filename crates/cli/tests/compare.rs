//! `forney compare`: all methods in one table.

mod common;

use std::time::{Duration, Instant};

use common::{Ran, forney, number};
use serde_json::Value;

const GRID: &str = "testdata/generated/ising10_b1.uai";
const LN_Z: f64 = 98.764_016_618_244_94;

fn rows(ran: &Ran) -> Vec<Value> {
    ran.json()["rows"].as_array().expect("rows").clone()
}

fn compare(words: &[&str]) -> Ran {
    let ran = forney(&[&["compare"], words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stderr, "", "no progress where nobody looks");
    ran
}

#[test]
fn every_method_has_its_rows_on_the_right_side() {
    let ran = compare(&[GRID, "--ibound", "4", "--time", "4", "--json"]);
    assert!((number(&ran.json()["ln_z"]) - LN_Z).abs() < 1e-9);
    let rows = rows(&ran);
    let names = [
        "mf",
        "structured-mf",
        "bp",
        "trbp",
        "neg-trw",
        "mbe",
        "wmbe-uniform",
        "wmbe",
        "wmbe-w",
        "wmbe-theta",
        "wmbe-theta-w",
        "wmbe-g",
        "g-mf",
        "g-bp",
        "g-smf",
        "mbr",
        "gbr",
    ];
    for name in names {
        assert!(rows.iter().any(|row| row["method"] == name), "{name}");
    }
    for row in &rows {
        let gap = || number(&row["gap"]);
        let value = || number(&row["value"]);
        match row["side"].as_str().expect("a side") {
            "upper" => assert!(
                value() >= LN_Z - 1e-9 && value() - LN_Z <= gap() + 1e-9,
                "{row}"
            ),
            "lower" => assert!(
                value() <= LN_Z + 1e-9 && LN_Z - value() <= gap() + 1e-9,
                "{row}"
            ),
            side => assert_eq!(side, "estimate"),
        }
        assert!(
            row["iterations"].is_u64() && row["elapsed_s"].is_f64(),
            "{row}"
        );
        assert!(row["stop"].is_string() && row["note"].is_string(), "{row}");
    }
}

#[test]
fn the_same_iterations_give_the_same_table_on_any_number_of_threads() {
    let words = [
        GRID,
        "--ibound",
        "3",
        "--iterations",
        "4",
        "--time",
        "1h",
        "--json",
    ];
    let tables = ["1", "3"].map(|threads| {
        let mut rows = rows(&compare(&[&words[..], &["--threads", threads]].concat()));
        for row in &mut rows {
            row["elapsed_s"] = Value::Null;
        }
        rows
    });
    assert_eq!(tables[0], tables[1]);
}

#[test]
fn what_does_not_apply_is_a_row_that_says_why() {
    let factors_of_three = "testdata/generated/mobius24_T1.uai";
    let words = [
        factors_of_three,
        "--ibound",
        "1",
        "--time",
        "1",
        "--methods",
        "mf,wmbe",
        "--json",
    ];
    let rows = rows(&compare(&words));
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["method"], "mf");
    for row in &rows[1..] {
        assert_eq!(row["stop"], "inapplicable");
        assert!(row["value"].is_null() && row["gap"].is_null(), "{row}");
        assert!(
            row["note"]
                .as_str()
                .unwrap()
                .contains("ibound of at least 2"),
            "{row}"
        );
    }
    for nothing_left in [
        "testdata/legal/contradiction.uai",
        "testdata/legal/all_zeros.uai",
    ] {
        let ran = compare(&[nothing_left, "--time", "1", "--json"]);
        assert_eq!(ran.json()["ln_z"], "-inf");
    }
}

#[test]
fn unknown_methods_are_refused_with_those_that_there_are() {
    let ran = forney(&["compare", GRID, "--methods", "mf,magic"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("magic") && ran.stderr.contains("wmbe-theta-w"),
        "{}",
        ran.stderr
    );
}

#[test]
fn legal_oddities_are_compared() {
    for model in [
        "empty",
        "card1",
        "constants",
        "disconnected",
        "isolated",
        "repeated",
        "chain600_tiny",
    ] {
        let file = format!("testdata/legal/{model}.uai");
        let ran = compare(&[&file, "--time", "1", "--iterations", "5", "--json"]);
        assert!(number(&ran.json()["ln_z"]).is_finite(), "{model}");
    }
}

#[test]
fn what_is_exact_has_no_gap_by_rounding() {
    let words = [
        "testdata/legal/constants.uai",
        "--time",
        "1",
        "--methods",
        "wmbe",
    ];
    let text = compare(&words).stdout;
    let rows = text.lines().filter(|line| line.starts_with("wmbe "));
    let told: Vec<Vec<&str>> = rows
        .map(|row| row.split_whitespace().skip(1).take(3).collect())
        .collect();
    let (upper, lower) = (&told[0], &told[1]);
    assert_eq!((upper[0], lower[0]), ("upper", "lower"), "{text}");
    assert_eq!((upper[2], lower[2]), ("0", "0"), "{text}");
    assert_eq!(upper[1], lower[1], "{text}");
    assert!(
        text.contains(&format!("ln Z     {}  exact", upper[1])),
        "{text}"
    );
}

#[test]
fn time_is_kept() {
    let begun = Instant::now();
    compare(&["testdata/generated/ising15_b2.uai", "--time", "1"]);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn table_and_picture_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (table, picture) = (file("table.csv"), file("picture.svg"));
    let words = [
        GRID,
        "--ibound",
        "3",
        "--time",
        "1",
        "--methods",
        "trbp,mf,bp",
    ];
    let ran = compare(&[&words[..], &["--csv", &table, "--plot", &picture]].concat());
    assert!(
        ran.stdout.contains("trbp") && ran.stdout.contains("exact"),
        "{}",
        ran.stdout
    );
    let table = std::fs::read_to_string(table).unwrap();
    let mut lines = table.lines();
    assert_eq!(
        lines.next(),
        Some("method,side,value,gap,iterations,elapsed_s,stop,note")
    );
    let heads: Vec<String> = lines
        .map(|line| line.split(',').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(heads, ["trbp upper", "mf lower", "bp estimate"]);
    let picture = std::fs::read_to_string(picture).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("Upper bounds"));
    let nowhere = forney(&[
        "compare",
        GRID,
        "--time",
        "1",
        "--methods",
        "bp",
        "--csv",
        "/nowhere/x.csv",
    ]);
    assert_eq!(nowhere.code, Some(2));
    assert!(
        nowhere.stdout.contains("bp"),
        "the table is printed all the same"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_comparison_prints_what_was_proved() {
    let model = "testdata/generated/ising15_b2.uai";
    let child = common::command(&[
        "compare",
        model,
        "--json",
        "--time",
        "1h",
        "--methods",
        "wmbe-g,mf",
    ])
    .stdout(std::process::Stdio::piped())
    .spawn()
    .expect("the program starts");
    std::thread::sleep(Duration::from_secs(3));
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill starts").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let json: Value = serde_json::from_slice(&output.stdout).expect("a JSON object");
    let rows = json["rows"].as_array().expect("rows");
    assert!(
        rows.iter().any(|row| row["stop"] == "interrupted"),
        "{json}"
    );
}

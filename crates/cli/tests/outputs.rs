//! The shapes of what is printed and written.

mod common;

use common::{Ran, forney, number, root};
use insta::{assert_json_snapshot, assert_snapshot, rounded_redaction};
use serde_json::Value;

const ALARM: [&str; 3] = [
    "examples/models/alarm.uai",
    "--evidence",
    "examples/models/alarm.uai.evid",
];

fn on_alarm(command: &str, more: &[&str]) -> Ran {
    let words = [&[command], &ALARM[..], more].concat();
    let ran = forney(&words);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stderr, "", "no progress where nobody looks");
    ran
}

/// The keys of the object in the order in which they are printed.
fn keys(ran: &Ran) -> Vec<&str> {
    let after = |start: &str| ran.stdout.find(start).expect("it is printed");
    let json = ran.json();
    let object = json.as_object().expect("an object");
    let mut keys: Vec<(usize, String)> = object
        .keys()
        .map(|key| (after(&format!("\"{key}\":")), key.clone()))
        .collect();
    keys.sort();
    let len = |(at, key): &(usize, String)| &ran.stdout[at + 1..at + 1 + key.len()];
    keys.iter().map(len).collect()
}

#[test]
fn exact_as_json() {
    let ran = on_alarm("exact", &["--json"]);
    assert_eq!(
        keys(&ran),
        ["ln_z", "log10_z", "width", "elapsed_s", "peak_bytes"]
    );
    assert_json_snapshot!(ran.json(), {
        ".ln_z" => rounded_redaction(9),
        ".log10_z" => rounded_redaction(9),
        ".elapsed_s" => "[seconds]",
        ".peak_bytes" => "[bytes]",
    });
}

#[test]
fn bound_as_json() {
    let ran = on_alarm("bound", &["--json"]);
    assert_eq!(
        keys(&ran),
        [
            "lower",
            "upper",
            "gap",
            "lower_method",
            "upper_method",
            "ibound",
            "iterations",
            "stop",
            "exact",
            "elapsed_s"
        ]
    );
    assert_json_snapshot!(ran.json(), {
        ".lower" => rounded_redaction(9),
        ".upper" => rounded_redaction(9),
        ".elapsed_s" => "[seconds]",
    });
}

#[test]
fn marginals_and_map_as_json() {
    let model = "testdata/bayesnets/cancer.uai";
    let evidence = "testdata/bayesnets/cancer.uai.evid";
    let run = |command| forney(&[command, model, "--evidence", evidence, "--json"]).json();
    assert_json_snapshot!("marginals_as_json", run("marginals"), {
        ".ln_z" => rounded_redaction(9),
        ".log10_z" => rounded_redaction(9),
        ".marginals[][]" => rounded_redaction(9),
        ".elapsed_s" => "[seconds]",
        ".peak_bytes" => "[bytes]",
    });
    assert_json_snapshot!("map_as_json", run("map"), {
        ".ln_value" => rounded_redaction(9),
        ".log10_value" => rounded_redaction(9),
        ".elapsed_s" => "[seconds]",
        ".peak_bytes" => "[bytes]",
    });
}

#[test]
fn info_as_json() {
    let ran = on_alarm("info", &["--json", "--memory", "1GiB"]);
    assert_json_snapshot!(ran.json(), {
        ".reduced.orders[].log2_clique" => rounded_redaction(3),
        ".reduced.orders[].entries" => "[entries]",
        ".reduced.orders[].exact_bytes" => "[bytes]",
        ".reduced.orders[].marginals_bytes" => "[bytes]",
        ".reduced.orders[].exact_s" => "[seconds]",
    });
}

#[test]
fn errors_as_json() {
    let ran = forney(&["exact", "testdata/REFERENCE.tsv", "--json"]);
    assert_json_snapshot!(ran.json());
    let ran = forney(&[
        "exact",
        "examples/models/ising15.uai",
        "--memory",
        "1kB",
        "--order",
        "minfill",
        "--json",
    ]);
    assert_json_snapshot!(ran.json(), {
        ".error.message" => "[sentence]",
        ".error.bytes" => "[bytes]",
    });
}

/// Times and sizes vary, and so may the last digits.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut last = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let word = match bare.parse::<f64>() {
            Ok(value) if bare.len() > 12 => word.replace(bare, &format!("{value:.9}")),
            _ => word.to_owned(),
        };
        let unit = bare.trim_end_matches(',');
        if matches!(unit, "ms" | "s" | "min" | "B" | "KiB" | "MiB") {
            steady.truncate(steady.len() - last.len());
            steady.push_str(&word.replace(unit, "…"));
        } else {
            steady.push_str(&word);
        }
        last = word;
    }
    steady
}

#[test]
fn the_text_of_every_command() {
    let model = "testdata/bayesnets/cancer.uai";
    let evidence = "testdata/bayesnets/cancer.uai.evid";
    let text = |command| {
        let ran = forney(&[command, model, "--evidence", evidence]);
        assert_eq!(ran.stderr, "");
        steady(&ran.stdout)
    };
    assert_snapshot!("text_of_exact", text("exact"));
    assert_snapshot!("text_of_bound", text("bound"));
    assert_snapshot!("text_of_marginals", text("marginals"));
    assert_snapshot!("text_of_map", text("map"));
    assert_snapshot!("text_of_convert", text("convert"));
}

#[test]
fn the_tables_of_info_have_their_cells_below_each_other() {
    // Where numbers end, and how many cells there are.
    let ends = |line: &str, columns: std::ops::RangeInclusive<usize>| {
        let cells = line.split("  ").filter(|cell| !cell.is_empty());
        let mut from = 0;
        let ends = cells.map(|cell| {
            from += line[from..].find(cell).expect("a cell") + cell.len();
            from
        });
        let ends: Vec<usize> = ends.collect();
        (ends.len(), ends[columns].to_vec())
    };
    let text = forney(&["info", "examples/models/ising15.uai"]).stdout;
    for (head, columns) in [("order ", 1..=5), ("ibound ", 1..=3)] {
        let mut lines = text.lines().skip_while(|line| !line.starts_with(head));
        let head = ends(lines.next().expect("a table"), columns.clone());
        let rows: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        assert!(rows.len() > 1, "{text}");
        for row in rows {
            assert_eq!(ends(row, columns.clone()), head, "{text}");
        }
    }
}

#[test]
fn bounds_in_text_are_rounded_outwards() {
    let words = [
        "bound",
        "testdata/generated/ising10_b1.uai",
        "--ibound",
        "5",
        "--iterations",
        "20",
    ];
    let text = forney(&words).stdout;
    let json = forney(&[&words[..], &["--json"]].concat()).json();
    let told = |name: &str| -> f64 {
        let line = text
            .lines()
            .find(|line| line.starts_with(name))
            .expect("a line");
        line.split_whitespace()
            .nth(1)
            .expect("a number")
            .parse()
            .expect("a number")
    };
    let (lower, upper) = (number(&json["lower"]), number(&json["upper"]));
    assert!(told("lower") <= lower && lower < told("lower") + 2e-6);
    assert!(told("upper") >= upper && upper > told("upper") - 2e-6);
    assert!(told("gap") >= upper - lower);
}

#[test]
fn result_files_of_the_competitions() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let written = |command: &str| {
        on_alarm(command, &["-o", out.to_str().unwrap()]);
        forney_uai::read_file(&out, forney_uai::read_solution).expect("a result file")
    };
    for command in ["exact", "bound"] {
        let forney_uai::Solution::Pr { log10_z } = written(command) else {
            panic!("{command} writes PR");
        };
        assert!((log10_z * std::f64::consts::LN_10 + 2.406_854_054_485_691_6).abs() < 1e-9);
    }
    let forney_uai::Solution::Mar(marginals) = written("marginals") else {
        panic!("marginals writes MAR");
    };
    assert_eq!(marginals.len(), 37);
    let forney_uai::Solution::Map(states) = written("map") else {
        panic!("map writes MAP");
    };
    let json = on_alarm("map", &["--json"]).json();
    let printed: Vec<usize> = serde_json::from_value(json["assignment"].clone()).unwrap();
    assert_eq!(states, printed);
}

#[test]
fn a_trace_tells_of_a_bracket_that_closes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.jsonl");
    let model = "testdata/generated/ising10_b1.uai";
    let words = [
        "bound",
        model,
        "--json",
        "--ibound",
        "6",
        "--iterations",
        "60",
        "--trace",
        file.to_str().unwrap(),
    ];
    let last = forney(&words).json();
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() > 2);
    for pair in lines.windows(2) {
        assert!(number(&pair[0]["lower"]) <= number(&pair[1]["lower"]));
        assert!(number(&pair[0]["upper"]) >= number(&pair[1]["upper"]));
        assert!(number(&pair[0]["elapsed_s"]) <= number(&pair[1]["elapsed_s"]));
    }
    let end = lines.last().unwrap();
    for key in ["lower", "upper", "gap", "lower_method", "upper_method"] {
        assert_eq!(end[key], last[key]);
    }
}

#[test]
fn numbers_after_the_model_are_ignored_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.uai");
    std::fs::write(&file, "MARKOV 1 2 1 1 0 2 1 3\n0 0").unwrap();
    let ran = forney(&["exact", file.to_str().unwrap(), "--json"]);
    assert_eq!(ran.code, Some(0));
    assert!((number(&ran.json()["ln_z"]) - 4f64.ln()).abs() < 1e-12);
    assert!(
        ran.stderr
            .ends_with("line 2, column 1: 2 words after the last table ignored\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_readme_names_every_option() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for command in [
        "info",
        "exact",
        "bound",
        "marginals",
        "map",
        "convert",
        "learn sparse-coding",
        "learn bsc",
        "learn em",
    ] {
        assert!(readme.contains(&format!("forney {command}")), "{command}");
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = forney(&words).stdout;
        let options = help
            .split_whitespace()
            .filter(|word| word.starts_with("--"));
        for option in
            options.map(|option| option.trim_matches(|c: char| !c.is_alphanumeric() && c != '-'))
        {
            assert!(readme.contains(option), "{option} of {command}");
        }
    }
}

//! Every command on every model whose answer is known.

// Bits are compared where they are promised.
#![allow(clippy::float_cmp)]

mod common;

use common::{assert_exact, forney, forney_on, forney_reading, number, root};
use forney_certify::slack;
use forney_testing::references;
use serde_json::Value;

#[test]
fn exact_gives_the_reference_values() {
    let references = references();
    assert!(references.len() > 40, "only {}", references.len());
    for reference in references {
        let ran = forney_on(&reference, "exact", &[]);
        assert_eq!(ran.code, Some(0), "{}: {}", reference.file, ran.stdout);
        let json = ran.json();
        assert_exact(number(&json["ln_z"]), &reference);
        let log10 = number(&json["log10_z"]) * std::f64::consts::LN_10;
        assert_exact(log10, &reference);
    }
}

#[test]
fn bound_closes_to_exact_on_every_bundled_model() {
    for reference in references() {
        let ran = forney_on(&reference, "bound", &["--time", "60"]);
        assert_eq!(ran.code, Some(0), "{}: {}", reference.file, ran.stdout);
        let json = ran.json();
        assert_eq!(json["exact"], true, "{}: {json}", reference.file);
        assert_eq!(json["stop"], "converged", "{}", reference.file);
        assert_exact(number(&json["lower"]), &reference);
        assert_eq!(json["lower"], json["upper"]);
        assert_eq!(number(&json["gap"]), 0.0);
    }
}

#[test]
fn bounds_of_a_small_ibound_are_on_their_sides() {
    let mut proper = 0;
    for reference in references() {
        let ran = forney_on(
            &reference,
            "bound",
            &["--ibound", "5", "--iterations", "10", "--method", "wmbe"],
        );
        if ran.code == Some(2) {
            assert_eq!(
                ran.json()["error"]["kind"],
                "ibound-too-small",
                "{}",
                ran.stdout
            );
            continue;
        }
        let json = ran.json();
        let (lower, upper) = (number(&json["lower"]), number(&json["upper"]));
        let (ln_z, slack) = (reference.ln_z, slack(reference.ln_z));
        assert!(
            lower <= ln_z + slack,
            "{}: {lower} > {ln_z}",
            reference.file
        );
        assert!(
            upper >= ln_z - slack,
            "{}: {upper} < {ln_z}",
            reference.file
        );
        proper += usize::from(json["exact"] == false);
    }
    assert!(proper > 10, "only {proper} brackets were open");
}

#[test]
fn one_side_alone() {
    let model = "testdata/generated/ising10_b1.uai";
    let both = forney(&[
        "bound",
        model,
        "--json",
        "--ibound",
        "5",
        "--iterations",
        "64",
    ])
    .json();
    for (side, other) in [("upper", "lower"), ("lower", "upper")] {
        let words = [
            "bound",
            model,
            "--json",
            "--ibound",
            "5",
            "--iterations",
            "64",
            "--side",
            side,
        ];
        let json = forney(&words).json();
        assert!(number(&json[side]).is_finite());
        assert!(number(&json[other]).is_infinite());
        assert_eq!(json[format!("{other}_method")], "none");
        assert_eq!(json["gap"], "inf");
        assert_eq!(both["exact"], false);
    }
}

#[test]
fn the_same_numbers_for_any_number_of_threads() {
    let model = "examples/models/ising15.uai";
    for words in [
        vec!["exact", model],
        vec!["marginals", model],
        vec!["map", model],
        vec![
            "bound",
            model,
            "--ibound",
            "6",
            "--iterations",
            "40",
            "--method",
            "wmbe",
        ],
    ] {
        let run = |threads: &str| {
            let mut words = words.clone();
            words.extend(["--json", "--threads", threads]);
            let mut json = forney(&words).json();
            json.as_object_mut().expect("an object").remove("elapsed_s");
            json
        };
        assert_eq!(run("1"), run("3"), "{words:?}");
    }
}

#[test]
fn every_method_keeps_to_its_side() {
    for reference in references() {
        if !["mobius24_T1", "mixed12_s1", "ising10_b1", "asia", "child"]
            .iter()
            .any(|name| reference.file.contains(name))
        {
            continue;
        }
        let methods = [
            "auto",
            "exact",
            "wmbe",
            "wmbe-g",
            "mf",
            "published-wmbe",
            "published-wmbe-theta-w",
            "published-wmbe-gw",
        ];
        for method in methods {
            let limits = ["--method", method, "--iterations", "60", "--time", "20"];
            let json = forney_on(&reference, "bound", &limits).json();
            let words = (&reference.file, method);
            let number = |key: &str| json[key].as_f64();
            let slack = slack(reference.ln_z);
            if let Some(lower) = number("lower") {
                assert!(lower <= reference.ln_z + slack, "{words:?}: {json}");
            }
            if let Some(upper) = number("upper") {
                assert!(upper >= reference.ln_z - slack, "{words:?}: {json}");
            }
            let proved = number("lower").is_some() || number("upper").is_some();
            assert!(proved, "{words:?}: {json}");
        }
    }
}

#[test]
fn every_way_to_an_order_gives_the_same_value() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("order");
    let backwards: Vec<String> = (0..37).rev().map(|v| v.to_string()).collect();
    std::fs::write(&file, format!("37\n{}", backwards.join("\n"))).unwrap();
    let file = file.to_str().unwrap();
    let model = "examples/models/alarm.uai";
    let evidence = "examples/models/alarm.uai.evid";
    for order in ["minfill", "wminfill", "minsize", "search", file] {
        for command in ["exact", "bound"] {
            let words = [
                command,
                model,
                "--evidence",
                evidence,
                "--order",
                order,
                "--json",
            ];
            let json = forney(&words).json();
            let value = number(json.get("ln_z").unwrap_or(&json["lower"]));
            assert!(
                (value + 2.406_854_054_485_691_6).abs() < 1e-9,
                "{order}: {json}"
            );
        }
    }
}

#[test]
fn marginals_sum_to_one_and_agree_with_the_evidence() {
    let model = "examples/models/asia.uai";
    let evidence = "examples/models/asia.uai.evid";
    let json = forney(&["marginals", model, "--evidence", evidence, "--json"]).json();
    let observed = std::fs::read_to_string(root().join(evidence)).unwrap();
    let observed: Vec<usize> = observed
        .split_whitespace()
        .map(|t| t.parse().unwrap())
        .collect();
    assert_eq!(observed.len(), 3, "one observation");
    let marginals = json["marginals"].as_array().unwrap();
    assert_eq!(marginals.len(), 8);
    for marginal in marginals {
        let sum: f64 = marginal.as_array().unwrap().iter().map(number).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }
    assert_eq!(number(&marginals[observed[1]][observed[2]]), 1.0);
    // p(x_0 = 0 | evidence) is the ratio of two partition functions.
    let with = format!("2 0 0 {} {}", observed[1], observed[2]);
    let folder = tempfile::tempdir().unwrap();
    let both = folder.path().join("both.evid");
    std::fs::write(&both, with).unwrap();
    let both = forney(&[
        "exact",
        model,
        "--evidence",
        both.to_str().unwrap(),
        "--json",
    ])
    .json();
    let ratio = (number(&both["ln_z"]) - number(&json["ln_z"])).exp();
    assert!((number(&marginals[0][0]) - ratio).abs() < 1e-12);
}

#[test]
fn the_map_value_is_that_of_its_assignment_and_beats_others() {
    let model = "testdata/generated/mixed12_s1.uai";
    let json = forney(&["map", model, "--json"]).json();
    let best = number(&json["ln_value"]);
    let states: Vec<u64> = json["assignment"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_u64().unwrap())
        .collect();
    let folder = tempfile::tempdir().unwrap();
    // Full evidence leaves one assignment: its value is ln Z.
    let value_of = |states: &[u64]| {
        let file = folder.path().join("all.evid");
        let pairs = states.iter().enumerate().map(|(v, s)| format!("{v} {s}"));
        let pairs: Vec<String> = pairs.collect();
        std::fs::write(&file, format!("{} {}", states.len(), pairs.join(" "))).unwrap();
        number(
            &forney(&[
                "exact",
                model,
                "--evidence",
                file.to_str().unwrap(),
                "--json",
            ])
            .json()["ln_z"],
        )
    };
    assert!((value_of(&states) - best).abs() < 1e-9);
    for at in 0..states.len() {
        let mut other = states.clone();
        other[at] = u64::from(other[at] == 0);
        assert!(value_of(&other) <= best + 1e-9);
    }
}

#[test]
fn impossible_evidence_is_an_answer() {
    let words = |command| {
        forney(&[
            command,
            "testdata/legal/equality.uai",
            "--evidence",
            "testdata/legal/equality.uai.evid",
            "--json",
        ])
    };
    for command in ["exact", "bound", "info"] {
        let ran = words(command);
        assert_eq!(ran.code, Some(0), "{command}: {}", ran.stdout);
    }
    assert_eq!(words("exact").json()["ln_z"], "-inf");
    assert_eq!(words("exact").json()["log10_z"], "-inf");
    let bound = words("bound").json();
    assert_eq!(
        (&bound["lower"], &bound["upper"]),
        (&"-inf".into(), &"-inf".into())
    );
    assert_eq!(words("info").json()["reduced"], Value::Null);
}

#[test]
fn info_states_what_gauged_mini_buckets_need() {
    let path = "testdata/generated/reg3_60_T1.uai";
    let words = ["info", path];
    let ran = forney(&[&words[..], &["--json"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    let json = ran.json();
    let stated = json["reduced"]["gauged"].as_array().expect("a list");
    let ibounds: Vec<f64> = stated.iter().map(|cost| number(&cost["ibound"])).collect();
    assert_eq!(ibounds, [5.0, 10.0, 15.0], "beyond that it splits nothing");

    let model = forney_uai::read_model(&std::fs::read(root().join(path)).unwrap()).unwrap();
    let graph = forney_model::simplify_sum(&model.to_graph().unwrap()).unwrap();
    let order = forney_exact::frontier(&graph, None);
    let text = forney(&words).stdout;
    for cost in stated {
        let limit = forney_bounds::wmbe::CliqueLimit {
            ibound: number(&cost["ibound"]) as usize,
            entries: f64::INFINITY,
        };
        let mut rule = forney_bounds::wmbe::MiniBuckets::new(limit, None);
        let schedule = forney_exact::Schedule::compile(&graph, &order, &mut rule).unwrap();
        let bytes = forney_gauge::candidate_bytes(&schedule);
        assert_eq!(number(&cost["candidate_bytes"]), bytes);
        let least = 16.0 * schedule.demand().message_entries;
        assert!(bytes > least, "messages and their adjoints at least");
        let human = forney_exact::human(bytes);
        assert!(text.contains(&human), "{human} is not in {text}");
    }
}

#[test]
fn a_model_from_standard_input() {
    let bytes = std::fs::read(root().join("examples/models/mobius24.uai")).unwrap();
    for command in ["exact", "bound"] {
        let json = forney_reading(&[command, "-", "--json"], &bytes).json();
        let value = number(json.get("ln_z").unwrap_or(&json["upper"]));
        assert!((value - 33.654_460_018_764_93).abs() < 1e-9);
    }
    let converted = forney_reading(&["convert", "-"], &bytes);
    assert!(converted.stdout.starts_with("MARKOV\n36\n"));
}

#[test]
fn converting_changes_nothing_but_the_layout() {
    let folder = tempfile::tempdir().unwrap();
    for reference in references() {
        let out = folder.path().join("model.uai");
        let out = out.to_str().unwrap();
        let ran = forney_on(&reference, "convert", &["--uai-output", out]);
        assert_eq!(ran.code, Some(0), "{}", ran.stdout);
        let json = forney(&["exact", out, "--json"]).json();
        assert_exact(number(&json["ln_z"]), &reference);
        // A second time there is nothing left to change.
        let again = forney(&["convert", out]);
        assert_eq!(again.stdout, std::fs::read_to_string(out).unwrap());
    }
    let asia = "examples/models/asia.uai";
    assert!(forney(&["convert", asia]).stdout.starts_with("BAYES\n"));
    assert!(
        forney(&["convert", asia, "--markov"])
            .stdout
            .starts_with("MARKOV\n")
    );
}

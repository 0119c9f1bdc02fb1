//! What does not fit in memory or time is refused with the way out, or told.

mod common;

use common::{forney, forney_reading, refused};
use forney_testing::grid_text;

#[test]
fn what_does_not_fit_in_memory() {
    let model = "testdata/generated/ising15_b1.uai";
    for command in ["exact", "marginals", "map"] {
        let ran = forney(&[command, model, "--memory", "10kB", "--json"]);
        let error = refused(&ran, 3, "too-large", "more than the 9.8 KiB of --memory");
        let told = error["message"].as_str().expect("a sentence");
        assert!(told.starts_with(&format!("`{command}` needs ")), "{told}");
        assert!(
            told.contains("`forney bound` bounds ln Z instead"),
            "{told}"
        );
        assert!(error["width"].as_u64() >= Some(15), "{error}");
        assert!(
            error["bytes"].as_f64() > Some(1e4) && error["limit"] == 1e4,
            "{error}"
        );
    }
    let bound = forney(&[
        "bound", model, "--memory", "10kB", "--method", "exact", "--json",
    ]);
    // What was proved is printed beside the refusal.
    assert_eq!(bound.code, Some(3), "{}", bound.stderr);
    assert!(bound.stderr.contains("at width"), "{}", bound.stderr);
    let json: serde_json::Value = serde_json::from_str(&bound.stdout).expect("a JSON object");
    assert!(json["upper"].is_number(), "{json}");
    assert_eq!(json["stop"], "memory-limit");
    // What the refusal names is enough.
    let ran = forney(&["exact", model, "--memory", "10kB", "--order", "minfill"]);
    let enough = ran.stderr.split("--memory ").nth(1).expect("an advice");
    let enough = enough.split(' ').next().expect("a size");
    let ran = forney(&["exact", model, "--memory", enough, "--order", "minfill"]);
    assert_eq!(ran.code, Some(0), "{enough}: {}", ran.stderr);
    let text = forney(&["exact", model, "--memory", "10kB"]);
    assert_eq!((text.code, text.stdout.as_str()), (Some(3), ""));
}

/// A refusal names what was refused, the memory that was allowed, and what is enough.
#[test]
fn refused_mini_buckets_are_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grid.uai");
    std::fs::write(&path, grid_text(6)).unwrap();
    let model = path.to_str().unwrap();
    for method in ["wmbe", "wmbe-g"] {
        let words = [
            "bound", model, "--method", method, "--ibound", "4", "--time", "1",
        ];
        let ran = forney(&[&words[..], &["--memory", "20kB"]].concat());
        assert_eq!(ran.code, Some(3), "{}", ran.stderr);
        assert!(!ran.stderr.contains("exact"), "{}", ran.stderr);
        assert!(ran.stderr.contains("mini-buckets need"), "{}", ran.stderr);
        assert!(ran.stderr.contains("19.5 KiB"), "{}", ran.stderr);
        let enough = ran.stderr.split("need ").nth(1).expect("a size");
        let enough: String = enough.split(' ').take(2).collect();
        let ran = forney(&[&words[..], &["--memory", &enough]].concat());
        assert_eq!(ran.code, Some(0), "{enough}: {}", ran.stderr);
    }
    let compared = forney(&[
        "compare", model, "--ibound", "4", "--memory", "20kB", "--time", "2",
    ]);
    assert!(
        compared.stdout.contains("inapplicable"),
        "{}",
        compared.stdout
    );
    assert!(
        !compared.stdout.contains("exact elimination needs"),
        "{}",
        compared.stdout
    );
}

#[test]
fn what_does_not_fit_in_time() {
    // Predicted to take longer than the sun shines.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grid.uai");
    std::fs::write(&path, grid_text(40)).unwrap();
    let words = [
        "exact",
        path.to_str().unwrap(),
        "--json",
        "--memory",
        "1e30",
        "--time",
        "2s",
    ];
    refused(&forney(&words), 3, "out-of-time", "predicted to take");
}

#[test]
fn advice_fits_the_side_and_the_method() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grid.uai");
    std::fs::write(&path, grid_text(40)).unwrap();
    for (method, side, advised) in [
        ("wmbe", "upper", "allow more memory\n"),
        ("wmbe", "lower", "allow more memory, or use --method mf\n"),
        (
            "wmbe",
            "both",
            "allow more memory, or use --method mf for a lower bound alone\n",
        ),
        ("auto", "upper", "allow more memory\n"),
    ] {
        let ran = forney(&[
            "bound",
            path.to_str().unwrap(),
            "--memory",
            "1kB",
            "--method",
            method,
            "--side",
            side,
        ]);
        assert!(
            ran.stderr.ends_with(advised),
            "{method} {side}: {}",
            ran.stderr
        );
    }
}

#[test]
fn no_more_memory_is_advised_than_the_machine_has() {
    let (width, mut model) = (60, String::from("MARKOV\n60\n"));
    model += &"2 ".repeat(width);
    let pairs = width * (width - 1) / 2;
    model += &format!("\n{pairs}\n");
    for a in 0..width {
        for b in a + 1..width {
            model += &format!("2 {a} {b}\n");
        }
    }
    model += &"4 1 2 3 1\n".repeat(pairs);
    let ran = forney_reading(&["exact", "-", "--json", "--time", "5"], model.as_bytes());
    let error = refused(&ran, 3, "too-large", "bounds ln Z instead");
    let told = error["message"].as_str().expect("a sentence");
    assert!(!told.contains("would do"), "{told}");
}

#[test]
fn what_was_not_done_in_time_is_told() {
    let model = "testdata/generated/ising15_b2.uai";
    let ran = forney(&[
        "bound", model, "--method", "exact", "--time", "1ms", "--json",
    ]);
    assert_eq!(ran.code, Some(3), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("within --time") || ran.stdout.contains("within --time"));
}

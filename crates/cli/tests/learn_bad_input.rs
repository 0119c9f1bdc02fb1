//! `forney learn`: what it refuses, and what it says then.

mod common;

use common::learning::{BARS, FAITHFUL, Folder, NETWORK, npy, refused, run};
use common::{number, root};

#[test]
fn data_that_cannot_be_learned_from() {
    let folder = Folder::new();
    let mixture = "em --model mixture --components 3 --data";
    for (content, message) in [
        ("1,2\n3,nan\n5,6\n", "has NaN in row 1, column 1"),
        ("1,2\n3,\n5,6\n", "has NaN in row 1, column 1"),
        ("1,2\n3,?\n5,6\n", "has NaN in row 1, column 1"),
        ("1,2\n3,-inf\n5,6\n", "has -inf in row 1, column 1"),
        ("1,2\n3,1e999\n5,6\n", "has inf in row 1, column 1"),
        ("1,2\n3,x\n", "line 2, column 1 (counted from 0): `x` is no"),
        ("1,2\n3\n", "line 2 has 1 fields"),
        ("", "holds no numbers"),
        ("a,b\n", "holds no numbers"),
    ] {
        let file = folder.write("data.csv", content);
        refused(&format!("{mixture} {file}"), "data", message);
    }
    let few = folder.write("few.csv", "1,2\n3,4\n");
    let message = "2 examples are too few: 3 are needed";
    refused(&format!("{mixture} {few}"), "learning", message);
    let constant = folder.write("constant.csv", "1,2\n3,2\n5,2\n");
    for words in [
        "bsc --units 2",
        "em --model mixture",
        "em --model factor-analysis",
        "em --model hmm",
    ] {
        let words = format!("{words} --data {constant}");
        refused(&words, "learning", "column 1 of the data is constant");
    }
    refused("bsc --units 2 --data nowhere.npy", "io", "nowhere.npy");
    let words = format!("{mixture} {FAITHFUL} --memory 1kB");
    refused(&words, "too-large", "more than the");
    let words = format!("{mixture} {FAITHFUL} --array x");
    refused(&words, "data", "holds no array `x`: it is no .npz file");
}

#[test]
fn arrays_of_other_shapes_and_types_or_cut_off() {
    let folder = Folder::new();
    let words = |file: String| format!("em --model mixture --memory 4GiB --data {file}");
    let cube = ndarray::Array3::<f64>::zeros((2, 3, 4));
    ndarray_npy::write_npy(folder.path("cube.npy"), &cube).unwrap();
    let message = "has the shape [2, 3, 4]; a matrix is needed";
    refused(&words(folder.file("cube.npy")), "data", message);
    let mut bytes = std::fs::read(root().join(BARS)).unwrap();
    for (length, message) in [
        (1000, "is cut off"),
        (40, "is no .npy file"),
        (0, "is no .npy file"),
    ] {
        let cut = folder.write("cut.npy", &bytes[..length]);
        refused(&words(cut), "data", message);
    }
    let typed = bytes.windows(3).position(|word| word == b"<f4").unwrap();
    bytes[typed..typed + 3].copy_from_slice(b"<c4");
    let message = "has entries of the type '<c4'; real numbers and integers are read";
    refused(&words(folder.write("c.npy", &bytes)), "data", message);
    let none = folder.write("x.npz", "no archive");
    refused(&words(none), "data", "is no .npz file");

    // Headers that claim too much.
    let array = |shape| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    let deep = format!("{{'descr': {}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    let records = "gives a list of types for them, not one type such as '<f8'";
    for (header, kind, message) in [
        (array("(1000000, 100)"), "data", "is cut off"),
        (array("(1000000000000, 100)"), "too-large", "of memory"),
        (deep, "data", records),
        (format!("{{'descr': {}", "[".repeat(20)), "data", records),
        (
            format!("{{'shape': {}", "(".repeat(60_000)),
            "data",
            "is no .npy file",
        ),
    ] {
        let bytes = npy(&header, 64);
        refused(&words(folder.write("x.npy", &bytes)), kind, message);
        refused(&words(folder.write_npz("x.npz", &bytes)), kind, message);
    }
    let broad = folder.write("x.npy", npy(&array("(1000000, 100)"), 64));
    let words = format!("em --model mixture --memory 500MB --data {broad}");
    refused(&words, "too-large", "of memory");
}

#[test]
fn states_that_do_not_exist() {
    let folder = Folder::new();
    let net = format!("em --model bayes-net --network {NETWORK} --data");
    for (content, kind, message) in [
        ("0,0,0,0,0,0,0,2\n", "learning", "column 7 observes state 2"),
        ("0,0,0,0,0,0,0,0.5\n", "data", "has 0.5 in row 0, column 7"),
        ("0,0,0,0,0,0,0,-2\n", "data", "has -2 in row 0, column 7"),
        ("0,0,0\n", "learning", "of the data must be 8, but is 3"),
    ] {
        let file = folder.write("states.csv", content);
        refused(&format!("{net} {file}"), kind, message);
    }
    let impossible = folder.write("states.csv", "0,0,0,0,0,1,0,0\n");
    let words = format!("{net} {impossible} --start given");
    refused(&words, "usage", "some rows the probability 0");
}

#[test]
fn options_out_of_range() {
    let sparse = &format!("sparse-coding --data {BARS} --atoms 5");
    for lambda in ["0", "-1", "nan", "inf"] {
        let words = format!("{sparse} --lambda {lambda}");
        refused(&words, "learning", "the rate λ must be finite and above 0");
    }
    let sparse = &format!("{sparse} --lambda 1");
    let bsc = &format!("bsc --data {BARS}");
    let mixture = &format!("em --model mixture --data {FAITHFUL}");
    let faithful = &format!("em --data {FAITHFUL}");
    for (words, option, kind, message) in [
        (sparse, "--atoms 0", "usage", "--atoms"),
        (sparse, "--beta 0", "learning", "the precision β"),
        (sparse, "--batch 0", "learning", "examples at a time"),
        (sparse, "--picture a.png --patch 4", "usage", "8x8"),
        (sparse, "-o a.uai", "usage", "not saved as .uai"),
        (sparse, "-o nowhere/model", "output", "write nowhere/model"),
        (bsc, "--units 0", "learning", "number of units"),
        (
            bsc,
            "--units 4 --temperature 0.5",
            "learning",
            "temperature",
        ),
        (bsc, "--units 4 --restarts 0", "learning", "starts"),
        (bsc, "--units 21 --e-step exact", "learning", "21 units are"),
        (
            mixture,
            "--components 0",
            "learning",
            "number of components",
        ),
        (mixture, "--restarts 0", "learning", "restarts"),
        (mixture, "--tolerance nan", "learning", "tolerance"),
        (mixture, "--variance-floor 0", "learning", "variance floor"),
        (
            mixture,
            "--network a.uai",
            "usage",
            "an option of bayes-net",
        ),
        (faithful, "--model bayes-net", "usage", "needs --network"),
    ] {
        refused(&format!("{words} {option}"), kind, message);
    }
    for (words, kind, message) in [
        (
            format!("sparse-coding --data {BARS} --atoms 0 --lambda 1"),
            "learning",
            "number of atoms",
        ),
        (
            format!("{sparse} --picture a.png --patch 4x4"),
            "usage",
            "--patch 4x4 does not hold the 25 columns",
        ),
        (
            format!("{mixture} --factors 2"),
            "usage",
            "--factors is an option of factor-analysis, ppca, not of mixture",
        ),
        (
            format!("{faithful} --model factor-analysis --factors 3"),
            "learning",
            "number of factors",
        ),
        (
            format!("{faithful} --model hmm --emission categorical"),
            "data",
            "where a whole number from 0 on is needed",
        ),
    ] {
        refused(&words, kind, message);
    }
    let folder = Folder::new();
    let lengths = folder.write("lengths.csv", "100\n100\n");
    let words = format!("{faithful} --model hmm --lengths {lengths}");
    let message = "holds lengths of 200 steps together, but the data have 272";
    refused(&words, "data", message);
}

#[test]
fn models_that_do_not_fit_are_refused_before_they_are_made() {
    let folder = Folder::new();
    let symbols = folder.write("symbols.csv", "0\n1\n1000000000\n2\n");
    let most = folder.write("most.csv", "0\n1\n18446744073709551615\n");
    let hmm = "em --model hmm --emission categorical";
    for words in [
        format!("{hmm} --data {symbols}"),
        format!("{hmm} --data {symbols} --memory 4GiB"),
        format!("{hmm} --data {most}"),
        format!("em --model hmm --states 100000000 --data {FAITHFUL}"),
        format!("em --model mixture --components 1000000000 --data {FAITHFUL}"),
        format!("em --model factor-analysis --factors 10000000000 --data {FAITHFUL}"),
        format!("bsc --units 10000000 --data {FAITHFUL}"),
        format!("sparse-coding --atoms 10000000 --lambda 1 --data {FAITHFUL}"),
        format!("sparse-coding --atoms 18446744073709551615 --lambda 1 --data {FAITHFUL}"),
    ] {
        let has_limit = words.contains("--memory");
        let limit = if has_limit { "" } else { "--memory 1GiB" };
        let words = format!("{words} {limit}");
        refused(&words, "too-large", "this model takes about");
    }
}

#[test]
fn a_result_is_printed_whatever_becomes_of_its_files() {
    let folder = Folder::new();
    let file = folder.file("");
    for option in ["-o", "--checkpoint"] {
        let ran = run(&format!(
            "em --model mixture --data {FAITHFUL} {option} {file}"
        ));
        assert_eq!(ran.code, Some(2));
        let told = ran.json();
        assert!(number(&told["objective"]).is_finite());
        // What was not written is not named.
        assert!(told.get("output").is_none() && told.get("checkpoint").is_none());
        assert!(ran.stderr.contains("cannot write"), "{}", ran.stderr);
    }
}

//! `forney learn`: what it refuses, and what it says then.

mod common;

use std::io::Write;

use common::learning::{ASIA, BARS, FAITHFUL, Folder, NETWORK, refused, run};
use common::{number, root};

#[test]
fn data_that_cannot_be_learned_from() {
    let folder = Folder::new();
    let mixture = "em --model mixture --components 3 --data";
    for (content, kind, message) in [
        ("1,2\n3,nan\n5,6\n", "data", "has NaN in row 1, column 1"),
        ("1,2\n3,\n5,6\n", "data", "has NaN in row 1, column 1"),
        ("1,2\n3,-inf\n5,6\n", "data", "has -inf in row 1, column 1"),
        ("1,2\n3,1e999\n5,6\n", "data", "has inf in row 1, column 1"),
        (
            "1,2\n3,x\n",
            "data",
            "line 2, column 1 (counted from 0): `x` is no number",
        ),
        ("1,2\n3\n", "data", "line 2 has 1 fields"),
        ("", "data", "holds no numbers"),
        ("a,b\n", "data", "holds no numbers"),
        (
            "1,2\n3,4\n",
            "learning",
            "2 examples are too few: 3 are needed",
        ),
        (
            "1,2\n3,2\n5,2\n",
            "learning",
            "column 1 of the data is constant",
        ),
    ] {
        let file = folder.write("data.csv", content);
        refused(&format!("{mixture} {file}"), kind, message);
    }
    for words in [
        "bsc --units 2",
        "em --model factor-analysis",
        "em --model hmm",
    ] {
        let constant = folder.write("data.csv", "1,2\n3,2\n5,2\n");
        let words = format!("{words} --data {constant}");
        refused(&words, "learning", "column 1 of the data is constant");
    }
    refused("bsc --units 2 --data nowhere.npy", "io", "nowhere.npy");
    refused(
        &format!("{mixture} {FAITHFUL} --memory 1kB"),
        "too-large",
        "more than the",
    );
    refused(
        &format!("{mixture} {FAITHFUL} --array x"),
        "data",
        "holds no array `x`: it is no .npz file",
    );

    // Arrays of other shapes and types, and files that are cut off.
    let cube = ndarray::Array3::<f64>::zeros((2, 3, 4));
    ndarray_npy::write_npy(folder.path("cube.npy"), &cube).unwrap();
    refused(
        &format!("{mixture} {}", folder.file("cube.npy")),
        "data",
        "has the shape [2, 3, 4]; a matrix is needed",
    );
    let mut bytes = std::fs::read(root().join(BARS)).unwrap();
    let npy = folder.path("cut.npy");
    for (length, message) in [
        (1000, "is cut off"),
        (40, "is no .npy file"),
        (0, "is no .npy file"),
    ] {
        std::fs::write(&npy, &bytes[..length]).unwrap();
        refused(
            &format!("{mixture} {}", folder.file("cut.npy")),
            "data",
            message,
        );
    }
    let typed = bytes.windows(3).position(|word| word == b"<f4").unwrap();
    bytes[typed..typed + 3].copy_from_slice(b"<c4");
    std::fs::write(&npy, &bytes).unwrap();
    refused(
        &format!("{mixture} {}", folder.file("cut.npy")),
        "data",
        "has entries of the type '<c4'; real numbers and integers are read",
    );
    let huge = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 100), }\n";
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((huge.len() as u16).to_le_bytes());
    header.extend(huge);
    std::fs::write(&npy, &header).unwrap();
    refused(
        &format!("{mixture} {}", folder.file("cut.npy")),
        "too-large",
        "of memory",
    );
    let archive = std::fs::File::create(folder.path("huge.npz")).unwrap();
    let mut archive = zip::ZipWriter::new(archive);
    let stored = zip::write::SimpleFileOptions::default();
    archive.start_file("x.npy", stored).unwrap();
    archive.write_all(&header).unwrap();
    archive.finish().unwrap();
    refused(
        &format!("{mixture} {}", folder.file("huge.npz")),
        "too-large",
        "of memory",
    );
    refused(
        &format!("{mixture} {}", folder.write("x.npz", "no archive")),
        "data",
        "is no .npz file",
    );

    // States that do not exist.
    let net = format!("em --model bayes-net --network {NETWORK} --data");
    for (content, kind, message) in [
        (
            "0,0,0,0,0,0,0,2\n",
            "learning",
            "row 0, column 7 observes state 2",
        ),
        ("0,0,0,0,0,0,0,0.5\n", "data", "has 0.5 in row 0, column 7"),
        ("0,0,0,0,0,0,0,-2\n", "data", "has -2 in row 0, column 7"),
        (
            "0,0,0\n",
            "learning",
            "the columns of the data must be 8, but is 3",
        ),
    ] {
        let file = folder.write("states.csv", content);
        refused(&format!("{net} {file}"), kind, message);
    }
    let impossible = folder.write("states.csv", "0,0,0,0,0,1,0,0\n");
    refused(
        &format!("{net} {impossible} --start given"),
        "usage",
        "some rows the probability 0",
    );
}

#[test]
fn options_out_of_range() {
    let sparse = format!("sparse-coding --data {BARS} --atoms 5");
    for lambda in ["0", "-1", "nan", "inf"] {
        let words = format!("{sparse} --lambda {lambda}");
        refused(&words, "learning", "the rate λ must be finite and above 0");
    }
    let bsc = format!("bsc --data {BARS} --units 4");
    let mixture = format!("em --model mixture --data {FAITHFUL}");
    for (words, kind, message) in [
        (format!("{sparse} --lambda 1 --atoms 0"), "usage", "--atoms"),
        (
            format!("sparse-coding --data {BARS} --atoms 0 --lambda 1"),
            "learning",
            "number of atoms",
        ),
        (
            format!("{sparse} --lambda 1 --beta 0"),
            "learning",
            "the precision β",
        ),
        (
            format!("{sparse} --lambda 1 --batch 0"),
            "learning",
            "examples at a time",
        ),
        (
            format!("{sparse} --lambda 1 --picture a.png --patch 4x4"),
            "usage",
            "--patch 4x4 does not hold the 25 columns",
        ),
        (
            format!("{sparse} --lambda 1 --picture a.png --patch 4"),
            "usage",
            "8x8",
        ),
        (
            format!("{sparse} --lambda 1 -o a.uai"),
            "usage",
            "not saved as .uai",
        ),
        (
            format!("{sparse} --lambda 1 -o nowhere/model"),
            "output",
            "cannot write nowhere/model",
        ),
        (
            format!("bsc --data {BARS} --units 0"),
            "learning",
            "number of units",
        ),
        (
            format!("{bsc} --temperature 0.5"),
            "learning",
            "the temperature",
        ),
        (
            format!("{bsc} --restarts 0"),
            "learning",
            "number of starts",
        ),
        (
            format!("bsc --data {BARS} --units 21 --e-step exact"),
            "learning",
            "21 units are too many",
        ),
        (
            format!("{mixture} --components 0"),
            "learning",
            "number of components",
        ),
        (format!("{mixture} --restarts 0"), "learning", "restarts"),
        (
            format!("{mixture} --tolerance nan"),
            "learning",
            "tolerance",
        ),
        (
            format!("{mixture} --variance-floor 0"),
            "learning",
            "the variance floor",
        ),
        (
            format!("{mixture} --factors 2"),
            "usage",
            "--factors is an option of factor-analysis, ppca, not of mixture",
        ),
        (
            format!("{mixture} --network a.uai"),
            "usage",
            "--network is an option of bayes-net",
        ),
        (
            format!("em --model factor-analysis --factors 3 --data {FAITHFUL}"),
            "learning",
            "number of factors",
        ),
        (
            format!("em --model bayes-net --data {ASIA}"),
            "usage",
            "needs --network",
        ),
        (
            format!("em --model hmm --emission categorical --data {FAITHFUL}"),
            "data",
            "where a whole number from 0 on is needed",
        ),
    ] {
        refused(&words, kind, message);
    }
    let lengths = Folder::new();
    let file = lengths.write("lengths.csv", "100\n100\n");
    refused(
        &format!("em --model hmm --data {FAITHFUL} --lengths {file}"),
        "data",
        "holds lengths of 200 steps together, but the data have 272",
    );
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

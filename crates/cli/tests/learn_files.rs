//! `forney learn`: tables as other programs write them, and files that claim too much.

mod common;

use common::learning::{FAITHFUL, Folder, NETWORK, csv, learn, refused};
use common::number;

/// The objective of a mixture of the rows of a file.
#[track_caller]
fn objective(file: &str) -> u64 {
    let words = format!("em --model mixture --components 2 --iterations 5 --data {file}");
    number(&learn(&words)["objective"]).to_bits()
}

#[test]
fn one_table_as_different_programs_write_it() {
    let folder = Folder::new();
    let data = csv(FAITHFUL);
    let expected = objective(FAITHFUL);
    let rows = |number: &dyn Fn(f64) -> String, separator: &str| -> String {
        let rows = data.rows().into_iter().map(|row| {
            let fields: Vec<String> = row.iter().map(|x| number(*x)).collect();
            fields.join(separator) + "\n"
        });
        rows.collect()
    };
    let plain = |x: f64| x.to_string();
    let savetxt = rows(&|x| format!("{x:.18e}"), " ");
    let fortran = rows(&|x| format!("  {x:.16e}").replace('e', "D+0"), " ");
    let quoted = format!("\"\",\"b\"\n{}", rows(&|x| format!("\"{x}\""), ","));
    let windows = format!("\u{feff}a;b\r\n{}", rows(&plain, ";").replace('\n', "\r\n"));
    for (name, text) in [
        ("savetxt.txt", savetxt),
        ("fortran.dat", fortran),
        ("quoted.csv", quoted),
        ("windows.csv", windows),
        ("header.csv", format!("a,\n{}", rows(&plain, ","))),
    ] {
        let file = folder.write(name, &text);
        assert_eq!(objective(&file), expected, "{name}");
    }
    let npy = folder.path("data.npy");
    ndarray_npy::write_npy(&npy, &data).unwrap();
    assert_eq!(objective(&folder.file("data.npy")), expected);
    // Columns one after another.
    ndarray_npy::write_npy(&npy, &data.t().as_standard_layout().t()).unwrap();
    assert_eq!(objective(&folder.file("data.npy")), expected);
    // The same numbers with the other end first.
    ndarray_npy::write_npy(&npy, &data).unwrap();
    let mut bytes = std::fs::read(&npy).unwrap();
    let start = bytes.len() - 8 * data.len();
    for number in bytes[start..].chunks_exact_mut(8) {
        number.reverse();
    }
    let kind = bytes.windows(3).position(|word| word == b"<f8").unwrap();
    bytes[kind] = b'>';
    std::fs::write(&npy, &bytes).unwrap();
    assert_eq!(objective(&folder.file("data.npy")), expected);
}

#[test]
fn missing_states_as_different_programs_write_them() {
    let folder = Folder::new();
    let table = "a,b,c,d,e,f,g,h\n0,1,?,0,1,0,?,0\n?,1,0,0,1,0,0,1\n1,0,1,1,?,1,1,1\n";
    let objective = |missing: &str| {
        let file = folder.write("states.csv", &table.replace('?', missing));
        let words = format!("em --model bayes-net --network {NETWORK} --smoothing 1 --data {file}");
        number(&learn(&words)["objective"]).to_bits()
    };
    let expected = objective("-1");
    for missing in ["?", "NA", "", "null", "NULL", "None", "nan", "n/a", "\"?\""] {
        assert_eq!(objective(missing), expected, "{missing:?}");
    }
    // Where nothing may be missing, the place is named.
    let file = folder.write("rows.csv", "1,2\n3,?\n5,6\n");
    let words = format!("em --model mixture --data {file}");
    refused(&words, "data", "has NaN in row 1, column 1");
}

#[test]
fn tables_that_could_mean_two_things() {
    let folder = Folder::new();
    for (text, message) in [
        (
            "2020,2021\n0.5,1.5\n0.25,2.5\n",
            "the first row counts up from 2020",
        ),
        (",a\n0,0.5\n1,2.5\n2,1.5\n", "column 0 has no name"),
        ("0,50\n0,05\n1,25\n", "line 2: `0,05` looks like one number"),
        ("x,1\n0.5,1.5\n", "line 1, column 0 (counted from 0): `x`"),
        ("0.5,1\nTrue,2\n", "line 2, column 0 (counted from 0)"),
    ] {
        let file = folder.write("data.csv", text);
        refused(
            &format!("em --model mixture --data {file}"),
            "data",
            message,
        );
    }
}

/// An array of numpy with this header, and some bytes.
fn npy(header: &str, bytes: usize) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.resize(file.len() + bytes, 0);
    file
}

#[test]
fn headers_that_claim_too_much() {
    let folder = Folder::new();
    let nested = format!("{{'descr': {}", "[".repeat(20));
    let deep = format!("{{'descr': {}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    let broad = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 100), }";
    let dense = format!("{{'shape': {}", "(".repeat(60_000));
    for (header, message) in [
        (
            nested.as_str(),
            "gives a list of types for them, not one type such as '<f8'",
        ),
        (
            &deep,
            "gives a list of types for them, not one type such as '<f8'",
        ),
        (&dense, "is no .npy file"),
        (broad, "is cut off"),
    ] {
        let bytes = npy(header, 64);
        std::fs::write(folder.path("x.npy"), &bytes).unwrap();
        let archive = std::fs::File::create(folder.path("x.npz")).unwrap();
        let mut archive = zip::ZipWriter::new(archive);
        let stored = zip::write::SimpleFileOptions::default();
        archive.start_file("x.npy", stored).unwrap();
        std::io::Write::write_all(&mut archive, &bytes).unwrap();
        archive.finish().unwrap();
        for name in ["x.npy", "x.npz"] {
            let file = folder.file(name);
            let words = format!("em --model mixture --memory 4GiB --data {file}");
            refused(&words, "data", message);
        }
    }
    let file = folder.file("x.npy");
    let words = format!("em --model mixture --memory 500MB --data {file}");
    refused(&words, "too-large", "of memory");
}

#[test]
fn models_that_do_not_fit_are_refused_before_they_are_made() {
    let folder = Folder::new();
    let symbols = folder.write("symbols.csv", "0\n1\n1000000000\n2\n");
    let hmm = "em --model hmm --emission categorical";
    for words in [
        format!("{hmm} --data {symbols}"),
        format!("{hmm} --data {symbols} --memory 4GiB"),
        format!("em --model hmm --states 100000000 --data {FAITHFUL}"),
        format!("em --model mixture --components 1000000000 --data {FAITHFUL}"),
        format!("em --model factor-analysis --factors 10000000000 --data {FAITHFUL}"),
        format!("bsc --units 10000000 --data {FAITHFUL}"),
        format!("sparse-coding --atoms 10000000 --lambda 1 --data {FAITHFUL}"),
        format!("sparse-coding --atoms 18446744073709551615 --lambda 1 --data {FAITHFUL}"),
    ] {
        let limit = if words.contains("--memory") {
            ""
        } else {
            "--memory 1GiB"
        };
        refused(
            &format!("{words} {limit}"),
            "too-large",
            "this model takes about",
        );
    }
    let most = folder.write("most.csv", "0\n1\n18446744073709551615\n");
    refused(
        &format!("{hmm} --data {most}"),
        "too-large",
        "this model takes about",
    );
}

//! `forney learn`: tables as other programs write them.

mod common;

use common::learning::{FAITHFUL, Folder, NETWORK, csv, learn};
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
        ("tabs.txt", rows(&plain, "\t")),
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
}

#[test]
fn missing_states_as_different_programs_write_them() {
    let folder = Folder::new();
    let table = "a,b,c,d,e,f,g,h\n0,1,?,0,1,0,?,0\n?,1,0,0,1,0,0,1\n1,0,1,1,?,1,1,1\n";
    let objective = |missing: &str| {
        let file = folder.write("states.csv", table.replace('?', missing));
        let words = format!("em --model bayes-net --network {NETWORK} --smoothing 1 --data {file}");
        number(&learn(&words)["objective"]).to_bits()
    };
    let expected = objective("-1");
    for missing in ["?", "NA", "", "null", "NULL", "None", "nan", "n/a", "\"?\""] {
        assert_eq!(objective(missing), expected, "{missing:?}");
    }
}

#[test]
fn nothing_is_written_over_what_is_read() {
    let folder = Folder::new();
    let rows = (0..20).map(|i| format!("{},{}\n", i % 7, i % 3));
    let text: String = rows.collect();
    let data = folder.write("data.csv", &text);
    let (state, other) = (folder.file("state.ckpt"), folder.file("other.json"));
    let em = "em --model mixture --components 2 --iterations 2";
    learn(&format!("{em} --data {data} --checkpoint {state}"));
    for files in [
        format!("--trace {data}"),
        format!("-o {data}"),
        format!("--resume {state} --trace {data}"),
        format!("--resume {state} --trace {state}"),
        format!("--trace {other} -o {other}"),
    ] {
        let words = format!("{em} --data {data} {files}");
        common::learning::refused(&words, "usage", "name another file");
        assert_eq!(std::fs::read_to_string(&data).unwrap(), text, "{files}");
    }
}

#[test]
fn a_resumed_trace_goes_on_and_nothing_else_does() {
    let folder = Folder::new();
    let (state, trace) = (folder.file("state.ckpt"), folder.file("trace.jsonl"));
    let em = format!("em --model mixture --components 2 --data {FAITHFUL} --tolerance 0");
    learn(&format!(
        "{em} --iterations 3 --checkpoint {state} --trace {trace}"
    ));
    let before = std::fs::read_to_string(&trace).unwrap();
    // The last line lost its end, and another one was begun.
    folder.write("trace.jsonl", before.trim_end());
    learn(&format!(
        "{em} --iterations 6 --resume {state} --trace {trace}"
    ));
    let after = std::fs::read_to_string(&trace).unwrap();
    assert!(after.starts_with(&before));
    let iterations = after.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["iteration"].as_u64().unwrap()
    });
    assert!(iterations.eq(1..=6), "{after}");
    let notes = folder.write("notes.txt", "not a trace\n");
    let ran = common::learning::run(&format!(
        "{em} --iterations 7 --resume {state} --trace {notes}"
    ));
    assert!(ran.stderr.contains("no trace"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(notes).unwrap(), "not a trace\n");
}

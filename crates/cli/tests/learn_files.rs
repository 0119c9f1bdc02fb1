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

//! What is legal in a model file, and what the reader says of the rest.

use forney_model::enumerate::enumerate;
use forney_model::{FactorGraph, Table, VarId};
use forney_uai::{Trailing, UaiModel, read_model, write_model};

/// ln Z of a small model.
fn ln_z(text: &str) -> f64 {
    enumerate(&read_model(text.as_bytes()).unwrap().to_graph().unwrap()).ln_z
}

#[test]
fn hard_but_legal_models_have_their_partition_function() {
    for (what, text, z) in [
        ("no variables and no factors", "MARKOV 0 0", 1.0),
        ("no factors", "MARKOV 2 2 3 0", 6.0),
        (
            "a variable that no factor mentions",
            "MARKOV 2 2 3 1 1 0 2 1 4",
            15.0,
        ),
        ("constants", "MARKOV 0 2 0 0 1 2.5 1 4", 10.0),
        ("a hard zero as a constant", "MARKOV 1 2 1 0 1 0", 0.0),
        ("a factor of zeros", "MARKOV 1 2 1 1 0 2 0 0", 0.0),
        ("cardinality 1", "MARKOV 2 1 2 1 2 0 1 2 3 4", 7.0),
        ("a scope twice", "MARKOV 1 2 2 1 0 1 0 2 1 2 2 3 4", 11.0),
        (
            "a scope in descending order",
            "MARKOV 2 2 3 2 2 1 0 1 0 6 1 2 3 4 5 6 2 1 10",
            129.0,
        ),
        (
            "a table that is no distribution",
            "BAYES 1 2 1 1 0 2 3 4",
            7.0,
        ),
        (
            "entries in every notation",
            "MARKOV 1 6 1 1 0 6 1 1. .5 +2 1e1 25E-1",
            17.0,
        ),
        (
            "the smallest and the largest",
            "MARKOV 1 2 2 0 1 0 1 5e-324 2 1e308 1e308",
            5e-324 * 1e308 * 2.0,
        ),
    ] {
        let found = ln_z(text);
        let expected = f64::ln(z);
        assert!(
            found.to_bits() == expected.to_bits() || (found - expected).abs() < 1e-12,
            "{what}: {found} {expected}"
        );
    }
}

#[test]
fn refusals_say_where_and_what() {
    for (text, message) in [
        (
            "",
            "line 1, column 1: expected MARKOV or BAYES; found the end of the file",
        ),
        (
            " \n\n",
            "line 1, column 1: expected MARKOV or BAYES; found the end of the file",
        ),
        (
            "markov 0 0",
            "line 1, column 1: expected MARKOV or BAYES; found `markov`",
        ),
        (
            "\u{1f}\u{8b}\u{8}",
            "line 1, column 1: expected MARKOV or BAYES; found `\\u{1f}\\u{8b}\\u{8}`",
        ),
        (
            "MARKOV",
            "line 1, column 7: expected the number of variables; found the end of the file",
        ),
        (
            "MARKOV\n-3",
            "line 2, column 1: expected the number of variables; found `-3`",
        ),
        (
            "MARKOV\n2.0",
            "line 2, column 1: expected the number of variables; found `2.0`",
        ),
        (
            "MARKOV\n9\n2 2",
            "line 2, column 1: expected the number of variables, at most 2 by the size of the file; found `9`",
        ),
        (
            "MARKOV\n2\n2 0 0",
            "line 3, column 3: expected the cardinality of variable 1, 1 to 16777216; found `0`",
        ),
        (
            "MARKOV 1 2",
            "line 1, column 11: expected the number of factors; found the end of the file",
        ),
        (
            "MARKOV 1 2\n2\n1 0\n",
            "line 2, column 1: expected the number of factors, at most 0 by the size of the file; found `2`",
        ),
        (
            "MARKOV 2 2 2\n1\n2 0 2\n4 1 1 1 1",
            "line 3, column 5: expected a variable of factor 0, below 2; found `2`",
        ),
        (
            "MARKOV 2 2 2\n1\n2 1 1\n4 1 1 1 1",
            "line 3, column 5: expected each variable of factor 0 once; found `1`",
        ),
        (
            "MARKOV 2 2 2\n1\n3 0 1 0\n4 1 1 1 1",
            "line 3, column 1: expected the number of variables of factor 0, below 3; found `3`",
        ),
        (
            "MARKOV 2 2 3\n1\n2 0 1\n5\n1 1 1 1 1",
            "line 4, column 1: expected the number of entries of factor 0, 6 (cardinalities 2 × 3); found `5`",
        ),
        (
            "MARKOV 1 2\n1\n0\n2 1 1",
            "line 4, column 1: expected the number of entries of factor 0, 1 (no variables); found `2`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 1",
            "line 4, column 4: expected entry 1 of factor 0; found the end of the file",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 1 x",
            "line 4, column 5: expected entry 1 of factor 0, a number; found `x`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 1 -1",
            "line 4, column 5: expected entry 1 of factor 0, 0 or from 5e-324 to 1.79e308; found `-1`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 1 nan",
            "line 4, column 5: expected entry 1 of factor 0, 0 or from 5e-324 to 1.79e308; found `nan`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 inf 1",
            "line 4, column 3: expected entry 0 of factor 0, 0 or from 5e-324 to 1.79e308; found `inf`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 1e309 1",
            "line 4, column 3: expected entry 0 of factor 0, 0 or from 5e-324 to 1.79e308; found `1e309`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 0.0e9 1e-324",
            "line 4, column 9: expected entry 1 of factor 0, 0 or from 5e-324 to 1.79e308; found `1e-324`",
        ),
        (
            "MARKOV 0 0\nEVIDENCE",
            "line 2, column 1: expected the end of the file after the last table; found `EVIDENCE`",
        ),
    ] {
        let error = read_model(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message, "{text:?}");
    }
}

#[test]
fn numbers_after_the_last_table_are_ignored_and_told() {
    let model = read_model(b"MARKOV 1 2 1 1 0\n2 1 3\n 0 1.5\n0\n").unwrap();
    let told = Trailing {
        line: 3,
        column: 2,
        tokens: 3,
    };
    assert_eq!(model.trailing, Some(told));
    let mut text = Vec::new();
    write_model(&mut text, &model).unwrap();
    assert_eq!(text, b"MARKOV\n1\n2\n1\n1 0\n\n2\n 1 3\n");
}

#[test]
fn entries_are_written_with_the_fewest_digits() {
    let entries = [
        "0.1",
        "1e-300",
        "1.7976931348623157e308",
        "5e-324",
        "-0",
        "0",
        "3",
        "1e-5",
        "0.00012",
    ];
    let text = format!("MARKOV\n1\n9\n1\n1 0\n\n9\n {}\n", entries.join(" "));
    let mut written = Vec::new();
    write_model(&mut written, &read_model(text.as_bytes()).unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(written).unwrap(),
        text.replace("1e-5", "0.00001")
    );
}

#[test]
fn a_model_that_no_file_can_hold_is_not_written() {
    let mut model = read_model(b"MARKOV 1 2 1 1 0 2 1 3").unwrap();
    model.factors[0].values[1] = f64::NAN;
    let mut text = Vec::new();
    let error = write_model(&mut text, &model).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(text.is_empty());
}

#[test]
fn entries_beyond_plain_values_are_refused_and_named() {
    let graph = |ln| {
        let first = Table::constant(f64::NEG_INFINITY).unwrap();
        let second = Table::from_ln(vec![VarId(0)], vec![2], vec![0.0, ln]).unwrap();
        FactorGraph::new(vec![2], vec![first, second]).unwrap()
    };
    for ln in [f64::NEG_INFINITY, -708.0, 709.0] {
        let model = UaiModel::from_graph(&graph(ln)).unwrap();
        assert_eq!(model.factors[0].values, [0.0]);
        let back = model.to_graph().unwrap().factors()[1].ln_entry(1);
        assert!(back.to_bits() == ln.to_bits() || (back - ln).abs() < 1e-12);
    }
    // Subnormal, 0 and infinite as plain values.
    for ln in [-740.0, -1000.0, 710.0] {
        let error = UaiModel::from_graph(&graph(ln)).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("entry 1 of factor 1 is e^({ln})")),
            "{error}"
        );
    }
}

//! What is legal in a model file, and what the reader says of the rest.

use forney_model::enumerate::enumerate;
use forney_model::{FactorGraph, Table, VarId};
use forney_uai::{
    Entries, UaiModel, Warning, model_reader, read_log_model, read_model, write_model,
};

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
            "the smallest and the largest normal numbers",
            "MARKOV 1 2 2 0 1 0 1 2.5e-308 2 1e308 1e308",
            5.0,
        ),
        (
            "numbers that no f64 holds",
            "MARKOV 2 2 2 3 2 0 1 0 0 4 1 2 3 4.87331e-525 1 1e-999 1 1e999",
            6.0,
        ),
        (
            "smaller than any f64, and in sum not small",
            "MARKOV 1 2 2 1 0 1 0 2 1e-400 2e-400 2 1e400 1/2e-400",
            2.0,
        ),
        (
            "zeros with an exponent",
            "MARKOV 1 2 1 1 0 2 0e-9999 3",
            3.0,
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
            "\u{1f}\u{8b}\u{8}",
            "line 1, column 1: expected MARKOV or BAYES; found `\\u{1f}\\u{8b}\\u{8}`",
        ),
        (
            "network asia {}",
            "line 1, column 1: expected MARKOV or BAYES; found `network` (this looks like BIF: pgmpy converts it, `UAIWriter(BIFReader(FILE).get_model().to_markov_model())`)",
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
            "line 4, column 5: expected entry 1 of factor 0, a finite number from 0 upwards; found `x`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 1 -1",
            "line 4, column 5: expected entry 1 of factor 0, a finite number from 0 upwards; found `-1`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 1 nan",
            "line 4, column 5: expected entry 1 of factor 0, a finite number from 0 upwards; found `nan`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 inf 1",
            "line 4, column 3: expected entry 0 of factor 0, a finite number from 0 upwards; found `inf`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 1/0 1",
            "line 4, column 3: expected entry 0 of factor 0, a finite number from 0 upwards; found `1/0`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 1e9999999999 1",
            "line 4, column 3: expected entry 0 of factor 0, a finite number from 0 upwards; found `1e9999999999`",
        ),
        (
            "MARKOV 1 2\n1\n1 0\n2 1,5 2",
            "line 4, column 3: expected entry 0 of factor 0, a finite number from 0 upwards; found `1,5` (a comma may separate numbers or stand for a decimal point: write a point, or a space behind the comma)",
        ),
        (
            "MARKOV 1,5 2",
            "line 1, column 8: expected the number of variables; found `1,5` (a comma may separate numbers or stand for a decimal point: write a point, or a space behind the comma)",
        ),
    ] {
        let error = read_model(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message, "{text:?}");
    }
}

#[test]
fn what_follows_the_last_table_is_ignored_and_told() {
    for (more, words) in [(" 0 1.5\n0\n", 3), (" end of file", 3), (" EVIDENCE", 1)] {
        let text = format!("MARKOV 1 2 1 1 0\n2 1 3\n{more}");
        let model = read_model(text.as_bytes()).unwrap();
        let told = Warning::Trailing {
            line: 3,
            column: 2,
            words,
            after: "the last table",
        };
        assert_eq!(model.warnings, [told]);
        let mut text = Vec::new();
        write_model(&mut text, &model).unwrap();
        assert_eq!(text, b"MARKOV\n1\n2\n1\n1 0\n\n2\n 1 3\n");
    }
    for blank in [" \n\0\n", "\n\x1a", " # end\n", "\n// end", "\nc end", ","] {
        let text = format!("MARKOV 1 2 1 1 0\n2 1 3{blank}");
        assert_eq!(read_model(text.as_bytes()).unwrap().warnings, [], "{text}");
    }
}

#[test]
fn what_other_tools_write_is_read() {
    let plain = "MARKOV\n2\n2 2\n1\n2 0 1\n4\n1 2 3 4\n";
    for text in [
        format!("\u{feff}{plain}"),
        plain.to_lowercase(),
        plain.replace("MARKOV", "Markov"),
        format!("# made by a tool\n{plain}"),
        format!("c made by a tool\n{plain}"),
        plain.replace("4\n1", "4   # {0, 1}\n1"),
        plain.replace("\n2\n", "\n2 // variables\n"),
        plain.replace("1 2 3 4", "1, 2, 3, 4"),
        plain.replace("1 2 3 4", "1.0D0 2.0D0 3.0D0 4.0d0"),
        plain.replace("1 2 3 4", "2/2 4/2 0.3/0.1 4"),
        format!("{plain}\0"),
        format!("{plain}\x1a"),
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\r"),
    ] {
        assert!((ln_z(&text) - f64::ln(10.0)).abs() < 1e-14, "{text:?}");
    }
}

#[test]
fn log_tables_are_natural_logarithms() {
    let read = |text: &str| read_log_model(text.as_bytes());
    let model = read("MARKOV\n2\n2 2\n1\n2 0 1\n4\n0 -1 -2 -400\n").unwrap();
    let expected = (-1f64).exp().ln_1p().exp() + (-2f64).exp();
    let found = enumerate(&model.to_graph().unwrap()).ln_z;
    assert!((found - expected.ln()).abs() < 1e-15, "{found}");
    let zero = read("MARKOV 1 2 1 1 0 2 -inf 1000").unwrap();
    assert_eq!(
        zero.factors[0].entries,
        Entries::Ln(vec![f64::NEG_INFINITY, 1000.0])
    );
    for word in ["inf", "nan", "1e999", "-1e999", "1/3", "x"] {
        let error = read(&format!("MARKOV 1 2 1 1 0\n2 0 {word}")).unwrap_err();
        let told = format!(
            "line 2, column 5: expected entry 1 of factor 0, a natural logarithm, finite or -inf; found `{word}`"
        );
        assert_eq!(error.to_string(), told);
    }
    // Only one of the readers takes a negative entry.
    let negative = b"MARKOV 1 2 1 1 0 2 0 -1";
    for (name, log) in [
        ("a.LG", true),
        ("b/c.lg", true),
        ("LG", false),
        ("a.uai", false),
    ] {
        assert_eq!(model_reader(name)(negative).is_ok(), log, "{name}");
    }
}

#[test]
fn tables_that_are_no_conditional_probabilities_are_told() {
    let told = |text: &str| {
        let model = read_model(text.as_bytes()).unwrap();
        let warnings = model.warnings.iter().map(ToString::to_string);
        warnings.collect::<Vec<_>>()
    };
    // The second and third table of asia as pgmpy writes them.
    let pgmpy = "BAYES 3 2 2 2 3\n1 0\n2 0 1\n2 1 2\n2 .01 .99\n4 .05 .01 .95 .99\n4 .6 .3 .4 .7";
    assert_eq!(
        told(pgmpy),
        [
            "line 6, column 1: the entries of factor 1 sum to 0.06 instead of 1 over the last variable of its scope, the child, and so it is with 1 factor more; they sum to 1 if the child runs slowest, as pgmpy writes it: let the last variable run fastest"
        ]
    );
    // Cardinalities differ: child and parent, p(child | parent) with the child in front.
    let slowest = "BAYES 2 3 2 1\n2 0 1\n6 .1 .2 .3 .9 .8 .7";
    assert!(told(slowest)[0].contains("if the child runs slowest"));
    let first = "BAYES 3 2 2 3 1\n3 0 1 2\n12 .1 .2 .3 .4 .5 .6 .9 .8 .7 .6 .5 .4";
    assert!(
        told(first)[0].contains("over variable 0: if"),
        "{:?}",
        told(first)
    );
    let joint = "BAYES 2 2 2 1 2 0 1 4 .4 .3 .2 .1";
    assert!(
        told(joint)[0].ends_with("all of them together sum to 1: a MARKOV model seems to be meant")
    );
    let none = "BAYES 2 2 2 1 2 0 1 4 4 3 2 1";
    assert!(told(none)[0].contains("sum to 7 instead of 1 over the last variable of its scope, the child; a MARKOV model may be meant"));
    assert_eq!(told("BAYES 1 2 1 1 0 2 0 0").len(), 1);
    for fine in [
        "BAYES 1 3 1 1 0 3 .33 .33 .33",
        "BAYES 1 3 1 1 0 3 1e-999 1/2 1/2",
        "BAYES 1 2 1 0 1 7",
        "BAYES 2 1 2 1 2 1 0 2 1 1",
        "MARKOV 1 2 1 1 0 2 3 3",
    ] {
        assert_eq!(told(fine), [""; 0], "{fine}");
    }
}

#[test]
fn entries_are_written_with_the_fewest_digits() {
    let entries = [
        "0.1",
        "1e-300",
        "1.7976931348623157e308",
        "-0",
        "0",
        "3",
        "1e-5",
        "0.00012",
    ];
    let text = format!("MARKOV\n1\n8\n1\n1 0\n\n8\n {}\n", entries.join(" "));
    let mut written = Vec::new();
    write_model(&mut written, &read_model(text.as_bytes()).unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(written).unwrap(),
        text.replace("1e-5", "0.00001")
    );
}

#[test]
fn far_entries_are_written_as_they_were_read() {
    let entries = "4.87331e-525 0 0.1 2e-4756 3 1e400";
    let text = format!("MARKOV\n1\n6\n1\n1 0\n\n6\n {entries}\n");
    let mut written = Vec::new();
    write_model(&mut written, &read_model(text.as_bytes()).unwrap()).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), text);
}

#[test]
fn a_model_that_no_file_can_hold_is_not_written() {
    for bad in [
        Entries::Values(vec![1.0, f64::NAN]),
        Entries::Values(vec![1.0]),
        Entries::Ln(vec![0.0, f64::INFINITY]),
        Entries::Ln(vec![0.0, -1e10]),
    ] {
        let mut model = read_model(b"MARKOV 1 2 1 1 0 2 1 3").unwrap();
        model.factors[0].entries = bad;
        let mut text = Vec::new();
        let error = write_model(&mut text, &model).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(text.is_empty());
    }
}

#[test]
fn any_graph_can_be_written() {
    let graph = |ln| {
        let first = Table::constant(f64::NEG_INFINITY).unwrap();
        let second = Table::from_ln(vec![VarId(0)], vec![2], vec![0.0, ln]).unwrap();
        FactorGraph::new(vec![2], vec![first, second]).unwrap()
    };
    // As plain values the last ones are subnormal, 0 and infinite.
    for ln in [f64::NEG_INFINITY, -708.0, 709.0, -740.0, -1000.0, 710.0] {
        let model = UaiModel::from_graph(&graph(ln));
        assert_eq!(model.factors[0].entries, Entries::Values(vec![0.0]));
        let mut text = Vec::new();
        write_model(&mut text, &model).unwrap();
        let back = read_model(&text).unwrap().to_graph().unwrap().factors()[1].ln_entry(1);
        assert!(
            back.to_bits() == ln.to_bits() || (back - ln).abs() < 1e-12,
            "{ln}: {back}"
        );
    }
}

#[test]
fn subnormal_values_of_a_program_keep_what_they_are() {
    let mut model = read_model(b"MARKOV 1 2 1 1 0 2 1 3").unwrap();
    model.factors[0].entries = Entries::Values(vec![1.0, 5e-324]);
    let mut text = Vec::new();
    write_model(&mut text, &model).unwrap();
    let back = read_model(&text).unwrap().to_graph().unwrap().factors()[0].ln_entry(1);
    assert!((back - 5e-324f64.ln()).abs() < 1e-12, "{back}");
}

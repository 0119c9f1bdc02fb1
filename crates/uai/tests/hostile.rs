//! Mutated files and lying counts: an answer or an error, never a panic, never a large allocation.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::{models, text};
use forney_model::{Evidence, VarId};
use forney_uai::{
    Fault, UaiError, read_evidence, read_evidences, read_log_model, read_model, read_order,
    read_solution, read_virtual_evidence,
};
use proptest::prelude::*;

/// Counts the bytes that each thread holds, and their peak.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn grow(bytes: usize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: every call goes to the system allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // What another thread allocated may be freed here.
        HELD.set(HELD.get().saturating_sub(layout.size()));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `read` and checks that it held at most 32 bytes for each byte of the file, and 4 KiB.
fn within_memory<T>(bytes: &[u8], read: impl FnOnce(&[u8]) -> T) -> T {
    let before = HELD.get();
    PEAK.set(before);
    let result = read(bytes);
    let peak = PEAK.get() - before;
    let most = 32 * bytes.len() + 4096;
    assert!(
        peak <= most,
        "{peak} bytes held for a file of {}",
        bytes.len()
    );
    result
}

/// Reads the bytes as every kind of file; a model that reads must be a model.
fn read_all(bytes: &[u8]) {
    if let Ok(model) = within_memory(bytes, read_model) {
        model.to_graph().unwrap();
        let again = read_model(&text(&model)).unwrap();
        assert_eq!((again.cards, again.factors), (model.cards, model.factors));
    }
    if let Ok(model) = within_memory(bytes, read_log_model) {
        let graph = model.to_graph().unwrap();
        assert_eq!(model.into_graph().unwrap(), graph);
    }
    let cards = [2, 1, 5, 3];
    if let Ok(file) = within_memory(bytes, |bytes| read_evidences(bytes, &cards)) {
        assert!(!file.samples.is_empty());
        let legal = |(var, state): (VarId, usize)| state < cards[var.index()];
        assert!(file.samples.iter().flat_map(Evidence::iter).all(legal));
    }
    if let Ok(file) = within_memory(bytes, |bytes| read_virtual_evidence(bytes, &cards)) {
        for (var, row) in file.likelihoods {
            assert_eq!(row.len(), cards[var.index()]);
            assert!(row.iter().all(|x| x.is_finite() && *x >= 0.0));
            assert!(row.iter().any(|x| *x > 0.0));
        }
    }
    let _ = within_memory(bytes, |bytes| read_order(bytes, 4));
    let _ = within_memory(bytes, read_solution);
}

#[derive(Clone, Debug)]
enum Mutation {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
    Double(prop::sample::Index),
    Token(prop::sample::Index, &'static str),
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let at = any::<prop::sample::Index>;
    let byte = || {
        prop_oneof![
            any::<u8>(),
            prop::sample::select(b"0123456789.-+eEdD/#,c \r\n".to_vec())
        ]
    };
    let token = prop::sample::select(vec![
        "0",
        "1",
        "2",
        "-1",
        "-0",
        "1e999",
        "1e-999",
        "nan",
        "inf",
        "-inf",
        "1.5",
        "1.5D3",
        "1/3",
        "1/0",
        "4.87e-525",
        "1e999999999999",
        "#",
        "//",
        "/",
        "\nc",
        ",",
        "1,",
        "1,5",
        "markov",
        "\u{feff}",
        "\x1a",
        "MARKOV",
        "BAYES",
        "4294967295",
        "4294967296",
        "18446744073709551615",
        "18446744073709551616",
        "1000000000000000000",
        "",
        "\0",
        "é",
    ]);
    let mutation = prop_oneof![
        3 => (at(), byte()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        2 => (at(), byte()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        2 => at().prop_map(Mutation::Remove),
        1 => at().prop_map(Mutation::Cut),
        1 => at().prop_map(Mutation::Double),
        5 => (at(), token).prop_map(|(at, token)| Mutation::Token(at, token)),
    ];
    prop::collection::vec(mutation, 1..4)
}

fn mutate(mut bytes: Vec<u8>, mutation: &Mutation) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let len = bytes.len();
    match mutation {
        Mutation::Set(at, byte) => bytes[at.index(len)] = *byte,
        Mutation::Insert(at, byte) => bytes.insert(at.index(len), *byte),
        Mutation::Remove(at) => drop(bytes.remove(at.index(len))),
        Mutation::Cut(at) => bytes.truncate(at.index(len)),
        Mutation::Double(at) => bytes.extend_from_within(at.index(len)..),
        Mutation::Token(at, token) => {
            let mut tokens: Vec<&[u8]> = bytes
                .split(|byte| *byte == b' ' || *byte == b'\n')
                .collect();
            let at = at.index(tokens.len());
            tokens[at] = token.as_bytes();
            return tokens.join(&b' ');
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn mutated_models(model in models(), mutations in mutations()) {
        read_all(&mutations.iter().fold(text(&model), mutate));
    }

    #[test]
    fn garbage(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn numbers_without_sense(
        words in prop::collection::vec(prop::sample::select(vec![
            "MARKOV", "bayes", "1e-999", "1/3", "1,", "#", "//", "\n", "\nc", "net", "p", "PR", "MAR", "MAP", "MPE", "0", "1", "2", "3", "4", "0.5", "1e18",
            "1000000000000000000", "18446744073709551615", "-1", "nan",
        ]), 0..30)
    ) {
        read_all(words.join(" ").as_bytes());
    }
}

#[test]
fn counts_that_lie_are_refused_before_memory_is_taken() {
    for huge in ["1000000000000000000", "4294967296", "18446744073709551615"] {
        for (text, fault) in [
            (format!("MARKOV {huge}"), Fault::Truncated),
            (format!("MARKOV {huge} 2 2"), Fault::Truncated),
            (format!("MARKOV 1 2 {huge} 0 0"), Fault::Truncated),
            (format!("MARKOV 1 2 1 {huge} 0"), Fault::Range),
            (format!("MARKOV 1 2 1 1 0 {huge} 1 1"), Fault::Count),
            (format!("MARKOV 1 {huge} 0"), Fault::Range),
            (
                "MARKOV 1 16777216 1 1 0 16777216 1 1".to_owned(),
                Fault::Truncated,
            ),
            (
                format!("MARKOV 2 16777216 16777216 1 2 0 1 {huge} 1 1"),
                Fault::Count,
            ),
        ] {
            let error = within_memory(text.as_bytes(), read_model).unwrap_err();
            let UaiError::Malformed { fault: found, .. } = error else {
                panic!("{error}");
            };
            assert_eq!(found, fault, "{text}");
        }
        for text in [
            format!("MAR {huge}"),
            format!("MAR 1 {huge} 1"),
            format!("MAP {huge} 0"),
        ] {
            assert!(
                within_memory(text.as_bytes(), read_solution).is_err(),
                "{text}"
            );
        }
        for text in [huge.to_owned(), format!("1 {huge}"), format!("{huge} 0 1")] {
            let read = |bytes: &[u8]| read_evidence(bytes, &[2, 2]);
            assert!(within_memory(text.as_bytes(), read).is_err(), "{text}");
            let read = |bytes: &[u8]| read_virtual_evidence(bytes, &[2, 2]);
            assert!(within_memory(text.as_bytes(), read).is_err(), "{text}");
        }
    }
}

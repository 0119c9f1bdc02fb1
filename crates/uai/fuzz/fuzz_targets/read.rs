#![no_main]

use forney_uai::{read_evidence, read_model, read_order, read_solution, write_model};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut model) = read_model(bytes) {
        model.to_graph().expect("what reads is a model");
        model.trailing = None;
        let mut text = Vec::new();
        write_model(&mut text, &model).expect("what reads can be written");
        assert_eq!(read_model(&text).expect("what was written reads"), model);
    }
    let _ = read_evidence(bytes, &[2, 1, 5, 3]);
    let _ = read_order(bytes, 4);
    let _ = read_solution(bytes);
});

#![no_main]

use forney_uai::{
    read_evidences, read_log_model, read_model, read_order, read_solution, read_virtual_evidence,
    write_model,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = read_model(bytes) {
        model.to_graph().expect("what reads is a model");
        let mut text = Vec::new();
        write_model(&mut text, &model).expect("what reads can be written");
        let again = read_model(&text).expect("what was written reads");
        assert_eq!((again.cards, again.factors), (model.cards, model.factors));
    }
    if let Ok(model) = read_log_model(bytes) {
        model.into_graph().expect("what reads is a model");
    }
    let _ = read_evidences(bytes, &[2, 1, 5, 3]);
    let _ = read_virtual_evidence(bytes, &[2, 1, 5, 3]);
    let _ = read_order(bytes, 4);
    let _ = read_solution(bytes);
});

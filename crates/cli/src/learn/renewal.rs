//! Checkpoints of format version 2 in the form of today, so that what was begun before goes on.

use serde_json::{Value, json};

/// The state as version 3 writes it. What it lacks is left for the reader to complain of, and what it has
/// beside that is not read.
pub(super) fn renewed(kind: &str, mut old: Value) -> Value {
    let (start, run) = match kind {
        "sparse-coding" => (json!(0), old.clone()),
        "bsc" => (part(&mut old, "start"), part(&mut old, "climb")),
        _ => (part(&mut old, "restart"), part(&mut old, "run")),
    };
    let earlier = old.get("earlier").cloned().unwrap_or(json!(0));
    let mut best = part(&mut old, "best");
    if let Some(best) = best.as_object_mut() {
        let objective = ["free_energy", "bound"]
            .iter()
            .find_map(|name| best.remove(*name));
        let trace = values(best.remove("trace").unwrap_or_default());
        best.extend([
            ("objective".to_owned(), objective.unwrap_or_default()),
            ("trace".to_owned(), trace),
        ]);
    }
    let mut state = run;
    let trace = values(part(&mut state, "trace"));
    let last = trace.as_array().and_then(|trace| trace.last()).cloned();
    let (name, value) = match kind {
        "sparse-coding" => ("objective", last.unwrap_or_default()),
        "bsc" => ("bound", last.unwrap_or_default()),
        _ => ("collected", part(&mut state, "state")),
    };
    if let Some(state) = state.as_object_mut() {
        state.insert(name.to_owned(), value);
    }
    json!({ "start": start, "state": state, "trace": trace, "earlier": earlier, "best": best })
}

/// A part of an object, which is taken out of it.
fn part(of: &mut Value, name: &str) -> Value {
    of.get_mut(name).map(Value::take).unwrap_or_default()
}

/// Objectives, some of which were kept with the time of their iteration.
fn values(mut trace: Value) -> Value {
    for line in trace.as_array_mut().into_iter().flatten() {
        if let Some(value) = line.get_mut("value") {
            *line = value.take();
        }
    }
    trace
}

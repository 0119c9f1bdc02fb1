//! `--check`: have numbers or orderings moved since the committed report?

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;

use super::records::HEADER;
use super::report::Done;

/// Values may move by this much, in the unit of their axis, or by this share of themselves.
const TOLERANCE: f64 = 0.02;

/// Everything that no longer holds, one sentence each.
///
/// A value is compared with that of the same run in the committed CSV; runs that the committed
/// report does not hold are passed over, and so are timed ones, which have no iterations to repeat.
pub(crate) fn broken(committed: &Path, done: &[Done]) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for (experiment, shown) in done {
        for claim in shown.claims.iter().filter(|c| c.broken()) {
            broken.push(format!(
                "{}: {} ({})",
                experiment.name, claim.says, claim.measured
            ));
        }
        let path = committed.join(format!("{}.csv", experiment.name));
        if shown.header != HEADER || !path.is_file() {
            continue;
        }
        let stored = read(&path)?;
        for row in &shown.table {
            let (Ok(now), Some(before)) = (row[4].parse::<f64>(), stored.get(&key(row))) else {
                continue;
            };
            let far = TOLERANCE * before.abs().max(1.0);
            if row[8].starts_with("timed") || (now - before).abs() <= far {
                continue;
            }
            broken.push(format!(
                "{}: {} of {} at {}, seed {} was {before} and is {now}",
                experiment.name, row[0], row[1], row[2], row[3]
            ));
        }
    }
    Ok(broken)
}

type Key = [String; 5];

/// Panel, series, x, seed and options.
fn key(row: &[String]) -> Key {
    [0, 1, 2, 3, 8].map(|column| row[column].clone())
}

fn read(path: &Path) -> Result<HashMap<Key, f64>> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_path(path)?;
    let mut stored = HashMap::new();
    for row in reader.records() {
        let row: Vec<String> = row?.iter().map(str::to_owned).collect();
        if row.len() == HEADER.len()
            && let Ok(value) = row[4].parse()
        {
            stored.insert(key(&row), value);
        }
    }
    Ok(stored)
}

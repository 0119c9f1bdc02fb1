//! `--check`: have numbers or orderings moved since the committed report?

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;

use super::records::{HEADER, TIMED};
use super::report::Done;

/// Values may move by this much, in the unit of their axis, or by this share of themselves.
const TOLERANCE: f64 = 0.02;

/// Everything that no longer holds, one sentence each.
///
/// A value is compared with that of the same run in the committed CSV, and one that is no longer found is
/// broken as well; runs that the committed report does not hold are passed over, and so are timed ones,
/// which have no iterations to repeat.
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
            if let Some(moved) = stored.get(&key(row)).and_then(|before| moved(row, *before)) {
                broken.push(format!("{}: {moved}", experiment.name));
            }
        }
    }
    Ok(broken)
}

/// How a row differs from the value that was stored of it, if it does.
fn moved(row: &[String], before: f64) -> Option<String> {
    let far = TOLERANCE * before.abs().max(1.0);
    let same = |now: f64| (now - before).abs() <= far;
    if row[8].starts_with(TIMED) || row[4].parse().is_ok_and(same) {
        return None;
    }
    let now = match &row[4][..] {
        "" => "is no longer found".to_owned(),
        now => format!("is {now}"),
    };
    Some(format!(
        "{} of {} at {}, seed {} was {before} and {now}",
        row[0], row[1], row[2], row[3]
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: &str, options: &str) -> Vec<String> {
        let cells = ["panel", "WMBE", "1", "7", value, "", "", "3", options];
        cells.map(str::to_owned).to_vec()
    }

    #[test]
    fn what_moved_is_told_and_rounding_is_not() {
        assert_eq!(moved(&row("1.019", "ibound 4"), 1.0), None);
        assert_eq!(moved(&row("-203.9", "ibound 4"), -200.0), None);
        let told = moved(&row("1.1", "ibound 4"), 1.0).expect("it moved");
        assert_eq!(told, "panel of WMBE at 1, seed 7 was 1 and is 1.1");
        // A NaN is near nothing, and what is gone is not as it was.
        assert!(moved(&row("NaN", "ibound 4"), 1.0).is_some());
        let gone = moved(&row("", "ibound 4"), 1.0).expect("it is gone");
        assert!(gone.ends_with("was 1 and is no longer found"), "{gone}");
        assert_eq!(moved(&row("5", "timed; ended after 2 s"), 1.0), None);
    }

    #[test]
    fn stored_rows_are_found_by_their_run() {
        let folder = std::env::temp_dir().join(format!("xtask-check-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("stored.csv");
        let text = format!(
            "# a comment\n{}\npanel,WMBE,1,7,2.5,,,3,ibound 4\npanel,WMBE,1,8,,,,3,ibound 4\n",
            HEADER.join(",")
        );
        std::fs::write(&path, text).unwrap();
        let stored = read(&path);
        std::fs::remove_dir_all(&folder).unwrap();
        let stored = stored.unwrap();
        assert_eq!(stored.len(), 1);
        assert!(stored.contains_key(&key(&row("anything", "ibound 4"))));
        assert!(!stored.contains_key(&key(&row("2.5", "ibound 5"))));
    }
}

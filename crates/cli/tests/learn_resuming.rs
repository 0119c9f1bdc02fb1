//! `forney learn`: a run that goes on where another one ended.

mod common;

use common::learning::{BARS, FAITHFUL, Folder, learn, refused, run};
use common::number;
use serde_json::Value;

/// Runs that end early by their limits, and what they are continued to.
const RESUMED: [(&str, &str, &str); 6] = [
    (
        "sparse-coding --data examples/data/bars.npy --atoms 12 --lambda 3 --batch 64 --seed 3",
        "--epochs 2",
        "--epochs 5",
    ),
    (
        "sparse-coding --data examples/data/bars.npy --atoms 12 --lambda 3 --batch 64 --bias \
         --learner incremental --tolerance 0",
        "--epochs 2",
        "--epochs 5",
    ),
    (
        "bsc --data examples/data/bars.npy --units 10 --seed 2 --annealing 10",
        "--iterations 3 --restarts 1",
        "--iterations 9 --restarts 3",
    ),
    (
        "em --model mixture --components 3 --data examples/data/faithful.csv",
        "--iterations 3",
        "--iterations 20 --restarts 2",
    ),
    (
        "em --model mixture --components 3 --data examples/data/faithful.csv --learner minibatch \
         --batch 40 --tolerance 0",
        "--iterations 3",
        "--iterations 8",
    ),
    (
        "em --model bayes-net --network examples/models/asia.uai --data examples/data/asia.csv \
         --learner incremental --batch 50 --smoothing 1 --tolerance 0",
        "--iterations 2",
        "--iterations 4",
    ),
];

#[test]
fn resumed_runs_give_the_bits_of_uninterrupted_ones() {
    for (words, short, long) in RESUMED {
        let folder = Folder::new();
        let [whole, parts, checkpoint, trace] =
            ["whole", "parts", "checkpoint", "trace"].map(|name| folder.file(name));
        let told = learn(&format!(
            "{words} {long} -o {whole} --trace {}",
            folder.file("t")
        ));
        learn(&format!(
            "{words} {short} --checkpoint {checkpoint} --trace {trace}"
        ));
        // A run that was killed has gone on for a while after its checkpoint.
        let mut killed = std::fs::read_to_string(&trace).unwrap();
        killed += "{\"iteration\":1000,\"objective\":0.5}\n{\"iter";
        std::fs::write(&trace, killed).unwrap();
        let resumed = learn(&format!(
            "{words} {long} --resume {checkpoint} -o {parts} --trace {trace}"
        ));
        let bytes = |file: &str| std::fs::read(file).unwrap();
        assert!(bytes(&whole) == bytes(&parts), "{words}");
        assert_eq!(
            number(&told["objective"]).to_bits(),
            number(&resumed["objective"]).to_bits()
        );
        assert_eq!(told["iterations"], resumed["iterations"], "{words}");
        // The trace goes on where it ended.
        let lines = |file: &str| -> Vec<(u64, u64)> {
            let text = std::fs::read_to_string(file).unwrap();
            let lines = text.lines().map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                let objective = number(&line["objective"]).to_bits();
                (line["iteration"].as_u64().unwrap(), objective)
            });
            lines.collect()
        };
        assert_eq!(lines(&folder.file("t")), lines(&trace), "{words}");
    }
}

/// What the version before saved after two iterations, or two starts of that; and with how many more.
const VERSION_2: [(&str, &str, &str); 3] = [
    (
        "sparse-coding",
        "sparse-coding --data examples/data/faithful.csv --atoms 3 --lambda 1 --learner incremental \
         --batch 100 --tolerance 0",
        "--epochs 5",
    ),
    (
        "bsc",
        "bsc --data examples/data/bars.npy --units 4 --seed 2 --annealing 2 --iterations 2",
        "--restarts 3",
    ),
    (
        "mixture",
        "em --model mixture --components 2 --data examples/data/faithful.csv --learner incremental \
         --batch 100 --tolerance 0 --iterations 2",
        "--restarts 3",
    ),
];

#[test]
fn checkpoints_of_the_version_before_go_on() {
    for (name, words, more) in VERSION_2 {
        let folder = Folder::new();
        let [whole, parts, saved] = ["whole", "parts", "saved"].map(|name| folder.file(name));
        std::fs::copy(
            common::root()
                .join("crates/cli/tests/checkpoints")
                .join(name),
            &saved,
        )
        .unwrap();
        let told = learn(&format!("{words} {more} -o {whole}"));
        let resumed = learn(&format!("{words} {more} --resume {saved} -o {parts}"));
        assert_eq!(told["iterations"], resumed["iterations"], "{words}");
        assert!(
            std::fs::read(whole).unwrap() == std::fs::read(parts).unwrap(),
            "{words}"
        );
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    for (words, _, long) in RESUMED {
        let objective = |threads: usize| {
            number(&learn(&format!("{words} {long} --threads {threads}"))["objective"]).to_bits()
        };
        assert_eq!(objective(1), objective(3), "{words}");
    }
}

#[test]
fn checkpoints_that_do_not_fit_are_refused_and_left_alone() {
    let folder = Folder::new();
    let file = folder.file("checkpoint");
    let words = format!("bsc --data {BARS} --units 6 --restarts 1 --annealing 0 --iterations 2");
    learn(&format!("{words} --checkpoint {file}"));
    let good = std::fs::read_to_string(&file).unwrap();
    let refuse = |content: &str, words: &str, message: &str| {
        std::fs::write(&file, content).unwrap();
        refused(&format!("{words} --resume {file}"), "checkpoint", message);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
    };
    for length in [0, 1, 100, good.len() / 2, good.len() - 1] {
        refuse(&good[..length], &words, "is cut off, damaged,");
    }
    refuse("[1, 2]", &words, "is cut off, damaged, or no checkpoint");
    refuse(
        &good.replace("\"state\":{", "\"state\":{\"start\":[],"),
        &words,
        "is cut off, damaged, or no checkpoint",
    );
    refuse(
        &good.replace("\"version\":3", "\"version\":7"),
        &words,
        "version 7, where a `forney checkpoint` of version 3 is needed",
    );
    // Of the first version, which had no checksum.
    let (unsealed, _) = good.split_at(good.find('\n').unwrap());
    refuse(
        &unsealed.replace("\"version\":3", "\"version\":1"),
        &words,
        "version 1, where a `forney checkpoint` of version 3 is needed",
    );
    refuse(unsealed, &words, "its checksum is missing, or does not fit");
    // Another digit anywhere.
    let digits = good.char_indices().filter(|(_, c)| c.is_ascii_digit());
    let digits: Vec<(usize, char)> = digits.collect();
    for &(at, digit) in digits.iter().step_by(digits.len() / 60) {
        let other = if digit == '7' { "8" } else { "7" };
        let edited = format!("{}{other}{}", &good[..at], &good[at + 1..]);
        std::fs::write(&file, &edited).unwrap();
        let ran = run(&format!("{words} --resume {file}"));
        assert_eq!(ran.code, Some(2), "at byte {at}: {}", ran.stderr);
    }
    refuse(
        &good,
        &format!("sparse-coding --data {BARS} --atoms 6 --lambda 1"),
        "is of another model: bsc, not sparse-coding",
    );
    refuse(
        &good,
        &words.replace("--units 6", "--units 7"),
        "other options: units was 6, and is 7 now",
    );
    refuse(
        &good,
        &format!("{words} --e-step mf"),
        "other options: e_step was",
    );
    refuse(
        &good,
        &words.replace(BARS, FAITHFUL),
        "other data: 500 rows of 25 columns",
    );
    std::fs::write(&file, &good).unwrap();
    // The state of a run that is not resumed is not lost by forgetting a word.
    refused(
        &format!("{words} --checkpoint {file}"),
        "checkpoint",
        "exists: go on",
    );
    let other = folder.write("other", "something else");
    let both = format!("{words} --resume {file} --checkpoint {other}");
    refused(&both, "checkpoint", "exists: go on");
    learn(&format!("{words} --resume {file} --checkpoint {file}"));
    learn(&format!("{words} --resume {file}"));
    refused(
        &format!("{words} --resume {}", folder.file("none")),
        "io",
        "none",
    );
}

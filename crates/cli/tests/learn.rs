//! `forney learn`: what it learns, saves, resumes, and refuses.

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};

use common::{Ran, forney, number, root};
use forney_latent::binary_sparse_coding::{BinarySparseCoding, Exact, Truncated};
use forney_latent::em::{
    BayesNet, Categorical, FactorAnalysis, GaussianEmission, GaussianMixture, Hmm, MISSING,
    Sequences,
};
use forney_latent::sparse_coding::SparseCoding;
use ndarray::{Array2, Axis};
use serde::de::DeserializeOwned;
use serde_json::Value;

const BARS: &str = "examples/data/bars.npy";
const FAITHFUL: &str = "examples/data/faithful.csv";
const ASIA: &str = "examples/data/asia.csv";
const NETWORK: &str = "examples/models/asia.uai";

/// A folder for the files of a test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, content: &str) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.file(name)
    }
}

/// `learn words --json`, and what it printed.
#[track_caller]
fn learn(words: &str) -> Value {
    let ran = run(words);
    assert_eq!(ran.code, Some(0), "{words}: {} {}", ran.stdout, ran.stderr);
    assert_eq!(ran.stderr, "", "{words}");
    ran.json()
}

fn run(words: &str) -> Ran {
    let words: Vec<&str> = ["learn"]
        .into_iter()
        .chain(words.split_whitespace())
        .chain(["--json"])
        .collect();
    forney(&words)
}

/// The error of a run that must fail, with nothing else on standard output.
#[track_caller]
fn refused(words: &str, kind: &str, message: &str) {
    let ran = run(words);
    let code = if kind == "too-large" { 3 } else { 2 };
    assert_eq!(
        ran.code,
        Some(code),
        "{words}: {} {}",
        ran.stdout,
        ran.stderr
    );
    let error = ran.json()["error"].take();
    assert_eq!(error["kind"], kind, "{words}: {error}");
    let told = error["message"].as_str().expect("a sentence");
    assert!(told.contains(message), "{told:?} lacks {message:?}");
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The model in a file.
fn load<M: DeserializeOwned>(path: &Path, kind: &str) -> M {
    let mut file = json_file(path);
    assert_eq!(file["format"], "forney model");
    assert_eq!(file["version"], 1);
    assert_eq!(file["kind"], kind);
    serde_json::from_value(file["model"].take()).unwrap()
}

fn csv(path: &str) -> Array2<f64> {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| {
            let field = |field: &str| field.parse().unwrap_or(f64::NAN);
            line.split(',').map(field).collect()
        })
        .collect();
    let columns = rows[0].len();
    Array2::from_shape_vec((rows.len(), columns), rows.concat()).unwrap()
}

fn bars() -> Array2<f64> {
    let bars: Array2<f32> = ndarray_npy::read_npy(root().join(BARS)).unwrap();
    bars.mapv(f64::from)
}

#[track_caller]
fn close(objective: &Value, score: f64) {
    let objective = number(objective);
    assert!(
        (objective - score).abs() <= 1e-9 * score.abs(),
        "{objective} {score}"
    );
}

#[test]
fn saved_models_of_every_kind_score_what_was_reported() {
    let folder = Folder::new();
    let file = folder.file("model");
    let path = folder.path("model");

    let told = learn(&format!("bsc --data {BARS} --units 10 --seed 1 -o {file}"));
    let model: BinarySparseCoding = load(&path, "bsc");
    let score = model.score(bars().view(), &Truncated::default()).unwrap();
    close(&told["objective"], score);
    // The bars are found: each component is near a row or a column of height 10.
    assert!(number(&told["objective"]) > -58.5, "{told}");
    assert!((number(&told["active_units"]) - 2.0).abs() < 0.3);

    let words = format!(
        "sparse-coding --data {BARS} --atoms 20 --lambda 3 --beta 0.5 --non-negative --bias \
         --center-rows --epochs 5 -o {file}"
    );
    let told = learn(&words);
    let model: SparseCoding = load(&path, "sparse-coding");
    assert_eq!(json_file(&path)["center_rows"], true);
    let mut data = bars();
    for mut row in data.axis_iter_mut(Axis(0)) {
        let mean = row.mean().unwrap();
        row -= mean;
    }
    close(&told["objective"], -model.score(data.view()).unwrap());
    assert!(number(&told["largest_gap"]) < 1e-9);

    let data = csv(FAITHFUL);
    let told = learn(&format!("em --model mixture --data {FAITHFUL} -o {file}"));
    let model: GaussianMixture = load(&path, "mixture");
    close(&told["objective"], model.score(data.view()).unwrap());
    // As published for this data set: 36 % short eruptions.
    let weights: Vec<f64> = told["weights"]
        .as_array()
        .unwrap()
        .iter()
        .map(number)
        .collect();
    assert!(weights.iter().any(|w| (w - 0.356).abs() < 0.005), "{told}");

    for kind in ["factor-analysis", "ppca"] {
        let told = learn(&format!("em --model {kind} --data {FAITHFUL} -o {file}"));
        let model: FactorAnalysis = load(&path, kind);
        close(&told["objective"], model.score(data.view()).unwrap());
    }

    let lengths = folder.write("lengths.csv", "200\n72\n");
    let words = "em --model hmm --covariance diagonal --states 2";
    let told = learn(&format!(
        "{words} --data {FAITHFUL} --lengths {lengths} -o {file}"
    ));
    let model: Hmm<GaussianEmission> = load(&path, "hmm-gaussian");
    let sequences = Sequences::gaussian(data.view(), &[200, 72], None, 0).unwrap();
    close(&told["objective"], model.score(&sequences).unwrap());

    let symbols: Vec<usize> = (0..90).map(|t| (t * t / 7) % 3).collect();
    let text: String = symbols.iter().map(|s| format!("{s}\n")).collect();
    let told = learn(&format!(
        "em --model hmm --emission categorical --data {} -o {file}",
        folder.write("symbols.csv", &text)
    ));
    let model: Hmm<Categorical> = load(&path, "hmm-categorical");
    let symbols = ndarray::Array1::from(symbols);
    let sequences = Sequences::categorical(symbols.view(), &[90], None, 0).unwrap();
    close(&told["objective"], model.score(&sequences).unwrap());

    let words = format!("em --model bayes-net --network {NETWORK} --data {ASIA}");
    let told = learn(&format!("{words} -o {file}"));
    let model: BayesNet = load(&path, "bayes-net");
    let states = csv(ASIA).mapv(|x| if x.is_nan() { MISSING } else { x as i32 });
    close(&told["objective"], model.score(states.view(), 1e9).unwrap());
    // And as a model that the other commands read.
    let uai = folder.file("learned.uai");
    learn(&format!("{words} -o {uai}"));
    let exact = forney(&["exact", &uai, "--json"]);
    assert!(
        number(&exact.json()["ln_z"]).abs() < 1e-9,
        "{}",
        exact.stdout
    );
}

#[test]
fn the_objective_of_every_e_step_is_a_lower_bound() {
    let folder = Folder::new();
    let model = folder.file("model");
    for e_step in ["truncated", "mf", "structured-mf", "exact"] {
        let words = format!("bsc --data {BARS} --units 6 --restarts 1 --iterations 5");
        let told = learn(&format!("{words} --e-step {e_step} -o {model}"));
        let model: BinarySparseCoding = load(&folder.path("model"), "bsc");
        let ln_p = model.score(bars().view(), &Exact).unwrap();
        let bound = number(&told["objective"]);
        assert!(bound <= ln_p + 1e-9, "{e_step}: {bound} {ln_p}");
        assert!(e_step != "exact" || bound >= ln_p - 1e-9, "{bound} {ln_p}");
    }
}

#[test]
fn arrays_go_to_npz() {
    let folder = Folder::new();
    let file = folder.file("model.npz");
    learn(&format!(
        "sparse-coding --data {BARS} --atoms 7 --lambda 3 --epochs 2 -o {file}"
    ));
    let mut arrays = ndarray_npy::NpzReader::new(std::fs::File::open(&file).unwrap()).unwrap();
    let dictionary: Array2<f64> = arrays.by_name("dictionary").unwrap();
    assert_eq!(dictionary.dim(), (25, 7));
    // It is read as data, too.
    let words = "em --model mixture --components 1 --covariance spherical";
    refused(
        &format!("{words} --data {file}"),
        "data",
        "holds several arrays: choose one by --array: dictionary, bias",
    );
    refused(
        &format!("{words} --data {file} --array codes"),
        "data",
        "holds no array `codes`, but dictionary, bias",
    );
    let told = learn(&format!("{words} --data {file} --array dictionary"));
    assert_eq!(
        (&told["examples"], &told["columns"]),
        (&25.into(), &7.into())
    );
}

#[test]
fn integers_and_separators_are_read() {
    let folder = Folder::new();
    let data = Array2::from_shape_fn((20, 2), |(n, d)| ((n * n + 3 * d) % 7) as u8);
    ndarray_npy::write_npy(folder.path("bytes.npy"), &data).unwrap();
    let text = |separator: &str| {
        let rows = data.rows().into_iter();
        let rows = rows.map(|row| format!("{}{separator}{}\n", row[0], row[1]));
        rows.collect::<String>()
    };
    let objective =
        |file: String| number(&learn(&format!("em --model ppca --data {file}"))["objective"]);
    let expected = objective(folder.file("bytes.npy"));
    ndarray_npy::write_npy(
        folder.path("f.npy"),
        &data
            .mapv(f32::from)
            .reversed_axes()
            .as_standard_layout()
            .reversed_axes(),
    )
    .unwrap();
    for file in [
        folder.file("f.npy"),
        folder.write("a.csv", &text(",")),
        folder.write("b.csv", &format!("x;y\n{}", text(";"))),
        folder.write("c.txt", &text("\t")),
    ] {
        assert_eq!(
            objective(file.clone()).to_bits(),
            expected.to_bits(),
            "{file}"
        );
    }
}

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
        &good.replace("\"version\":1", "\"version\":7"),
        &words,
        "version 7, where a `forney checkpoint` of version 1 is needed",
    );
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

#[test]
fn data_that_cannot_be_learned_from() {
    let folder = Folder::new();
    let mixture = "em --model mixture --components 3 --data";
    for (content, kind, message) in [
        ("1,2\n3,nan\n5,6\n", "data", "has NaN in row 1, column 1"),
        ("1,2\n3,\n5,6\n", "data", "has NaN in row 1, column 1"),
        ("1,2\n3,-inf\n5,6\n", "data", "has -inf in row 1, column 1"),
        ("1,2\n3,1e999\n5,6\n", "data", "has inf in row 1, column 1"),
        (
            "1,2\n3,x\n",
            "data",
            "line 2, column 1 (counted from 0): `x` is no number",
        ),
        ("1,2\n3\n", "data", "line 2 has 1 fields"),
        ("", "data", "holds no numbers"),
        ("a,b\n", "data", "holds no numbers"),
        (
            "1,2\n3,4\n",
            "learning",
            "2 examples are too few: 3 are needed",
        ),
        (
            "1,2\n3,2\n5,2\n",
            "learning",
            "column 1 of the data is constant",
        ),
    ] {
        let file = folder.write("data.csv", content);
        refused(&format!("{mixture} {file}"), kind, message);
    }
    for words in [
        "bsc --units 2",
        "em --model factor-analysis",
        "em --model hmm",
    ] {
        let constant = folder.write("data.csv", "1,2\n3,2\n5,2\n");
        let words = format!("{words} --data {constant}");
        refused(&words, "learning", "column 1 of the data is constant");
    }
    refused("bsc --units 2 --data nowhere.npy", "io", "nowhere.npy");
    refused(
        &format!("{mixture} {FAITHFUL} --memory 1kB"),
        "too-large",
        "more than the",
    );
    refused(
        &format!("{mixture} {FAITHFUL} --array x"),
        "data",
        "holds no array `x`: it is no .npz file",
    );

    // Arrays of other shapes and types, and files that are cut off.
    let cube = ndarray::Array3::<f64>::zeros((2, 3, 4));
    ndarray_npy::write_npy(folder.path("cube.npy"), &cube).unwrap();
    refused(
        &format!("{mixture} {}", folder.file("cube.npy")),
        "data",
        "has the shape [2, 3, 4]; a matrix is needed",
    );
    let mut bytes = std::fs::read(root().join(BARS)).unwrap();
    let npy = folder.path("cut.npy");
    for (length, message) in [
        (1000, "is cut off"),
        (40, "is no .npy file"),
        (0, "is no .npy file"),
    ] {
        std::fs::write(&npy, &bytes[..length]).unwrap();
        refused(
            &format!("{mixture} {}", folder.file("cut.npy")),
            "data",
            message,
        );
    }
    let typed = bytes.windows(3).position(|word| word == b"<f4").unwrap();
    bytes[typed..typed + 3].copy_from_slice(b"<c4");
    std::fs::write(&npy, &bytes).unwrap();
    refused(
        &format!("{mixture} {}", folder.file("cut.npy")),
        "data",
        "has entries of the type '<c4'; real numbers and integers are read",
    );
    let huge = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 100), }\n";
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((huge.len() as u16).to_le_bytes());
    header.extend(huge);
    std::fs::write(&npy, &header).unwrap();
    refused(
        &format!("{mixture} {}", folder.file("cut.npy")),
        "too-large",
        "of memory",
    );
    let archive = std::fs::File::create(folder.path("huge.npz")).unwrap();
    let mut archive = zip::ZipWriter::new(archive);
    let stored = zip::write::SimpleFileOptions::default();
    archive.start_file("x.npy", stored).unwrap();
    archive.write_all(&header).unwrap();
    archive.finish().unwrap();
    refused(
        &format!("{mixture} {}", folder.file("huge.npz")),
        "too-large",
        "of memory",
    );
    refused(
        &format!("{mixture} {}", folder.write("x.npz", "no archive")),
        "data",
        "is no .npz file",
    );

    // States that do not exist.
    let net = format!("em --model bayes-net --network {NETWORK} --data");
    for (content, kind, message) in [
        (
            "0,0,0,0,0,0,0,2\n",
            "learning",
            "row 0, column 7 observes state 2",
        ),
        ("0,0,0,0,0,0,0,0.5\n", "data", "has 0.5 in row 0, column 7"),
        ("0,0,0,0,0,0,0,-2\n", "data", "has -2 in row 0, column 7"),
        (
            "0,0,0\n",
            "learning",
            "the columns of the data must be 8, but is 3",
        ),
    ] {
        let file = folder.write("states.csv", content);
        refused(&format!("{net} {file}"), kind, message);
    }
    let impossible = folder.write("states.csv", "0,0,0,0,0,1,0,0\n");
    refused(
        &format!("{net} {impossible} --start given"),
        "usage",
        "some rows the probability 0",
    );
}

#[test]
fn options_out_of_range() {
    let sparse = format!("sparse-coding --data {BARS} --atoms 5");
    for lambda in ["0", "-1", "nan", "inf"] {
        let words = format!("{sparse} --lambda {lambda}");
        refused(&words, "learning", "the rate λ must be finite and above 0");
    }
    let bsc = format!("bsc --data {BARS} --units 4");
    let mixture = format!("em --model mixture --data {FAITHFUL}");
    for (words, kind, message) in [
        (format!("{sparse} --lambda 1 --atoms 0"), "usage", "--atoms"),
        (
            format!("sparse-coding --data {BARS} --atoms 0 --lambda 1"),
            "learning",
            "number of atoms",
        ),
        (
            format!("{sparse} --lambda 1 --beta 0"),
            "learning",
            "the precision β",
        ),
        (
            format!("{sparse} --lambda 1 --batch 0"),
            "learning",
            "examples at a time",
        ),
        (
            format!("{sparse} --lambda 1 --picture a.png --patch 4x4"),
            "usage",
            "--patch 4x4 does not hold the 25 columns",
        ),
        (
            format!("{sparse} --lambda 1 --picture a.png --patch 4"),
            "usage",
            "8x8",
        ),
        (
            format!("{sparse} --lambda 1 -o a.uai"),
            "usage",
            "not saved as .uai",
        ),
        (
            format!("{sparse} --lambda 1 -o nowhere/model"),
            "output",
            "cannot write nowhere/model",
        ),
        (
            format!("bsc --data {BARS} --units 0"),
            "learning",
            "number of units",
        ),
        (
            format!("{bsc} --temperature 0.5"),
            "learning",
            "the temperature",
        ),
        (
            format!("{bsc} --restarts 0"),
            "learning",
            "number of starts",
        ),
        (
            format!("bsc --data {BARS} --units 21 --e-step exact"),
            "learning",
            "21 units are too many",
        ),
        (
            format!("{mixture} --components 0"),
            "learning",
            "number of components",
        ),
        (format!("{mixture} --restarts 0"), "learning", "restarts"),
        (
            format!("{mixture} --tolerance nan"),
            "learning",
            "tolerance",
        ),
        (
            format!("{mixture} --variance-floor 0"),
            "learning",
            "the variance floor",
        ),
        (
            format!("{mixture} --factors 2"),
            "usage",
            "--factors is an option of factor-analysis, ppca, not of mixture",
        ),
        (
            format!("{mixture} --network a.uai"),
            "usage",
            "--network is an option of bayes-net",
        ),
        (
            format!("em --model factor-analysis --factors 3 --data {FAITHFUL}"),
            "learning",
            "number of factors",
        ),
        (
            format!("em --model bayes-net --data {ASIA}"),
            "usage",
            "needs --network",
        ),
        (
            format!("em --model hmm --emission categorical --data {FAITHFUL}"),
            "data",
            "where a whole number from 0 on is needed",
        ),
    ] {
        refused(&words, kind, message);
    }
    let lengths = Folder::new();
    let file = lengths.write("lengths.csv", "100\n100\n");
    refused(
        &format!("em --model hmm --data {FAITHFUL} --lengths {file}"),
        "data",
        "holds lengths of 200 steps together, but the data have 272",
    );
}

#[test]
fn empty_clusters_and_singular_covariances_are_no_errors() {
    let folder = Folder::new();
    // Two distinct rows for four components, and columns that are multiples of each other.
    let file = folder.write("data.csv", &"1,2\n3,6\n".repeat(10));
    for covariance in ["full", "diagonal", "tied", "spherical"] {
        let words = format!("em --model mixture --components 4 --covariance {covariance}");
        let model = folder.file("model");
        let told = learn(&format!("{words} --data {file} -o {model}"));
        assert!(number(&told["objective"]).is_finite());
        let _: GaussianMixture = load(&folder.path("model"), "mixture");
    }
    learn(&format!("em --model factor-analysis --data {file}"));
    learn(&format!("em --model hmm --states 4 --data {file}"));
}

#[test]
fn pictures_are_drawn() {
    let folder = Folder::new();
    let [tiles, curve] = ["tiles.png", "curve.svg"].map(|name| folder.file(name));
    for words in [
        format!("bsc --data {BARS} --units 7 --restarts 1 --iterations 3 --picture {tiles}"),
        format!("sparse-coding --data {BARS} --atoms 7 --lambda 3 --picture {tiles} --patch 1x25"),
    ] {
        learn(&format!("{words} --curve {curve}"));
        assert!(std::fs::read(&tiles).unwrap().starts_with(b"\x89PNG"));
        let text = std::fs::read_to_string(&curve).unwrap();
        assert!(text.starts_with("<svg") && text.contains("iteration"));
    }
    learn(&format!(
        "em --model mixture --data {FAITHFUL} --curve {curve}"
    ));
    let text = std::fs::read_to_string(&curve).unwrap();
    assert!(text.contains("nats per example, ln p(v)"));
}

#[test]
fn a_result_is_printed_whatever_becomes_of_its_files() {
    let folder = Folder::new();
    let file = folder.file("");
    let ran = run(&format!("em --model mixture --data {FAITHFUL} -o {file}"));
    assert_eq!(ran.code, Some(2));
    assert!(number(&ran.json()["objective"]).is_finite());
    assert!(ran.stderr.contains("cannot write"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn interrupted_learning_keeps_its_checkpoint_and_goes_on() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = Folder::new();
    let [whole, parts, checkpoint, trace] =
        ["whole", "parts", "checkpoint", "trace"].map(|name| folder.file(name));
    let words = format!(
        "learn sparse-coding --data {BARS} --atoms 30 --lambda 3 --batch 16 --epochs 200 --json"
    );
    let with = |more: &str| -> Ran {
        let words = format!("{words} {more}");
        forney(&words.split_whitespace().collect::<Vec<_>>())
    };
    assert_eq!(with(&format!("-o {whole}")).code, Some(0));
    let words =
        format!("{words} --checkpoint {checkpoint} --checkpoint-every 20ms --trace {trace}");
    let child = common::command(&words.split_whitespace().collect::<Vec<_>>())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while std::fs::read_to_string(&trace)
        .unwrap_or_default()
        .lines()
        .count()
        < 3
    {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(2));
    }
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["stop"], "interrupted");
    assert!(told["iterations"].as_u64().unwrap() < 200);
    assert!(
        stderr.contains(&format!("go on with --resume {checkpoint}")),
        "{stderr}"
    );
    let resumed = with(&format!("--resume {checkpoint} -o {parts}"));
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert!(std::fs::read(whole).unwrap() == std::fs::read(parts).unwrap());
}

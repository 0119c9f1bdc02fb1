//! `forney learn`: what it learns, saves and draws.

mod common;

use common::learning::{ASIA, BARS, FAITHFUL, Folder, NETWORK};
use common::learning::{bars, close, csv, json_file, learn, load, refused};
use common::{forney, number};
use forney_latent::binary_sparse_coding::{BinarySparseCoding, Exact, Truncated};
use forney_latent::em::{
    BayesNet, Categorical, FactorAnalysis, GaussianEmission, GaussianMixture, Hmm, MISSING,
    Sequences,
};
use forney_latent::sparse_coding::SparseCoding;
use ndarray::{Array2, Axis};

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
fn empty_clusters_and_singular_covariances_are_no_errors() {
    let folder = Folder::new();
    // Two distinct rows for four components, and columns that are multiples of each other.
    let file = folder.write("data.csv", "1,2\n3,6\n".repeat(10));
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

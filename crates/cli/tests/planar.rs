//! Spins in the plane: sizes that no elimination reaches, as a user asks for them.

mod common;

use common::{forney, number};
use forney_testing::grid_text;

/// A grid whose tables want neighbours equal.
fn free(n: usize) -> String {
    grid_text(n).replace("4 1 2 2 3\n", "4 3 2 2 3\n")
}

fn written(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grid.uai");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn a_grid_without_fields_is_exact() {
    let (_folder, model) = written(&free(50));
    let exact = forney(&["exact", &model, "--json"]).json();
    let ln_z = number(&exact["ln_z"]);
    assert!(exact["planar"] == true && exact["width"] == 0);
    let bound = forney(&["bound", &model, "--time", "20", "--json"]).json();
    assert_eq!(
        [&bound["lower_method"], &bound["upper_method"]],
        ["planar"; 2]
    );
    assert!((number(&bound["lower"]) - ln_z).abs() < 1e-6 && bound["exact"] == true);
    let marginals = forney(&["marginals", &model, "--json"]).json();
    assert_eq!(marginals["marginals"][7], serde_json::json!([0.5, 0.5]));
    let info = forney(&["info", &model, "--time", "2"]);
    assert!(
        info.stdout.contains("needs no elimination"),
        "{}",
        info.stdout
    );
    assert!(
        info.stdout.contains("use `forney exact`"),
        "{}",
        info.stdout
    );
}

#[test]
fn small_models_are_eliminated_and_orders_are_used() {
    let (_folder, model) = written(&free(8));
    for words in [&["exact"][..], &["exact", "--order", "minfill"]] {
        let exact = forney(&[words, &[&model, "--json"]].concat()).json();
        assert!(exact["planar"].is_null() && exact["width"].as_u64() >= Some(8));
    }
    let planar = forney(&["bound", &model, "--method", "planar", "--json"]).json();
    let exact = forney(&["exact", &model, "--json"]).json();
    assert!((number(&planar["upper"]) - number(&exact["ln_z"])).abs() < 1e-9);
}

/// Fields only around the one face of the outside are drawn, too; fields everywhere are not.
#[test]
fn fields_on_one_face_are_drawn() {
    let (_folder, model) = written(&grid_text(40).replace("4 1 2 2 3\n", "4 1 2 3 1\n"));
    let exact = forney(&["exact", &model, "--json"]).json();
    assert!(exact["planar"] == true);
    let (_folder, model) = written(&grid_text(40));
    let words = [
        "bound", &model, "--method", "planar", "--time", "1", "--json",
    ];
    let ran = forney(&words);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    let told = "cannot be drawn in the plane";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}

#[test]
fn memory_and_time_hold() {
    let (_folder, model) = written(&free(60));
    let words = [
        "bound", &model, "--method", "planar", "--memory", "1MB", "--json",
    ];
    let ran = forney(&words);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let ran = forney(&["exact", &model, "--memory", "1MB", "--time", "1"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let ran = forney(&["bound", &model, "--time", "1", "--json"]).json();
    assert!(number(&ran["lower"]) <= number(&ran["upper"]));
}

//! The three kinds of model whose posteriors are intractable (figure 19.1), as objects: what is left
//! between the latent variables once the visible ones are observed.

use std::collections::BTreeSet;

use forney_bounds::mean_field;
use forney_certify::{Budget, Certificate, Limits};
use forney_exact::{Heuristic, greedy};
use forney_model::enumerate::enumerate;
use forney_model::{Domains, Evidence, FactorGraph, Table, VarId, simplify};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::reproduce::context::Context;
use crate::reproduce::drawing::{Spot, drawing, side_by_side};
use crate::reproduce::shown::{Claim, Figure, Image, Shown};

/// Scale of the couplings.
const COUPLING: f64 = 1.5;

/// A model of binary variables, the visible ones first.
struct Model {
    name: &'static str,
    graph: FactorGraph,
    visible: usize,
}

/// `exp(w x_i x_j)` for each pair.
fn boltzmann(
    name: &'static str,
    visible: usize,
    variables: usize,
    pairs: &[(usize, usize)],
    rng: &mut Pcg64,
) -> anyhow::Result<Model> {
    let tables = pairs.iter().map(|&(i, j)| {
        let w = COUPLING * rng.random_range(-1.0..1.0);
        Table::from_ln(
            vec![VarId::new(i), VarId::new(j)],
            vec![2, 2],
            vec![0.0, 0.0, 0.0, w],
        )
    });
    let graph = FactorGraph::new(vec![2; variables], tables.collect::<Result<_, _>>()?)?;
    Ok(Model {
        name,
        graph,
        visible,
    })
}

/// `p(v_j = 1 | h) = σ(Σ_i w_ij h_i − 1)` with independent causes.
fn directed(rng: &mut Pcg64) -> anyhow::Result<Model> {
    let (visible, latent) = (4, 3);
    let mut tables = Vec::new();
    for i in 0..latent {
        let on: f64 = 0.3;
        tables.push(Table::from_ln(
            vec![VarId::new(visible + i)],
            vec![2],
            vec![(1.0 - on).ln(), on.ln()],
        )?);
    }
    for j in 0..visible {
        let w: Vec<f64> = (0..latent)
            .map(|_| 2.0 * COUPLING * rng.random::<f64>())
            .collect();
        let scope: Vec<VarId> = (visible..visible + latent)
            .chain([j])
            .map(VarId::new)
            .collect();
        let mut ln = Vec::new();
        for parents in 0..1usize << latent {
            // The last variable of the scope is fastest, the first cause slowest.
            let on = (0..latent).filter(|i| parents >> (latent - 1 - i) & 1 == 1);
            let z = on.map(|i| w[i]).sum::<f64>() - 1.0;
            ln.extend([-(z.exp().ln_1p()), -((-z).exp().ln_1p())]);
        }
        tables.push(Table::from_ln(scope, vec![2; latent + 1], ln)?);
    }
    let graph = FactorGraph::new(vec![2; visible + latent], tables)?;
    Ok(Model {
        name: "directed, coparents",
        graph,
        visible,
    })
}

fn models() -> anyhow::Result<Vec<Model>> {
    let mut rng = Pcg64::seed_from_u64(19);
    let across =
        |from: std::ops::Range<usize>, to: std::ops::Range<usize>| -> Vec<(usize, usize)> {
            from.flat_map(|i| to.clone().map(move |j| (i, j))).collect()
        };
    let visible_hidden = across(0..4, 4..8);
    let lateral = vec![(4, 5), (5, 6), (6, 7), (4, 7)];
    let deep = [visible_hidden.clone(), across(4..8, 8..11)].concat();
    Ok(vec![
        boltzmann(
            "restricted, for comparison",
            4,
            8,
            &visible_hidden,
            &mut rng,
        )?,
        boltzmann(
            "semi-restricted",
            4,
            8,
            &[visible_hidden, lateral].concat(),
            &mut rng,
        )?,
        boltzmann("deep", 4, 11, &deep, &mut rng)?,
        directed(&mut rng)?,
    ])
}

/// The layers of a model, the visible one lowest; neighbours of a layer stand a little higher and lower,
/// so that lines between them are seen.
fn spot(v: usize, model: &Model) -> Spot {
    let layer = if v < model.visible {
        0
    } else {
        1 + (v - model.visible) / 4
    };
    let first = if layer == 0 {
        0
    } else {
        model.visible + 4 * (layer - 1)
    };
    let shift = if layer == 0 {
        0.0
    } else {
        0.3 * (v % 2) as f64
    };
    ((v - first) as f64, 3.0 - 1.4 * layer as f64 - shift)
}

/// The pairs of variables that share a factor.
fn pairs(graph: &FactorGraph) -> BTreeSet<(usize, usize)> {
    let scopes = graph.factors().iter().map(Table::scope);
    scopes
        .flat_map(|scope| {
            let joined = scope.iter().enumerate();
            joined.flat_map(|(at, a)| scope[at + 1..].iter().map(|b| (a.index(), b.index())))
        })
        .filter(|&(a, b)| graph.cards()[a] > 1 && graph.cards()[b] > 1)
        .map(|(a, b)| (a.min(b), a.max(b)))
        .collect()
}

pub(crate) fn run(_: &Context<'_>) -> anyhow::Result<Shown> {
    let mut shown = Shown {
        header: vec![
            "model",
            "visible",
            "latent",
            "latent_pairs_before",
            "latent_pairs_observed",
            "width",
            "ln_p_v",
            "mean_field",
        ],
        ..Shown::default()
    };
    let mut gaps = Vec::new();
    let mut joined = Vec::new();
    let mut drawings = Vec::new();
    for model in models()? {
        let mut evidence = Evidence::default();
        for v in 0..model.visible {
            evidence.observe(VarId::new(v), 1)?;
        }
        let restriction = Domains::observed(&model.graph, &evidence)?.restrict(&model.graph);
        let posterior = restriction.graph();
        let before = pairs(&model.graph);
        let latent = before.iter().filter(|pair| pair.0 >= model.visible).count();
        let after = pairs(posterior);
        let width = greedy(posterior, Heuristic::MinFill, None)
            .cost(posterior)
            .width;
        let ln_z = enumerate(posterior).ln_z;
        let limits = Limits {
            sweeps: Some(2000),
            tolerance: 1e-12,
        };
        let run = mean_field(posterior, 1, 8, &limits, &Budget::unlimited());
        let bound = run.point.verify(posterior)?.ln();
        gaps.push(ln_z - bound);
        joined.push(after.len());
        let place = |v: VarId| spot(v.index(), &model);
        drawings.push((
            drawing(&model.graph, place),
            drawing(&simplify(posterior)?, place),
        ));
        shown.table.push(vec![
            model.name.into(),
            model.visible.to_string(),
            (model.graph.num_variables() - model.visible).to_string(),
            latent.to_string(),
            after.len().to_string(),
            width.to_string(),
            format!("{ln_z:.6}"),
            format!("{bound:.6}"),
        ]);
    }
    let (before, after) = drawings.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    for (name, caption, drawings) in [
        (
            "chapter-models",
            "Restricted, semi-restricted and deep Boltzmann machine, and a directed model; latent variables \
             above the visible ones.",
            before,
        ),
        (
            "chapter-models-posterior",
            "What is left of them when the visible variables are observed, with factors over the same \
             variables merged.",
            after,
        ),
    ] {
        shown.figures.push(Figure {
            name: name.into(),
            caption: caption.into(),
            image: Image::Svg(side_by_side(&drawings)),
        });
    }
    shown.claims = vec![
        Claim::new(
            "Edges between latent variables stay when the visible ones are observed, and a common \
                   child joins its parents even where no edge did before.",
            (
                joined[0] == 0 && joined[1..].iter().all(|&pairs| pairs > 0),
                format!("pairs of latent variables that interact given v: {joined:?}"),
            ),
        ),
        Claim::new(
            "So a product of independent distributions is exact for the restricted machine alone.",
            (
                gaps[0].abs() < 1e-8 && gaps[1..].iter().all(|&gap| gap > 1e-4),
                format!("ln p(v) − mean field: {gaps:.4?} nats"),
            ),
        ),
    ];
    Ok(shown)
}

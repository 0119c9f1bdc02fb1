//! Dictionaries learned from whitened patches of photographs: oriented, localised atoms (19.3).

use forney_latent::sparse_coding::{Gabor, SparseCodingParams};
use ndarray::{Array2, ArrayView2, Axis as Along};
use rayon::prelude::*;

use super::patches;

use crate::reproduce::context::Context;
use crate::reproduce::shown::{Claim, Figure, Image, Shown};

/// Patches kept apart to be coded after learning, and the number of random ones that are fitted.
const TEST: usize = 1000;
/// Weight of the penalty, for pixels of variance 1.
const LAMBDA: f64 = 1.0;
/// Columns of the CSV.
const HEADER: [&str; 2] = ["pass", "objective"];

/// Side of a patch.
const SIDE: usize = 8;

pub(crate) fn run(context: &Context<'_>) -> anyhow::Result<Shown> {
    let photographs: Vec<_> = ["learning/china.jpg", "learning/flower.jpg"]
        .into_iter()
        .filter_map(|name| context.file(name))
        .collect();
    if photographs.is_empty() {
        return Ok(Shown {
            header: HEADER.to_vec(),
            ..Shown::default()
        });
    }
    let side = SIDE;
    let patches = patches::cut(&photographs, side, context.pick(10_000, 60_000), 1)?;
    let (test, train) = patches.view().split_at(Along(0), TEST);
    let params = SparseCodingParams {
        lambda: LAMBDA,
        passes: context.pick(2, 5),
        ..SparseCodingParams::new(128)
    };
    let fit = params.fit(train)?;
    let atoms = fit.model.dictionary.t();
    let share = |rows: ArrayView2<'_, f64>| -> anyhow::Result<f64> {
        let fitted: Vec<f64> = (0..rows.nrows())
            .into_par_iter()
            .map(|row| {
                let tile = Array2::from_shape_fn((side, side), |(y, x)| rows[[row, y * side + x]]);
                Ok(Gabor::fit(tile.view())?.r2)
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(fitted.iter().filter(|r2| **r2 > 0.8).count() as f64 / fitted.len() as f64)
    };
    let (of_atoms, of_patches) = (share(atoms)?, share(test.slice(ndarray::s![..128, ..]))?);
    let encoding = fit.model.transform(test)?;
    let used = encoding.codes.non_zeros() as f64 / (test.nrows() * fit.model.atoms()) as f64;
    let gap = encoding.gaps.iter().copied().fold(0.0, f64::max);
    let pass = |(pass, objective): (usize, &f64)| vec![pass.to_string(), format!("{objective:.6}")];
    Ok(Shown {
        figures: vec![Figure {
            name: "dictionary".into(),
            caption: "Atoms learned from whitened patches of two photographs, china.jpg by danielbuechele \
                      and flower.jpg by vultilion (CC BY 2.0)."
                .into(),
            image: Image::Png(forney_plot::tiles_png(atoms, (side, side), 16)?),
        }],
        header: HEADER.to_vec(),
        table: fit.trace.iter().enumerate().map(pass).collect(),
        claims: vec![
            Claim::new("Atoms learned from natural patches are oriented, localised and band-pass.", (of_atoms > 3.0 * of_patches, format!(
                    "a Gabor function explains R² > 0.8 of {:.0} % of the atoms and of {:.0} % of the patches",
                    100.0 * of_atoms,
                    100.0 * of_patches
                ))),
            Claim::new("The factorial posterior is replaced by its mode, a sparse code found by convex \
                       optimisation.", (used < 0.2 && gap < 1e-9, format!(
                    "{:.1} % of the coefficients are not zero; largest relative duality gap {gap:.0e}",
                    100.0 * used
                ))),
        ],
    })
}

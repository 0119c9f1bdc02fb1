//! A start for mixtures: k-means with k-means++ seeding (Arthur & Vassilvitskii 2007).

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, s};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::gaussian::{Covariance, Gaussians};
use super::rows::{Columns, Rows};
use crate::LatentError;
use crate::check::within;

/// Rounds of Lloyd's algorithm; EM does the rest.
const ROUNDS: usize = 20;

/// Rows in a task; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 1024;

/// The cluster of each row, by distances in units of `scale`, one for each column.
///
/// # Complexity
/// Time `O(N D K)` for the seeding and for each of at most 20 rounds; memory `O(N)`.
pub(super) fn k_means(
    data: ArrayView2<'_, f64>,
    scale: &Array1<f64>,
    clusters: usize,
    seed: u64,
) -> Vec<usize> {
    let origin = data.row(0).to_owned();
    let mut centres = seeding(data, &origin, scale, clusters, seed);
    let mut labels = vec![usize::MAX; data.nrows()];
    for _ in 0..ROUNDS {
        let norms: Array1<f64> = centres
            .rows()
            .into_iter()
            .map(|c| 0.5 * c.dot(&c))
            .collect();
        let parts: Vec<(bool, Array2<f64>, Array1<f64>)> = labels
            .par_chunks_mut(CHUNK)
            .enumerate()
            .map(|(chunk, labels)| {
                let start = chunk * CHUNK;
                let mut z = data.slice(s![start..start + labels.len(), ..]).to_owned();
                z = (z - &origin) / scale;
                // The nearest centre has the largest `z·c − |c|²/2`.
                let near = z.dot(&centres.t()) - &norms;
                let mut changed = false;
                let mut sums = Array2::zeros(centres.dim());
                let mut counts = Array1::zeros(clusters);
                for ((label, near), z) in labels.iter_mut().zip(near.rows()).zip(z.rows()) {
                    let nearest = largest(near);
                    changed |= nearest != *label;
                    *label = nearest;
                    counts[nearest] += 1.0;
                    sums.row_mut(nearest).scaled_add(1.0, &z);
                }
                (changed, sums, counts)
            })
            .collect();
        if parts.iter().all(|(changed, ..)| !changed) {
            break;
        }
        let mut sums = Array2::<f64>::zeros(centres.dim());
        let mut counts = Array1::<f64>::zeros(clusters);
        for (_, part_sums, part_counts) in &parts {
            sums += part_sums;
            counts += part_counts;
        }
        for (k, mut centre) in centres.rows_mut().into_iter().enumerate() {
            // A cluster without rows keeps its centre.
            if counts[k] > 0.0 {
                centre.assign(&(&sums.row(k) / counts[k]));
            }
        }
    }
    labels
}

/// The Gaussians of clusters: the M-step of hard assignments, above a floor in parts of each column's
/// variance.
pub(super) fn clusters(
    data: ArrayView2<'_, f64>,
    labels: &[usize],
    clusters: usize,
    kind: Covariance,
    columns: &Columns,
    floor: f64,
) -> Result<Gaussians, LatentError> {
    within(
        "the variance floor",
        "from 1e-12 to below 1",
        floor,
        (1e-12..1.0).contains(&floor),
    )?;
    let mut means = Array2::zeros((clusters, data.ncols()));
    for mut mean in means.rows_mut() {
        mean.assign(&columns.mean);
    }
    let floor = &columns.variance * floor;
    let start = Gaussians::at(means, kind, &columns.variance, floor);
    let rows = Rows::new(data, None, 0)?;
    Ok(start.maximised(&start.labelled(&rows, labels)))
}

/// Rows drawn one after another with a probability proportional to the squared distance from the
/// nearest one drawn before, uniformly if all rows have been drawn; of some candidates at a time the
/// one that leaves the least sum of distances.
fn seeding(
    data: ArrayView2<'_, f64>,
    origin: &Array1<f64>,
    scale: &Array1<f64>,
    clusters: usize,
    seed: u64,
) -> Array2<f64> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let candidates = 2 + (clusters as f64).ln() as usize;
    let mut centres = Array2::zeros((clusters, data.ncols()));
    let mut distances = vec![f64::INFINITY; data.nrows()];
    for k in 0..clusters {
        let mut best: Option<(f64, Array1<f64>, Vec<f64>)> = None;
        for _ in 0..if k == 0 { 1 } else { candidates } {
            let drawn = data.row(draw_row(&distances, &mut rng));
            let centre = (&drawn - origin) / scale;
            let mut nearer = distances.clone();
            let sums: Vec<f64> = nearer
                .par_chunks_mut(CHUNK)
                .enumerate()
                .map(|(chunk, nearer)| {
                    for (n, distance) in nearer.iter_mut().enumerate() {
                        let row = data.row(chunk * CHUNK + n);
                        *distance = distance.min(squared_distance(row, origin, scale, &centre));
                    }
                    nearer.iter().sum::<f64>()
                })
                .collect();
            let sum: f64 = sums.iter().sum();
            if best.as_ref().is_none_or(|(least, ..)| sum < *least) {
                best = Some((sum, centre, nearer));
            }
        }
        if let Some((_, centre, nearer)) = best {
            centres.row_mut(k).assign(&centre);
            distances = nearer;
        }
    }
    centres
}

/// A row with a probability proportional to its distance; any row if that says nothing.
fn draw_row(distances: &[f64], rng: &mut Pcg64) -> usize {
    let total: f64 = distances.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        return rng.random_range(0..distances.len());
    }
    let mut left = rng.random::<f64>() * total;
    let drawn = distances.iter().position(|distance| {
        left -= distance;
        left < 0.0
    });
    drawn.unwrap_or(distances.len() - 1)
}

/// The squared distance of a row from a scaled centre, in units of `scale`.
fn squared_distance(
    row: ArrayView1<'_, f64>,
    origin: &Array1<f64>,
    scale: &Array1<f64>,
    centre: &Array1<f64>,
) -> f64 {
    let mut sum = 0.0;
    for (((x, o), s), c) in row.iter().zip(origin).zip(scale).zip(centre) {
        let apart = (x - o) / s - c;
        sum += apart * apart;
    }
    sum
}

/// The place of the largest number, the first of equals.
pub(super) fn largest(x: ArrayView1<'_, f64>) -> usize {
    let mut best = (f64::NEG_INFINITY, 0);
    for (at, &x) in x.iter().enumerate() {
        if x > best.0 {
            best = (x, at);
        }
    }
    best.1
}

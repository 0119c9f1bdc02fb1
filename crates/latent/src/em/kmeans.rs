//! A start for mixtures: k-means with k-means++ seeding (Arthur & Vassilvitskii 2007).

use forney_certify::Budget;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::gaussian::{Covariance, Gaussians};
use super::rows::{Columns, Rows};
use crate::{LatentError, check};

/// Rounds of Lloyd's algorithm; EM does the rest.
const ROUNDS: usize = 20;

/// Rows in a task; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 1024;

/// Bytes that the clusters of so many rows take, about: three numbers for each row, and one more for each
/// candidate.
pub(super) fn demand(rows: usize, clusters: usize) -> f64 {
    let candidates = 2.0 + (clusters.max(1) as f64).ln();
    8.0 * rows as f64 * (3.0 + candidates)
}

/// The cluster of each row, by distances in units of `scale`, one for each column; any clusters once
/// the budget has ended.
///
/// # Complexity
/// Time `O(N D K ln K)` for the seeding and `O(N D K)` for each of at most 20 rounds; memory `O(N)`.
fn k_means(
    data: ArrayView2<'_, f64>,
    scale: &Array1<f64>,
    clusters: usize,
    seed: u64,
    budget: &Budget,
) -> Vec<usize> {
    let points = Points {
        data,
        origin: data.row(0).to_owned(),
        inverse_scale: scale.mapv(f64::recip),
    };
    let mut centres = seeding(&points, clusters, seed, budget);
    let mut labels = vec![usize::MAX; data.nrows()];
    for _ in 0..ROUNDS {
        if budget.stop().is_some() {
            return vec![0; data.nrows()];
        }
        let parts: Vec<(bool, Array2<f64>, Array1<f64>)> = labels
            .par_chunks_mut(CHUNK)
            .enumerate()
            .map(|(chunk, labels)| {
                let z = points.chunk(chunk);
                let mut changed = false;
                let mut sums = Array2::zeros(centres.dim());
                let mut counts = Array1::zeros(clusters);
                let distances = squared_distances(&z, &centres);
                for ((label, distances), z) in labels.iter_mut().zip(distances.rows()).zip(z.rows())
                {
                    let nearest = largest(distances.map(|d| -d).view());
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

/// Rows in units of each column's scale, about the first of them.
struct Points<'d> {
    data: ArrayView2<'d, f64>,
    origin: Array1<f64>,
    inverse_scale: Array1<f64>,
}

impl Points<'_> {
    /// One chunk of rows.
    fn chunk(&self, chunk: usize) -> Array2<f64> {
        let start = chunk * CHUNK;
        let end = (start + CHUNK).min(self.data.nrows());
        (&self.data.slice(s![start..end, ..]) - &self.origin) * &self.inverse_scale
    }

    fn row(&self, row: usize) -> Array1<f64> {
        (&self.data.row(row) - &self.origin) * &self.inverse_scale
    }
}

/// `|z|² − 2 z·c + |c|²` of each point and centre, by one matrix product; at least 0.
fn squared_distances(z: &Array2<f64>, centres: &Array2<f64>) -> Array2<f64> {
    let squares =
        |a: &Array2<f64>| -> Array1<f64> { a.rows().into_iter().map(|x| x.dot(&x)).collect() };
    let mut distances = z.dot(&centres.t());
    distances *= -2.0;
    distances += &squares(centres);
    distances += &squares(z).insert_axis(Axis(1));
    distances.mapv_inplace(|d| d.max(0.0));
    distances
}

/// The clusters of k-means, in units of the standard deviations of the columns, and their Gaussians: the
/// M-step of hard assignments, above a floor in parts of each column's variance.
pub(super) fn gaussians(
    data: ArrayView2<'_, f64>,
    columns: &Columns,
    (clusters, kind, floor): (usize, Covariance, f64),
    seed: u64,
    budget: &Budget,
) -> Result<(Vec<usize>, Gaussians), LatentError> {
    let labels = k_means(
        data,
        &columns.variance.mapv(f64::sqrt),
        clusters,
        seed,
        budget,
    );
    check::floor("the variance floor", floor)?;
    let mut means = Array2::zeros((clusters, data.ncols()));
    for mut mean in means.rows_mut() {
        mean.assign(&columns.mean);
    }
    let floor = &columns.variance * floor;
    let start = Gaussians::at(means, kind, &columns.variance, floor);
    let rows = Rows::new(data, None, 0)?;
    let gaussians = start.maximised(&start.labelled(&rows, &labels));
    Ok((labels, gaussians))
}

/// Rows drawn one after another with a probability proportional to the squared distance from the
/// nearest one drawn before, uniformly if all rows have been drawn; of some candidates at a time the
/// one that leaves the least sum of distances.
fn seeding(points: &Points<'_>, clusters: usize, seed: u64, budget: &Budget) -> Array2<f64> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let columns = points.data.ncols();
    let mut centres = Array2::zeros((clusters, columns));
    let mut distances = vec![f64::INFINITY; points.data.nrows()];
    for k in 0..clusters {
        if budget.stop().is_some() {
            break;
        }
        let count = if k == 0 {
            1
        } else {
            2 + (clusters as f64).ln() as usize
        };
        let mut candidates = Array2::zeros((count, columns));
        for mut candidate in candidates.rows_mut() {
            candidate.assign(&points.row(draw_row(&distances, &mut rng)));
        }
        let parts: Vec<(Array2<f64>, Array1<f64>)> = distances
            .par_chunks(CHUNK)
            .enumerate()
            .map(|(chunk, distances)| {
                let mut nearer = squared_distances(&points.chunk(chunk), &candidates);
                for (mut nearer, distance) in nearer.rows_mut().into_iter().zip(distances) {
                    nearer.mapv_inplace(|d| d.min(*distance));
                }
                let sums = nearer.sum_axis(Axis(0));
                (nearer, sums)
            })
            .collect();
        let mut sums = Array1::<f64>::zeros(count);
        for (_, part) in &parts {
            sums += part;
        }
        let best = largest(sums.map(|sum| -sum).view());
        centres.row_mut(k).assign(&candidates.row(best));
        for (distances, (nearer, _)) in distances.chunks_mut(CHUNK).zip(&parts) {
            for (distance, nearer) in distances.iter_mut().zip(nearer.column(best)) {
                *distance = *nearer;
            }
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

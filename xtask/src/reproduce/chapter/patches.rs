//! Whitened patches of photographs.

use std::f64::consts::PI;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context as _, ensure};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Pixels from the middle of the filter to its edge.
const REACH: usize = 11;

/// Patches of `side × side` pixels cut from photographs at random places, one a row; as many from each.
///
/// A photograph is turned to grey, filtered, and scaled to variance 1; the mean of each patch is removed.
pub(super) fn cut(
    photographs: &[impl AsRef<Path>],
    side: usize,
    patches: usize,
    seed: u64,
) -> anyhow::Result<Array2<f64>> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut rows = Vec::with_capacity(patches * side * side);
    let each = patches / photographs.len().max(1);
    for path in photographs {
        let path = path.as_ref();
        let image = grey(path).with_context(|| path.display().to_string())?;
        let image = whitened(&image);
        let (height, width) = image.dim();
        ensure!(
            height > side && width > side,
            "{} is smaller than a patch",
            path.display()
        );
        for _ in 0..each {
            let (top, left) = (
                rng.random_range(0..=height - side),
                rng.random_range(0..=width - side),
            );
            let patch = image.slice(ndarray::s![top..top + side, left..left + side]);
            let mean = patch.sum() / (side * side) as f64;
            rows.extend(patch.iter().map(|value| value - mean));
        }
    }
    Ok(Array2::from_shape_vec(
        (each * photographs.len(), side * side),
        rows,
    )?)
}

fn grey(path: &Path) -> anyhow::Result<Array2<f64>> {
    let mut decoder = jpeg_decoder::Decoder::new(BufReader::new(File::open(path)?));
    let bytes = decoder.decode()?;
    let info = decoder.info().context("no picture in the file")?;
    let pixels = usize::from(info.width) * usize::from(info.height);
    ensure!(
        pixels > 0 && bytes.len() == 3 * pixels,
        "not a colour picture of 8 bits"
    );
    let luma = |rgb: &[u8]| {
        0.299 * f64::from(rgb[0]) + 0.587 * f64::from(rgb[1]) + 0.114 * f64::from(rgb[2])
    };
    let grey = bytes.chunks_exact(3).map(luma).collect();
    Ok(Array2::from_shape_vec(
        (info.height.into(), info.width.into()),
        grey,
    )?)
}

/// Filters with `f exp(−(f/0.8)⁴)`, `f` in units of the Nyquist frequency (Olshausen & Field 1996), which
/// flattens the spectrum of natural images; edges where the filter does not fit are left out.
fn whitened(image: &Array2<f64>) -> Array2<f64> {
    let kernel = kernel();
    let reach = 2 * REACH;
    let (height, width) = image.dim();
    let inside = (height.saturating_sub(reach), width.saturating_sub(reach));
    let mut out = Array2::<f64>::zeros(inside);
    // One shifted picture for each entry of the kernel.
    for ((y, x), &weight) in kernel.indexed_iter() {
        out.scaled_add(
            weight,
            &image.slice(ndarray::s![y..y + inside.0, x..x + inside.1]),
        );
    }
    let n = out.len().max(1) as f64;
    let mean = out.sum() / n;
    out -= mean;
    let variance = out.iter().map(|value| value * value).sum::<f64>() / n;
    out / variance.sqrt().max(f64::MIN_POSITIVE)
}

/// The filter in space: the inverse Fourier transform of its response, which is real and even.
fn kernel() -> Array2<f64> {
    let side = 2 * REACH + 1;
    let frequencies: Vec<f64> = (0..side)
        .map(|k| (k as f64 - REACH as f64) / (REACH as f64 + 0.5))
        .collect();
    // cos(π f y) cos(π f x), the odd parts cancel.
    let wave = Array2::from_shape_fn((side, side), |(at, k)| {
        (PI * frequencies[k] * (at as f64 - REACH as f64)).cos()
    });
    let response = Array2::from_shape_fn((side, side), |(k, l)| {
        let f = frequencies[k].hypot(frequencies[l]);
        f * (-(f / 0.8).powi(4)).exp()
    });
    wave.dot(&response).dot(&wave.t()) / (side * side) as f64
}

//! Sums over the rows of a clique, each with its slope.
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `p(x, y)` | product of the inputs | `rows × cols` |
//! | `m(y)` | message | `cols` |
//! | `∂m(y)/∂p(x, y)` | slope | `rows × cols`, in place of `p` |

use forney_exact::vmath;

/// `m(y) = Σ_x p(x, y)`, signs kept.
pub(crate) fn signed(product: &[f64], message: &mut [f64]) {
    message.fill(0.0);
    for row in product.chunks_exact(message.len()) {
        for (m, p) in message.iter_mut().zip(row) {
            *m += p;
        }
    }
}

/// `m(y) = Σ_x |p(x, y)|`; the slope is the sign of `p`, 0 where `p = 0`.
pub(crate) fn absolute(product: &mut [f64], message: &mut [f64]) {
    message.fill(0.0);
    for row in product.chunks_exact_mut(message.len()) {
        for (m, p) in message.iter_mut().zip(row) {
            *m += p.abs();
            *p = sign(*p);
        }
    }
}

/// What a weighted sum works in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weighted {
    powers: Vec<f64>,
    pivots: Vec<f64>,
    sums: Vec<f64>,
}

impl Weighted {
    /// `m(y) = (Σ_x |p(x, y)|^{1/w})^w` for `w ≠ 0`, its slope, and `∂ ln m(y) / ∂w = H(x | y)`, the
    /// entropy of `|p|^{1/w}` normalised over `x`.
    ///
    /// With `M(y)` the largest `|p|` of a column (the least, if `w < 0`) and `q = (|p|/M)^{1/w} ≤ 1`,
    /// `S = Σ_x q ∈ [1, rows]`: `m = M S^w` and `∂m/∂p = sign(p) q (M/|p|) S^{w−1}`. Nothing
    /// overflows for `w ≤ 1`, where `q M/|p| = (|p|/M)^{1/w − 1} ≤ 1`. Zeros get slope 0.
    pub(crate) fn sum(
        &mut self,
        product: &mut [f64],
        weight: f64,
        message: &mut [f64],
        entropy: &mut [f64],
    ) {
        let cols = message.len();
        self.powers.resize(product.len(), 0.0);
        self.pivots.resize(cols, 0.0);
        self.sums.resize(cols, 0.0);
        let (pivots, sums) = (&mut self.pivots, &mut self.sums);
        let start = if weight > 0.0 { 0.0 } else { f64::INFINITY };
        pivots.fill(start);
        for row in product.chunks_exact(cols) {
            let pairs = pivots.iter_mut().zip(row);
            if weight > 0.0 {
                pairs.for_each(|(pivot, p)| *pivot = pivot.max(p.abs()));
            } else {
                pairs.for_each(|(pivot, p)| *pivot = pivot.min(p.abs()));
            }
        }
        for (scale, &pivot) in sums.iter_mut().zip(pivots.iter()) {
            *scale = if pivot > 0.0 { 1.0 / pivot } else { 0.0 };
        }
        let rows = product.chunks_exact(cols);
        for (ratio, row) in self.powers.chunks_exact_mut(cols).zip(rows) {
            for ((ratio, p), &scale) in ratio.iter_mut().zip(row).zip(sums.iter()) {
                // A column whose pivot is 0 gives 0 whatever its ratios are.
                *ratio = if scale > 0.0 { p.abs() * scale } else { 1.0 };
            }
        }
        ln_in_place(&mut self.powers, 1.0 / weight);
        // Now `powers` holds ln q; the entropy needs Σ q ln q beside Σ q.
        sums.fill(0.0);
        entropy.fill(0.0);
        let mut ln_power = [0.0; CHUNK];
        for row in self.powers.chunks_exact_mut(cols) {
            let targets = sums.chunks_mut(CHUNK).zip(entropy.chunks_mut(CHUNK));
            for (row, (sums, entropy)) in row.chunks_mut(CHUNK).zip(targets) {
                let ln_power = &mut ln_power[..row.len()];
                ln_power.copy_from_slice(row);
                vmath::exp_in_place(row);
                let pairs = row.iter().zip(ln_power);
                for (((q, ln_q), sum), h) in pairs.zip(sums).zip(entropy) {
                    *sum += q;
                    *h -= if *q > 0.0 { q * *ln_q } else { 0.0 };
                }
            }
        }
        vmath::ln_slice(sums, message);
        for ((h, sum), ln_sum) in entropy.iter_mut().zip(sums.iter()).zip(message.iter()) {
            *h = *h / sum + ln_sum;
        }
        message.iter_mut().for_each(|ln_sum| *ln_sum *= weight);
        vmath::exp_in_place(message);
        for ((m, sum), pivot) in message.iter_mut().zip(sums.iter_mut()).zip(pivots) {
            *m *= *pivot;
            *sum = *m / *sum;
        }
        // `sums` holds M S^{w−1}.
        let powers = self.powers.chunks_exact(cols);
        for (row, powers) in product.chunks_exact_mut(cols).zip(powers) {
            for ((p, q), factor) in row.iter_mut().zip(powers).zip(sums.iter()) {
                // Subnormal entries count as zeros: their reciprocals overflow.
                *p = if p.abs() >= f64::MIN_POSITIVE {
                    q * factor / *p
                } else {
                    0.0
                };
            }
        }
    }
}

/// Entries whose logarithms are kept for a moment.
const CHUNK: usize = 64;

fn ln_in_place(x: &mut [f64], scale: f64) {
    let mut out = [0.0; CHUNK];
    for x in x.chunks_mut(CHUNK) {
        let out = &mut out[..x.len()];
        vmath::ln_scaled(x, scale, 0.0, out);
        x.copy_from_slice(out);
    }
}

/// The sign, 0 at 0.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { 1f64.copysign(x) }
}

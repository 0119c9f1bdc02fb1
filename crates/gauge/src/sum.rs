//! Sums over the rows of a clique, each with its slope.
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `p(x, y)` | product of the inputs | `rows × cols` |
//! | `m(y)` | message | `cols` |
//! | `∂m(y)/∂p(x, y)` | slope | `rows × cols`, in place of `p` |

use forney_exact::dispatch::dispatch;
use forney_exact::vmath;

/// What becomes of the rows of a clique.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// `Σ_x p(x, y)`.
    Signed,
    /// `Σ_x |p(x, y)|`.
    Absolute,
    /// `(Σ_x |p(x, y)|^{1/w})^w`.
    Weighted(f64),
}

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

/// Entries that [`weighted`] works in.
pub(crate) fn work_len(rows: usize, cols: usize) -> usize {
    (rows + 2) * cols
}

/// `m(y) = (Σ_x |p(x, y)|^{1/w})^w` for `w ≠ 0`, its slope, and `∂ ln m(y) / ∂w = H(x | y)`, the
/// entropy of `|p|^{1/w}` normalised over `x`.
///
/// With `M(y)` the largest `|p|` of a column (the least, if `w < 0`) and `q = (|p|/M)^{1/w} ≤ 1`,
/// `S = Σ_x q ∈ [1, rows]`: `m = M S^w` and `∂m/∂p = sign(p) q (M/|p|) S^{w−1}`. Nothing
/// overflows for `w ≤ 1`, where `q M/|p| = (|p|/M)^{1/w − 1} ≤ 1`. Zeros get slope 0.
pub(crate) fn weighted(
    product: &mut [f64],
    weight: f64,
    message: &mut [f64],
    entropy: &mut [f64],
    work: &mut [f64],
) {
    let cols = message.len();
    let (pivots, work) = work.split_at_mut(cols);
    let (sums, powers) = work.split_at_mut(cols);
    if product.len() == 2 * cols {
        return weighted_pair(
            product,
            weight,
            message,
            entropy,
            [pivots, sums, &mut powers[..cols]],
        );
    }
    let powers = &mut powers[..product.len()];
    ratios(product, weight > 0.0, pivots, powers);
    ln_in_place(powers, 1.0 / weight);
    // Now `powers` holds ln q; the entropy needs Σ q ln q beside Σ q.
    sums.fill(0.0);
    entropy.fill(0.0);
    let mut ln_power = [0.0; CHUNK];
    for row in powers.chunks_exact_mut(cols) {
        let targets = sums.chunks_mut(CHUNK).zip(entropy.chunks_mut(CHUNK));
        for (row, (sums, entropy)) in row.chunks_mut(CHUNK).zip(targets) {
            let ln_power = &mut ln_power[..row.len()];
            ln_power.copy_from_slice(row);
            vmath::exp_in_place(row);
            add_terms(row, ln_power, sums, entropy);
        }
    }
    vmath::ln_slice(sums, message);
    for ((h, sum), ln_sum) in entropy.iter_mut().zip(sums.iter()).zip(message.iter()) {
        *h = *h / sum + ln_sum;
    }
    message.iter_mut().for_each(|ln_sum| *ln_sum *= weight);
    vmath::exp_in_place(message);
    slopes(product, powers, pivots, sums, message);
}

/// [`weighted`] for two rows, where one power of each column is 1.
fn weighted_pair(
    product: &mut [f64],
    weight: f64,
    message: &mut [f64],
    entropy: &mut [f64],
    [pivots, powers, ln_powers]: [&mut [f64]; 3],
) {
    pair_ratios(product, weight > 0.0, pivots, powers);
    vmath::ln_scaled(powers, 1.0 / weight, 0.0, ln_powers);
    vmath::exp_slice(ln_powers, powers);
    pair_sums(powers, ln_powers, entropy);
    // `ln_powers` holds S from here on.
    vmath::ln_slice(ln_powers, message);
    for ((h, ln_sum), sum) in entropy
        .iter_mut()
        .zip(message.iter_mut())
        .zip(ln_powers.iter())
    {
        *h = *h / sum + *ln_sum;
        *ln_sum *= weight;
    }
    vmath::exp_in_place(message);
    pair_slopes(product, weight > 0.0, pivots, powers, ln_powers, message);
}

/// Is the first of two entries the pivot? Written so that NaN becomes a pivot or a ratio.
#[inline(always)]
fn leads(p: f64, r: f64, largest: bool) -> bool {
    if largest {
        p.abs() > r.abs()
    } else {
        p.abs() < r.abs()
    }
}

dispatch! {
    /// `M(y)`, and `|p|/M` of the other entry.
    fn pair_ratios(product: &[f64], largest: bool, pivots: &mut [f64], ratios: &mut [f64]) {
        let (one, two) = product.split_at(pivots.len());
        let rows = one.iter().zip(two);
        for ((pivot, ratio), (&p, &r)) in pivots.iter_mut().zip(ratios).zip(rows) {
            let first = leads(p, r, largest);
            let (m, other) = if first { (p.abs(), r.abs()) } else { (r.abs(), p.abs()) };
            *pivot = m;
            // A column whose pivot is 0 gives 0 whatever its ratio is.
            let quotient = other / m;
            *ratio = if m == 0.0 { 1.0 } else { quotient };
        }
    }
}

dispatch! {
    /// `S = 1 + q` in place of `ln q`, and `−q ln q`.
    fn pair_sums(q: &[f64], ln_q: &mut [f64], entropy: &mut [f64]) {
        for ((q, ln_q), h) in q.iter().zip(ln_q).zip(entropy) {
            *h = if *q > 0.0 { -(q * *ln_q) } else { 0.0 };
            *ln_q = 1.0 + q;
        }
    }
}

dispatch! {
    /// As [`slopes`].
    fn pair_slopes(
        product: &mut [f64],
        largest: bool,
        pivots: &[f64],
        powers: &[f64],
        sums: &[f64],
        message: &mut [f64],
    ) {
        let (one, two) = product.split_at_mut(pivots.len());
        let columns = pivots.iter().zip(powers).zip(sums).zip(message);
        let slope = |p: f64, q: f64, factor: f64| {
            let slope = q * factor / p;
            if p.abs() >= f64::MIN_POSITIVE { slope } else { 0.0 }
        };
        for ((p, r), (((pivot, q), sum), m)) in one.iter_mut().zip(two).zip(columns) {
            *m *= *pivot;
            let factor = *m / *sum;
            let (q_one, q_two) = if leads(*p, *r, largest) { (1.0, *q) } else { (*q, 1.0) };
            *p = slope(*p, q_one, factor);
            *r = slope(*r, q_two, factor);
        }
    }
}

dispatch! {
    /// `M(y)` and `|p|/M`.
    fn ratios(product: &[f64], largest: bool, pivots: &mut [f64], ratios: &mut [f64]) {
        let cols = pivots.len();
        pivots.fill(if largest { 0.0 } else { f64::INFINITY });
        for row in product.chunks_exact(cols) {
            let pairs = pivots.iter_mut().zip(row);
            if largest {
                pairs.for_each(|(pivot, p)| *pivot = pivot.max(p.abs()));
            } else {
                pairs.for_each(|(pivot, p)| *pivot = pivot.min(p.abs()));
            }
        }
        let rows = product.chunks_exact(cols);
        for (ratio, row) in ratios.chunks_exact_mut(cols).zip(rows) {
            for ((ratio, p), &pivot) in ratio.iter_mut().zip(row).zip(pivots.iter()) {
                // A column whose pivot is 0 gives 0 whatever its ratios are.
                *ratio = if pivot > 0.0 { p.abs() / pivot } else { 1.0 };
            }
        }
    }
}

dispatch! {
    /// `Σ q` and `−Σ q ln q`.
    fn add_terms(q: &[f64], ln_q: &[f64], sums: &mut [f64], entropy: &mut [f64]) {
        for (((q, ln_q), sum), h) in q.iter().zip(ln_q).zip(sums).zip(entropy) {
            *sum += q;
            *h -= if *q > 0.0 { q * *ln_q } else { 0.0 };
        }
    }
}

dispatch! {
    /// `m = M S^w`, from `S^w`, and the slopes.
    fn slopes(
        product: &mut [f64],
        powers: &[f64],
        pivots: &[f64],
        sums: &mut [f64],
        message: &mut [f64],
    ) {
        let cols = message.len();
        for ((m, sum), pivot) in message.iter_mut().zip(sums.iter_mut()).zip(pivots) {
            *m *= *pivot;
            *sum = *m / *sum;
        }
        // `sums` holds M S^{w−1}.
        let powers = powers.chunks_exact(cols);
        for (row, powers) in product.chunks_exact_mut(cols).zip(powers) {
            for ((p, q), factor) in row.iter_mut().zip(powers).zip(sums.iter()) {
                // Subnormal entries count as zeros: their reciprocals overflow.
                let slope = q * factor / *p;
                *p = if p.abs() >= f64::MIN_POSITIVE { slope } else { 0.0 };
            }
        }
    }
}

dispatch! {
    /// `c(x, y) = ∂m/∂p · adjoint(y)`; without slopes they are 1.
    pub(crate) fn spread_adjoint(adjoint: &[f64], slopes: &[f64], out: &mut [f64]) {
        let rows = out.chunks_exact_mut(adjoint.len());
        if slopes.is_empty() {
            rows.for_each(|row| row.copy_from_slice(adjoint));
        } else {
            for (row, slopes) in rows.zip(slopes.chunks_exact(adjoint.len())) {
                for ((out, slope), a) in row.iter_mut().zip(slopes).zip(adjoint) {
                    *out = slope * a;
                }
            }
        }
    }
}

dispatch! {
    /// `max |m|`; NaN is left out.
    pub(crate) fn largest(message: &[f64]) -> f64 {
        let mut lanes = [0.0f64; LANES];
        let mut chunks = message.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (lane, m) in lanes.iter_mut().zip(chunk) {
                *lane = lane.max(m.abs());
            }
        }
        let tail = chunks.remainder().iter();
        let most = tail.fold(0.0f64, |most, m| most.max(m.abs()));
        lanes.into_iter().fold(most, f64::max)
    }
}

dispatch! {
    /// `Σ a b c`, in fixed lanes.
    pub(crate) fn triple(a: &[f64], b: &[f64], c: &[f64]) -> f64 {
        let mut lanes = [0.0f64; LANES];
        let all = a.chunks(LANES).zip(b.chunks(LANES)).zip(c.chunks(LANES));
        for ((a, b), c) in all {
            for (((lane, a), b), c) in lanes.iter_mut().zip(a).zip(b).zip(c) {
                *lane += a * b * c;
            }
        }
        lanes.into_iter().sum()
    }
}

/// Sums run in so many lanes, whatever the width of a vector.
const LANES: usize = 8;

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
#[inline(always)]
pub(crate) fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { 1f64.copysign(x) }
}

//! The gauge of belief propagation at one variable.

/// Between messages `m` of the first factor and `r` of the second with `m · r = 1`, the gauge
///
/// ```text
/// first:   G(x⁰, ·) = r,    G(i, ·) = e_i − m(i) r                    for i ≠ x⁰
/// second:  G(x⁰, ·) = m,    G(i, ·) = e_i − r(i) / r(x⁰) e_{x⁰}       for i ≠ x⁰
/// ```
///
/// with rows scaled so that those of the two sides are as long as each other. It is never written
/// out: it acts on a table in as many steps as that has entries.
#[derive(Clone, Debug)]
pub(super) struct BetheGauge {
    x0: usize,
    m: Vec<f64>,
    r: Vec<f64>,
    /// What the rows of the first side are multiplied by, and those of the second divided by.
    scale: Vec<f64>,
}

impl BetheGauge {
    /// The gauge with `x⁰ = x0` of two messages, each with any positive factor. It takes tables to
    /// NaN or infinity if it is singular.
    pub(super) fn new(m: &[f64], r: &[f64], x0: usize) -> Self {
        let total: f64 = m.iter().zip(r).map(|(m, r)| m * r).sum();
        let r: Vec<f64> = r.iter().map(|r| r / total).collect();
        let squared = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let (mm, rr) = (squared(m), squared(&r));
        let scale = |(i, (m, own)): (usize, (&f64, &f64))| {
            let (first, second) = if i == x0 {
                (rr, mm)
            } else {
                let first = 1.0 - 2.0 * m * own + m * m * rr;
                (first, 1.0 + (own / r[x0]).powi(2))
            };
            (second / first).sqrt().sqrt()
        };
        let scale = m.iter().zip(&r).enumerate().map(scale).collect();
        Self {
            x0,
            m: m.to_vec(),
            r,
            scale,
        }
    }

    /// Applies one side, 0 or 1, to an axis with that stride.
    pub(super) fn apply(&self, side: usize, stride: usize, table: &[f64], out: &mut [f64]) {
        let block = self.scale.len() * stride;
        for (table, out) in table.chunks_exact(block).zip(out.chunks_exact_mut(block)) {
            for at in 0..stride {
                let fibre = || table[at..].iter().step_by(stride);
                let sum = |row: &[f64]| row.iter().zip(fibre()).map(|(x, f)| x * f).sum::<f64>();
                let base = table[self.x0 * stride + at];
                let (total, share) = match side {
                    0 => (sum(&self.r), 0.0),
                    _ => (sum(&self.m), base / self.r[self.x0]),
                };
                let out = out[at..].iter_mut().step_by(stride);
                for (i, (out, f)) in out.zip(fibre()).enumerate() {
                    *out = match (side, i == self.x0) {
                        (0, true) => total * self.scale[i],
                        (0, false) => (f - self.m[i] * total) * self.scale[i],
                        (_, true) => total / self.scale[i],
                        (_, false) => (f - self.r[i] * share) / self.scale[i],
                    };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two sides as matrices: what they make of unit vectors.
    fn matrix(gauge: &BetheGauge, side: usize) -> Vec<Vec<f64>> {
        let card = gauge.scale.len();
        let column = |j: usize| {
            let unit: Vec<f64> = (0..card).map(|i| f64::from(u8::from(i == j))).collect();
            let mut out = vec![0.0; card];
            gauge.apply(side, 1, &unit, &mut out);
            out
        };
        (0..card).map(column).collect()
    }

    #[test]
    fn one_side_is_the_inverse_transpose_of_the_other_with_rows_as_long() {
        for card in 1..6 {
            let message = |shift: usize| -> Vec<f64> {
                let entry = |i: usize| ((i * i * 31 + 7 * i + card + shift) % 17) as f64 + 0.3;
                (0..card).map(entry).collect()
            };
            for x0 in 0..card {
                let gauge = BetheGauge::new(&message(0), &message(5), x0);
                let [first, second] = [0, 1].map(|side| matrix(&gauge, side));
                let dot = |a: &[Vec<f64>], i: usize, b: &[Vec<f64>], j: usize| {
                    (0..card).map(|k| a[k][i] * b[k][j]).sum::<f64>()
                };
                for i in 0..card {
                    for j in 0..card {
                        let one = f64::from(u8::from(i == j));
                        assert!((dot(&first, i, &second, j) - one).abs() < 1e-9);
                    }
                    let (own, other) = (dot(&first, i, &first, i), dot(&second, i, &second, i));
                    assert!((own - other).abs() < 1e-9 * own, "{own} {other}");
                }
            }
        }
    }

    #[test]
    fn a_stride_changes_the_axis_and_nothing_else() {
        let gauge = BetheGauge::new(&[0.2, 0.5, 0.3], &[2.0, 1.0, 4.0], 1);
        let table: Vec<f64> = (0..12).map(|x| f64::from(x * x % 7)).collect();
        // Axes of 2, 3 and 2 states, the one in the middle gauged.
        for side in [0, 1] {
            let mut out = vec![0.0; 12];
            gauge.apply(side, 2, &table, &mut out);
            for (outer, inner) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let at = |i: usize| outer * 6 + 2 * i + inner;
                let mut fibre = [0.0; 3];
                gauge.apply(side, 1, &[0, 1, 2].map(|i| table[at(i)]), &mut fibre);
                assert!((0..3).all(|i| fibre[i].to_bits() == out[at(i)].to_bits()));
            }
        }
    }
}

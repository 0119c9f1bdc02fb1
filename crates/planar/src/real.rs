//! The numbers that fronts are made of: floats, or pairs of them with twice the digits.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use forney_certify::DoubleDouble;
use forney_exact::dispatch::dispatch;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

/// A number of so many digits.
pub(crate) trait Real:
    Copy
    + Default
    + Debug
    + Send
    + Sync
    + From<f64>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The relative error of an operation.
    const EPSILON: f64;

    /// To the digits of a float.
    fn value(self) -> f64;

    /// `target += a x + b y`.
    fn combine(target: &mut [Self], by: [Self; 2], rows: [&[Self]; 2]);

    /// `C ← α A B + β C`.
    fn product(
        alpha: f64,
        a: &ArrayView2<'_, Self>,
        b: &ArrayView2<'_, Self>,
        beta: f64,
        c: &mut ArrayViewMut2<'_, Self>,
    );
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;

    fn value(self) -> f64 {
        self
    }

    fn combine(target: &mut [Self], by: [Self; 2], rows: [&[Self]; 2]) {
        combine(target, by, rows);
    }

    fn product(
        alpha: f64,
        a: &ArrayView2<'_, Self>,
        b: &ArrayView2<'_, Self>,
        beta: f64,
        c: &mut ArrayViewMut2<'_, Self>,
    ) {
        general_mat_mul(alpha, a, b, beta, c);
    }
}

dispatch! {
    fn combine(target: &mut [f64], by: [f64; 2], rows: [&[f64]; 2]) {
        let [a, b] = by;
        let [first, second] = rows;
        for ((x, u), v) in target.iter_mut().zip(first).zip(second) {
            *x += a * u + b * v;
        }
    }
}

impl Real for DoubleDouble {
    /// `2^−102`: a few units of the last of twice 53 bits.
    const EPSILON: f64 = f64::EPSILON * f64::EPSILON * 4.0;

    fn value(self) -> f64 {
        DoubleDouble::value(self)
    }

    fn combine(target: &mut [Self], [a, b]: [Self; 2], [first, second]: [&[Self]; 2]) {
        combine_twice(target, a, first);
        combine_twice(target, b, second);
    }

    fn product(
        alpha: f64,
        a: &ArrayView2<'_, Self>,
        b: &ArrayView2<'_, Self>,
        beta: f64,
        c: &mut ArrayViewMut2<'_, Self>,
    ) {
        for (a, mut target) in a.axis_iter(Axis(0)).zip(c.axis_iter_mut(Axis(0))) {
            if beta == 0.0 {
                target.fill(Self::ZERO);
            }
            let target = target.as_slice_mut().expect("rows are whole");
            for (&by, row) in a.iter().zip(b.axis_iter(Axis(0))) {
                combine_twice(target, by * alpha, row.to_slice().expect("rows are whole"));
            }
        }
    }
}

dispatch! {
    fn combine_twice(target: &mut [DoubleDouble], by: DoubleDouble, row: &[DoubleDouble]) {
        for (x, y) in target.iter_mut().zip(row) {
            *x += by * *y;
        }
    }
}

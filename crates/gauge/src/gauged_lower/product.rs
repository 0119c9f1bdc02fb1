//! Tables against product distributions; `axes` holds the first state and the cardinality of each
//! variable of a scope, `q` the distributions of all variables one after the other.

use forney_model::walk::{contract, joint};

/// `Π q` over the joint states of some axes, last one fastest.
pub(super) fn product<'w>(
    axes: &[(usize, usize)],
    q: &[f64],
    room: &'w mut [f64],
) -> &'w mut [f64] {
    joint(
        axes.iter().map(|&(first, card)| &q[first..first + card]),
        room,
    )
}

/// Adds `Σ table Π q` over all axes but one, a number for each state of that one.
pub(super) fn slope(
    axes: &[(usize, usize)],
    place: usize,
    q: &[f64],
    table: &[f64],
    rooms: &mut [Vec<f64>; 2],
    out: &mut [f64],
) {
    let [before, after] = rooms;
    let before = product(&axes[..place], q, before);
    let after = product(&axes[place + 1..], q, after);
    contract(before, table, after, out);
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

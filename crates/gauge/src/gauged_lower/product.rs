//! Tables against product distributions; `axes` holds the first state and the cardinality of each
//! variable of a scope, `q` the distributions of all variables one after the other.

/// `Π q` over the joint states of some axes, last one fastest.
pub(super) fn product<'w>(
    axes: &[(usize, usize)],
    q: &[f64],
    room: &'w mut [f64],
) -> &'w mut [f64] {
    room[0] = 1.0;
    let mut len = 1;
    for &(first, card) in axes {
        let q = &q[first..first + card];
        // From the back, so that no entry is overwritten before it is read.
        for at in (0..len).rev() {
            let p = room[at];
            for (x, q) in q.iter().enumerate() {
                room[at * card + x] = p * q;
            }
        }
        len *= card;
    }
    &mut room[..len]
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
    let blocks = table.chunks_exact(out.len() * after.len());
    for (p, block) in before.iter().zip(blocks) {
        for (out, row) in out.iter_mut().zip(block.chunks_exact(after.len())) {
            *out += p * dot(after, row);
        }
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

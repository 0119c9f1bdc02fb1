//! The innermost loops: one block of one or two rows.
//!
//! Whatever the number of inputs and the way each is read, a row comes to a constant and at most two
//! contiguous slices: inputs that are read otherwise, and all beyond the second, are combined into
//! a tile first.

use crate::layout::Mode;

/// How inputs are combined.
pub(crate) trait Combine {
    const NEUTRAL: f64;
    fn combine(a: f64, b: f64) -> f64;
}

/// Plain numbers.
pub(crate) struct Multiply;

impl Combine for Multiply {
    const NEUTRAL: f64 = 1.0;
    #[inline(always)]
    fn combine(a: f64, b: f64) -> f64 {
        a * b
    }
}

/// Logarithms.
pub(crate) struct Add;

impl Combine for Add {
    const NEUTRAL: f64 = 0.0;
    #[inline(always)]
    fn combine(a: f64, b: f64) -> f64 {
        a + b
    }
}

/// The inputs of one row of a block, combined as far as necessary.
pub(crate) struct Row<'t> {
    constant: f64,
    vectors: Vectors<'t>,
}

/// The slices of a row, each as long as the block.
enum Vectors<'t> {
    None,
    One(&'t [f64]),
    Two(&'t [f64], &'t [f64]),
}

/// What the inputs so far come to.
#[derive(Clone, Copy, PartialEq)]
enum Tile {
    /// The tile is not used.
    Free,
    /// The tile holds the product of some inputs.
    Filled,
}

impl<'t> Row<'t> {
    /// A row that was combined before.
    #[inline(always)]
    pub(crate) fn slice<C: Combine>(slice: &'t [f64]) -> Self {
        Self {
            constant: C::NEUTRAL,
            vectors: Vectors::One(slice),
        }
    }

    /// Combines slices, each with its way of being read; `tile` is as long as the block.
    #[inline(always)]
    pub(crate) fn new<'m, C: Combine>(
        slices: impl Iterator<Item = (&'m Mode, &'t [f64])>,
        tile: &'t mut [f64],
    ) -> Self {
        let mut constant = C::NEUTRAL;
        let (mut one, mut two): (Option<&[f64]>, Option<&[f64]>) = (None, None);
        let mut state = Tile::Free;
        for (mode, slice) in slices {
            match (mode, state) {
                (Mode::Constant, _) => constant = C::combine(constant, slice[0]),
                (Mode::Contiguous, _) if one.is_none() => one = Some(slice),
                (Mode::Contiguous, Tile::Free) if two.is_none() => two = Some(slice),
                (_, Tile::Free) => {
                    match two.take() {
                        None => spread(mode, slice, tile, |_, x| x),
                        Some(two) => {
                            tile.copy_from_slice(two);
                            spread(mode, slice, tile, C::combine);
                        }
                    }
                    state = Tile::Filled;
                }
                (_, Tile::Filled) => spread(mode, slice, tile, C::combine),
            }
        }
        let two = match state {
            Tile::Free => two,
            Tile::Filled => Some(&*tile),
        };
        let vectors = match (one, two) {
            (None, None) => Vectors::None,
            (Some(only), None) | (None, Some(only)) => Vectors::One(only),
            (Some(one), Some(two)) => Vectors::Two(one, two),
        };
        Self { constant, vectors }
    }
}

/// `out[j] = put(out[j], row[j])`.
#[inline(always)]
pub(crate) fn row<C: Combine>(row: &Row<'_>, out: &mut [f64], put: impl Fn(f64, f64) -> f64) {
    let constant = row.constant;
    match row.vectors {
        Vectors::None => {
            for out in out {
                *out = put(*out, constant);
            }
        }
        Vectors::One(p) => {
            for (out, p) in out.iter_mut().zip(p) {
                *out = put(*out, C::combine(constant, *p));
            }
        }
        Vectors::Two(p, q) => {
            for ((out, p), q) in out.iter_mut().zip(p).zip(q) {
                *out = put(*out, C::combine(C::combine(constant, *p), *q));
            }
        }
    }
}

/// `out[j] = put(out[j], Π_a + Π_b)` for two rows of products: half the traffic on `out`.
#[inline(always)]
pub(crate) fn two_rows(a: &Row<'_>, b: &Row<'_>, out: &mut [f64], put: impl Fn(f64, f64) -> f64) {
    let (c, d) = (a.constant, b.constant);
    match (&a.vectors, &b.vectors) {
        (Vectors::One(p), Vectors::One(q)) => {
            for ((out, p), q) in out.iter_mut().zip(*p).zip(*q) {
                *out = put(*out, c * p + d * q);
            }
        }
        (Vectors::Two(p, s), Vectors::Two(q, t)) => {
            for ((((out, p), s), q), t) in out.iter_mut().zip(*p).zip(*s).zip(*q).zip(*t) {
                *out = put(*out, c * p * s + d * q * t);
            }
        }
        // Modes do not depend on the row, so only rows without slices are left.
        _ => {
            for out in out {
                *out = put(*out, c + d);
            }
        }
    }
}

/// `out[j] = put(out[j], a[j] · Π)`.
#[inline(always)]
pub(crate) fn scaled_row(row: &Row<'_>, a: &[f64], out: &mut [f64], put: impl Fn(f64, f64) -> f64) {
    let constant = row.constant;
    match row.vectors {
        Vectors::None => {
            for (out, a) in out.iter_mut().zip(a) {
                *out = put(*out, constant * a);
            }
        }
        Vectors::One(p) => {
            for ((out, a), p) in out.iter_mut().zip(a).zip(p) {
                *out = put(*out, constant * p * a);
            }
        }
        Vectors::Two(p, q) => {
            for (((out, a), p), q) in out.iter_mut().zip(a).zip(p).zip(q) {
                *out = put(*out, constant * p * q * a);
            }
        }
    }
}

/// `tile[j] = put(tile[j], x)` with the entry `x` that the mode gives to `j`.
#[inline(always)]
fn spread(mode: &Mode, slice: &[f64], tile: &mut [f64], put: impl Fn(f64, f64) -> f64) {
    match mode {
        Mode::Constant => {
            for t in tile {
                *t = put(*t, slice[0]);
            }
        }
        Mode::Contiguous => {
            for (t, x) in tile.iter_mut().zip(slice) {
                *t = put(*t, *x);
            }
        }
        Mode::Repeat(times) => repeat(*times, slice.iter(), tile, put),
        Mode::Stairs(times, starts) => {
            let entries = starts.iter().map(|&at| &slice[at as usize]);
            repeat(*times, entries, tile, put);
        }
        Mode::Runs(2, starts) => copy_runs::<2>(starts, slice, tile, put),
        Mode::Runs(4, starts) => copy_runs::<4>(starts, slice, tile, put),
        Mode::Runs(8, starts) => copy_runs::<8>(starts, slice, tile, put),
        Mode::Runs(run, starts) => {
            for (tile, &start) in tile.chunks_exact_mut(*run).zip(starts) {
                for (t, x) in tile.iter_mut().zip(&slice[start as usize..][..*run]) {
                    *t = put(*t, *x);
                }
            }
        }
        Mode::Pattern(pattern) => {
            for (t, &at) in tile.iter_mut().zip(pattern) {
                *t = put(*t, slice[at as usize]);
            }
        }
    }
}

/// Each entry so many times; a constant number lets the compiler interleave in registers.
#[inline(always)]
fn repeat<'s>(
    times: usize,
    entries: impl Iterator<Item = &'s f64>,
    tile: &mut [f64],
    put: impl Fn(f64, f64) -> f64,
) {
    match times {
        2 => put_groups(tile.as_chunks_mut::<2>().0, entries, put),
        4 => put_groups(tile.as_chunks_mut::<4>().0, entries, put),
        8 => put_groups(tile.as_chunks_mut::<8>().0, entries, put),
        _ => {
            for (tile, x) in tile.chunks_exact_mut(times).zip(entries) {
                tile.iter_mut().for_each(|t| *t = put(*t, *x));
            }
        }
    }
}

#[inline(always)]
fn put_groups<'s, const TIMES: usize>(
    groups: &mut [[f64; TIMES]],
    entries: impl Iterator<Item = &'s f64>,
    put: impl Fn(f64, f64) -> f64,
) {
    for (group, x) in groups.iter_mut().zip(entries) {
        for t in group {
            *t = put(*t, *x);
        }
    }
}

#[inline(always)]
fn copy_runs<const RUN: usize>(
    starts: &[u32],
    slice: &[f64],
    tile: &mut [f64],
    put: impl Fn(f64, f64) -> f64,
) {
    for (tile, &start) in tile.as_chunks_mut::<RUN>().0.iter_mut().zip(starts) {
        let Some(run) = slice[start as usize..].first_chunk::<RUN>() else {
            return;
        };
        for (t, x) in tile.iter_mut().zip(run) {
            *t = put(*t, *x);
        }
    }
}

/// Adds every entry of the tile to the entry that the mode gives to it.
#[inline(always)]
pub(crate) fn fold(mode: &Mode, tile: &[f64], target: &mut [f64]) {
    match mode {
        Mode::Constant => target[0] += lane_sum(tile),
        Mode::Contiguous => {
            for (b, t) in target.iter_mut().zip(tile) {
                *b += t;
            }
        }
        Mode::Repeat(2) => {
            for (b, sum) in target.iter_mut().zip(group_sums::<2>(tile)) {
                *b += sum;
            }
        }
        Mode::Repeat(4) => {
            for (b, sum) in target.iter_mut().zip(group_sums::<4>(tile)) {
                *b += sum;
            }
        }
        Mode::Repeat(times) => {
            for (b, tile) in target.iter_mut().zip(tile.chunks_exact(*times)) {
                *b += lane_sum(tile);
            }
        }
        Mode::Stairs(2, starts) => {
            for (&at, sum) in starts.iter().zip(group_sums::<2>(tile)) {
                target[at as usize] += sum;
            }
        }
        Mode::Stairs(4, starts) => {
            for (&at, sum) in starts.iter().zip(group_sums::<4>(tile)) {
                target[at as usize] += sum;
            }
        }
        Mode::Stairs(times, starts) => {
            for (&at, tile) in starts.iter().zip(tile.chunks_exact(*times)) {
                target[at as usize] += lane_sum(tile);
            }
        }
        Mode::Runs(2, starts) => fold_runs::<2>(starts, tile, target),
        Mode::Runs(4, starts) => fold_runs::<4>(starts, tile, target),
        Mode::Runs(8, starts) => fold_runs::<8>(starts, tile, target),
        Mode::Runs(run, starts) => {
            for (tile, &start) in tile.chunks_exact(*run).zip(starts) {
                for (b, t) in target[start as usize..][..*run].iter_mut().zip(tile) {
                    *b += t;
                }
            }
        }
        Mode::Pattern(pattern) => {
            for (&at, t) in pattern.iter().zip(tile) {
                target[at as usize] += t;
            }
        }
    }
}

#[inline(always)]
fn group_sums<const LEN: usize>(tile: &[f64]) -> impl Iterator<Item = f64> + '_ {
    let sum = |group: &[f64; LEN]| group[1..].iter().fold(group[0], |sum, x| sum + x);
    tile.as_chunks::<LEN>().0.iter().map(sum)
}

#[inline(always)]
fn fold_runs<const RUN: usize>(starts: &[u32], tile: &[f64], target: &mut [f64]) {
    for (tile, &start) in tile.as_chunks::<RUN>().0.iter().zip(starts) {
        let Some(run) = target[start as usize..].first_chunk_mut::<RUN>() else {
            return;
        };
        for (b, t) in run.iter_mut().zip(tile) {
            *b += t;
        }
    }
}

/// Sums in fixed lanes, so that the bits do not depend on the vector width.
#[inline(always)]
fn lane_sum(values: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let mut chunks = values.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    join(lanes) + chunks.remainder().iter().sum::<f64>()
}

const LANES: usize = 8;

fn join(lanes: [f64; LANES]) -> f64 {
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
        + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// `Σ p ln f` with `0 · (−∞) = 0`, in fixed lanes; as many terms as the shorter one has, since buffers are reused.
#[inline(always)]
pub(crate) fn expectation(p: &[f64], ln: &[f64]) -> f64 {
    let count = p.len().min(ln.len());
    let term = |p: f64, ln: f64| if p == 0.0 { 0.0 } else { p * ln };
    let mut lanes = [0.0; LANES];
    let (mut ps, mut lns) = (
        p[..count].chunks_exact(LANES),
        ln[..count].chunks_exact(LANES),
    );
    for (p, ln) in (&mut ps).zip(&mut lns) {
        for ((lane, p), ln) in lanes.iter_mut().zip(p).zip(ln) {
            *lane += term(*p, *ln);
        }
    }
    let rest = ps.remainder().iter().zip(lns.remainder());
    join(lanes) + rest.map(|(p, ln)| term(*p, *ln)).sum::<f64>()
}

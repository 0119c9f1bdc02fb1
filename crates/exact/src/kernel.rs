//! The innermost loops: products of tables over one clique, summed over its rows.
//!
//! | symbol | name | length |
//! |---|---|---|
//! | `P_i` | `tables[i]`, an input as plain numbers | its own scope |
//! | `L_i` | `tables[i]`, an input as logarithms | its own scope |
//! | `S(y) = Σ_x Π_i P_i` | `out` of [`product_sum`] | part of `cols` |
//! | `a(y)` | `adjoint / sums` | `cols` |
//! | `b_i` | `targets[i]`, belief summed to the scope of input `i` | its own scope |
//!
//! Every function works on whole inner blocks (see [`crate::layout`]), starting at the outer
//! column `first`, so that disjoint parts of the columns can run in parallel with the same bits.

use crate::dispatch::dispatch;
use crate::layout::{Cursor, MAX_INPUTS, Mode, Plan};
use crate::vmath;

/// Sums in fixed lanes, so that the bits do not depend on the vector width.
#[inline(always)]
fn lane_sum(values: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let mut chunks = values.chunks_exact(8);
    for chunk in &mut chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    let tail: f64 = chunks.remainder().iter().sum();
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
        + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
        + tail
}

/// The inputs of one row that vary within the block, and what the constant ones come to.
struct Row<'t> {
    constant: f64,
    vectors: [(&'t [f64], Option<&'t [u32]>); MAX_INPUTS],
    len: usize,
}

#[inline(always)]
fn gather_row<'t>(
    plan: &'t Plan,
    tables: &[&'t [f64]],
    cursor: &Cursor<'_>,
    row: usize,
    neutral: f64,
    combine: impl Fn(f64, f64) -> f64,
) -> Row<'t> {
    let mut gathered = Row {
        constant: neutral,
        vectors: [(&[], None); MAX_INPUTS],
        len: 0,
    };
    for ((input, table), offset) in plan.inputs.iter().zip(tables).zip(cursor.offsets) {
        let start = offset + input.rows[row];
        match &input.mode {
            Mode::Constant => gathered.constant = combine(gathered.constant, table[start]),
            Mode::Contiguous => {
                gathered.vectors[gathered.len] = (&table[start..start + input.span], None);
                gathered.len += 1;
            }
            Mode::Pattern(pattern) => {
                gathered.vectors[gathered.len] = (&table[start..start + input.span], Some(pattern));
                gathered.len += 1;
            }
        }
    }
    gathered
}

/// `tile[j] = constant ∘ vector_1[j] ∘ vector_2[j] …`
#[inline(always)]
fn fill_tile(row: &Row<'_>, combine: impl Fn(f64, f64) -> f64, tile: &mut [f64]) {
    let constant = row.constant;
    let Some(((first, pattern), rest)) = row.vectors[..row.len].split_first() else {
        tile.fill(constant);
        return;
    };
    match pattern {
        None => {
            for (t, x) in tile.iter_mut().zip(*first) {
                *t = combine(constant, *x);
            }
        }
        Some(pattern) => {
            for (t, &at) in tile.iter_mut().zip(*pattern) {
                *t = combine(constant, first[at as usize]);
            }
        }
    }
    for (vector, pattern) in rest {
        match pattern {
            None => {
                for (t, x) in tile.iter_mut().zip(*vector) {
                    *t = combine(*t, *x);
                }
            }
            Some(pattern) => {
                for (t, &at) in tile.iter_mut().zip(*pattern) {
                    *t = combine(*t, vector[at as usize]);
                }
            }
        }
    }
}

/// `out[j] += constant · Π vectors`, without going through the tile where at most two vectors meet.
#[inline(always)]
fn add_products(row: &Row<'_>, out: &mut [f64], tile: &mut [f64]) {
    let constant = row.constant;
    match &row.vectors[..row.len] {
        [] => {
            for o in out {
                *o += constant;
            }
        }
        [(p, None)] => {
            for (o, x) in out.iter_mut().zip(*p) {
                *o += constant * x;
            }
        }
        [(p, None), (q, None)] => {
            for ((o, x), y) in out.iter_mut().zip(*p).zip(*q) {
                *o += constant * x * y;
            }
        }
        [(p, None), (q, Some(pattern))] | [(q, Some(pattern)), (p, None)] => {
            for ((o, x), &at) in out.iter_mut().zip(*p).zip(*pattern) {
                *o += constant * x * q[at as usize];
            }
        }
        _ => {
            fill_tile(row, |a, b| a * b, tile);
            for (o, t) in out.iter_mut().zip(tile) {
                *o += *t;
            }
        }
    }
}

/// Adds a block of beliefs to each wanted target.
#[inline(always)]
fn scatter(
    plan: &Plan,
    cursor: &Cursor<'_>,
    row: usize,
    tile: &[f64],
    targets: &mut [Option<&mut [f64]>],
) {
    for ((input, target), offset) in plan.inputs.iter().zip(targets).zip(cursor.offsets) {
        let Some(target) = target else { continue };
        let start = offset + input.rows[row];
        match &input.mode {
            Mode::Constant => target[start] += lane_sum(tile),
            Mode::Contiguous => {
                for (b, t) in target[start..start + input.span].iter_mut().zip(tile) {
                    *b += t;
                }
            }
            Mode::Pattern(pattern) => {
                let target = &mut target[start..start + input.span];
                for (&at, t) in pattern.iter().zip(tile) {
                    target[at as usize] += t;
                }
            }
        }
    }
}

fn rows(plan: &Plan) -> usize {
    plan.inputs.first().map_or(1, |input| input.rows.len())
}

dispatch! {
    /// `out(y) = Σ_x Π_i P_i(x, y)`.
    pub(crate) fn product_sum(plan: &Plan, tables: &[&[f64]], first: usize, out: &mut [f64], tile: &mut [f64]) {
        let tile = &mut tile[..plan.block];
        let mut cursor = Cursor::new(plan, first);
        for out in out.chunks_exact_mut(plan.block) {
            out.fill(0.0);
            for row in 0..rows(plan) {
                let gathered = gather_row(plan, tables, &cursor, row, 1.0, |a, b| a * b);
                add_products(&gathered, out, tile);
            }
            cursor.advance();
        }
    }
}

dispatch! {
    /// `out(y) = max_x Σ_i L_i(x, y)`.
    pub(crate) fn sum_max(plan: &Plan, tables: &[&[f64]], first: usize, out: &mut [f64], tile: &mut [f64]) {
        let tile = &mut tile[..plan.block];
        let mut cursor = Cursor::new(plan, first);
        for out in out.chunks_exact_mut(plan.block) {
            out.fill(f64::NEG_INFINITY);
            for row in 0..rows(plan) {
                let gathered = gather_row(plan, tables, &cursor, row, 0.0, |a, b| a + b);
                fill_tile(&gathered, |a, b| a + b, tile);
                for (o, t) in out.iter_mut().zip(&*tile) {
                    *o = if *t > *o { *t } else { *o };
                }
            }
            cursor.advance();
        }
    }
}

dispatch! {
    /// `out(y) = ln Σ_x exp Σ_i L_i(x, y)`, where `out` holds the maxima of [`sum_max`] on entry.
    ///
    /// Where the maximum is infinite it is the answer. `tile` holds two blocks.
    pub(crate) fn sum_exp(plan: &Plan, tables: &[&[f64]], first: usize, out: &mut [f64], tile: &mut [f64]) {
        let mut cursor = Cursor::new(plan, first);
        let (tile, sums) = tile.split_at_mut(plan.block);
        let sums = &mut sums[..plan.block];
        for out in out.chunks_exact_mut(plan.block) {
            sums.fill(0.0);
            for row in 0..rows(plan) {
                let gathered = gather_row(plan, tables, &cursor, row, 0.0, |a, b| a + b);
                fill_tile(&gathered, |a, b| a + b, tile);
                for (t, most) in tile.iter_mut().zip(&*out) {
                    *t -= if most.is_finite() { *most } else { 0.0 };
                }
                vmath::exp_in_place(tile);
                for (s, t) in sums.iter_mut().zip(&*tile) {
                    *s += *t;
                }
            }
            for (o, s) in out.iter_mut().zip(&*sums) {
                if o.is_finite() {
                    *o += s.ln();
                }
            }
            cursor.advance();
        }
    }
}

dispatch! {
    /// `b_i += Σ a(y) Π_j P_j(x, y)`, summed to the scope of each wanted input.
    pub(crate) fn product_beliefs(
        plan: &Plan,
        tables: &[&[f64]],
        a: &[f64],
        targets: &mut [Option<&mut [f64]>],
        tile: &mut [f64],
    ) {
        let mut cursor = Cursor::new(plan, 0);
        for a in a.chunks_exact(plan.block) {
            for row in 0..rows(plan) {
                let gathered = gather_row(plan, tables, &cursor, row, 1.0, |a, b| a * b);
                fill_tile(&gathered, |a, b| a * b, tile);
                for (t, a) in tile.iter_mut().zip(a) {
                    *t *= a;
                }
                scatter(plan, &cursor, row, tile, targets);
            }
            cursor.advance();
        }
    }
}

dispatch! {
    /// `b_i += Σ adjoint(y) exp(Σ_j L_j(x, y) − ln S(y))`, summed to the scope of each wanted input.
    ///
    /// Columns with an adjoint of 0 add nothing, whatever their sums are.
    pub(crate) fn log_beliefs(
        plan: &Plan,
        tables: &[&[f64]],
        adjoint: &[f64],
        ln_sums: &[f64],
        targets: &mut [Option<&mut [f64]>],
        tile: &mut [f64],
    ) {
        let mut cursor = Cursor::new(plan, 0);
        for (adjoint, ln_sums) in
            adjoint.chunks_exact(plan.block).zip(ln_sums.chunks_exact(plan.block))
        {
            for row in 0..rows(plan) {
                let gathered = gather_row(plan, tables, &cursor, row, 0.0, |a, b| a + b);
                fill_tile(&gathered, |a, b| a + b, tile);
                for (t, ln_sum) in tile.iter_mut().zip(ln_sums) {
                    *t -= ln_sum;
                }
                vmath::exp_in_place(tile);
                for (t, adjoint) in tile.iter_mut().zip(adjoint) {
                    *t = if *adjoint > 0.0 { *t * adjoint } else { 0.0 };
                }
                scatter(plan, &cursor, row, tile, targets);
            }
            cursor.advance();
        }
    }
}

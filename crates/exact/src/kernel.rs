//! The loops over one clique: products of tables, summed over its rows.
//!
//! | symbol | name | length |
//! |---|---|---|
//! | `P_i` | `tables[i]`, an input as plain numbers | its own scope |
//! | `L_i` | `tables[i]`, an input as logarithms | its own scope |
//! | `S(y) = Σ_x Π_i P_i` | `out` of [`product_sum`] | part of `cols` |
//! | `adjoint(y)` | `∂ ln Z_w / ∂ ln m(y)` | part of `cols` |
//! | `b_i` | `targets[i]`, belief summed to the scope of input `i` | its own scope |
//!
//! Every function works on whole inner blocks (see [`crate::layout`]), starting at the outer
//! column `first`, so that disjoint parts of the columns can run in parallel with the same bits. A
//! forward function may end between two rows if the watch says so; what it leaves is then void.

use crate::block::{self, Add, Combine, Multiply, Row};
use crate::dispatch::dispatch;
use crate::layout::{Cursor, Plan};
use crate::table::Signs;
use crate::vmath;
use crate::watch::{MANY_ENTRIES, Watch};

/// Where the beliefs of an input are added up.
#[derive(Debug, Default)]
pub(crate) enum Target<'t> {
    /// Nowhere.
    #[default]
    Unwanted,
    /// In a table over its whole scope.
    Whole(&'t mut [f64]),
    /// In a part of each state of its rows.
    Part {
        /// The part of each.
        rows: Vec<&'t mut [f64]>,
        /// Entries of one state of its rows.
        stride: usize,
        /// Entries before the part.
        skip: usize,
    },
}

impl Target<'_> {
    #[inline(always)]
    fn at(&mut self, start: usize, span: usize) -> Option<&mut [f64]> {
        match self {
            Self::Unwanted => None,
            Self::Whole(table) => Some(&mut table[start..start + span]),
            Self::Part { rows, stride, skip } => {
                let within = start % *stride - *skip;
                Some(&mut rows[start / *stride][within..within + span])
            }
        }
    }
}

/// When to look at the clock between the rows of a clique that is not cut into parts: its blocks
/// may be as long as its longest axis, and there may be as many rows.
struct Glance {
    every: usize,
    left: usize,
}

impl Glance {
    fn new(plan: &Plan) -> Self {
        let every = if plan.rows * plan.block < MANY_ENTRIES {
            usize::MAX
        } else {
            (MANY_ENTRIES / plan.block).max(1)
        };
        Self { every, left: every }
    }

    #[inline(always)]
    fn stop(&mut self, watch: &Watch<'_>) -> bool {
        self.left -= 1;
        self.left == 0 && {
            self.left = self.every;
            watch.stop()
        }
    }
}

/// Adds a block of beliefs to each wanted target.
#[inline(always)]
fn scatter(plan: &Plan, cursor: &Cursor<'_>, row: usize, tile: &[f64], targets: &mut [Target<'_>]) {
    for ((input, target), offset) in plan.inputs.iter().zip(targets).zip(&cursor.offsets) {
        if let Some(target) = target.at(offset + input.rows[row], input.span) {
            block::fold(&input.mode, tile, target);
        }
    }
}

/// The inputs of one row at the cursor.
#[inline(always)]
fn inputs<'t, C: Combine>(
    plan: &Plan,
    tables: &[&'t [f64]],
    cursor: &Cursor<'_>,
    row: usize,
    tile: &'t mut [f64],
) -> Row<'t> {
    let slices = plan.inputs.iter().zip(tables).zip(&cursor.offsets);
    let slices = slices.map(|((input, table), offset)| {
        let start = offset + input.rows[row];
        (&input.mode, &table[start..start + input.span])
    });
    Row::new::<C>(slices, tile)
}

/// All inputs combined over a clique that is read as a whole; `tile` is as long as `out`.
#[inline(always)]
fn combine<C: Combine>(plan: &Plan, tables: &[&[f64]], tile: &mut [f64], out: &mut [f64]) {
    let slices = plan.inputs.iter().zip(tables);
    let slices = slices.map(|(input, table)| (&input.mode, &table[..input.span]));
    block::row::<C>(&Row::new::<C>(slices, tile), out, |_, x| x);
}

/// What the rows of a clique are read from.
struct Rows<'r> {
    plan: &'r Plan,
    tables: &'r [&'r [f64]],
    /// All inputs combined over a clique that is read as a whole.
    whole: &'r [f64],
}

impl<'r> Rows<'r> {
    /// Takes what it needs off the front of `tile` and leaves three blocks.
    #[inline(always)]
    fn new<C: Combine>(
        plan: &'r Plan,
        tables: &'r [&'r [f64]],
        tile: &'r mut [f64],
    ) -> (Self, &'r mut [f64]) {
        if !plan.whole {
            let rows = Self {
                plan,
                tables,
                whole: &[],
            };
            return (rows, tile);
        }
        let len = plan.rows * plan.block;
        let (work, rest) = tile.split_at_mut(len);
        let (whole, rest) = rest.split_at_mut(len);
        combine::<C>(plan, tables, work, whole);
        (
            Self {
                plan,
                tables,
                whole,
            },
            rest,
        )
    }

    /// One row at the cursor.
    #[inline(always)]
    fn at<'t, C: Combine>(&self, cursor: &Cursor<'_>, row: usize, tile: &'t mut [f64]) -> Row<'t>
    where
        'r: 't,
    {
        if self.plan.whole {
            let block = self.plan.block;
            Row::slice::<C>(&self.whole[row * block..(row + 1) * block])
        } else {
            inputs::<C>(self.plan, self.tables, cursor, row, tile)
        }
    }
}

/// The sum of all rows, two by two.
#[inline(always)]
fn add_rows(whole: &[f64], out: &mut [f64]) {
    let block = out.len();
    let mut pairs = whole.chunks_exact(2 * block);
    let mut first = true;
    for pair in &mut pairs {
        let (a, b) = pair.split_at(block);
        let sums = out.iter_mut().zip(a).zip(b);
        if first {
            sums.for_each(|((out, a), b)| *out = a + b);
            first = false;
        } else {
            sums.for_each(|((out, a), b)| *out += a + b);
        }
    }
    let last = pairs.remainder();
    if first {
        out.copy_from_slice(last);
    } else {
        out.iter_mut().zip(last).for_each(|(out, a)| *out += a);
    }
}

dispatch! {
    /// `out(y) = Σ_x Π_i P_i(x, y)`.
    pub(crate) fn product_sum(
        plan: &Plan,
        tables: &[&[f64]],
        first: usize,
        out: &mut [f64],
        tile: &mut [f64],
        watch: &Watch<'_>,
    ) {
        if plan.whole {
            let (products, tile) = tile.split_at_mut(plan.rows * plan.block);
            return whole_sum(plan, tables, out, products, tile);
        }
        let mut cursor = Cursor::new(plan, first);
        let mut glance = Glance::new(plan);
        let (one, two) = tile.split_at_mut(plan.block);
        let two = &mut two[..plan.block];
        let even = plan.rows / 2 * 2;
        for out in out.chunks_exact_mut(plan.block) {
            for at in (0..even).step_by(2) {
                if glance.stop(watch) {
                    return;
                }
                let a = inputs::<Multiply>(plan, tables, &cursor, at, one);
                let b = inputs::<Multiply>(plan, tables, &cursor, at + 1, two);
                if at == 0 {
                    block::two_rows(&a, &b, out, |_, sum| sum);
                } else {
                    block::two_rows(&a, &b, out, |out, sum| out + sum);
                }
            }
            if even < plan.rows {
                let a = inputs::<Multiply>(plan, tables, &cursor, even, one);
                if even == 0 {
                    block::row::<Multiply>(&a, out, |_, product| product);
                } else {
                    block::row::<Multiply>(&a, out, |out, product| out + product);
                }
            }
            cursor.advance();
        }
    }
}

/// As [`product_sum`] for a clique that is read as a whole; `Π_i P_i` is left in `products`.
#[inline(always)]
pub(crate) fn whole_sum(
    plan: &Plan,
    tables: &[&[f64]],
    out: &mut [f64],
    products: &mut [f64],
    tile: &mut [f64],
) {
    product(plan, tables, products, tile);
    add_rows(products, &mut out[..plan.block]);
}

dispatch! {
    /// `out(y) = ln Σ_x exp Σ_i L_i(x, y)`, or `max_x Σ_i L_i(x, y)` if `extremes` alone are wanted.
    ///
    /// Where the maximum is infinite it is the answer.
    pub(crate) fn log_sum(
        plan: &Plan,
        tables: &[&[f64]],
        extremes: bool,
        first: usize,
        out: &mut [f64],
        tile: &mut [f64],
        watch: &Watch<'_>,
    ) {
        let mut cursor = Cursor::new(plan, first);
        let mut glance = Glance::new(plan);
        let (rows, tile) = Rows::new::<Add>(plan, tables, tile);
        let (tile, rest) = tile.split_at_mut(plan.block);
        let (terms, sums) = rest.split_at_mut(plan.block);
        let sums = &mut sums[..plan.block];
        for out in out.chunks_exact_mut(plan.block) {
            out.fill(f64::NEG_INFINITY);
            for at in 0..plan.rows {
                if glance.stop(watch) {
                    return;
                }
                let row = rows.at::<Add>(&cursor, at, tile);
                block::row::<Add>(&row, out, |out, sum| if sum > out { sum } else { out });
            }
            if !extremes {
                sums.fill(0.0);
                for at in 0..plan.rows {
                    if glance.stop(watch) {
                        return;
                    }
                    for (term, most) in terms.iter_mut().zip(&*out) {
                        *term = if most.is_finite() { -*most } else { 0.0 };
                    }
                    let row = rows.at::<Add>(&cursor, at, tile);
                    block::row::<Add>(&row, terms, |negated, sum| sum + negated);
                    vmath::exp_in_place(terms);
                    for (sum, term) in sums.iter_mut().zip(&*terms) {
                        *sum += *term;
                    }
                }
                for (o, s) in out.iter_mut().zip(&*sums) {
                    if o.is_finite() {
                        *o += s.ln();
                    }
                }
            }
            cursor.advance();
        }
    }
}

/// What a backward pass knows of the columns of a message.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'c> {
    pub(crate) signs: Signs,
    pub(crate) adjoint: &'c [f64],
    pub(crate) sums: &'c [f64],
}

/// What the products of each column are multiplied by: `adjoint / S`, or the adjoint alone.
#[inline(always)]
fn ratios(signs: Signs, adjoint: &[f64], sums: &[f64], ratio: &mut [f64]) {
    let columns = ratio.iter_mut().zip(adjoint).zip(sums);
    match signs {
        Signs::Absent => {
            for ((ratio, adjoint), sum) in columns {
                let quotient = adjoint / sum;
                let counts = *adjoint > 0.0 && *sum < f64::INFINITY;
                *ratio = if counts { quotient } else { 0.0 };
            }
        }
        Signs::Dropped => {
            for ((ratio, adjoint), sum) in columns {
                let quotient = adjoint / sum;
                let counts = sum.abs() >= f64::MIN_POSITIVE;
                *ratio = if counts { quotient } else { 0.0 };
            }
        }
        Signs::Kept => ratio.copy_from_slice(adjoint),
    }
}

dispatch! {
    /// `b_i += Σ adjoint(y) Π_j P_j(x, y) / S(y)`, summed to the scope of each wanted input.
    ///
    /// Columns with an adjoint of 0 add nothing, whatever their sums are. Where signs are kept the
    /// adjoint is that of the message, `∂ ln Z_w / ∂m(y)`, and there is no division.
    pub(crate) fn product_beliefs(
        plan: &Plan,
        tables: &[&[f64]],
        first: usize,
        columns: Columns<'_>,
        targets: &mut [Target<'_>],
        tile: &mut [f64],
    ) {
        let Columns { signs, adjoint, sums } = columns;
        let (tile, rest) = tile.split_at_mut(plan.block);
        let (beliefs, ratio) = rest.split_at_mut(plan.block);
        let ratio = &mut ratio[..plan.block];
        let mut cursor = Cursor::new(plan, first);
        for (adjoint, sums) in
            adjoint.chunks_exact(plan.block).zip(sums.chunks_exact(plan.block))
        {
            ratios(signs, adjoint, sums, ratio);
            for at in 0..plan.rows {
                let row = inputs::<Multiply>(plan, tables, &cursor, at, tile);
                block::scaled_row(&row, ratio, beliefs, |_, product| product);
                scatter(plan, &cursor, at, beliefs, targets);
            }
            cursor.advance();
        }
    }
}

/// As [`product_beliefs`] for a clique that is read as a whole, with `Π_j P_j` as [`whole_sum`] and [`product`]
/// leave it.
#[inline(always)]
pub(crate) fn whole_beliefs(
    plan: &Plan,
    columns: Columns<'_>,
    products: &[f64],
    targets: &mut [Option<&mut [f64]>],
    tile: &mut [f64],
) {
    let Columns {
        signs,
        adjoint,
        sums,
    } = columns;
    let (beliefs, ratio) = tile.split_at_mut(products.len());
    let ratio = &mut ratio[..plan.block];
    ratios(signs, adjoint, sums, ratio);
    let rows = products.chunks_exact(plan.block);
    for (beliefs, products) in beliefs.chunks_exact_mut(plan.block).zip(rows) {
        for ((belief, product), ratio) in beliefs.iter_mut().zip(products).zip(&*ratio) {
            *belief = product * ratio;
        }
    }
    for (input, target) in plan.inputs.iter().zip(targets) {
        if let Some(target) = target {
            block::fold(&input.mode, beliefs, target);
        }
    }
}

/// `Π_j P_j` of a clique that is read as a whole.
#[inline(always)]
pub(crate) fn product(plan: &Plan, tables: &[&[f64]], products: &mut [f64], tile: &mut [f64]) {
    combine::<Multiply>(plan, tables, &mut tile[..products.len()], products);
}

dispatch! {
    /// `b_i += Σ adjoint(y) exp(Σ_j L_j(x, y) − ln S(y))`, summed to the scope of each wanted input.
    ///
    /// Columns with an adjoint of 0 add nothing, whatever their sums are.
    pub(crate) fn log_beliefs(
        plan: &Plan,
        tables: &[&[f64]],
        first: usize,
        columns: Columns<'_>,
        targets: &mut [Target<'_>],
        tile: &mut [f64],
    ) {
        let Columns { adjoint, sums: ln_sums, .. } = columns;
        let rows = if plan.whole { 1 } else { plan.rows };
        let len = plan.block * plan.rows / rows;
        let mut cursor = Cursor::new(plan, first);
        let (tile, beliefs) = tile.split_at_mut(len);
        let beliefs = &mut beliefs[..len];
        for (adjoint, ln_sums) in
            adjoint.chunks_exact(plan.block).zip(ln_sums.chunks_exact(plan.block))
        {
            for at in 0..rows {
                for beliefs in beliefs.chunks_exact_mut(plan.block) {
                    beliefs.copy_from_slice(ln_sums);
                }
                let row = inputs::<Add>(plan, tables, &cursor, at, tile);
                block::row::<Add>(&row, beliefs, |ln_sum, sum| sum - ln_sum);
                vmath::exp_in_place(beliefs);
                for beliefs in beliefs.chunks_exact_mut(plan.block) {
                    for (t, adjoint) in beliefs.iter_mut().zip(adjoint) {
                        *t = if *adjoint > 0.0 { *t * adjoint } else { 0.0 };
                    }
                }
                scatter(plan, &cursor, at, beliefs, targets);
            }
            cursor.advance();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use forney_certify::Budget;

    use super::*;

    #[test]
    fn long_axes_are_left_between_two_rows() {
        let (rows, cols) = (1000, 2000);
        let axes = [(0, rows), (1, cols)];
        let plan = Plan::new(&axes[..1], &axes[1..], &[axes.to_vec()]);
        assert_eq!(plan.block, cols);
        // The last row counts, for the maximum too.
        let mut table = vec![1.0; rows * cols];
        table[(rows - 1) * cols..].fill(2.0);
        let over = Budget::unlimited().capped(Duration::ZERO);
        for (logs, sum) in [(false, 1001.0), (true, 2.0)] {
            let mut out = vec![0.0; cols];
            let mut tile = vec![0.0; plan.tile_len()];
            let mut run = |watch: &Watch<'_>| {
                if logs {
                    log_sum(&plan, &[&table], true, 0, &mut out, &mut tile, watch);
                } else {
                    product_sum(&plan, &[&table], 0, &mut out, &mut tile, watch);
                }
                out[0]
            };
            assert!((run(&Watch::new(None)) - sum).abs() < 1e-12);
            let watch = Watch::new(Some(&over));
            let cut = run(&watch);
            assert!(watch.is_over() && cut < sum, "{cut}");
        }
    }
}

//! Large cliques, one block of columns after the other, so that all that lies between the inputs
//! and the message stays in a first-level cache.
//!
//! | symbol | name | length |
//! |---|---|---|
//! | `p(x, y)` | product of the inputs | a block of one row |
//! | `m(y)` | message | `cols` |
//! | `c(x, y)` | `∂ ln Z_w / ∂p` | a block of one row |

use forney_exact::block::{self, Multiply, Row};
use forney_exact::dispatch::dispatch;
use forney_exact::layout::{Cursor, Mode, Plan};

use crate::share::{Backward, Forward};
use crate::sum::{self, Kind};

/// Entries that a part works in.
pub(crate) fn work_len(plan: &Plan) -> usize {
    plan.block + (2 * plan.block).max(sum::work_len(plan.rows, plan.block))
}

/// The product of all inputs but one at the cursor.
#[inline(always)]
fn product<'t>(
    plan: &Plan,
    tables: &[&'t [f64]],
    cursor: &Cursor<'_>,
    row: usize,
    without: usize,
    tile: &'t mut [f64],
) -> Row<'t> {
    let inputs = plan.inputs.iter().zip(tables).zip(&cursor.offsets);
    let others = inputs.enumerate().filter(|(at, _)| *at != without);
    let slices = others.map(|(_, ((input, table), offset))| {
        let start = offset + input.rows[row];
        (&input.mode, &table[start..start + input.span])
    });
    Row::new::<Multiply>(slices, tile)
}

/// No input is left out.
const NONE: usize = usize::MAX;

/// Messages of a part that begins at outer column `first`, with what the backward pass needs.
pub(crate) fn forward(plan: &Plan, tables: &[&[f64]], kind: Kind, first: usize, part: Forward<'_>) {
    let (tile, work) = part.work.split_at_mut(plan.block);
    match kind {
        Kind::Signed => signed(plan, tables, first, part.message, tile),
        Kind::Absolute => absolute(plan, tables, first, part.message, tile),
        Kind::Weighted(weight) => {
            let mut cursor = Cursor::new(plan, first);
            let slopes = part.slopes.chunks_exact_mut(plan.rows * plan.block);
            let columns = part.message.chunks_exact_mut(plan.block);
            let columns = columns.zip(part.entropies.chunks_exact_mut(plan.block));
            for (slopes, (message, entropies)) in slopes.zip(columns) {
                products(plan, tables, &cursor, slopes, tile);
                sum::weighted(slopes, weight, message, entropies, work);
                cursor.advance();
            }
        }
    }
}

dispatch! {
    /// `p(x, y)` for all rows of a block.
    fn products(
        plan: &Plan,
        tables: &[&[f64]],
        cursor: &Cursor<'_>,
        out: &mut [f64],
        tile: &mut [f64],
    ) {
        for (row, out) in out.chunks_exact_mut(plan.block).enumerate() {
            let row = product(plan, tables, cursor, row, NONE, tile);
            block::row::<Multiply>(&row, out, |_, p| p);
        }
    }
}

dispatch! {
    /// `m(y) = Σ_x p(x, y)`.
    fn signed(plan: &Plan, tables: &[&[f64]], first: usize, message: &mut [f64], tile: &mut [f64]) {
        let mut cursor = Cursor::new(plan, first);
        for message in message.chunks_exact_mut(plan.block) {
            message.fill(0.0);
            for row in 0..plan.rows {
                let row = product(plan, tables, &cursor, row, NONE, tile);
                block::row::<Multiply>(&row, message, |m, p| m + p);
            }
            cursor.advance();
        }
    }
}

dispatch! {
    /// `m(y) = Σ_x |p(x, y)|`.
    fn absolute(plan: &Plan, tables: &[&[f64]], first: usize, message: &mut [f64], tile: &mut [f64]) {
        let mut cursor = Cursor::new(plan, first);
        for message in message.chunks_exact_mut(plan.block) {
            message.fill(0.0);
            for row in 0..plan.rows {
                let row = product(plan, tables, &cursor, row, NONE, tile);
                block::row::<Multiply>(&row, message, |m, p| m + p.abs());
            }
            cursor.advance();
        }
    }
}

dispatch! {
    /// Adds `Σ c Π_{j≠i} f_j` to each target, `c` being the slope times the adjoint of the message.
    pub(crate) fn backward(
        plan: &Plan,
        tables: &[&[f64]],
        signed: bool,
        first: usize,
        part: Backward<'_>,
    ) {
        let mut part = part;
        let block = plan.block;
        let mut cursor = Cursor::new(plan, first);
        let (tile, work) = part.columns.work.split_at_mut(block);
        let (c, work) = work.split_at_mut(block);
        let out = &mut work[..block];
        let mut slopes = part.columns.slopes.chunks_exact(block);
        for adjoint in part.columns.adjoint.chunks_exact(block) {
            for row in 0..plan.rows {
                let c = if let Some(slopes) = slopes.next() {
                    for ((c, slope), a) in c.iter_mut().zip(slopes).zip(adjoint) {
                        *c = slope * a;
                    }
                    &*c
                } else if signed {
                    adjoint
                } else {
                    let p = product(plan, tables, &cursor, row, NONE, tile);
                    block::row::<Multiply>(&p, c, |_, p| sum::sign(p));
                    for (c, a) in c.iter_mut().zip(adjoint) {
                        *c *= a;
                    }
                    &*c
                };
                for (at, (input, target)) in plan.inputs.iter().zip(&mut part.targets).enumerate() {
                    let others = product(plan, tables, &cursor, row, at, tile);
                    let start = cursor.offsets[at] + input.rows[row];
                    let target = target.at(start, input.span);
                    if input.mode == Mode::Contiguous {
                        block::scaled_row(&others, c, target, |sum, x| sum + x);
                    } else {
                        block::scaled_row(&others, c, out, |_, x| x);
                        block::fold(&input.mode, out, target);
                    }
                }
            }
            cursor.advance();
        }
    }
}

//! The gauges that an objective moves: where they lie among its parameters, and what they do to tables.

use std::ops::Range;

use forney_model::{FactorGraph, VarId};
use nalgebra::DMatrix;

use crate::{GaugeError, Gauges, MAX_CONDITION, axis};

/// Gauges at the front of the parameters, one after the other, row by row.
#[derive(Clone, Debug)]
pub(crate) struct MovingGauges {
    slots: Vec<Slot>,
    /// `G_v^{-T}`, where `G_v` lies among the parameters.
    inverses: Vec<f64>,
    /// The derivatives along `δ` for `G ← (I + δ) G`.
    tangents: Vec<f64>,
    room: Vec<f64>,
}

/// Where a gauge lies among the parameters.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    variable: VarId,
    pub(crate) card: usize,
    pub(crate) range: Range<usize>,
}

/// One gauged axis of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) slot: usize,
    pub(crate) card: usize,
    pub(crate) stride: usize,
    /// Does `G^{-T}` act here, and not `G`?
    pub(crate) inverse: bool,
}

impl MovingGauges {
    /// Gauges of some variables, each between two tables, and the legs of every table; `scopes` are
    /// those of the tables.
    pub(crate) fn new(
        graph: &FactorGraph,
        scopes: &[&[VarId]],
        gauged: impl IntoIterator<Item = (VarId, [usize; 2])>,
    ) -> (Self, Vec<Vec<Leg>>) {
        let mut slots: Vec<Slot> = Vec::new();
        let mut legs = vec![Vec::new(); scopes.len()];
        let (mut end, mut largest) = (0, 0);
        for (variable, tables) in gauged {
            let (slot, card) = (slots.len(), graph.card(variable));
            for (table, inverse) in tables.into_iter().zip([false, true]) {
                let after = scopes[table].iter().skip_while(|&&u| u != variable);
                let stride = after.skip(1).map(|&u| graph.card(u)).product();
                legs[table].push(Leg {
                    slot,
                    card,
                    stride,
                    inverse,
                });
            }
            let range = end..end + card * card;
            (end, largest) = (range.end, largest.max(range.len()));
            slots.push(Slot {
                variable,
                card,
                range,
            });
        }
        let gauges = Self {
            slots,
            inverses: vec![0.0; end],
            tangents: vec![0.0; end],
            room: vec![0.0; largest],
        };
        (gauges, legs)
    }

    /// Entries of all gauges.
    pub(crate) fn len(&self) -> usize {
        self.inverses.len()
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub(crate) fn tangents(&self) -> &[f64] {
        &self.tangents
    }

    /// The parameters of these gauges, or of identities.
    pub(crate) fn parameters(&self, gauges: Option<&Gauges>) -> Vec<f64> {
        let mut x = vec![0.0; self.len()];
        for slot in &self.slots {
            let entries = &mut x[slot.range.clone()];
            match gauges.and_then(|gauges| gauges.first(slot.variable)) {
                // nalgebra stores columns.
                Some(matrix) => entries.copy_from_slice(matrix.transpose().as_slice()),
                None => entries
                    .iter_mut()
                    .step_by(slot.card + 1)
                    .for_each(|x| *x = 1.0),
            }
        }
        x
    }

    /// The gauges at these parameters.
    pub(crate) fn gauges(&self, x: &[f64], graph: &FactorGraph) -> Result<Gauges, GaugeError> {
        let matrix = |slot: &Slot| {
            let entries = &x[slot.range.clone()];
            let matrix = DMatrix::from_row_slice(slot.card, slot.card, entries);
            (slot.variable, matrix)
        };
        Gauges::new(graph, self.slots.iter().map(matrix).collect())
    }

    /// Works out the inverses at these parameters; false if a gauge is too close to singular.
    pub(crate) fn invert(&mut self, x: &[f64]) -> bool {
        self.tangents.fill(0.0);
        let squared = |entries: &[f64]| entries.iter().map(|x| x * x).sum::<f64>();
        self.slots.iter().all(|slot| {
            let matrix = &x[slot.range.clone()];
            let out = &mut self.inverses[slot.range.clone()];
            // ‖G‖ ‖G⁻¹‖ in Frobenius norms is at least the condition number. Written so that NaN
            // is outside of the domain as well.
            axis::inverse_transpose(matrix, slot.card, &mut self.room, out)
                && squared(matrix) * squared(out) <= MAX_CONDITION * MAX_CONDITION
        })
    }

    /// Scales the rows of each gauge so that they are as long as those of its inverse transpose;
    /// bounds stay.
    pub(crate) fn balance(&mut self, x: &mut [f64]) {
        for slot in &self.slots {
            let matrix = &mut x[slot.range.clone()];
            let inverse = &mut self.inverses[slot.range.clone()];
            if axis::inverse_transpose(matrix, slot.card, &mut self.room, inverse) {
                axis::balance(matrix, inverse, slot.card);
            }
        }
    }

    /// A table in the gauges of the parameters that were [inverted](Self::invert) last; `room` is as long as the
    /// table.
    pub(crate) fn transform(
        &self,
        x: &[f64],
        legs: &[Leg],
        table: &[f64],
        out: &mut [f64],
        room: &mut [f64],
    ) {
        let apply = |leg: &Leg, from: &[f64], to: &mut [f64]| {
            let matrix = if leg.inverse { &self.inverses } else { x };
            let matrix = &matrix[self.slots[leg.slot].range.clone()];
            axis::apply(from, leg.card, leg.stride, matrix, to);
        };
        let Some((first, rest)) = legs.split_first() else {
            return out.copy_from_slice(table);
        };
        // Axis after axis, to and fro, so that the last one ends in `out`.
        let (mut from, mut to) = match rest.len().is_multiple_of(2) {
            true => (out, room),
            false => (room, out),
        };
        apply(first, table, from);
        for leg in rest {
            apply(leg, from, to);
            std::mem::swap(&mut from, &mut to);
        }
    }

    /// Adds what a gauged table has in the tangents; `adjoint` is the derivative along its entries.
    pub(crate) fn pull_back(&mut self, legs: &[Leg], table: &[f64], adjoint: &[f64]) {
        for leg in legs {
            let tangent = &mut self.tangents[self.slots[leg.slot].range.clone()];
            if leg.inverse {
                // −D_bᵀ: the roles of table and adjoint change places.
                tangent.iter_mut().for_each(|x| *x = -*x);
                axis::contract(table, adjoint, leg.card, leg.stride, tangent);
                tangent.iter_mut().for_each(|x| *x = -*x);
            } else {
                axis::contract(adjoint, table, leg.card, leg.stride, tangent);
            }
        }
    }

    /// `∂/∂G = E G^{-T}` of the tangents `E`, because `G` changes by `δG`.
    pub(crate) fn gradient(&self, out: &mut [f64]) {
        for slot in &self.slots {
            axis::product(
                &self.tangents[slot.range.clone()],
                &self.inverses[slot.range.clone()],
                slot.card,
                &mut out[slot.range.clone()],
            );
        }
    }
}

//! The sum over perfect matchings as the Pfaffian of a signed adjacency matrix, along a tree of fronts.
//!
//! The two darts of a pair are neighbours, and are eliminated together. What is left then is again the signed adjacency
//! matrix of a planar graph, since no cycle of the rest runs between the two; so every pivot is a quotient of two sums
//! over matchings, of positive terms only, and at least the element of the pair itself, in whichever order they come.

use std::sync::Mutex;

use forney_certify::{Budget, DoubleDouble};
use rayon::prelude::*;

use crate::dense::eliminate;
use crate::fronts::{Front, Fronts, Parts};
use crate::invert::invert;
use crate::map::Map;
use crate::pairing::Pairing;
use crate::real::Real;

/// Why there is no Pfaffian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The budget was over.
    Stopped,
    /// A pivot, which is positive, was not: rounding has eaten it.
    Rounding,
}

/// The matrix `K`, whose rows are darts: `± exp 2J_e` between the two sides of edge `e` and `± 1` between neighbours in
/// a triangle, its rows and columns scaled so that the elements of the pairs that are eliminated together are `± 1`.
pub(crate) struct Matrix<'m> {
    map: &'m Map,
    pairing: &'m Pairing,
    fronts: &'m Fronts,
    /// All couplings are multiplied by this.
    strength: f64,
}

/// What a front passes on: to its parent what is left, above the diagonal, or to a child the inverse among its rows.
type Passed<T> = Mutex<Option<Vec<T>>>;

/// A matrix that was eliminated.
pub(crate) struct Eliminated<T> {
    /// `ln |Pf K|`.
    pub(crate) ln: DoubleDouble,
    /// The rows of the pivots of each front, as the elimination has left them.
    rows: Vec<Vec<T>>,
}

/// What an elimination was worth.
pub(crate) struct Worth {
    /// How far rounding has moved `ln |Pf K|`, to first order.
    pub(crate) error: f64,
    /// The share of the sum in which the two sides of an edge are matched with each other, by edge.
    pub(crate) matched: Vec<f64>,
}

impl<'m> Matrix<'m> {
    pub(crate) fn new(
        map: &'m Map,
        pairing: &'m Pairing,
        fronts: &'m Fronts,
        strength: f64,
    ) -> Self {
        Self {
            map,
            pairing,
            fronts,
            strength,
        }
    }

    /// The logarithm of the scale of a dart.
    fn scale(&self, dart: u32) -> f64 {
        match self.pairing.of[dart as usize] == self.pairing.of[dart as usize ^ 1] {
            true => -self.strength * self.map.couplings[dart as usize / 2],
            false => 0.0,
        }
    }

    /// Eliminates all pairs.
    pub(crate) fn eliminate<T: Real>(&self, budget: &Budget) -> Result<Eliminated<T>, Failed> {
        let Parts { top, subtrees } = self.fronts.parts();
        let fronts = &self.fronts.list;
        let passed: Vec<Passed<T>> = fronts.iter().map(|_| Mutex::default()).collect();
        let run = |at: u32, scratch: &mut Scratch<T>| {
            let found = self.forward(at, &passed, scratch, budget)?;
            Ok((at, found))
        };
        let parts: Result<Vec<Vec<_>>, Failed> = (subtrees.par_iter().with_max_len(1))
            .map(|subtree| {
                let mut scratch = Scratch::default();
                subtree.iter().map(|&at| run(at, &mut scratch)).collect()
            })
            .collect();
        let parts = parts?;
        let mut scratch = Scratch::default();
        let top: Result<Vec<_>, Failed> = top.iter().map(|&at| run(at, &mut scratch)).collect();
        let mut rows = vec![Vec::new(); fronts.len()];
        let mut ln = DoubleDouble::ZERO;
        for (at, (part, kept)) in parts.into_iter().flatten().chain(top?) {
            ln += part;
            rows[at as usize] = kept;
        }
        Ok(Eliminated { ln, rows })
    }

    /// Eliminates the pivots of one front: the logarithm of their product, and their rows.
    fn forward<T: Real>(
        &self,
        at: u32,
        passed: &[Passed<T>],
        scratch: &mut Scratch<T>,
        budget: &Budget,
    ) -> Result<(DoubleDouble, Vec<T>), Failed> {
        if budget.stop().is_some() {
            return Err(Failed::Stopped);
        }
        let front = &self.fronts.list[at as usize];
        let side = front.len();
        let matrix = &mut scratch.matrix;
        matrix.clear();
        matrix.resize(side * side, T::default());
        self.enter(front, matrix);
        for &child in &front.children {
            let left = lock(&passed[child as usize]).take().unwrap_or_default();
            front.places_of(&self.fronts.list[child as usize].rows, &mut scratch.places);
            add(matrix, side, &left, &scratch.places);
        }
        let first = 2 * front.pivots.len();
        eliminate(matrix, side, first, &mut scratch.scaled);
        let mut ln = DoubleDouble::ZERO;
        for (k, &place) in front.pivots.iter().enumerate() {
            let pivot = self.sign(place) * matrix[2 * k * side + 2 * k + 1].value();
            if !(pivot > 0.0 && pivot.is_finite()) {
                return Err(Failed::Rounding);
            }
            ln += pivot.ln();
        }
        let mut left = Vec::with_capacity((side - first).pow(2));
        for row in matrix.chunks_exact(side).skip(first) {
            left.extend_from_slice(&row[first..]);
        }
        *lock(&passed[at as usize]) = Some(left);
        Ok((ln, matrix[..first * side].to_vec()))
    }

    /// The sign of the element of `K` of the pair at this place.
    fn sign(&self, place: u32) -> f64 {
        let [dart, mate] = self.pairing.darts[self.fronts.order[place as usize] as usize];
        let mut beside = self.map.around(dart).into_iter().zip(self.map.signs(dart));
        let found = beside.find(|&(other, _)| other == mate);
        found.map_or(f64::NAN, |(_, sign)| sign)
    }

    /// The inverse where it is wanted, from the roots down.
    pub(crate) fn worth<T: Real>(
        &self,
        eliminated: &Eliminated<T>,
        budget: &Budget,
    ) -> Result<Worth, Failed> {
        let Parts { top, subtrees } = self.fronts.parts();
        let passed: Vec<Passed<T>> = (eliminated.rows.iter()).map(|_| Mutex::default()).collect();
        let run = |at: u32, scratch: &mut Scratch<T>| {
            self.backward(at, &eliminated.rows[at as usize], &passed, scratch, budget)
        };
        let mut scratch = Scratch::default();
        let mut found = Vec::new();
        for &at in top.iter().rev() {
            found.push(run(at, &mut scratch)?);
        }
        let parts: Result<Vec<Vec<_>>, Failed> = (subtrees.par_iter().with_max_len(1))
            .map(|subtree| {
                let mut scratch = Scratch::default();
                subtree
                    .iter()
                    .rev()
                    .map(|&at| run(at, &mut scratch))
                    .collect()
            })
            .collect();
        let mut worth = Worth {
            error: 0.0,
            matched: vec![f64::NAN; self.map.couplings.len()],
        };
        for (error, edges) in found.into_iter().chain(parts?.into_iter().flatten()) {
            worth.error += T::EPSILON * error;
            for (edge, share) in edges {
                worth.matched[edge as usize] = share;
            }
        }
        Ok(worth)
    }

    /// The inverse of one front: what roundings of size 1 would have done, and the edges that its pivots hold.
    fn backward<T: Real>(
        &self,
        at: u32,
        rows: &[T],
        passed: &[Passed<T>],
        scratch: &mut Scratch<T>,
        budget: &Budget,
    ) -> Result<(f64, Vec<(u32, f64)>), Failed> {
        if budget.stop().is_some() {
            return Err(Failed::Stopped);
        }
        let front = &self.fronts.list[at as usize];
        let (side, first) = (front.len(), 2 * front.pivots.len());
        let inverse = &mut scratch.matrix;
        inverse.clear();
        inverse.resize(side * side, T::default());
        let known = lock(&passed[at as usize]).take().unwrap_or_default();
        if side > first {
            for (row, known) in
                (inverse.chunks_exact_mut(side).skip(first)).zip(known.chunks_exact(side - first))
            {
                row[first..].copy_from_slice(known);
            }
        }
        let error = invert(rows, side, first, inverse, &mut scratch.inverting);
        for &child in &front.children {
            front.places_of(&self.fronts.list[child as usize].rows, &mut scratch.places);
            let mut known = Vec::with_capacity(4 * scratch.places.len().pow(2));
            for &a in &scratch.places {
                for half in 0..2 {
                    let row = &inverse[(2 * a as usize + half) * side..][..side];
                    let pairs = scratch.places.iter().map(|&b| &row[2 * b as usize..][..2]);
                    pairs.for_each(|pair| known.extend_from_slice(pair));
                }
            }
            *lock(&passed[child as usize]) = Some(known);
        }
        let mut edges = Vec::new();
        self.elements(front, |a, b, dart, other, element| {
            if other == dart ^ 1 {
                edges.push((dart / 2, -element * inverse[a * side + b].value()));
            }
        });
        Ok((error, edges))
    }

    /// Enters the elements of `K` between the pivots of a front and what comes later.
    fn enter<T: Real>(&self, front: &Front, matrix: &mut [T]) {
        let side = front.len();
        self.elements(front, |a, b, _, _, element| {
            matrix[a * side + b] = matrix[a * side + b] + T::from(element)
        });
    }

    /// The elements of `K` between the pivots of a front and what comes later: row, column, their darts, element.
    fn elements(&self, front: &Front, mut each: impl FnMut(usize, usize, u32, u32, f64)) {
        let map = self.map;
        for (k, &pivot) in front.pivots.iter().enumerate() {
            let darts = self.pairing.darts[self.fronts.order[pivot as usize] as usize];
            for (half, dart) in darts.into_iter().enumerate() {
                let beside = map.around(dart).into_iter().zip(map.signs(dart));
                for ((other, sign), weight) in beside.zip([2.0, 0.0, 0.0]) {
                    let pair = self.pairing.of[other as usize];
                    let place = self.fronts.place[pair as usize];
                    // Within a pair one half of the matrix is enough.
                    if place > pivot || place == pivot && half == 0 {
                        let ln = weight * self.strength * map.couplings[dart as usize / 2];
                        let ln = ln + self.scale(dart) + self.scale(other);
                        let second = usize::from(self.pairing.darts[pair as usize][1] == other);
                        let (a, b) = (2 * k + half, 2 * front.local(place) + second);
                        each(a, b, dart, other, sign * ln.exp());
                    }
                }
            }
        }
    }
}

/// What a thread works in.
#[derive(Default)]
struct Scratch<T> {
    matrix: Vec<T>,
    scaled: Vec<T>,
    inverting: crate::invert::Scratch<T>,
    places: Vec<u32>,
}

fn lock<T>(slot: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    slot.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Front {
    /// Where a place stands in the front, which has it.
    fn local(&self, place: u32) -> usize {
        match self.pivots.binary_search(&place) {
            Ok(at) => at,
            Err(_) => self.pivots.len() + self.rows.partition_point(|&row| row < place),
        }
    }

    /// Where each of these ascending places stands in the front, which has them all.
    fn places_of(&self, rows: &[u32], places: &mut Vec<u32>) {
        places.clear();
        let mut own = self.pivots.iter().chain(&self.rows).enumerate();
        for row in rows {
            let found = own.by_ref().find(|(_, own)| *own == row);
            places.extend(found.map(|(at, _)| at as u32));
        }
    }
}

/// Adds what a child has left.
fn add<T: Real>(matrix: &mut [T], side: usize, update: &[T], places: &[u32]) {
    let rows = 2 * places.len();
    for (i, &a) in places.iter().enumerate() {
        for half in 0..2 {
            let from = &update[(2 * i + half) * rows..][..rows];
            let row = &mut matrix[(2 * a as usize + half) * side..][..side];
            for (j, &b) in places.iter().enumerate().skip(i) {
                for half in 0..2 {
                    let place = 2 * b as usize + half;
                    row[place] = row[place] + from[2 * j + half];
                }
            }
        }
    }
}

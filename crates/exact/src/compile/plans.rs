//! Walks, each worked out once: a long chain has a million cliques of one shape.

use std::collections::HashMap;
use std::sync::Arc;

use super::scopes::Place;
use crate::layout::{Axis, Plan};

/// The plans so far, by shape.
///
/// A shape is the number of axes that are summed out, the cardinalities of all axes of the clique,
/// and for each input its number of axes and where they are in the clique.
#[derive(Default)]
pub(super) struct Plans {
    known: HashMap<Box<[u32]>, Arc<Plan>>,
    shape: Vec<u32>,
}

impl Plans {
    /// The plan of a clique whose first axes are `eliminated`; every input is a part of `scope`,
    /// and all of them are ascending.
    pub(super) fn plan<'t>(
        &mut self,
        scope: &[Place],
        eliminated: usize,
        card: impl Fn(Place) -> usize,
        inputs: impl Iterator<Item = &'t [Place]>,
    ) -> Arc<Plan> {
        self.shape.clear();
        self.shape.extend([eliminated as u32, scope.len() as u32]);
        self.shape.extend(scope.iter().map(|&p| card(p) as u32));
        for input in inputs {
            self.shape.push(input.len() as u32);
            let place = |p| scope.binary_search(p).expect("an input within its clique");
            self.shape.extend(input.iter().map(|p| place(p) as u32));
        }
        if let Some(plan) = self.known.get(&self.shape[..]) {
            return Arc::clone(plan);
        }
        let plan = Arc::new(plan_of(&self.shape));
        self.known
            .insert(self.shape.as_slice().into(), Arc::clone(&plan));
        plan
    }
}

/// The plan of a shape.
fn plan_of(shape: &[u32]) -> Plan {
    let (eliminated, axes) = (shape[0] as usize, shape[1] as usize);
    let (cards, mut rest) = shape[2..].split_at(axes);
    let axis = |at: usize| -> Axis { (at, cards[at] as usize) };
    let clique: Vec<Axis> = (0..axes).map(axis).collect();
    let mut inputs: Vec<Vec<Axis>> = Vec::new();
    while let Some((&len, after)) = rest.split_first() {
        let (input, others) = after.split_at(len as usize);
        inputs.push(input.iter().map(|&at| axis(at as usize)).collect());
        rest = others;
    }
    let (rows, cols) = clique.split_at(eliminated);
    Plan::new(rows, cols, &inputs)
}

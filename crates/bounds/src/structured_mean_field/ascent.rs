//! Coordinate ascent over blocks, each optimised exactly.

use std::cmp::Ordering;
use std::sync::Arc;

use forney_certify::{DoubleDouble, Flaw, Refine};
use forney_exact::{Marginals, Order, Schedule, TooLarge, Whole};
use forney_model::walk::joint;
use forney_model::{FactorGraph, Table, VarId};

use super::partition::{partition, total_correlation};
use crate::elbo::{Parts, Tractable, conditional_expectation, expectation, mean};
use crate::mean_field::MeanField;
use crate::wmbe::CliqueLimit;

/// Coordinate ascent over the blocks of a partition; each update maximises the bound over *all*
/// distributions of one block, all others fixed:
///
/// ```text
/// q_B(x_B) ∝ Π_{a ⊂ B} f_a(x_a) · exp Σ_{a crosses B} E_{q \ q_B}[ln f_a | x_{a ∩ B}]
/// ```
///
/// (Saul & Jordan 1996; Xing, Jordan & Russell 2003.) So no update lowers the bound, and from a
/// start with a finite bound no hard zero ever gets any probability. One
/// [`sweep`](Refine::sweep) updates every block.
///
/// # Complexity
/// A sweep takes the exact marginals of every block, of width at most the ibound, and time linear
/// in the table entries.
///
/// # Example
/// ```
/// use forney_bounds::{MeanField, StructuredAscent};
/// use forney_certify::{Certificate, Refine};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(5, 0.5, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let start = MeanField::uniform(&model);
/// let mut ascent = StructuredAscent::new(&model, &start, 2, 1e9)?;
/// let value = ascent.sweep();
/// assert!(value > start.verify(&model)?.ln());
/// assert!((ascent.point().verify(&model)?.ln() - value).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct StructuredAscent<'g> {
    graph: &'g FactorGraph,
    blocks: Vec<Block>,
    factors: Vec<Divided>,
    memory: f64,
}

/// Cliques of a block within the ibound, such that one for each variable fits in memory.
pub(super) fn clique_limit(graph: &FactorGraph, ibound: usize, memory: f64) -> CliqueLimit {
    let bytes = 16.0 * graph.num_variables().max(1) as f64;
    CliqueLimit {
        ibound,
        entries: memory / bytes,
    }
}

/// What keeps structured mean field from starting.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StartError {
    /// The starting point is not one distribution for each variable.
    #[error(transparent)]
    Start(#[from] Flaw),
    /// The blocks are no partition of the variables.
    #[error("variable {0} has to be in exactly one block")]
    Blocks(VarId),
    /// A block does not fit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// The distribution of one block.
#[derive(Clone, Debug)]
struct Block {
    /// By number within the block.
    variables: Vec<VarId>,
    cards: Vec<usize>,
    order: Order,
    schedule: Arc<Schedule>,
    slots: Vec<Slot>,
    /// The factors of `q_B`, in numbers within the block; one for each slot after an update.
    tables: Vec<Table>,
    entropy: f64,
}

/// The part of a factor that lies in a block.
#[derive(Clone, Debug)]
struct Slot {
    factor: usize,
    /// Position among the parts of the factor.
    part: usize,
    /// As in [`conditional_expectation`], this part being the first.
    places: Vec<(usize, usize)>,
    table: Table,
    /// Is it the whole factor?
    whole: bool,
}

/// A factor, in parts that lie in different blocks.
#[derive(Clone, Debug)]
struct Divided {
    parts: Parts,
    /// The present distribution of each part.
    joint: Vec<Vec<f64>>,
}

impl<'g> StructuredAscent<'g> {
    /// Chooses blocks of width at most `ibound` and starts at a product distribution.
    ///
    /// `memory` is in bytes, for the marginals of one block.
    ///
    /// # Errors
    /// [`StartError`] if `start` is not one distribution for each variable, or a block does not
    /// fit.
    pub fn new(
        graph: &'g FactorGraph,
        start: &MeanField,
        ibound: usize,
        memory: f64,
    ) -> Result<Self, StartError> {
        let strengths: Vec<f64> = graph.factors().iter().map(total_correlation).collect();
        let blocks = partition(graph, clique_limit(graph, ibound, memory), &strengths, None);
        Self::over(graph, start, &blocks, memory)
    }

    /// Starts at a product distribution, over given disjoint blocks; each is eliminated in its own
    /// order.
    ///
    /// # Errors
    /// [`StartError`] if the blocks do not hold each variable once, if `start` is not one
    /// distribution for each variable, or if a block does not fit in `memory` bytes.
    ///
    /// # Panics
    /// Never: blocks that hold each variable once are a part of every scope that they meet.
    pub fn over(
        graph: &'g FactorGraph,
        start: &MeanField,
        blocks: &[Vec<VarId>],
        memory: f64,
    ) -> Result<Self, StartError> {
        let q = start.normalised(graph)?;
        let nowhere = (usize::MAX, 0);
        let mut place = vec![nowhere; graph.num_variables()];
        for (block, members) in blocks.iter().enumerate() {
            for (at, v) in members.iter().enumerate() {
                match place.get_mut(v.index()) {
                    Some(own) if *own == nowhere => *own = (block, at),
                    _ => return Err(StartError::Blocks(*v)),
                }
            }
        }
        if let Some(v) = place.iter().position(|own| *own == nowhere) {
            return Err(StartError::Blocks(VarId::new(v)));
        }
        let mut factors = Vec::with_capacity(graph.num_factors());
        let mut slots: Vec<Vec<Slot>> = vec![Vec::new(); blocks.len()];
        for (factor, table) in graph.factors().iter().enumerate() {
            let block = |v: VarId| place[v.index()].0;
            let parts = Parts::of(table, |u, v| block(u) == block(v));
            let whole = parts.scopes.len() == 1;
            for (part, scope) in parts.scopes.iter().enumerate() {
                let local = scope.iter().map(|v| VarId::new(place[v.index()].1));
                let cards: Vec<usize> = scope.iter().map(|&v| graph.card(v)).collect();
                let ln = if whole {
                    table.relative().to_vec()
                } else {
                    vec![0.0; cards.iter().product()]
                };
                let first = |&(of, stride): &(usize, usize)| match of.cmp(&part) {
                    Ordering::Less => (of + 1, stride),
                    Ordering::Equal => (0, stride),
                    Ordering::Greater => (of, stride),
                };
                slots[block(scope[0])].push(Slot {
                    factor,
                    part,
                    places: parts.places.iter().map(first).collect(),
                    table: Table::from_ln(local.collect(), cards, ln)
                        .expect("a part of a valid scope"),
                    whole,
                });
            }
            let product = |scope: &Vec<VarId>| {
                let cards = scope.iter().map(|&v| graph.card(v));
                let mut room = vec![1.0; cards.product()];
                joint(scope.iter().map(|v| &q[v.index()][..]), &mut room);
                room
            };
            let joint = parts.scopes.iter().map(product).collect();
            factors.push(Divided { parts, joint });
        }
        let blocks = (blocks.iter().zip(slots))
            .map(|(members, slots)| Block::new(graph, members, slots, &q, memory))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            graph,
            blocks,
            factors,
            memory,
        })
    }

    /// Number of blocks.
    #[must_use]
    pub fn num_blocks(&self) -> usize {
        self.blocks.len()
    }

    /// `ELBO(q)`, in nats.
    #[must_use]
    pub fn elbo(&self) -> f64 {
        let entropy: DoubleDouble = self.blocks.iter().map(|block| block.entropy).sum();
        let energy = self.graph.factors().iter().zip(&self.factors);
        let energy: DoubleDouble = energy
            .map(|(table, Divided { parts, joint })| {
                let joint: Vec<&[f64]> = joint.iter().map(Vec::as_slice).collect();
                expectation(table, &parts.places, &joint)
            })
            .sum();
        (energy + entropy + self.graph.ln_scale()).value()
    }

    /// Maximises the bound over the distribution of one block. If no state of the block has a
    /// finite expectation, which only happens while the bound is `−∞`, it stays as it is.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn update(&mut self, block: usize) {
        let block = &mut self.blocks[block];
        let tables: Vec<Table> = (block.slots.iter())
            .map(|slot| slot.expected(self.graph, &self.factors[slot.factor]))
            .collect();
        let q = FactorGraph::new(block.cards.clone(), tables).expect("tables of the block");
        let found = Marginals::along(&block.schedule, &q);
        if !found.ln_z.is_finite() {
            return;
        }
        let mut entropy = DoubleDouble::from(found.ln_relative);
        for ((slot, table), p) in block.slots.iter().zip(q.factors()).zip(found.factors) {
            entropy -= mean(&p, table.relative());
            self.factors[slot.factor].joint[slot.part] = p;
        }
        block.entropy = entropy.value();
        block.tables = q.factors().to_vec();
    }
}

impl Block {
    fn new(
        graph: &FactorGraph,
        variables: &[VarId],
        slots: Vec<Slot>,
        q: &[Vec<f64>],
        memory: f64,
    ) -> Result<Self, TooLarge> {
        let cards: Vec<usize> = variables.iter().map(|&v| graph.card(v)).collect();
        let tables = slots.iter().map(|slot| slot.table.clone()).collect();
        let shape = FactorGraph::new(cards.clone(), tables).expect("tables of the block");
        let order = Order::new(shape.variables().collect(), &shape).expect("each variable once");
        let schedule = Schedule::compile(&shape, &order, &mut Whole)?;
        let demand = schedule.demand();
        demand.admit(demand.kept_bytes, memory)?;
        let own = |(at, v): (usize, &VarId)| {
            let q = &q[v.index()];
            Table::from_values(vec![VarId::new(at)], vec![q.len()], q).expect("a distribution")
        };
        let entropy = |v: &VarId| -> f64 {
            let positive = q[v.index()].iter().filter(|&&p| p > 0.0);
            positive.map(|p| -p * p.ln()).sum()
        };
        Ok(Self {
            variables: variables.to_vec(),
            cards,
            order,
            schedule: schedule.into(),
            slots,
            tables: variables.iter().enumerate().map(own).collect(),
            entropy: variables.iter().map(entropy).sum(),
        })
    }
}

impl Slot {
    /// `E[ln f | own variables]`, but for a constant: a block is no different for it.
    fn expected(&self, graph: &FactorGraph, own: &Divided) -> Table {
        if self.whole {
            return self.table.clone();
        }
        let others = own.joint.iter().enumerate();
        let joint: Vec<&[f64]> = others
            .filter(|(part, _)| *part != self.part)
            .map(|(_, joint)| joint.as_slice())
            .collect();
        let mut ln = vec![0.0; self.table.num_entries()];
        let factor = &graph.factors()[self.factor];
        conditional_expectation(factor, &self.places, &joint, &mut ln);
        let (scope, cards) = (self.table.scope().to_vec(), self.table.cards().to_vec());
        Table::from_ln(scope, cards, ln).expect("expectations of finite logarithms")
    }
}

impl Refine for StructuredAscent<'_> {
    type Point = Tractable;

    fn sweep(&mut self) -> f64 {
        for block in 0..self.blocks.len() {
            self.update(block);
        }
        self.elbo()
    }

    fn point(&self) -> Tractable {
        let mut tables = Vec::new();
        let mut order = Vec::with_capacity(self.graph.num_variables());
        for block in &self.blocks {
            let global = |v: &VarId| block.variables[v.index()];
            order.extend(block.order.vars().iter().map(global));
            for table in &block.tables {
                let scope = table.scope().iter().map(global).collect();
                tables.push(table.renamed(scope).expect("the table of a block"));
            }
        }
        Tractable {
            q: FactorGraph::new(self.graph.cards().to_vec(), tables).expect("tables of blocks"),
            order: Order::new(order, self.graph).expect("every variable is in one block"),
            memory: self.memory,
        }
    }
}

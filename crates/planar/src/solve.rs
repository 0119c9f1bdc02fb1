//! From a model to its partition function.

use forney_certify::{Budget, DoubleDouble, Stop};
use forney_exact::{dissection, quick};
use forney_model::{FactorGraph, FactorId};

use crate::embedding::embed;
use crate::error::PlanarError;
use crate::fronts::Fronts;
use crate::ising::{Ising, Link};
use crate::map::Map;
use crate::pairing::{Pairing, low_energy};
use crate::pfaffian::{Failed, Matrix};
use crate::real::Real;

/// What a planar model comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// `ln Z`, in nats; `−∞` if no assignment is possible.
    pub ln_z: f64,
    /// How far rounding may have moved it, in nats: four times what a first-order analysis of every step adds up to, and
    /// the last digits of what is read and told.
    pub error: f64,
    /// Factors of two variables, and how often their variables are in the same state. Those whose couplings cancel
    /// are left out; there are none if no assignment is possible.
    pub agree: Vec<(FactorId, f64)>,
    /// The bytes of the attempts, by prediction.
    pub bytes: f64,
    /// Would there be more digits with more memory?
    pub short_of_memory: bool,
    /// Is every assignment as likely as its opposite? Then each variable of two states is in either half of the time.
    pub symmetric: bool,
}

/// What a solution takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Multiply-adds of one elimination; with its inverse there are about six times as many.
    pub products: f64,
    /// Entries of an elimination of tables that take about as long.
    pub entries: f64,
    /// Bytes, by prediction.
    pub bytes: f64,
}

/// An elimination of fewer entries than this, a hundredth of a second, needs nothing in its place.
const SHORT: f64 = 1e7;

/// The entries of an elimination along a [`quick`] order, where it is worth looking for a drawing in its place: binary
/// variables by twos, and more entries than are eliminated at once.
#[must_use]
pub fn spared_entries(graph: &FactorGraph, budget: &Budget) -> Option<f64> {
    let spins = graph.cards().iter().all(|&card| card <= 2);
    let pairs = graph
        .factors()
        .iter()
        .all(|factor| factor.scope().len() <= 2);
    let entries = (spins && pairs).then(|| quick(graph, budget).cost(graph).total_entries);
    entries.filter(|&entries| entries >= SHORT)
}

/// A planar Ising model, ready for its partition function.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_model::{enumerate::enumerate, FactorGraph, Table, VarId};
/// use forney_planar::Planar;
/// let like = |a, b| Table::from_ln(vec![VarId(a), VarId(b)], vec![2, 2], vec![0.3, -0.3, -0.3, 0.3]);
/// let cycle = FactorGraph::new(vec![2; 4], vec![like(0, 1)?, like(1, 2)?, like(2, 3)?, like(3, 0)?])?;
/// let budget = Budget::unlimited();
/// let planar = Planar::new(&cycle, &budget)?;
/// assert!((planar.solve(f64::INFINITY, &budget)?.ln_z - enumerate(&cycle).ln_z).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Planar {
    ising: Ising,
    map: Map,
    /// Where each dart stands in the order of elimination.
    places: Vec<u32>,
    /// An assignment that was guessed from the couplings alone.
    guess: Vec<bool>,
    demand: Demand,
}

/// How far it has come.
struct State {
    /// At full strength, the attempt that is least off, and by how much; infinite before the first.
    best: Option<Attempt>,
    least: f64,
    stopped: Option<Stop>,
    /// An assignment of low energy.
    down: Vec<bool>,
    /// The strength at which its agreements were had; 0 if it is a guess.
    reached: f64,
}

/// A solution at some strength of the couplings.
struct Attempt {
    ln_z: f64,
    error: f64,
    /// By edge of the map.
    agree: Vec<f64>,
}

/// Is rounding so small a part of the value that more attempts are not worth while?
fn is_enough(error: f64, ln_z: f64) -> bool {
    error <= TOLERANCE * ln_z.abs().max(1.0)
}

impl State {
    fn is_enough(&self) -> bool {
        let best = self.best.as_ref();
        best.is_some_and(|best| is_enough(best.error, best.ln_z))
    }
}

/// Entries of an elimination of tables, some nanosecond each, for each multiply-add of this one and its inverse: on grids
/// of 100 rows 1.2 and on those of 1,000 rows 0.5 ns were measured.
const ENTRIES: f64 = 1.2;
/// Bytes for each dart beside the fronts: the map, its drawing, the order and the tree, each of some lists.
const BYTES_FOR_DART: usize = 60;
/// A result that is further off by rounding, as a part of itself, is computed from a better assignment.
const TOLERANCE: f64 = 1e-10;
/// Agreements of a solution that is off by more than this, in nats, are no guess.
const GUESSED: f64 = 1e-2;
/// Where roundings move a result by this much, in nats, their first order is not all of it.
const HOPELESS: f64 = 0.1;
/// First-order errors count this many times.
const CAUTION: f64 = 4.0;
/// The first of these solutions has so much weaker couplings, and again so much where that is not enough.
const FIRST: f64 = 0.25;
/// Steps between strengths that are smaller than this lead nowhere.
const LEAST_STEP: f64 = 1.02;
/// Solutions on the way to a better assignment.
const MOST: usize = 16;

impl Planar {
    /// Reads the model as spins, draws it, and finds an order of elimination.
    ///
    /// # Errors
    /// Why the model is none, or that the budget is over.
    ///
    /// # Complexity
    /// `O(n log n)` for `n` spins.
    pub fn new(graph: &FactorGraph, budget: &Budget) -> Result<Self, PlanarError> {
        let mut ising = Ising::new(graph)?;
        if ising.impossible {
            ising.couplings.clear();
            ising.links.clear();
        }
        ising.prune();
        let rotation = embed(ising.spins, &ising.couplings);
        let map = rotation.and_then(|rotation| Map::new(ising.spins, &ising.couplings, &rotation));
        let Some(map) = map else {
            return Err(PlanarError::Crossing {
                fields: ising.fields,
            });
        };
        let guesses = ising.couplings.iter().map(|c| (c.ends, c.j));
        let guess = low_energy(ising.spins, guesses, &ising.couplings);
        let pairing = Pairing::new(&map, &guess);
        let beside = pairing.beside(&map);
        let order = dissection(beside.clone(), budget);
        // An order that was cut short may fill everything.
        if let Some(stop) = budget.stop() {
            return Err(PlanarError::Stopped(stop));
        }
        let places = pairing.places(&order);
        let fronts = Fronts::new(order, &beside);
        let kept = map.next.len() * BYTES_FOR_DART;
        Ok(Self {
            places,
            ising,
            map,
            guess,
            demand: Demand {
                products: fronts.work(),
                entries: ENTRIES * fronts.work(),
                bytes: fronts.bytes() + kept as f64,
            },
        })
    }

    /// What a solution takes: the first one, where strong couplings need more.
    #[must_use]
    pub fn demand(&self) -> Demand {
        self.demand
    }

    /// `ln Z = c + Σ_e J_e s_u s_v + k ln 2 + ln |Pf K|`, for some assignment `s` and `k` components.
    ///
    /// Rounding is felt where couplings are strong and `s` is far from the most probable assignment. Then weaker
    /// couplings come first, and the agreements that they give are the guess for stronger ones; where that does not
    /// help, all is done again with twice the digits, if `memory` in bytes holds it.
    ///
    /// # Errors
    /// If the budget ends it, or rounding.
    pub fn solve(&self, memory: f64, budget: &Budget) -> Result<Solution, PlanarError> {
        let direct = self.direct(memory, budget);
        match direct {
            Err(PlanarError::Rounding) => self.improved(direct, memory, budget),
            Ok(ref found) if !is_enough(found.error / CAUTION, found.ln_z) => {
                self.improved(direct, memory, budget)
            }
            direct => direct,
        }
    }

    /// What the guess alone comes to: the first attempt of [`Self::solve`].
    ///
    /// # Errors
    /// As there.
    pub fn direct(&self, memory: f64, budget: &Budget) -> Result<Solution, PlanarError> {
        if self.ising.impossible {
            return Ok(Solution {
                ln_z: f64::NEG_INFINITY,
                error: 0.0,
                agree: Vec::new(),
                bytes: self.demand.bytes,
                short_of_memory: false,
                symmetric: false,
            });
        }
        let found = self.at::<f64>(&self.guess, 1.0, memory, budget)?;
        Ok(self.solution(&found, self.demand.bytes, false))
    }

    /// The other attempts of [`Self::solve`], after the [direct](Self::direct) one: it stays if none is better.
    ///
    /// # Errors
    /// As there.
    pub fn improved(
        &self,
        direct: Result<Solution, PlanarError>,
        memory: f64,
        budget: &Budget,
    ) -> Result<Solution, PlanarError> {
        let least = direct
            .as_ref()
            .map_or(f64::INFINITY, |direct| direct.error / CAUTION);
        let mut state = State {
            best: None,
            least,
            stopped: None,
            down: self.guess.clone(),
            reached: 0.0,
        };
        self.strengthen::<f64>(&mut state, FIRST, memory, budget);
        // Numbers of twice the digits take twice the memory, and some seven times as long.
        let (twice, mut bytes) = (2.0 * self.demand.bytes, self.demand.bytes);
        let wanted = !state.is_enough() && state.stopped.is_none();
        if wanted && twice <= memory {
            bytes = twice;
            self.strengthen::<DoubleDouble>(&mut state, 1.0, memory, budget);
        }
        let short = wanted && twice > memory;
        match (state.best, direct) {
            (Some(best), _) => Ok(self.solution(&best, bytes, short)),
            (None, Ok(direct)) => Ok(Solution {
                bytes,
                short_of_memory: short,
                ..direct
            }),
            (None, Err(_)) => Err(match (state.stopped, short) {
                (Some(stop), _) => PlanarError::Stopped(stop),
                (None, true) => PlanarError::TooLarge {
                    bytes: twice,
                    limit: memory,
                },
                (None, false) => PlanarError::Rounding,
            }),
        }
    }

    fn solution(&self, found: &Attempt, bytes: f64, short_of_memory: bool) -> Solution {
        let agree = self.ising.links.iter().map(|&(factor, link)| {
            let often = match link {
                Link::Known(often) => often,
                Link::Coupling { at, opposite } if opposite => 1.0 - found.agree[at],
                Link::Coupling { at, .. } => found.agree[at],
            };
            (factor, often.clamp(0.0, 1.0))
        });
        // Elements of the matrix, energies and the result are floats.
        let couplings = self.map.couplings.iter();
        let sizes: f64 = couplings.map(|j| 3.0 * (1.0 + j.abs())).sum();
        let floats = f64::EPSILON * (sizes + found.ln_z.abs());
        Solution {
            ln_z: found.ln_z,
            error: CAUTION * found.error + floats + self.ising.error,
            agree: agree.collect(),
            bytes,
            short_of_memory,
            symmetric: !self.ising.fields,
        }
    }

    /// Goes on to stronger couplings, each time from the agreements of the last, until rounding takes too much.
    ///
    /// Steps between strengths only get smaller, so that it ends.
    fn strengthen<T: Real>(&self, state: &mut State, first: f64, memory: f64, budget: &Budget) {
        let (mut strength, mut step) = (first, 2.0);
        for _ in 0..MOST {
            match self.at::<T>(&state.down, strength, memory, budget) {
                Err(PlanarError::Stopped(stop)) => {
                    state.stopped = Some(stop);
                    return;
                }
                Ok(found) if strength >= 1.0 => {
                    let guessed = found.error <= GUESSED && state.reached > 0.0;
                    if found.error < state.least {
                        state.least = found.error;
                        state.best = Some(found);
                    }
                    if guessed || state.is_enough() {
                        return;
                    }
                }
                Ok(found) if found.error <= GUESSED => {
                    let guesses = found.agree.iter().enumerate();
                    let guesses =
                        guesses.map(|(edge, p)| (self.map.ends(edge as u32), 2.0 * p - 1.0));
                    state.down = low_energy(self.ising.spins, guesses, &self.ising.couplings);
                    state.reached = strength;
                    strength = (state.reached * step).min(1.0);
                    continue;
                }
                _ => {}
            }
            if state.reached == 0.0 {
                strength *= FIRST;
                continue;
            }
            let tried = strength;
            while strength >= tried {
                step = f64::sqrt(step);
                strength = (state.reached * step).min(1.0);
                if step < LEAST_STEP {
                    return;
                }
            }
        }
    }

    /// The solution with all couplings multiplied by `strength`, from an assignment.
    fn at<T: Real>(
        &self,
        down: &[bool],
        strength: f64,
        memory: f64,
        budget: &Budget,
    ) -> Result<Attempt, PlanarError> {
        let pairing = Pairing::new(&self.map, down);
        let fronts = Fronts::new(pairing.order(&self.places), &pairing.beside(&self.map));
        let digits = (size_of::<T>() / size_of::<f64>()) as f64;
        let bytes = digits * fronts.bytes();
        // Another assignment has other fronts.
        if bytes > memory {
            let limit = memory;
            return Err(PlanarError::TooLarge { bytes, limit });
        }
        let matrix = Matrix::new(&self.map, &pairing, &fronts, strength);
        let failure = |failed| match failed {
            Failed::Stopped => PlanarError::Stopped(budget.stop().unwrap_or(Stop::Interrupted)),
            Failed::Rounding => PlanarError::Rounding,
        };
        let eliminated = matrix.eliminate::<T>(budget).map_err(failure)?;
        let worth = matrix.worth(&eliminated, budget).map_err(failure)?;
        let components = DoubleDouble::ln(2.0) * self.map.components as f64;
        let energy = pairing.energy * strength;
        let ln_z = self.ising.constant + energy + components + eliminated.ln;
        // Nothing is known where roundings of first order are as large as that; NaN is not less.
        match worth.error <= HOPELESS {
            true => Ok(Attempt {
                ln_z: ln_z.value(),
                error: worth.error,
                agree: worth.matched,
            }),
            false => Err(PlanarError::Rounding),
        }
    }
}

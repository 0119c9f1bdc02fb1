//! A model of binary variables as spins: `p(s) ∝ exp(c + Σ_v h_v s_v + Σ_uv J_uv s_u s_v)`, state 0 being `s = +1`.
//!
//! A field is a coupling to one more spin, the *ghost*, which is as often up as down: with it the model has no
//! field, and twice the `Z`. A factor that wants two spins equal, or opposite, makes them one.

use std::collections::VecDeque;

use forney_certify::DoubleDouble;
use forney_model::{FactorGraph, FactorId, VarId};

use crate::error::PlanarError;
use crate::terms::Terms;
use crate::ties::Ties;

/// Fields that are sums of logarithms cancel to this many roundings of them, not to 0.
const ROUNDINGS: f64 = 4.0;

/// Couplings between spins, no two between the same ones and none within one.
#[derive(Clone, Debug)]
pub(crate) struct Ising {
    /// What does not depend on the spins.
    pub(crate) constant: DoubleDouble,
    /// Number of spins.
    pub(crate) spins: usize,
    pub(crate) couplings: Vec<Coupling>,
    /// How far roundings of what was read, and leaving out fields that are nothing else, may have moved `ln Z`.
    pub(crate) error: f64,
    /// Is no assignment possible?
    pub(crate) impossible: bool,
    /// Is something tied or coupled to the ghost?
    pub(crate) fields: bool,
    /// The factors of two spins.
    pub(crate) links: Vec<(FactorId, Link)>,
}

/// How often the two spins of a factor agree.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Link {
    /// Known beforehand.
    Known(f64),
    /// As often as those of a coupling, or as those differ.
    Coupling { at: usize, opposite: bool },
}

/// `J s_u s_v` in the exponent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coupling {
    pub(crate) ends: [u32; 2],
    pub(crate) j: f64,
}

impl Ising {
    /// Reads a model.
    ///
    /// # Errors
    /// What cannot be read as spins.
    pub(crate) fn new(graph: &FactorGraph) -> Result<Self, PlanarError> {
        if let Some(at) = graph.cards().iter().position(|&card| card > 2) {
            return Err(PlanarError::Cardinality {
                variable: VarId::new(at),
                states: graph.cards()[at],
            });
        }
        let spin = |v: &VarId| graph.card(*v) == 2;
        let mut number = vec![u32::MAX; graph.num_variables()];
        let mut spins = 0;
        for v in graph.variables().filter(spin) {
            number[v.index()] = spins;
            spins += 1;
        }
        let ghost = spins;
        let mut ties = Ties::new(spins as usize + 1);
        let mut fields = vec![0.0; spins as usize + 1];
        let mut rounding = vec![0.0; spins as usize + 1];
        let mut couplings = Vec::new();
        let mut joined = Vec::new();
        // The ghost is as often up as down.
        let mut constant = graph.ln_scale() - DoubleDouble::ln(2.0);
        let (mut impossible, mut fielded, mut error) = (false, false, 0.0);
        for (at, factor) in graph.factors().iter().enumerate() {
            let scope: Vec<u32> = (factor.scope().iter().filter(|v| spin(v)))
                .map(|v| number[v.index()])
                .collect();
            if factor.is_zero() {
                impossible = true;
                continue;
            }
            let terms = Terms::of(factor, &scope, FactorId::new(at))?;
            constant += terms.constant;
            let finite = factor.relative().iter().filter(|x| x.is_finite());
            let size = finite.fold(0.0, |size: f64, x| size.max(x.abs()));
            let size = ROUNDINGS * f64::EPSILON * size;
            error += size;
            for (&v, field) in scope.iter().zip(terms.fields) {
                fields[v as usize] += field;
                rounding[v as usize] += size;
            }
            let ends = match scope[..] {
                [] => continue,
                [v] => {
                    fielded |= terms.tied.is_some();
                    [v, ghost]
                }
                [u, v, ..] => [u, v],
            };
            if scope.len() == 2 {
                joined.push((FactorId::new(at), ends));
            }
            match terms.tied {
                Some(opposite) => impossible |= !ties.tie(ends, opposite),
                None if scope.len() == 2 => couplings.push(Coupling {
                    ends,
                    j: terms.coupling,
                }),
                None => {}
            }
        }
        for (v, (field, rounding)) in fields.iter().zip(rounding).enumerate() {
            if field.abs() > rounding {
                fielded = true;
                couplings.push(Coupling {
                    ends: [v as u32, ghost],
                    j: *field,
                });
            } else {
                error += field.abs();
            }
        }
        let mut ising = Self {
            constant,
            spins: 0,
            couplings,
            error,
            impossible,
            fields: fielded,
            links: Vec::new(),
        };
        ising.contract(&mut ties, &joined);
        Ok(ising)
    }

    /// Spins that are tied become one; couplings between the same two are added up.
    fn contract(&mut self, ties: &mut Ties, joined: &[(FactorId, [u32; 2])]) {
        let count = ties.len();
        let mut name = vec![u32::MAX; count];
        for v in 0..count as u32 {
            if ties.find(v).0 == v {
                name[v as usize] = self.spins as u32;
                self.spins += 1;
            }
        }
        let mut contracted = |ends: [u32; 2]| {
            let [first, second] = ends.map(|end| ties.find(end));
            let mut ends = [first, second].map(|(root, _)| name[root as usize]);
            ends.sort_unstable();
            (ends, first.1 != second.1)
        };
        for coupling in &mut self.couplings {
            let (ends, opposite) = contracted(coupling.ends);
            coupling.ends = ends;
            if opposite {
                coupling.j = -coupling.j;
            }
        }
        let constant = &mut self.constant;
        self.couplings.retain(|coupling| {
            let within = coupling.ends[0] == coupling.ends[1];
            if within {
                *constant += coupling.j;
            }
            !within
        });
        self.couplings.sort_by_key(|coupling| coupling.ends);
        self.couplings.dedup_by(|next, first| {
            let same = next.ends == first.ends;
            if same {
                first.j += next.j;
            }
            same
        });
        self.couplings.retain(|coupling| coupling.j != 0.0);
        for &(factor, ends) in joined {
            let (ends, opposite) = contracted(ends);
            let found = self
                .couplings
                .binary_search_by_key(&ends, |coupling| coupling.ends);
            let link = match found {
                _ if ends[0] == ends[1] => Link::Known(if opposite { 0.0 } else { 1.0 }),
                Ok(at) => Link::Coupling { at, opposite },
                // Couplings that cancel say nothing of how often their ends agree.
                Err(_) => continue,
            };
            self.links.push((factor, link));
        }
    }

    /// Sums out spins with at most one neighbour, again and again; what is left has none.
    ///
    /// `Σ_s exp(J s t) = 2 cosh J` for either `t`.
    pub(crate) fn prune(&mut self) {
        let mut beside: Vec<Vec<u32>> = vec![Vec::new(); self.spins];
        for (at, coupling) in self.couplings.iter().enumerate() {
            for end in coupling.ends {
                beside[end as usize].push(at as u32);
            }
        }
        let mut degree: Vec<usize> = beside.iter().map(Vec::len).collect();
        let mut gone = vec![false; self.couplings.len()];
        let mut open: VecDeque<usize> = (0..self.spins).filter(|&v| degree[v] <= 1).collect();
        let mut left = vec![true; self.spins];
        while let Some(v) = open.pop_front() {
            left[v] = false;
            let last = beside[v].iter().find(|&&at| !gone[at as usize]);
            let mut summed = DoubleDouble::ln(2.0);
            if let Some(&at) = last {
                let Coupling { ends, j } = self.couplings[at as usize];
                gone[at as usize] = true;
                // ln (2 cosh J), which a large J does not overflow.
                summed = DoubleDouble::from(j.abs() + (-2.0 * j.abs()).exp().ln_1p());
                let other = ends[usize::from(ends[0] as usize == v)] as usize;
                degree[other] -= 1;
                if degree[other] == 1 {
                    open.push_back(other);
                }
            }
            self.constant += summed;
        }
        let mut name = vec![u32::MAX; self.spins];
        self.spins = 0;
        for (v, _) in left.iter().enumerate().filter(|(_, left)| **left) {
            name[v] = self.spins as u32;
            self.spins += 1;
        }
        let mut kept = 0;
        let places: Vec<Result<usize, f64>> = (self.couplings.iter().zip(&gone))
            .map(|(coupling, &gone)| match gone {
                true => Err(1.0 / (1.0 + (-2.0 * coupling.j).exp())),
                false => {
                    kept += 1;
                    Ok(kept - 1)
                }
            })
            .collect();
        for (_, link) in &mut self.links {
            if let Link::Coupling { at, opposite } = *link {
                *link = match places[at] {
                    Ok(at) => Link::Coupling { at, opposite },
                    Err(agree) if opposite => Link::Known(1.0 - agree),
                    Err(agree) => Link::Known(agree),
                };
            }
        }
        let mut gone = gone.into_iter();
        self.couplings.retain(|_| !gone.next().unwrap_or(false));
        for coupling in &mut self.couplings {
            coupling.ends = coupling.ends.map(|end| name[end as usize]);
        }
    }
}

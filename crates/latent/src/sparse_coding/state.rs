//! Dictionary learning: minimisation of `J(H, W)` by turns over the codes and the dictionary.

use forney_certify::Budget;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::codes::Codes;
use super::inference::{Encoder, Encoding};
use super::model::SparseCoding;
use super::params::{SparseCodingParams, Turns};
use super::statistics::CodeSums;
use super::update::{self, Penalty};
use crate::{LatentError, check};

/// A dictionary while it is learned, with what the next step needs of those before.
///
/// For data that do not fit into memory, [`learn`](Self::learn) takes block after block from any
/// iterator.
///
/// # Example
/// ```
/// use forney_latent::sparse_coding::{SparseCodingParams, SparseCodingState};
/// use ndarray::Array2;
/// let block = |n: usize| Array2::from_shape_fn((50, 4), |(i, j)| ((i * 7 + j * n) % 5) as f64);
/// let params = SparseCodingParams::new(3);
/// let mut state = SparseCodingState::new(&params, block(1).view())?;
/// for n in 1..10 {
///     state.learn(&params, block(n).view())?;
/// }
/// assert_eq!(state.model().dictionary.dim(), (4, 3));
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SparseCodingState {
    pub(super) model: SparseCoding,
    statistics: CodeSums,
    /// Steps of the online schedule.
    steps: usize,
    /// Blocks of the present pass that are done, and the sum of their `J`.
    pub(super) blocks: usize,
    sum: f64,
    /// The latest codes of the examples in their order, where the schedule keeps them.
    codes: Vec<Codes>,
    /// The mean of `J` over the examples in the last pass, with the codes as they were inferred, before
    /// the update of the dictionary that followed.
    pub(super) objective: Option<f64>,
}

impl SparseCodingState {
    /// Begins with a dictionary of examples, scaled to the largest norm that is allowed (to 1 with
    /// weight decay), and, if the bias is learned, with the mean of the examples.
    ///
    /// # Errors
    /// As [`SparseCodingParams::fit`].
    pub fn new(
        params: &SparseCodingParams,
        data: ArrayView2<'_, f64>,
    ) -> Result<Self, LatentError> {
        let mut rng = Pcg64::seed_from_u64(params.seed);
        params.check()?;
        check::enough(data.nrows(), 1)?;
        check::finite("the data", data)?;
        let bias = match data.mean_axis(Axis(0)) {
            Some(mean) if params.learn_bias => mean,
            _ => Array1::zeros(data.ncols()),
        };
        let data = &data - &bias;
        let mut dictionary = Array2::zeros((data.ncols(), params.atoms));
        let mut order: Vec<usize> = (0..data.nrows()).collect();
        order.shuffle(&mut rng);
        let candidates = order
            .iter()
            .filter(|&&n| data.row(n).iter().any(|&v| v != 0.0));
        let mut candidates = candidates.copied();
        for mut atom in dictionary.columns_mut() {
            match candidates.next() {
                Some(n) => atom.assign(&data.row(n)),
                None => atom.mapv_inplace(|_| rng.random_range(-1.0..1.0)),
            }
        }
        Self::from_dictionary(params, dictionary, bias)
    }

    /// Begins with a dictionary (`D × K`) and a bias; atoms are scaled to the norm allowed.
    ///
    /// # Errors
    /// As [`SparseCodingParams::fit`], or a dictionary of another size.
    pub fn from_dictionary(
        params: &SparseCodingParams,
        mut dictionary: Array2<f64>,
        bias: Array1<f64>,
    ) -> Result<Self, LatentError> {
        params.check()?;
        check::shape(
            "the number of atoms of the dictionary",
            params.atoms,
            dictionary.ncols(),
        )?;
        check::shape("the length of the bias", dictionary.nrows(), bias.len())?;
        check::finite("the dictionary", dictionary.view())?;
        let norm = match params.penalty {
            Penalty::MaxNorm { norm } => norm,
            Penalty::WeightDecay { .. } => 1.0,
        };
        for mut atom in dictionary.columns_mut() {
            let length = atom.dot(&atom).sqrt();
            if length > 0.0 {
                atom *= norm / length;
            }
        }
        Ok(Self {
            statistics: CodeSums::new(dictionary.nrows(), params.atoms),
            model: SparseCoding {
                dictionary,
                bias,
                lambda: params.lambda,
                beta: params.beta,
                inference: params.inference.clone(),
            },
            steps: 0,
            blocks: 0,
            sum: 0.0,
            codes: Vec::new(),
            objective: None,
        })
    }

    /// Refuses a state that was saved with data of another width, or whose parts do not fit together.
    pub(super) fn check(
        &self,
        params: &SparseCodingParams,
        data: ArrayView2<'_, f64>,
    ) -> Result<(), LatentError> {
        self.model.check(data)?;
        let (dimension, atoms) = (self.model.dimension(), self.model.atoms());
        let CodeSums { h, v, hh, hv, .. } = &self.statistics;
        check::shapes([
            ("the number of atoms", params.atoms, atoms),
            ("the sums of the codes", atoms, h.len()),
            ("the sums of the data", dimension, v.len()),
            ("the rows of the second moments", atoms, hh.nrows()),
            ("the columns of the second moments", atoms, hh.ncols()),
            ("the rows of the cross moments", atoms, hv.nrows()),
            ("the columns of the cross moments", dimension, hv.ncols()),
        ])
    }

    /// The model at present.
    #[must_use]
    pub fn model(&self) -> &SparseCoding {
        &self.model
    }

    /// Infers the codes of new examples and updates the dictionary (Mairal et al. 2010, algorithm 1);
    /// the sum of their `J` under the dictionary as it was.
    ///
    /// # Errors
    /// NaN or an infinity in the data, or another number of columns.
    ///
    /// # Panics
    /// Never: a budget without limits does not end before all codes are inferred.
    pub fn learn(
        &mut self,
        params: &SparseCodingParams,
        block: ArrayView2<'_, f64>,
    ) -> Result<f64, LatentError> {
        let sum = self.visit(params, block, None, &Budget::unlimited())?;
        Ok(sum.expect("an unlimited budget does not end"))
    }

    /// Goes on with pass number `pass` over `data` block by block, the first one until the budget ends
    /// and others until their time is over; whether there was a block.
    pub(super) fn go_on(
        &mut self,
        params: &SparseCodingParams,
        data: ArrayView2<'_, f64>,
        pass: usize,
        (budget, time): (&Budget, &Budget),
    ) -> Result<bool, LatentError> {
        let is_online = params.schedule.is_online();
        let mut order: Vec<usize> = (0..data.nrows()).collect();
        if is_online {
            let seed = params.seed.wrapping_add(pass as u64);
            order.shuffle(&mut Pcg64::seed_from_u64(seed));
        }
        let count = params.schedule.batch().unwrap_or(data.nrows());
        let first = self.blocks;
        for (place, rows) in order.chunks(count).enumerate().skip(first) {
            if place > first && time.stop().is_some() {
                return Ok(true);
            }
            let sum = if is_online {
                self.visit(params, data.select(Axis(0), rows).view(), None, budget)?
            } else {
                let block = data.slice(s![rows[0]..rows[0] + rows.len(), ..]);
                self.visit(params, block, Some(place), budget)?
            };
            let Some(sum) = sum else {
                return Ok(place > first);
            };
            self.sum += sum;
            self.blocks += 1;
        }
        self.objective = Some(self.sum / data.nrows() as f64);
        self.blocks = 0;
        self.sum = 0.0;
        Ok(true)
    }

    /// Infers the codes of a block and updates the dictionary; those of block number `place` replace its
    /// earlier ones. `None`, and nothing has changed, if the budget ended before all were inferred.
    fn visit(
        &mut self,
        params: &SparseCodingParams,
        block: ArrayView2<'_, f64>,
        place: Option<usize>,
        budget: &Budget,
    ) -> Result<Option<f64>, LatentError> {
        self.model.check(block)?;
        let dictionary = self.model.dictionary.view();
        let encoder = Encoder::new(dictionary, params.lambda / params.beta, &params.inference)?;
        let warm = place.and_then(|place| self.codes.get(place));
        let centred = &block - &self.model.bias;
        let Some(encoding) = encoder.encode_within(centred.view(), warm, budget)? else {
            return Ok(None);
        };
        let codes = &encoding.codes;
        if let Some(place) = place {
            if params.schedule == Turns::Batch {
                self.statistics = CodeSums::new(block.ncols(), params.atoms);
            }
            if place < self.codes.len() {
                let old = std::mem::replace(&mut self.codes[place], codes.clone());
                if params.schedule == Turns::Batch {
                    self.statistics.add(block, codes);
                } else {
                    self.statistics.replace(block, &old, codes);
                }
            } else {
                self.codes.push(codes.clone());
                self.statistics.add(block, codes);
            }
        } else {
            self.steps += 1;
            if let Turns::Online { forgetting, .. } = params.schedule
                && self.steps > 1
            {
                let fade = (1.0 - 1.0 / self.steps as f64).powf(forgetting);
                self.statistics.scale(fade);
            }
            self.statistics.add(block, codes);
        }
        Ok(Some(self.update(params, block, &encoding)))
    }

    /// Updates the dictionary, and the bias if it is learned; the sum of `J` over the block before.
    fn update(
        &mut self,
        params: &SparseCodingParams,
        block: ArrayView2<'_, f64>,
        encoding: &Encoding,
    ) -> f64 {
        let SparseCodingParams { beta, update, .. } = *params;
        let mut objective = beta * encoding.objectives.iter().sum::<f64>();
        let dictionary = &mut self.model.dictionary;
        let penalty = match params.penalty {
            Penalty::WeightDecay { decay } => {
                let squared: f64 = dictionary.iter().map(|w| w * w).sum();
                objective += 0.5 * decay * squared * block.nrows() as f64;
                Penalty::WeightDecay {
                    decay: decay / beta,
                }
            }
            penalty @ Penalty::MaxNorm { .. } => penalty,
        };
        let mut atoms = dictionary.t().as_standard_layout().into_owned();
        update::update(
            &self.statistics,
            &self.model.bias,
            penalty,
            update,
            &mut atoms,
        );
        let unused = update::unused(&self.statistics);
        revive(
            &mut atoms,
            &unused,
            (&block - &self.model.bias).view(),
            encoding,
        );
        if params.learn_bias {
            self.model.bias = update::bias(&self.statistics, &atoms);
        }
        dictionary.assign(&atoms.t());
        objective
    }
}

/// Puts the examples that are encoded worst in the place of atoms that no code uses, which leaves `J`
/// as it is and gives the atoms something to do.
fn revive(
    atoms: &mut Array2<f64>,
    unused: &[usize],
    centred: ArrayView2<'_, f64>,
    encoding: &Encoding,
) {
    if unused.is_empty() {
        return;
    }
    let mut order: Vec<usize> = (0..centred.nrows()).collect();
    order.sort_by(|&a, &b| encoding.objectives[b].total_cmp(&encoding.objectives[a]));
    for (&k, &n) in unused.iter().zip(&order) {
        let mut atom = atoms.row_mut(k);
        let (old, new) = (atom.dot(&atom), centred.row(n).dot(&centred.row(n)));
        if old > 0.0 && new > 0.0 {
            atom.assign(&centred.row(n));
            atom *= (old / new).sqrt();
        }
    }
}

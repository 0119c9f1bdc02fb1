//! Dictionary learning: minimisation of `J(H, W)` by turns over the codes and the dictionary.

use forney_certify::{Budget, Stop};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::codes::Codes;
use super::inference::{Encoder, Encoding};
use super::learn::{Fit, Schedule, SparseCodingParams};
use super::model::SparseCoding;
use super::statistics::Statistics;
use super::update::{self, Penalty};
use crate::{LatentError, check};

/// The state of learning: it can be saved after any step, and resumed.
///
/// For data that do not fit into memory, [`step`](Self::step) takes block after block from any
/// iterator.
///
/// # Example
/// ```
/// use forney_latent::sparse_coding::{Learner, SparseCodingParams};
/// use ndarray::Array2;
/// let block = |n: usize| Array2::from_shape_fn((50, 4), |(i, j)| ((i * 7 + j * n) % 5) as f64);
/// let params = SparseCodingParams::new(3);
/// let mut learner = Learner::new(params, block(1).view())?;
/// for n in 1..10 {
///     learner.step(block(n).view())?;
/// }
/// assert_eq!(learner.model().dictionary.dim(), (4, 3));
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    params: SparseCodingParams,
    model: SparseCoding,
    statistics: Statistics,
    /// Steps of the online schedule.
    steps: usize,
    passes: usize,
    /// Blocks of the present pass that are done, and the sum of their `J`.
    blocks: usize,
    sum: f64,
    /// The latest codes of the examples in their order, where the schedule keeps them.
    codes: Vec<Codes>,
    trace: Vec<f64>,
}

impl Learner {
    /// Begins with a dictionary of examples, scaled to the largest norm that is allowed (to 1 with
    /// weight decay), and, if the bias is learned, with the mean of the examples.
    ///
    /// # Errors
    /// As [`SparseCodingParams::fit`].
    pub fn new(params: SparseCodingParams, data: ArrayView2<'_, f64>) -> Result<Self, LatentError> {
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
        params: SparseCodingParams,
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
            statistics: Statistics::new(dictionary.nrows(), params.atoms),
            model: SparseCoding {
                dictionary,
                bias,
                lambda: params.lambda,
                beta: params.beta,
                inference: params.inference.clone(),
            },
            params,
            steps: 0,
            passes: 0,
            blocks: 0,
            sum: 0.0,
            codes: Vec::new(),
            trace: Vec::new(),
        })
    }

    /// What was learned.
    /// Refuses a learner that was saved with data of another width, or whose parts do not fit together.
    ///
    /// # Errors
    /// Sizes that do not fit.
    pub fn check(&self, data: ArrayView2<'_, f64>) -> Result<(), LatentError> {
        self.params.check()?;
        self.model.check(data)?;
        let (dimension, atoms) = (self.model.dimension(), self.model.atoms());
        check::shape("the number of atoms", self.params.atoms, atoms)?;
        let Statistics { h, v, hh, hv, .. } = &self.statistics;
        for (what, expected, found) in [
            ("the sums of the codes", atoms, h.len()),
            ("the sums of the data", dimension, v.len()),
            ("the rows of the second moments", atoms, hh.nrows()),
            ("the columns of the second moments", atoms, hh.ncols()),
            ("the rows of the cross moments", atoms, hv.nrows()),
            ("the columns of the cross moments", dimension, hv.ncols()),
        ] {
            check::shape(what, expected, found)?;
        }
        Ok(())
    }

    pub(super) fn finish(self, stop: Stop) -> Fit {
        Fit {
            model: self.model,
            trace: self.trace,
            stop,
        }
    }

    /// The model at present.
    #[must_use]
    pub fn model(&self) -> &SparseCoding {
        &self.model
    }

    /// The mean over the examples of `J` in each pass, with the codes as they were inferred, before
    /// the update of the dictionary that followed.
    #[must_use]
    pub fn trace(&self) -> &[f64] {
        &self.trace
    }

    /// Passes over `data` until the number of passes, the tolerance or the budget ends them.
    ///
    /// # Errors
    /// As [`SparseCodingParams::fit`].
    pub fn run(
        &mut self,
        data: ArrayView2<'_, f64>,
        budget: &Budget,
        watch: &mut dyn FnMut(&Self),
    ) -> Result<Stop, LatentError> {
        loop {
            if let Some(stop) = self.ended() {
                return Ok(stop);
            }
            if let Some(stop) = self.pass(data, budget)? {
                return Ok(stop);
            }
            watch(self);
        }
    }

    /// Why learning has ended, if it has: by the number of passes or by the tolerance.
    #[must_use]
    pub fn ended(&self) -> Option<Stop> {
        if let [.., before, now] = self.trace[..]
            && !matches!(self.params.schedule, Schedule::Online { .. })
            && before - now <= self.params.tolerance * before
        {
            return Some(Stop::Converged);
        }
        (self.passes >= self.params.passes).then_some(Stop::SweepLimit)
    }

    /// Sets the limits of [`ended`](Self::ended), for a learner that goes on longer than it was to.
    pub fn set_limits(&mut self, passes: usize, tolerance: f64) {
        self.params.passes = passes;
        self.params.tolerance = tolerance;
    }

    /// One pass over `data`; if the budget ends first, why, and the next call goes on from there.
    ///
    /// # Errors
    /// As [`SparseCodingParams::fit`].
    pub fn pass(
        &mut self,
        data: ArrayView2<'_, f64>,
        budget: &Budget,
    ) -> Result<Option<Stop>, LatentError> {
        check::enough(data.nrows(), 1)?;
        let (count, shuffled) = match self.params.schedule {
            Schedule::Batch => (data.nrows(), false),
            Schedule::Online { batch, .. } => (batch, true),
            Schedule::Incremental { batch } => (batch, false),
        };
        let mut order: Vec<usize> = (0..data.nrows()).collect();
        if shuffled {
            let seed = self.params.seed.wrapping_add(self.passes as u64);
            order.shuffle(&mut Pcg64::seed_from_u64(seed));
        }
        for (place, rows) in order.chunks(count).enumerate().skip(self.blocks) {
            if let Some(stop) = budget.stop() {
                return Ok(Some(stop));
            }
            self.sum += if shuffled {
                self.step(data.select(Axis(0), rows).view())?
            } else {
                let block = data.slice(s![rows[0]..rows[0] + rows.len(), ..]);
                match self.revisit(block, place, budget)? {
                    Some(sum) => sum,
                    None => return Ok(Some(budget.stop().unwrap_or(Stop::Interrupted))),
                }
            };
            self.blocks += 1;
        }
        self.passes += 1;
        self.trace.push(self.sum / data.nrows() as f64);
        self.blocks = 0;
        self.sum = 0.0;
        Ok(None)
    }

    /// The share of the present pass that is done, of a pass over so many examples.
    #[must_use]
    pub fn share(&self, examples: usize) -> f64 {
        let blocks = match self.params.schedule {
            Schedule::Batch => 1,
            Schedule::Online { batch, .. } | Schedule::Incremental { batch } => {
                examples.div_ceil(batch)
            }
        };
        self.blocks as f64 / blocks.max(1) as f64
    }

    /// Infers the codes of new examples and updates the dictionary (Mairal et al. 2010, algorithm 1);
    /// the sum of their `J` under the dictionary as it was.
    ///
    /// # Errors
    /// NaN or an infinity in the data, or another number of columns.
    pub fn step(&mut self, block: ArrayView2<'_, f64>) -> Result<f64, LatentError> {
        let everything = self.encode(block, None, &Budget::unlimited())?;
        let encoding = everything.expect("an unlimited budget does not end");
        self.steps += 1;
        if let Schedule::Online { forgetting, .. } = self.params.schedule
            && self.steps > 1
        {
            let fade = (1.0 - 1.0 / self.steps as f64).powf(forgetting);
            self.statistics.scale(fade);
        }
        self.statistics.add(block, &encoding.codes);
        Ok(self.update(block, &encoding))
    }

    /// As [`step`](Self::step) for block number `place` of the data, whose earlier codes it replaces;
    /// `None`, and nothing has changed, if the budget ended before all codes were inferred.
    fn revisit(
        &mut self,
        block: ArrayView2<'_, f64>,
        place: usize,
        budget: &Budget,
    ) -> Result<Option<f64>, LatentError> {
        let Some(encoding) = self.encode(block, self.codes.get(place), budget)? else {
            return Ok(None);
        };
        if self.params.schedule == Schedule::Batch {
            self.statistics = Statistics::new(block.ncols(), self.params.atoms);
        }
        match self.codes.get_mut(place) {
            Some(old) if self.params.schedule != Schedule::Batch => {
                let old = std::mem::replace(old, encoding.codes.clone());
                self.statistics.replace(block, &old, &encoding.codes);
            }
            Some(old) => {
                old.clone_from(&encoding.codes);
                self.statistics.add(block, &encoding.codes);
            }
            None => {
                self.codes.push(encoding.codes.clone());
                self.statistics.add(block, &encoding.codes);
            }
        }
        Ok(Some(self.update(block, &encoding)))
    }

    fn encode(
        &self,
        block: ArrayView2<'_, f64>,
        warm: Option<&Codes>,
        budget: &Budget,
    ) -> Result<Option<Encoding>, LatentError> {
        self.model.check(block)?;
        let effective = self.params.lambda / self.params.beta;
        let dictionary = self.model.dictionary.view();
        let encoder = Encoder::new(dictionary, effective, &self.params.inference)?;
        encoder.encode_within((&block - &self.model.bias).view(), warm, budget)
    }

    /// Updates the dictionary, and the bias if it is learned; the sum of `J` over the block before.
    fn update(&mut self, block: ArrayView2<'_, f64>, encoding: &Encoding) -> f64 {
        let SparseCodingParams { beta, update, .. } = self.params;
        let mut objective = beta * encoding.objectives.iter().sum::<f64>();
        let dictionary = &mut self.model.dictionary;
        let penalty = match self.params.penalty {
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
        if self.params.learn_bias {
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

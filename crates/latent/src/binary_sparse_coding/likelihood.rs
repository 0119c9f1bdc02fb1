//! Both sides of the likelihood, where there are too many units to enumerate their states.

use forney_bounds::BoundError;
use forney_certify::{Bracket, Budget, Lower, Upper};
use forney_methods::{BoundOptions, bracket};
use ndarray::{ArrayView2, Axis};

use super::model::BinarySparseCoding;
use super::structured_mean_field::StructuredMeanField;
use crate::{LatentError, check};

impl BinarySparseCoding {
    /// Proves `lower ≤ ln p(v) ≤ upper`, in nats, in the mean over the rows of `data`: the
    /// [`bracket`] of the partition function of each [`posterior`](Self::posterior).
    ///
    /// The lower side is that of [`StructuredMeanField`] or better. Without a fixed ibound elimination
    /// is exact where it fits the memory (a complete graph of some 25 units); otherwise mini-buckets
    /// go on until the iterations of the options or the budget end them, of which each row gets an
    /// equal share. On complete graphs with strong couplings their upper side is loose.
    ///
    /// # Errors
    /// No data, NaN or infinities, sizes that do not fit, or what [`bracket`] refuses.
    ///
    /// # Complexity
    /// That of [`bracket`] for each row, one after another, on all threads.
    ///
    /// # Example
    /// ```
    /// use forney_certify::Budget;
    /// use forney_latent::binary_sparse_coding::{BinarySparseCoding, Exact};
    /// use forney_methods::{BoundOptions, Options, WMBE};
    /// let model = BinarySparseCoding::bars(3, 2.0, 1.0);
    /// let data = model.sample(3, 1)?;
    /// let options = BoundOptions {
    ///     method: Some(WMBE),
    ///     limits: Options { ibound: Some(3), iterations: Some(100), ..Options::default() },
    ///     ..BoundOptions::default()
    /// };
    /// let bracket = model.ln_likelihood_bracket(data.view(), &options, &Budget::unlimited())?;
    /// let exact = model.score(data.view(), &Exact)?;
    /// assert!(bracket.lower().ln() <= exact + 1e-9 && exact <= bracket.upper().ln() + 1e-9);
    /// # Ok::<(), forney_latent::LatentError>(())
    /// ```
    pub fn ln_likelihood_bracket(
        &self,
        data: ArrayView2<'_, f64>,
        options: &BoundOptions,
        budget: &Budget,
    ) -> Result<Bracket, LatentError> {
        check::enough(data.nrows(), 1)?;
        let (mut lower, mut upper) = (0.0, 0.0);
        for (n, v) in data.rows().into_iter().enumerate() {
            let rows_left = (data.nrows() - n) as f64;
            let share = budget.remaining();
            let share = share.map(|left| budget.capped(left.div_f64(rows_left)));
            let graph = self.posterior(v)?;
            let own = share.as_ref().unwrap_or(budget);
            let proved = bracket(&graph, options, own, &mut |_| {})?.bracket;
            let row = v.insert_axis(Axis(0));
            let blocks = self.elbo_with(row, &StructuredMeanField::default())?;
            lower += proved.lower().ln().max(blocks);
            upper += proved.upper().ln();
        }
        let mean = |sum: f64| sum / data.nrows() as f64;
        let joined = || -> Result<Bracket, BoundError> {
            let (lower, upper) = (Lower::new(mean(lower))?, Upper::new(mean(upper))?);
            Ok(Bracket::new(lower, upper)?)
        };
        Ok(joined()?)
    }
}

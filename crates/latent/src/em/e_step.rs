//! The E-step over many units: fixed parts in parallel, combined in order.

use std::ops::Range;

use forney_certify::Budget;
use rayon::prelude::*;

use super::model::{Examples, Expected, LatentModel, Statistics};
use super::options::{Em, Variant};
use crate::LatentError;

/// At most so many parts, each with statistics of its own. The number does not depend on that of the
/// threads, so neither do the sums.
const PARTS: usize = 64;

/// Cuts units into at most [`PARTS`] parts, whose length is a multiple of `grain` but for the last.
fn parts(units: Range<usize>, grain: usize) -> Vec<Range<usize>> {
    let length = units.len().div_ceil(PARTS).next_multiple_of(grain);
    units
        .clone()
        .step_by(length.max(1))
        .map(|start| start..(start + length).min(units.end))
        .collect()
}

/// The E-step of `model` over some units; `None` if the budget ended before it did.
pub(super) fn e_step<M: LatentModel>(
    model: &M,
    data: &M::Data<'_>,
    units: Range<usize>,
    budget: &Budget,
) -> Option<Expected<M::Statistics>> {
    let posterior = model.posterior();
    let results: Vec<Option<(f64, M::Statistics)>> = parts(units, <M::Data<'_> as Examples>::GRAIN)
        .into_par_iter()
        .map(|part| {
            if budget.stop().is_some() {
                return None;
            }
            let mut statistics = model.no_statistics();
            let value = M::collect(&posterior, data, part, budget, &mut statistics);
            budget.stop().is_none().then_some((value, statistics))
        })
        .collect();
    let mut all = Expected {
        free_energy: 0.0,
        statistics: model.no_statistics(),
    };
    for result in results {
        let (value, statistics) = result?;
        all.free_energy += value;
        all.statistics.add(&statistics, 1.0);
    }
    Some(all)
}

/// Bytes of the statistics that are alive at a time, and of the copies of a model that a step makes, if
/// one of each holds so many numbers: about.
pub(super) fn demand(options: &Em, examples: usize, statistics: f64, model: f64) -> f64 {
    let batches = match (options.variant, options.batch()) {
        (Variant::Incremental { .. }, Some(batch)) => examples.div_ceil(batch.max(1)),
        _ => 1,
    };
    let sets = PARTS.min(examples.max(1)) + 2 * batches + 2;
    8.0 * (sets as f64 * statistics + 8.0 * model)
}

/// All units of the data.
pub(super) fn all_units<E: Examples>(data: &E) -> Range<usize> {
    0..data.units(data.batches() - 1).end
}

/// The mean of `L(v, θ, q)` over the examples, in nats.
///
/// # Errors
/// Data that do not fit the model.
pub(super) fn score<M: LatentModel>(model: &M, data: &M::Data<'_>) -> Result<f64, LatentError> {
    model.check_data(data)?;
    let expected = e_step(model, data, all_units(data), &Budget::unlimited());
    Ok(expected.map_or(f64::NAN, |e| e.free_energy) / data.total() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_unit_once() {
        for (n, grain) in [(0, 256), (1, 256), (1000, 1), (100_000, 256), (77, 3)] {
            let parts = parts(0..n, grain);
            assert!(parts.len() <= PARTS);
            assert_eq!(
                parts.into_iter().flatten().collect::<Vec<_>>(),
                (0..n).collect::<Vec<_>>()
            );
        }
    }
}

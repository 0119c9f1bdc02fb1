//! The memory of a start.

use forney_model::FactorGraph;

use super::race::PAIRS;
use super::report::GaugedLowerError;
use super::start::Gaugeable;

/// Copies of all tables that one start holds at most: the objective and its copy with a barrier hold
/// two each, the model that a start or a witness is judged by one, its rounding one.
const COPIES: usize = 6;

/// Vectors of all parameters beside the pairs of the quasi-Newton method: parameters, gradients and
/// directions, and in both objectives inverses and tangents.
const VECTORS: usize = 14;

/// Room for one factor, in both objectives and in the model that judges.
const ROOMS: usize = 12;

/// Bytes of a start.
///
/// # Errors
/// [`GaugedLowerError::TooLarge`] if not even one fits in so many bytes.
pub(super) fn admitted_bytes(
    graph: &FactorGraph,
    gaugeable: &[Gaugeable],
    limit: f64,
) -> Result<f64, GaugedLowerError> {
    let entries = graph
        .factors()
        .iter()
        .map(|factor| factor.num_entries() as f64);
    let largest = entries.clone().fold(0.0, f64::max);
    let matrices = gaugeable.iter().map(|own| graph.card(own.variable) as f64);
    let states: f64 = graph.cards().iter().map(|&card| card as f64).sum();
    let parameters = states + matrices.map(|card| card * card).sum::<f64>();
    let numbers = COPIES as f64 * entries.sum::<f64>()
        + ROOMS as f64 * largest
        + (2 * PAIRS + VECTORS) as f64 * parameters;
    let bytes = 8.0 * numbers;
    // Written so that a limit that is NaN allows nothing.
    if bytes <= limit {
        Ok(bytes)
    } else {
        Err(GaugedLowerError::TooLarge { bytes, limit })
    }
}

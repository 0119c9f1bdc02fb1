//! Theorem 1: on symmetric binary models reparameterisation gains nothing, and gauges do.

use std::f64::consts::LN_10;

use anyhow::Result;
use forney_certify::{Above, Objective, Refine};
use forney_exact::Order;
use forney_gauge::{GaugeObjective, Published, PublishedVariant};
use forney_model::generate::{ising_grid, mobius};
use forney_model::{FactorGraph, Table};
use forney_plot::{Axis, Style};
use rand::SeedableRng;
use rand_pcg::Pcg64;

use super::context::{Context, Run};
use super::instance::{clockwise, exact, ising_forney, numbered};
use super::records::{Record, Reference};
use super::shown::{Claim, Figure, Shown};
use super::upper::{proved, schedule};

const IBOUND: usize = 4;
const ITERATIONS: usize = 300;
/// Rounding that a gradient or a gain may hold, in nats.
const ROUNDING: f64 = 1e-9;

/// Gradients at the identity, and what θ and G gain.
pub(crate) fn theorem(context: &Context<'_>) -> Result<Shown> {
    let grid = ising_grid(10, 1.0, 0.0, &mut Pcg64::seed_from_u64(0));
    let forney = ising_forney(&grid, 10)?;
    let ladder = symmetrised(&mobius(60, 1.0, &mut Pcg64::seed_from_u64(0)))?;
    let instances = [
        ("Ising 10×10 without field", &forney, numbered(&forney)?),
        ("symmetrised cycle of 60", &ladder, clockwise(60, &ladder)?),
    ];
    let mut runs = Vec::new();
    let mut claims = Vec::new();
    for (family, graph, order) in &instances {
        for variant in [PublishedVariant::Theta, PublishedVariant::G] {
            runs.push(Run {
                key: format!("{family} {variant}"),
                work: Box::new(move || descent(family, graph, order, variant)),
            });
        }
        let (diagonal, other) = gradient(graph, order)?;
        claims.push(Claim::new(
            format!("{family}: at identity gauges the diagonal of the gauge gradient is 0 and the rest is not."),
            (
                diagonal < ROUNDING && other > 1e-3,
                format!("largest diagonal entry {diagonal:.1e}, largest other {other:.3}"),
            ),
        ));
    }
    let records = context.runs(runs)?;
    for (family, ..) in &instances {
        let gain = |series: &str| {
            let at = |x| records.at(family, series, x).unwrap_or(f64::NAN);
            at(0.0) - at(ITERATIONS as f64)
        };
        let (theta, gauges) = (gain("WMBE-θ"), gain("WMBE-G"));
        claims.push(Claim::new(
            format!("{family}: reparameterisation cannot improve the bound; gauges can."),
            (
                theta.abs() < ROUNDING && gauges > 0.01,
                format!(
                    "after {ITERATIONS} iterations θ gained {theta:.1e} decades, G {gauges:.3}"
                ),
            ),
        ));
    }
    let mut shown = records.shown();
    let x = Axis::linear("iterations");
    let y = Axis::linear("log10(bound / Z)");
    shown.figures.push(Figure::charts(
        "theorem1",
        "On models that do not change when all states flip, published steps of reparameterisations \
         stay where they begin, and those of gauges do not.",
        &records.charts(&x, &y, Style::Line),
    )?);
    shown.claims = claims;
    Ok(shown)
}

/// The model with every table averaged, in logarithms, with its flipped copy.
fn symmetrised(graph: &FactorGraph) -> Result<FactorGraph> {
    let tables = graph.factors().iter().map(|f| {
        // Flipping all binary states of a scope reverses the table.
        let flipped = f.relative().iter().rev();
        let ln = f.relative().iter().zip(flipped).map(|(a, b)| 0.5 * (a + b));
        let mean = Table::from_ln(f.scope().to_vec(), f.cards().to_vec(), ln.collect())?;
        mean.scaled(f.ln_scale())
    });
    let tables = tables.collect::<Result<Vec<_>, _>>()?;
    Ok(FactorGraph::new(graph.cards().to_vec(), tables)?)
}

/// The largest diagonal and off-diagonal entry of `∂ ln Z_w / ∂G` at identity gauges.
fn gradient(graph: &FactorGraph, order: &Order) -> Result<(f64, f64)> {
    let schedule = schedule(graph, order, IBOUND)?;
    let mut objective = GaugeObjective::<Above>::new(schedule, graph, false);
    let x = objective.start();
    let mut gradient = vec![0.0; x.len()];
    objective.evaluate(&x, &mut gradient);
    // Binary gauges lie one behind the other, four entries each.
    let entries = &gradient[..objective.num_gauge_entries()];
    let largest = |diagonal: bool| {
        let of_kind = entries
            .iter()
            .enumerate()
            .filter(|(at, _)| (at % 4 % 3 == 0) == diagonal);
        of_kind.map(|(_, e)| e.abs()).fold(0.0, f64::max)
    };
    Ok((largest(true), largest(false)))
}

fn descent(
    family: &str,
    graph: &FactorGraph,
    order: &Order,
    variant: PublishedVariant,
) -> Result<Vec<Record>> {
    let ln_z = exact(graph)?;
    let mut descent = Published::new(schedule(graph, order, IBOUND)?, graph, variant);
    let mut records = Vec::new();
    for done in 0..=ITERATIONS {
        if done > 0 {
            descent.sweep();
        }
        if done % 10 == 0 {
            let ln = proved(&descent, graph)?;
            records.push(Record {
                panel: family.to_owned(),
                series: variant.name().to_owned(),
                x: done as f64,
                seed: 0,
                value: Some((ln - ln_z) / LN_10),
                ln_bound: Some(ln),
                reference: Some(Reference::Exact(ln_z)),
                iterations: done,
                options: format!("published steps, ibound {IBOUND}"),
            });
        }
    }
    Ok(records)
}

//! Lower bounds over the sweeps of Figure 2, which the paper says can be had and does not show.

use std::f64::consts::LN_10;

use anyhow::Result;
use forney_methods::{Gives, METHODS};
use forney_model::FactorGraph;
use forney_plot::{Axis, Style};

use super::context::{Context, Run};
use super::figure2::Spot;
use super::instance::{cycle, exact, ising, ising_forney};
use super::records::{Record, Reference};
use super::shown::{Claim, Figure, Shown};
use super::upper::registered;

const IBOUND: usize = 4;
const ITERATIONS: usize = 150;

/// A family of models, in the form that bounds are taken of.
#[derive(Clone, Copy)]
enum Form {
    Forney,
    Grid,
    Cycle,
}

impl Form {
    const ALL: [Self; 3] = [Self::Forney, Self::Grid, Self::Cycle];

    fn name(self) -> &'static str {
        match self {
            Self::Forney => "Ising 10×10, Forney form",
            Self::Grid => "Ising 10×10 itself",
            Self::Cycle => "cycle of 180",
        }
    }

    /// The model of a strength and a seed, and its exact `ln Z`.
    fn draw(self, x: f64, seed: u64) -> Result<(FactorGraph, f64)> {
        let plain = match self {
            Self::Forney | Self::Grid => ising(10, x, seed),
            Self::Cycle => cycle(180, x, seed),
        };
        let ln_z = exact(&plain)?;
        let graph = match self {
            Self::Forney => ising_forney(&plain, 10)?,
            Self::Grid | Self::Cycle => plain,
        };
        Ok((graph, ln_z))
    }
}

/// Every registered method with a lower side.
pub(crate) fn sweep(context: &Context<'_>) -> Result<Shown> {
    let strengths: &[f64] = context.pick(&[1.0], &[0.25, 0.5, 1.0, 1.5, 2.0]);
    let seeds: u64 = context.pick(1, 3);
    let mut runs = Vec::new();
    for form in Form::ALL {
        for &x in strengths {
            for seed in 0..seeds {
                runs.push(Run {
                    key: format!("{}, strength {x}, seed {seed}", form.name()),
                    work: Box::new(move || point(form, x, seed)),
                });
            }
        }
    }
    let records = context.runs(runs)?;
    let mut shown = records.shown();
    let x = Axis::linear("interaction strength β or T");
    let y = Axis::log("log10(Z / bound)");
    shown.figures.push(Figure::charts(
        "lower-bounds",
        "How far lower bounds lie below Z: mean over seeds with standard errors; every method of the \
         registry that has a lower side, ibound 4, 150 iterations for each order or start.",
        &records.charts(&x, &y, Style::Line),
    )?);
    shown.claims = vec![
        Claim::new(
            "Structured mean field is no looser than mean field (ours).",
            records.at_most("structured-mf", "mf", 0.01),
        ),
        Claim::new(
            "Mini-buckets with shifts and weights are tighter than without (ours).",
            records.at_most("wmbe", "wmbe-uniform", 0.01),
        ),
        Claim::new(
            "Mean field in the best gauge is no looser than without gauges (ours).",
            records.at_most("g-mf", "mf", 0.01),
        )
        .known_to_differ(
            "mean field begins anew until its iterations are spent, dozens of starts at strong couplings, and \
             gauges have them for a few starts",
        ),
    ];
    Ok(shown)
}

fn point(form: Form, x: f64, seed: u64) -> Result<Vec<Record>> {
    let (graph, ln_z) = form.draw(x, seed)?;
    let spot = Spot {
        family: form.name().to_owned(),
        x,
        seed,
    };
    let below = METHODS
        .iter()
        .filter(|m| m.is_compared() && m.gives().contains(&Gives::Lower));
    let reference = Some(Reference::Exact(ln_z));
    let record = |name: &str| {
        let found = registered(name, Gives::Lower, &graph, IBOUND, ITERATIONS);
        let mut record = spot.record("lower bounds", name, found, reference);
        record.value = record.ln_bound.map(|ln| (ln_z - ln) / LN_10);
        record
    };
    Ok(below.map(|m| record(m.name())).collect())
}

//! Upper bounds by the methods of the paper's figures.

use std::sync::Arc;

use anyhow::Result;
use forney_bounds::tree_reweighted;
use forney_bounds::wmbe::{
    CliqueLimit, MiniBuckets, Partition, Steps, Variant, VariantOptions, mini_buckets,
};
use forney_certify::{Above, Budget, Certificate, Limits, Refine};
use forney_exact::{Order, Schedule};
use forney_gauge::{GaugeOptions, Published, PublishedVariant, gauged_wmbe};
use forney_methods::{Gives, Options, method};
use forney_model::FactorGraph;

/// Iterations of the published method.
pub(crate) const ITERATIONS: usize = 150;

/// Bytes that one method may take.
const MEMORY: f64 = 1e9;

/// An upper bound in nats, the iterations that it took, and the options.
pub(crate) struct Found {
    pub(crate) ln: f64,
    pub(crate) iterations: usize,
    pub(crate) options: String,
}

/// What the cliques of an ibound may hold.
pub(crate) fn limit(ibound: usize) -> CliqueLimit {
    CliqueLimit {
        ibound,
        entries: 1e7,
    }
}

/// The schedule of mini-buckets in a given order.
pub(crate) fn schedule(graph: &FactorGraph, order: &Order, ibound: usize) -> Result<Arc<Schedule>> {
    CliqueLimit::admit(ibound, graph)?;
    let mut rule = MiniBuckets::new(limit(ibound), None);
    Ok(Arc::new(Schedule::compile(graph, order, &mut rule)?))
}

/// The bound that the published steps have reached, proved by its witness.
pub(crate) fn proved(descent: &Published, graph: &FactorGraph) -> Result<f64> {
    let witness = descent.objective().witness(&descent.point(), graph)?;
    Ok(witness.verify(graph)?.ln())
}

/// A variant with the published steps.
pub(crate) fn published(
    graph: &FactorGraph,
    order: &Order,
    ibound: usize,
    variant: PublishedVariant,
) -> Result<Found> {
    let mut descent = Published::new(schedule(graph, order, ibound)?, graph, variant);
    let iterations = if variant == PublishedVariant::Wmbe {
        0
    } else {
        ITERATIONS
    };
    for _ in 0..iterations {
        descent.sweep();
    }
    Ok(Found {
        ln: proved(&descent, graph)?,
        iterations,
        options: format!("published steps, ibound {ibound}"),
    })
}

/// Mini-bucket elimination, which has nothing to optimise.
pub(crate) fn mbe(graph: &FactorGraph, order: &Order, ibound: usize) -> Result<Found> {
    let options = VariantOptions {
        variant: Variant::Mbe,
        steps: Steps::Published,
        partition: Partition::Scope,
        limit: limit(ibound),
        order: Some(order.clone()),
        iterations: None,
        memory: MEMORY,
    };
    let report = mini_buckets::<Above>(graph, &options, &Budget::unlimited(), &mut |_, _| {})?;
    Ok(Found {
        ln: report.bound.ln(),
        iterations: 0,
        options: format!("ibound {ibound}"),
    })
}

/// Tree-reweighted belief propagation with its tree weights optimised.
pub(crate) fn trbp(graph: &FactorGraph) -> Result<Found> {
    let limits = Limits {
        sweeps: Some(100),
        tolerance: 1e-3,
    };
    let run = tree_reweighted(graph, &limits, &Budget::unlimited())?;
    Ok(Found {
        ln: run.point.verify(graph)?.ln(),
        iterations: run.trace.len(),
        options: "until a sweep gains at most 0.001 nats, 100 sweeps at most".into(),
    })
}

/// Our optimiser of gauges, shifts and weights, with as many evaluations as the paper's iterations.
pub(crate) fn gauged(graph: &FactorGraph, order: Option<&Order>, ibound: usize) -> Result<Found> {
    let options = GaugeOptions {
        limit: limit(ibound),
        order: order.cloned(),
        iterations: Some(ITERATIONS),
        memory: MEMORY,
        ..GaugeOptions::default()
    };
    let report = gauged_wmbe(graph, &options, &Budget::unlimited(), &mut |_, _| {})?;
    Ok(Found {
        ln: report.bound.ln(),
        iterations: report.iterations,
        options: match order {
            Some(_) => format!("ibound {ibound}, same order"),
            None => format!("ibound {ibound}, raced orders"),
        },
    })
}

/// A method of the registry with limited iterations.
pub(crate) fn registered(
    name: &str,
    side: Gives,
    graph: &FactorGraph,
    ibound: usize,
    iterations: usize,
) -> Result<Found> {
    let method = method(name).ok_or_else(|| anyhow::anyhow!("no method {name}"))?;
    let options = Options {
        ibound: Some(ibound),
        memory: MEMORY,
        iterations: Some(iterations),
        ..Options::default()
    };
    let found = method.run(graph, side, &options, &Budget::unlimited(), &mut |_| {})?;
    Ok(Found {
        ln: found.value.ln(),
        iterations: found.iterations,
        options: format!(
            "ibound {ibound}, {iterations} iterations at most; {}",
            found.note
        ),
    })
}

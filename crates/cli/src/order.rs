//! Which elimination order to use.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use forney_certify::Budget;
use forney_exact::{Effort, Heuristic, Order, greedy, search};
use forney_model::FactorGraph;
use forney_uai::{read_file, read_order};

use crate::error::Failure;

/// A way to an elimination order, as `--order` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OrderChoice {
    /// A greedy order.
    Greedy(Heuristic),
    /// The cheapest that a search finds.
    Search,
    /// The order in a file.
    File(PathBuf),
}

/// The name of a greedy order.
fn name(heuristic: Heuristic) -> &'static str {
    match heuristic {
        Heuristic::MinFill => "minfill",
        Heuristic::WeightedMinFill => "wminfill",
        Heuristic::MinSize => "minsize",
    }
}

impl FromStr for OrderChoice {
    type Err = Infallible;

    /// What is no name of an order is the name of a file.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let greedy = Heuristic::ALL.into_iter().find(|&h| name(h) == text);
        Ok(match (greedy, text) {
            (Some(heuristic), _) => Self::Greedy(heuristic),
            (None, "search") => Self::Search,
            (None, file) => Self::File(file.into()),
        })
    }
}

impl OrderChoice {
    /// The word that asks for it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Greedy(heuristic) => name(*heuristic),
            Self::Search => "search",
            Self::File(_) => "file",
        }
    }

    /// The order for a model; a search ends with the budget.
    pub(crate) fn order(
        &self,
        graph: &FactorGraph,
        seed: u64,
        budget: &Budget,
    ) -> Result<Order, Failure> {
        match self {
            Self::Greedy(heuristic) => Ok(greedy(graph, *heuristic, None)),
            Self::Search => {
                let effort = Effort {
                    rounds: None,
                    budget: budget.clone(),
                    memory: None,
                };
                Ok(search(graph, seed, &effort))
            }
            Self::File(path) => {
                let vars = read_file(path, |bytes| read_order(bytes, graph.num_variables()))
                    .map_err(|error| Failure::OrderFile { error })?;
                Ok(Order::new(vars, graph)?)
            }
        }
    }
}

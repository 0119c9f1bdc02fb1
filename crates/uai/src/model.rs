//! A model as its file states it, and how it is written.

use std::io::{self, Write};

use forney_model::{FactorGraph, ModelError, Table, VarId};

use crate::UaiError;
use crate::number::write_number;

/// The first word of a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelKind {
    /// Any nonnegative factors.
    Markov,
    /// Each factor is a conditional probability table, its last variable the child. The tables are
    /// taken as they are: rows that do not sum to 1 are not refused.
    Bayes,
}

impl ModelKind {
    /// The word in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Markov => "MARKOV",
            Self::Bayes => "BAYES",
        }
    }
}

/// A factor with the plain values of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct UaiFactor {
    /// The variables, slowest first.
    pub scope: Vec<VarId>,
    /// The entries, finite and ≥ 0, last variable fastest.
    pub values: Vec<f64>,
}

/// Numbers after the last table, which do not belong to the model.
///
/// Files in use end with stray numbers; they are ignored, but a program should say so. Anything
/// but a number there is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailing {
    /// Line of the first one, from 1.
    pub line: usize,
    /// Column of the first one in bytes, from 1.
    pub column: usize,
    /// How many there are.
    pub tokens: usize,
}

/// A model as its file states it: plain values, bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub struct UaiModel {
    /// Markov network or Bayesian network.
    pub kind: ModelKind,
    /// Cardinality of each variable, at least 1.
    pub cards: Vec<usize>,
    /// The factors, in the order of the file.
    pub factors: Vec<UaiFactor>,
    /// What the file holds after the model; not part of it, and never written.
    pub trailing: Option<Trailing>,
}

impl UaiModel {
    /// The factor graph with the natural logarithms of the entries.
    ///
    /// # Errors
    /// What [`FactorGraph::new`] and [`Table::from_values`] refuse; a model that was read has none
    /// of it.
    ///
    /// # Complexity
    /// One logarithm for each entry.
    ///
    /// # Example
    /// ```
    /// let model = forney_uai::read_model(b"MARKOV 1 2  1  1 0  2 1 3")?;
    /// assert_eq!(model.to_graph()?.factors()[0].ln_entry(1), 3f64.ln());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_graph(&self) -> Result<FactorGraph, ModelError> {
        let table = |factor: &UaiFactor| {
            let card = |var: &VarId| {
                let card = self.cards.get(var.index());
                card.copied().ok_or(ModelError::UnknownVariable {
                    var: *var,
                    variables: self.cards.len(),
                })
            };
            let cards = factor.scope.iter().map(card).collect::<Result<_, _>>()?;
            Table::from_values(factor.scope.clone(), cards, &factor.values)
        };
        let tables = self.factors.iter().map(table).collect::<Result<_, _>>()?;
        FactorGraph::new(self.cards.clone(), tables)
    }

    /// The Markov network of a factor graph, entries `exp(ln f)`.
    ///
    /// Rounding is that of `exp` of the relative entries, a few units in the last place. A file that
    /// was read is converted without any by writing its `UaiModel`.
    ///
    /// # Errors
    /// [`UaiError::Unwritable`] if an entry that is not a hard zero would become infinite,
    /// subnormal or 0.
    ///
    /// # Example
    /// ```
    /// use forney_model::{FactorGraph, Table};
    /// use forney_uai::UaiModel;
    /// let constant = |ln| FactorGraph::new(vec![], vec![Table::constant(ln)?]);
    /// assert_eq!(UaiModel::from_graph(&constant(0.0)?)?.factors[0].values, [1.0]);
    /// assert!(UaiModel::from_graph(&constant(-1000.0)?).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_graph(graph: &FactorGraph) -> Result<Self, UaiError> {
        let plain = |(factor, table): (usize, &Table)| {
            let value = |entry: usize| {
                let (ln, value) = (table.ln_entry(entry), table.value(entry));
                if value.is_normal() || ln == f64::NEG_INFINITY {
                    Ok(value)
                } else {
                    Err(UaiError::Unwritable { factor, entry, ln })
                }
            };
            Ok(UaiFactor {
                scope: table.scope().to_vec(),
                values: (0..table.num_entries())
                    .map(value)
                    .collect::<Result<_, _>>()?,
            })
        };
        Ok(Self {
            kind: ModelKind::Markov,
            cards: graph.cards().to_vec(),
            factors: graph
                .factors()
                .iter()
                .enumerate()
                .map(plain)
                .collect::<Result<_, _>>()?,
            trailing: None,
        })
    }
}

/// Writes a model file; every entry is the shortest decimal that reads back to the same bits, so
/// that [`read_model`](crate::read_model) gives the model back.
///
/// # Errors
/// Those of `out`, and [`io::ErrorKind::InvalidInput`] for a model that [`UaiModel::to_graph`]
/// refuses: nothing is written then.
pub fn write_model(out: &mut impl Write, model: &UaiModel) -> io::Result<()> {
    model
        .to_graph()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    writeln!(out, "{}\n{}", model.kind.word(), model.cards.len())?;
    write_line(out, &model.cards)?;
    writeln!(out, "{}", model.factors.len())?;
    for factor in &model.factors {
        write!(out, "{}", factor.scope.len())?;
        for var in &factor.scope {
            write!(out, " {var}")?;
        }
        writeln!(out)?;
    }
    for factor in &model.factors {
        write!(out, "\n{}\n", factor.values.len())?;
        // One line for each setting of all variables but the last.
        let row = factor
            .scope
            .last()
            .map_or(1, |var| model.cards[var.index()]);
        for values in factor.values.chunks(row) {
            for value in values {
                out.write_all(b" ")?;
                write_number(out, *value)?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

/// Whole numbers on one line.
pub(crate) fn write_line(out: &mut impl Write, numbers: &[usize]) -> io::Result<()> {
    for (position, number) in numbers.iter().enumerate() {
        let space = if position == 0 { "" } else { " " };
        write!(out, "{space}{number}")?;
    }
    writeln!(out)
}

//! A model as its file states it, and how it is written.

use std::io::{self, Write};

use forney_model::{FactorGraph, ModelError, Table, VarId};

use crate::Warning;
use crate::number::{LARGEST_LN, write_exp, write_value};

/// The first word of a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelKind {
    /// Any nonnegative factors.
    Markov,
    /// Each factor is a conditional probability table, its last variable the child. The tables are
    /// taken as they are: of rows that do not sum to 1 the reader [warns](Warning::Rows).
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

    /// The kind that a word names, in any case.
    pub(crate) fn named(word: &[u8]) -> Option<Self> {
        let kinds = [Self::Markov, Self::Bayes].into_iter();
        let mut named = kinds.filter(|kind| word.eq_ignore_ascii_case(kind.word().as_bytes()));
        named.next()
    }
}

/// The entries of a factor, last variable fastest.
#[derive(Clone, Debug, PartialEq)]
pub enum Entries {
    /// Plain values, finite and ≥ 0.
    Values(Vec<f64>),
    /// Natural logarithms, `−∞` for a hard zero: the entries of a file of log tables, and of a
    /// table some of whose plain entries no normal `f64` can hold.
    Ln(Vec<f64>),
}

impl Entries {
    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Values(entries) | Self::Ln(entries) => entries.len(),
        }
    }

    /// Are there none? No table of a legal model is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same entries as far as `keep` says, in the notation that they have.
    #[must_use]
    pub fn select(&self, keep: impl FnOnce(&[f64]) -> Vec<f64>) -> Self {
        match self {
            Self::Values(values) => Self::Values(keep(values)),
            Self::Ln(ln) => Self::Ln(keep(ln)),
        }
    }
}

/// A factor with the entries of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct UaiFactor {
    /// The variables, slowest first.
    pub scope: Vec<VarId>,
    /// One entry for each setting of the variables.
    pub entries: Entries,
}

impl UaiFactor {
    fn to_table(&self, cards: &[usize]) -> Result<Table, ModelError> {
        let of_scope = self.cards(cards)?;
        match &self.entries {
            Entries::Values(values) => Table::from_values(self.scope.clone(), of_scope, values),
            Entries::Ln(ln) => Table::from_ln(self.scope.clone(), of_scope, ln.clone()),
        }
    }

    fn into_table(self, cards: &[usize]) -> Result<Table, ModelError> {
        let of_scope = self.cards(cards)?;
        match self.entries {
            Entries::Values(values) => Table::from_values(self.scope, of_scope, &values),
            Entries::Ln(ln) => Table::from_ln(self.scope, of_scope, ln),
        }
    }

    /// The cardinalities of the scope.
    fn cards(&self, cards: &[usize]) -> Result<Vec<usize>, ModelError> {
        let card = |var: &VarId| {
            let card = cards.get(var.index());
            card.copied().ok_or(ModelError::UnknownVariable {
                var: *var,
                variables: cards.len(),
            })
        };
        self.scope.iter().map(card).collect()
    }
}

/// A model as its file states it; plain values bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub struct UaiModel {
    /// Markov network or Bayesian network.
    pub kind: ModelKind,
    /// Cardinality of each variable, at least 1.
    pub cards: Vec<usize>,
    /// The factors, in the order of the file.
    pub factors: Vec<UaiFactor>,
    /// What the reader passed over or doubts; not part of the model, and never written.
    pub warnings: Vec<Warning>,
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
        let factors = self.factors.iter();
        let tables = factors.map(|factor| factor.to_table(&self.cards));
        let tables = tables.collect::<Result<_, _>>()?;
        FactorGraph::new(self.cards.clone(), tables)
    }

    /// The same graph, giving up the entries of the file one table after the other: about half of
    /// the memory for a large model.
    ///
    /// # Errors
    /// As [`UaiModel::to_graph`].
    pub fn into_graph(self) -> Result<FactorGraph, ModelError> {
        let factors = self.factors.into_iter();
        let tables = factors.map(|factor| factor.into_table(&self.cards));
        let tables = tables.collect::<Result<_, _>>()?;
        FactorGraph::new(self.cards, tables)
    }

    /// The Markov network of a factor graph: entries `exp(ln f)`, but the logarithms themselves in
    /// a table that has one whose exponential is no normal `f64`.
    ///
    /// Rounding is that of `exp` of the relative entries, a few units in the last place. A file that
    /// was read is converted without any by writing its `UaiModel`.
    ///
    /// # Example
    /// ```
    /// use forney_model::{FactorGraph, Table};
    /// use forney_uai::{Entries, UaiModel};
    /// let constant = |ln| FactorGraph::new(vec![], vec![Table::constant(ln)?]);
    /// let entries = |ln| Ok::<_, forney_model::ModelError>(UaiModel::from_graph(&constant(ln)?).factors.remove(0).entries);
    /// assert_eq!(entries(0.0)?, Entries::Values(vec![1.0]));
    /// assert_eq!(entries(-1000.0)?, Entries::Ln(vec![-1000.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn from_graph(graph: &FactorGraph) -> Self {
        let stated = |table: &Table| {
            let entries = 0..table.num_entries();
            let ln: Vec<f64> = entries.clone().map(|entry| table.ln_entry(entry)).collect();
            let values: Vec<f64> = entries.map(|entry| table.value(entry)).collect();
            let mut pairs = values.iter().zip(&ln);
            let near = pairs.all(|(value, ln)| value.is_normal() || *ln == f64::NEG_INFINITY);
            UaiFactor {
                scope: table.scope().to_vec(),
                entries: match near {
                    true => Entries::Values(values),
                    false => Entries::Ln(ln),
                },
            }
        };
        Self {
            kind: ModelKind::Markov,
            cards: graph.cards().to_vec(),
            factors: graph.factors().iter().map(stated).collect(),
            warnings: Vec::new(),
        }
    }

    /// Is this a model that a file can hold?
    fn check(&self) -> io::Result<()> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        FactorGraph::new(self.cards.clone(), Vec::new()).map_err(invalid)?;
        self.factors.iter().try_for_each(|factor| {
            let table = factor.to_table(&self.cards).map_err(invalid)?;
            let far = |ln: &f64| ln.is_finite() && ln.abs() > LARGEST_LN;
            match (0..table.num_entries())
                .map(|entry| table.ln_entry(entry))
                .find(far)
            {
                None => Ok(()),
                Some(ln) => {
                    let message = format!("e^{ln} is beyond e^(±{LARGEST_LN})");
                    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
                }
            }
        })
    }
}

/// Writes a model file of plain values; every value is the shortest decimal that reads back to the
/// same bits, so that [`read_model`](crate::read_model) gives the model back.
///
/// A logarithm is written as the number that it is of, with an exponent of any size
/// (`4.87e-525`); it reads back to the same logarithm, or to one within 2⁻⁵² of it.
///
/// # Errors
/// Those of `out`, and [`io::ErrorKind::InvalidInput`] for a model that [`UaiModel::to_graph`]
/// refuses, or with a logarithm beyond ±2.3·10⁹: nothing is written then.
pub fn write_model(out: &mut impl Write, model: &UaiModel) -> io::Result<()> {
    model.check()?;
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
        write!(out, "\n{}\n", factor.entries.len())?;
        // One line for each setting of all variables but the last.
        let last = factor.scope.last();
        let row = last.map_or(1, |var| model.cards[var.index()]);
        match &factor.entries {
            Entries::Values(values) => write_rows(out, values, row, write_value)?,
            Entries::Ln(ln) => write_rows(out, ln, row, write_exp)?,
        }
    }
    Ok(())
}

fn write_rows<W: Write>(
    out: &mut W,
    entries: &[f64],
    row: usize,
    write: fn(&mut W, f64) -> io::Result<()>,
) -> io::Result<()> {
    for entries in entries.chunks(row) {
        for entry in entries {
            out.write_all(b" ")?;
            write(out, *entry)?;
        }
        writeln!(out)?;
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

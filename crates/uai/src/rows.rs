//! Do the tables of a Bayesian network look like conditional probabilities?

use forney_model::VarId;

use crate::{Entries, Meant, Warning};

/// How far from 1 a row may be: `0.33 0.33 0.33` is one that was printed with two decimals.
const SLACK: f64 = 0.015;

/// Looks at one table after the other, and remembers the first that is none of conditional
/// probabilities.
#[derive(Default)]
pub(crate) struct Rows {
    first: Option<Misfit>,
    misfits: usize,
}

struct Misfit {
    factor: usize,
    place: (usize, usize),
    sum: f64,
    meant: Option<Meant>,
}

impl Rows {
    /// Looks at the table of `factor`, which stands at some line and column.
    pub(crate) fn look(
        &mut self,
        factor: usize,
        scope: &[VarId],
        cards: &[usize],
        entries: &Entries,
        place: impl FnOnce() -> (usize, usize),
    ) {
        let Some(child) = scope.last() else {
            // A constant, as evidence may leave.
            return;
        };
        let rows = of(entries, cards[child.index()], 1).find(|sum| !is_one(*sum));
        if let Some(sum) = rows {
            self.misfits += 1;
            self.first.get_or_insert_with(|| Misfit {
                factor,
                place: place(),
                sum,
                meant: meant(scope, cards, entries),
            });
        }
    }

    /// One warning for all tables.
    pub(crate) fn warning(self) -> Option<Warning> {
        let first = self.first?;
        let (line, column) = first.place;
        Some(Warning::Rows {
            line,
            column,
            factor: first.factor,
            sum: first.sum,
            others: self.misfits - 1,
            meant: first.meant,
        })
    }
}

fn meant(scope: &[VarId], cards: &[usize], entries: &Entries) -> Option<Meant> {
    let (child, parents) = scope.split_last()?;
    let card = cards[child.index()];
    let one = |card, stride| of(entries, card, stride).all(is_one);
    if one(card, entries.len() / card) {
        return Some(Meant::ChildSlowest);
    }
    let mut stride = card;
    for var in parents.iter().rev() {
        let card = cards[var.index()];
        if one(card, stride) {
            return Some(Meant::Child(*var));
        }
        stride *= card;
    }
    one(entries.len(), 1).then_some(Meant::Joint)
}

/// The sums over a variable with `card` states whose neighbouring states stand `stride` apart.
fn of(entries: &Entries, card: usize, stride: usize) -> impl Iterator<Item = f64> + '_ {
    let value = move |at: usize| match entries {
        Entries::Values(values) => values[at],
        Entries::Ln(ln) => ln[at].exp(),
    };
    let block = card * stride;
    (0..entries.len())
        .step_by(block)
        .flat_map(move |start| start..start + stride)
        .map(move |start| (0..card).map(|state| value(start + state * stride)).sum())
}

/// False for NaN.
fn is_one(sum: f64) -> bool {
    (sum - 1.0).abs() <= SLACK
}

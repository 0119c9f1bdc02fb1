//! Single steps, for proofs that know more of a table than the engine does.

use forney_certify::DoubleDouble;

use crate::kernel;
use crate::layout::MAX_INPUTS;
use crate::schedule::Step;
use crate::step::{self, Algebra, Call, Scratch};
use crate::table::{Form, Signs, Values, View, range};
use crate::watch::Watch;

/// A table without negative entries as one step reads and writes it.
#[derive(Clone, Debug)]
pub struct Message(Values);

impl Message {
    /// Plain numbers, none negative.
    #[must_use]
    pub fn plain(entries: Vec<f64>) -> Self {
        Self::new(Form::Linear, entries)
    }

    /// Logarithms, in nats; `−∞` for 0.
    #[must_use]
    pub fn ln(entries: Vec<f64>) -> Self {
        Self::new(Form::Log, entries)
    }

    fn new(form: Form, data: Vec<f64>) -> Self {
        Self(Values {
            form,
            range: range(form, &data),
            ln_scale: DoubleDouble::ZERO,
            data,
        })
    }

    /// `ln` of an entry, what the step took out left aside.
    ///
    /// # Panics
    /// If there is no such entry.
    #[must_use]
    pub fn ln_entry(&self, at: usize) -> f64 {
        self.0.ln_entry(at)
    }

    /// What the step that wrote it took out of it; that of its inputs left aside.
    #[must_use]
    pub fn ln_scale(&self) -> DoubleDouble {
        self.0.ln_scale
    }
}

impl Step {
    /// `m(y) = (Σ_x Π_i f_i(x, y)^{1/w})^w` for inputs in the order of [`Step::inputs`].
    ///
    /// # Panics
    /// If an input is missing or has another number of entries.
    ///
    /// # Complexity
    /// That of the step in a pass of an [`Engine`](crate::Engine), and what it works in is allocated.
    #[must_use]
    pub fn forward(&self, weight: f64, inputs: &[&Message]) -> Message {
        assert_eq!(inputs.len(), self.inputs.len(), "one table for each input");
        let mut views = [View::NONE; MAX_INPUTS];
        for ((view, message), input) in views.iter_mut().zip(inputs).zip(&self.inputs) {
            assert_eq!(message.0.data.len(), input.len, "entries of an input");
            view.set(&message.0, input.len);
        }
        let mut values = Values::empty();
        let call = Call {
            step: self,
            algebra: Algebra::Sum,
            watch: &Watch::new(None),
            weight,
            signs: Signs::Absent,
            plain: self.weight.is_none(),
            views: &views[..inputs.len()],
        };
        let (scratch, tile) = (&mut Scratch::default(), &mut Vec::new());
        step::forward(&call, scratch, &mut values, tile);
        Message(values)
    }

    /// `Σ_x Π_i f_i(x, y)` in plain numbers of either sign, with no care for their range.
    ///
    /// # Panics
    /// As [`Step::forward`].
    #[must_use]
    pub fn sum_products(&self, inputs: &[&[f64]]) -> Vec<f64> {
        let mut tables = inputs.to_vec();
        let spread: Vec<Option<Vec<f64>>> = self
            .plan
            .inputs
            .iter()
            .zip(inputs)
            .map(|(access, table)| {
                let spread = access.spread.as_ref()?;
                let mut out = vec![0.0; spread.entries()];
                spread.spread(table, &mut out);
                Some(out)
            })
            .collect();
        for ((table, spread), input) in tables.iter_mut().zip(&spread).zip(&self.inputs) {
            assert_eq!(table.len(), input.len, "entries of an input");
            if let Some(spread) = spread {
                *table = spread;
            }
        }
        let mut out = vec![0.0; self.cols];
        let mut tile = vec![0.0; self.plan.tile_len()];
        let watch = Watch::new(None);
        kernel::product_sum(&self.plan, &tables, 0, &mut out, &mut tile, &watch);
        out
    }
}

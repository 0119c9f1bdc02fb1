//! How a table is read along a clique that contains its scope.
//!
//! Both list their axes in the same order, so the clique falls into runs of equal length within
//! which the table is either read entry by entry or stands still; only the head of each run has
//! to be stored.

use forney_model::VarId;

/// The walk of one table along one clique.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    /// Clique entries of each run.
    run: usize,
    /// Do the entries of the table advance within a run?
    advances: bool,
    /// Where in the table each run begins.
    heads: Vec<u32>,
}

/// Calls a method with the length of a run as a constant where it is small, so that it unrolls.
macro_rules! by_run {
    ($self:ident, $method:ident, $($argument:expr),*) => {
        match $self.run {
            1 => $self.$method::<1>($($argument),*),
            2 => $self.$method::<2>($($argument),*),
            4 => $self.$method::<4>($($argument),*),
            8 => $self.$method::<8>($($argument),*),
            16 => $self.$method::<16>($($argument),*),
            _ => $self.$method::<0>($($argument),*),
        }
    };
}

impl Walk {
    /// `table` is a subsequence of `clique`; cardinalities go with variables.
    pub(crate) fn new(clique: &[VarId], table: &[VarId], card: impl Fn(VarId) -> usize) -> Self {
        let held = |v: &VarId| table.contains(v);
        let advances = clique.last().is_some_and(held);
        let inner = clique
            .iter()
            .rev()
            .take_while(|v| held(v) == advances)
            .count();
        let (outer, inner) = clique.split_at(clique.len() - inner);
        let run = inner.iter().map(|&v| card(v)).product();
        let mut heads = vec![0u32];
        let mut stride: usize = if advances { run } else { 1 };
        // Axes from the innermost outwards: each repeats the heads so far, `stride` apart.
        for &v in outer.iter().rev() {
            let step = if held(&v) { stride } else { 0 };
            if step > 0 {
                stride *= card(v);
            }
            let block = heads.clone();
            for state in 1..card(v) {
                let offset = u32::try_from(state * step).expect("a clique that was compiled");
                heads.extend(block.iter().map(|head| head + offset));
            }
        }
        Self {
            run,
            advances,
            heads,
        }
    }

    /// How many runs it has.
    #[cfg(test)]
    pub(crate) fn runs(&self) -> usize {
        self.heads.len()
    }

    /// `out ← table`, spread over the clique.
    pub(crate) fn load(&self, table: &[f64], out: &mut [f64]) {
        by_run!(self, apply, table, out, |_, x| x);
    }

    /// `out ← out · table`.
    pub(crate) fn multiply(&self, table: &[f64], out: &mut [f64]) {
        by_run!(self, apply, table, out, |out, x| out * x);
    }

    /// `out ← clique · table`.
    pub(crate) fn product(&self, clique: &[f64], table: &[f64], out: &mut [f64]) {
        by_run!(self, spread, clique, table, out);
    }

    /// `out ← out + clique`, summed over what the table does not hold.
    pub(crate) fn fold(&self, clique: &[f64], out: &mut [f64]) {
        by_run!(self, gather, clique, out);
    }

    #[inline(always)]
    fn apply<const RUN: usize>(
        &self,
        table: &[f64],
        out: &mut [f64],
        combine: impl Fn(f64, f64) -> f64,
    ) {
        let run = if RUN == 0 { self.run } else { RUN };
        let runs = out.chunks_exact_mut(run).zip(&self.heads);
        if self.advances {
            for (out, &head) in runs {
                let head = head as usize;
                for (out, &x) in out.iter_mut().zip(&table[head..head + run]) {
                    *out = combine(*out, x);
                }
            }
        } else {
            for (out, &head) in runs {
                let x = table[head as usize];
                for out in out {
                    *out = combine(*out, x);
                }
            }
        }
    }

    #[inline(always)]
    fn spread<const RUN: usize>(&self, clique: &[f64], table: &[f64], out: &mut [f64]) {
        let run = if RUN == 0 { self.run } else { RUN };
        let runs = out.chunks_exact_mut(run).zip(clique.chunks_exact(run));
        if self.advances {
            for ((out, clique), &head) in runs.zip(&self.heads) {
                let head = head as usize;
                let table = &table[head..head + run];
                for ((out, c), x) in out.iter_mut().zip(clique).zip(table) {
                    *out = c * x;
                }
            }
        } else {
            for ((out, clique), &head) in runs.zip(&self.heads) {
                let x = table[head as usize];
                for (out, c) in out.iter_mut().zip(clique) {
                    *out = c * x;
                }
            }
        }
    }

    #[inline(always)]
    fn gather<const RUN: usize>(&self, clique: &[f64], out: &mut [f64]) {
        let run = if RUN == 0 { self.run } else { RUN };
        let runs = clique.chunks_exact(run).zip(&self.heads);
        if self.advances {
            for (clique, &head) in runs {
                let head = head as usize;
                for (out, &x) in out[head..head + run].iter_mut().zip(clique) {
                    *out += x;
                }
            }
        } else {
            for (clique, &head) in runs {
                out[head as usize] += clique.iter().sum::<f64>();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_agrees_with_indices_worked_out_by_hand() {
        let cards = [2usize, 3, 1, 2, 4];
        let clique: Vec<VarId> = (0..5).map(VarId).collect();
        let card = |v: VarId| cards[v.index()];
        for subset in 0..32u32 {
            let held: Vec<VarId> = clique
                .iter()
                .copied()
                .filter(|v| subset >> v.0 & 1 == 1)
                .collect();
            let walk = Walk::new(&clique, &held, card);
            let len: usize = held.iter().map(|&v| card(v)).product();
            let table: Vec<f64> = (0..len).map(|x| 1.0 + x as f64).collect();
            let mut spread = vec![0.0; 48];
            walk.load(&table, &mut spread);
            let mut folded = vec![0.0; len];
            walk.fold(&vec![1.0; 48], &mut folded);
            let mut at = 0;
            let mut counts = vec![0.0; len];
            forney_model::enumerate::for_each_assignment(&cards, |states| {
                let index = held
                    .iter()
                    .fold(0, |index, v| index * card(*v) + states[v.index()]);
                assert!((spread[at] - table[index]).abs() < 1e-15);
                counts[index] += 1.0;
                at += 1;
            });
            assert_eq!(folded, counts);
        }
    }
}

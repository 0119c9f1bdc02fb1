//! Responsibilities of a block of examples.

use forney_exact::vmath::{exp_in_place, ln_slice};

use crate::em::gaussian::Block;

/// Turns the log densities of a block into responsibilities, by log-sum-exp.
pub(super) struct Softmax {
    largest: Vec<f64>,
    sums: Vec<f64>,
    ln_p: Vec<f64>,
}

impl Softmax {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            largest: Vec::with_capacity(capacity),
            sums: Vec::with_capacity(capacity),
            ln_p: Vec::with_capacity(capacity),
        }
    }

    /// Replaces `ln w_k N(v; μ_k, Σ_k)` by `p(h = k | v)`.
    pub(super) fn weigh(&mut self, block: &mut Block) {
        let (components, len) = block.values().dim();
        for buffer in [&mut self.largest, &mut self.sums, &mut self.ln_p] {
            buffer.clear();
            buffer.resize(len, 0.0);
        }
        self.largest.fill(f64::NEG_INFINITY);
        for k in 0..components {
            for (largest, &x) in self.largest.iter_mut().zip(&*block.component(k)) {
                *largest = largest.max(x);
            }
        }
        for k in 0..components {
            let values = block.component(k);
            for (x, largest) in values.iter_mut().zip(&self.largest) {
                *x -= largest;
            }
            exp_in_place(values);
            for (sum, x) in self.sums.iter_mut().zip(&*values) {
                *sum += x;
            }
        }
        ln_slice(&self.sums, &mut self.ln_p);
        for ((ln_p, largest), common) in self.ln_p.iter_mut().zip(&self.largest).zip(block.common())
        {
            *ln_p += largest + common;
        }
        for sum in &mut self.sums {
            *sum = 1.0 / *sum;
        }
        for k in 0..components {
            for (x, inverse) in block.component(k).iter_mut().zip(&self.sums) {
                *x *= inverse;
            }
        }
    }

    /// `ln p(v)` of the examples of the block, in nats.
    pub(super) fn ln_p(&self) -> &[f64] {
        &self.ln_p
    }
}

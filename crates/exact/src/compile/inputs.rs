//! Small tables multiplied before they meet a clique.

use std::collections::HashMap;

use super::{Compiler, Draft, Pending, merged, union};
use crate::layout::MAX_INPUTS;
use crate::schedule::Source;
use crate::watch::Watch;

/// Tables are multiplied before they meet the clique if their product is this much smaller.
const JOIN_RATIO: f64 = 8.0;

/// Smaller cliques are not worth a step that joins tables for them.
const JOIN_LEAST: f64 = 512.0;

impl Compiler<'_> {
    /// Brings every step to few inputs, at most [`MAX_INPUTS`]; false if the watch ended it.
    pub(super) fn prepare_inputs(&mut self, watch: &Watch<'_>) -> bool {
        for at in 0..self.drafts.len() {
            if watch.stop_at(at) {
                return false;
            }
            let clique = self.entries(&self.drafts[at].scope);
            let tables = std::mem::take(&mut self.drafts[at].inputs);
            let most = self.base_entries(clique, self.drafts[at].split);
            let tables = self.merge_bases(tables, most);
            self.drafts[at].inputs = self.join_small(tables, clique);
        }
        true
    }

    /// Entries up to which factors are multiplied when the model is loaded.
    fn base_entries(&self, clique: f64, split: bool) -> f64 {
        if split {
            // Every entry costs an exponential in every pass.
            (clique / JOIN_RATIO).max(16.0)
        } else if clique <= JOIN_LEAST {
            clique
        } else {
            clique / JOIN_RATIO
        }
    }

    /// Multiplies factors of the model into few tables: those inside another's scope always,
    /// others while the product has at most so many entries.
    fn merge_bases(&mut self, tables: Vec<Pending>, most: f64) -> Vec<Pending> {
        let (mut bases, mut rest): (Vec<Pending>, Vec<Pending>) = tables
            .into_iter()
            .partition(|t| matches!(t.source, Source::Base(_)));
        // Largest first, so that one pass absorbs every scope that lies inside an earlier one.
        bases.sort_by_key(|t| std::cmp::Reverse(t.scope.len()));
        let mut kept: Vec<Pending> = Vec::new();
        let mut same: HashMap<Vec<usize>, usize> = HashMap::new();
        for table in bases {
            let host = same.get(&table.scope).copied().or_else(|| {
                // The search over all hosts is quadratic, so a hub with thousands of factors
                // merges equal scopes only.
                let few = kept.len() <= 64;
                few.then(|| kept.iter().position(|k| is_subset(&table.scope, &k.scope)))
                    .flatten()
            });
            match host {
                Some(host) => self.absorb(&mut kept[host], &table),
                None => {
                    same.insert(table.scope.clone(), kept.len());
                    kept.push(table);
                }
            }
        }
        while kept.len() <= 64
            && let Some((i, j, size)) = self.smallest_pair(&kept)
            && size <= most
        {
            let absorbed = kept.swap_remove(j);
            self.absorb(&mut kept[i], &absorbed);
        }
        rest.extend(kept);
        rest
    }

    fn absorb(&mut self, host: &mut Pending, guest: &Pending) {
        let (Source::Base(into), Source::Base(from)) = (host.source, guest.source) else {
            unreachable!("only bases are merged at load time");
        };
        self.buckets.absorb(into, from);
        host.scope = merged(&host.scope, &guest.scope);
    }

    /// Joins tables before they meet the clique: those whose product is far smaller, and as many
    /// as it takes to have at most [`MAX_INPUTS`].
    fn join_small(&mut self, mut tables: Vec<Pending>, clique: f64) -> Vec<Pending> {
        while tables.len() > 8 * MAX_INPUTS {
            tables.sort_by(|a, b| {
                a.scope
                    .len()
                    .cmp(&b.scope.len())
                    .then(a.scope.cmp(&b.scope))
            });
            let chunks: Vec<Vec<Pending>> =
                tables.chunks(MAX_INPUTS).map(<[Pending]>::to_vec).collect();
            tables = chunks.into_iter().map(|chunk| self.join(chunk)).collect();
        }
        while let Some((i, j, size)) = self.smallest_pair(&tables)
            && (tables.len() > MAX_INPUTS
                || (tables.len() > 2 && clique >= JOIN_LEAST && size * JOIN_RATIO <= clique))
        {
            let second = tables.swap_remove(j);
            let first = std::mem::replace(&mut tables[i], second.clone());
            tables[i] = self.join(vec![first, second]);
        }
        tables
    }

    fn join(&mut self, inputs: Vec<Pending>) -> Pending {
        if inputs.len() == 1 {
            return inputs.into_iter().next().expect("one table");
        }
        let scope = union(&inputs);
        self.drafts.push(Draft {
            scope: scope.clone(),
            eliminated: 0,
            inputs,
            split: false,
        });
        Pending {
            scope,
            source: Source::Message(self.drafts.len() - 1),
        }
    }

    /// The pair `i < j` with the smallest product, and its entries.
    fn smallest_pair(&self, tables: &[Pending]) -> Option<(usize, usize, f64)> {
        let mut best: Option<(usize, usize, f64)> = None;
        for j in 1..tables.len() {
            for i in 0..j {
                let size = self.entries(&merged(&tables[i].scope, &tables[j].scope));
                if best.is_none_or(|(_, _, least)| size < least) {
                    best = Some((i, j, size));
                }
            }
        }
        best
    }
}

fn is_subset(a: &[usize], b: &[usize]) -> bool {
    a.iter().all(|p| b.binary_search(p).is_ok())
}

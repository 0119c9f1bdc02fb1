//! Small tables multiplied before they meet a clique.

use std::collections::HashMap;

use super::buckets::Origin;
use super::scopes::{Place, is_subset, merged, union};
use super::{Compiler, Draft};
use crate::layout::MAX_INPUTS;
use crate::watch::Watch;

/// Tables are multiplied before they meet the clique if their product is this much smaller.
const JOIN_RATIO: f64 = 8.0;

/// Smaller cliques are not worth a step that joins tables for them.
const JOIN_LEAST: f64 = 512.0;

/// Of more tables than this not all pairs are looked at: a hub may have thousands.
const FEW: usize = 64;

/// A table that waits for its clique, with its scope.
struct Pending {
    scope: Vec<Place>,
    origin: Origin,
}

impl Compiler<'_> {
    /// Brings every step to few inputs, at most [`MAX_INPUTS`]; false if the watch ended it.
    pub(super) fn prepare_inputs(&mut self, watch: &Watch<'_>) -> bool {
        for at in 0..self.drafts.len() {
            if watch.stop_at(at) {
                return false;
            }
            if self.drafts[at].inputs.len() < 2 {
                continue;
            }
            let clique = self.entries(&self.drafts[at].scope);
            let origins = std::mem::take(&mut self.drafts[at].inputs);
            let tables = origins.iter().map(|&origin| {
                let mut scope = Vec::new();
                self.write_scope(origin, &mut scope);
                Pending { scope, origin }
            });
            let tables = tables.collect();
            let most = self.base_entries(clique, self.drafts[at].split);
            let tables = self.merge_bases(tables, most);
            let tables = self.join_small(tables, clique);
            // The list that was taken is used again.
            let mut inputs = origins;
            inputs.clear();
            inputs.extend(tables.iter().map(|table| table.origin));
            inputs.shrink_to_fit();
            self.drafts[at].inputs = inputs;
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
            .partition(|t| matches!(t.origin, Origin::Base(_)));
        // Largest first, so that one pass absorbs every scope that lies inside an earlier one.
        bases.sort_by_key(|t| std::cmp::Reverse(t.scope.len()));
        let mut kept: Vec<Pending> = Vec::new();
        // The search over all hosts is quadratic, so a hub with thousands of factors merges equal
        // scopes only, and knows those that it kept.
        let mut same: HashMap<Vec<Place>, usize> = HashMap::new();
        for table in bases {
            let host = if kept.len() <= FEW {
                kept.iter().position(|k| is_subset(&table.scope, &k.scope))
            } else {
                if same.is_empty() {
                    same = (0..)
                        .zip(&kept)
                        .map(|(at, k)| (k.scope.clone(), at))
                        .collect();
                }
                same.get(&table.scope).copied()
            };
            match host {
                Some(host) => self.absorb(&mut kept[host], &table),
                None => {
                    if !same.is_empty() {
                        same.insert(table.scope.clone(), kept.len());
                    }
                    kept.push(table);
                }
            }
        }
        while kept.len() <= FEW
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
        let (Origin::Base(into), Origin::Base(from)) = (host.origin, guest.origin) else {
            unreachable!("only bases are merged at load time");
        };
        self.products.absorb(into, from);
        if !is_subset(&guest.scope, &host.scope) {
            host.scope = merged(&host.scope, &guest.scope).collect();
        }
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
            let chunks = tables.chunks(MAX_INPUTS);
            tables = chunks.map(|chunk| self.join(chunk)).collect();
        }
        if tables.len() <= 2 || tables.len() <= MAX_INPUTS && clique < JOIN_LEAST {
            return tables;
        }
        while let Some((i, j, size)) = self.smallest_pair(&tables)
            && (tables.len() > MAX_INPUTS
                || (tables.len() > 2 && clique >= JOIN_LEAST && size * JOIN_RATIO <= clique))
        {
            let second = tables.swap_remove(j);
            let pair = [tables.swap_remove(i), second];
            let joined = self.join(&pair);
            tables.push(joined);
            let last = tables.len() - 1;
            tables.swap(i, last);
        }
        tables
    }

    /// One table that is the product of some.
    fn join(&mut self, inputs: &[Pending]) -> Pending {
        let scope = union(inputs.iter().map(|table| &table.scope[..]));
        if let [only] = inputs {
            return Pending {
                scope,
                origin: only.origin,
            };
        }
        self.drafts.push(Draft {
            scope: scope.as_slice().into(),
            eliminated: 0,
            inputs: inputs.iter().map(|table| table.origin).collect(),
            split: false,
        });
        Pending {
            scope,
            origin: Origin::Message(self.drafts.len() as u32 - 1),
        }
    }

    /// The pair `i < j` with the smallest product, and its entries.
    fn smallest_pair(&self, tables: &[Pending]) -> Option<(usize, usize, f64)> {
        let mut best: Option<(usize, usize, f64)> = None;
        for j in 1..tables.len() {
            for i in 0..j {
                let both = merged(&tables[i].scope, &tables[j].scope);
                let size = both.map(|place| self.card(place) as f64).product();
                if best.is_none_or(|(_, _, least)| size < least) {
                    best = Some((i, j, size));
                }
            }
        }
        best
    }
}

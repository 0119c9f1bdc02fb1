//! Spanning forests of factors.

use petgraph::unionfind::UnionFind;

use crate::belief_propagation::network::Network;

/// A forest that no factor can be added to, found from the heaviest factor down (Kruskal 1956):
/// for factors of two variables the maximum spanning forest.
pub(super) fn heaviest_forest(network: &Network, weights: &[f64]) -> Vec<usize> {
    let all: Vec<usize> = (0..network.factors.len()).collect();
    forest_of(network, all, weights)
}

/// As [`heaviest_forest`], of some of the factors; ascending.
pub(super) fn forest_of(network: &Network, mut among: Vec<usize>, weights: &[f64]) -> Vec<usize> {
    among.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(a.cmp(&b)));
    let mut joined = UnionFind::<usize>::new(network.num_variables());
    let mut roots: Vec<usize> = Vec::new();
    among.retain(|&factor| {
        let axes = &network.axes[network.factors[factor].axes.clone()];
        roots.clear();
        roots.extend(axes.iter().map(|axis| joined.find_mut(axis.variable)));
        roots.sort_unstable();
        let open = roots.windows(2).all(|pair| pair[0] != pair[1]);
        if open {
            for axis in &axes[1..] {
                joined.union(axes[0].variable, axis.variable);
            }
        }
        open
    });
    among.sort_unstable();
    among
}

/// Spanning forests that together hold every factor, each preferring those that the earlier ones
/// hold least often.
pub(super) fn cover(network: &Network) -> Vec<Vec<usize>> {
    let mut rarity = vec![0.0; network.factors.len()];
    let mut forests = Vec::new();
    while forests.is_empty() || rarity.contains(&0.0) {
        let forest = heaviest_forest(network, &rarity);
        for &factor in &forest {
            rarity[factor] -= 1.0;
        }
        forests.push(forest);
    }
    forests
}

//! Spanning forests of factors.

use petgraph::unionfind::UnionFind;

/// A forest of some factors that none of the others can be added to, found from the heaviest factor down
/// (Kruskal 1956): for factors of two variables the maximum spanning forest. Ascending.
///
/// `scope` lists the variables of a factor that may close a cycle; factors of fewer than two are in any forest.
pub(crate) fn heaviest_forest<V: IntoIterator<Item = usize>>(
    variables: usize,
    mut among: Vec<usize>,
    weights: &[f64],
    scope: impl Fn(usize) -> V,
) -> Vec<usize> {
    among.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(a.cmp(&b)));
    let mut joined = UnionFind::<usize>::new(variables);
    let mut roots: Vec<usize> = Vec::new();
    among.retain(|&factor| {
        roots.clear();
        roots.extend(scope(factor).into_iter().map(|v| joined.find_mut(v)));
        roots.sort_unstable();
        let open = roots.windows(2).all(|pair| pair[0] != pair[1]);
        if open {
            for pair in roots.windows(2) {
                joined.union(pair[0], pair[1]);
            }
        }
        open
    });
    among.sort_unstable();
    among
}

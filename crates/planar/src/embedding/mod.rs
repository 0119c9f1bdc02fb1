//! A planar embedding, by the left-right criterion (de Fraysseix, Ossona de Mendez and Rosenstiehl 2006, in the form
//! of Brandes 2009).
//!
//! A depth-first search orients the edges; where two back edges return below a vertex, they have to leave on the same
//! side of the tree or on opposite ones. The constraints are kept on a stack of *conflict pairs*, each two intervals
//! of back edges that lie on opposite sides. If they can be satisfied, the order in which edges nest gives the
//! embedding. Whoever uses it checks it by Euler's formula, so that nothing has to be believed.
//!
//! Everything is iterative: a path of a million spins is as good as any graph.

mod draw;
mod search;
mod sides;

use crate::ising::Coupling;
use search::Search;
use sides::Test;

/// For every dart the next one around its tail; dart `2e` leaves the first end of edge `e`, `2e + 1` the second one.
pub(crate) type Rotation = Vec<u32>;

/// An embedding of a simple graph, or `None` if there is none.
///
/// # Complexity
/// `O(n log n)`, for sorting.
pub(crate) fn embed(vertices: usize, edges: &[Coupling]) -> Option<Rotation> {
    // Euler: more edges than this are never planar.
    if vertices >= 3 && edges.len() > 3 * vertices - 6 {
        return None;
    }
    let mut search = Search::new(vertices, edges);
    search.orient();
    let mut test = Test::new(&search);
    if !test.is_planar() {
        return None;
    }
    let depth = test.into_nesting();
    Some(search.draw(&depth))
}

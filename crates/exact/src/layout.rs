//! How the kernels walk a clique: rows × outer columns × one inner block.
//!
//! The inner block is the suffix of the column axes whose product stays within [`MAX_BLOCK`]; it
//! is what the innermost loops run over. In the block every input is contiguous, constant, or
//! read through a small index pattern; outside of it only offsets move.

/// Inner blocks hold at most this many entries unless one axis alone is longer: three of them
/// and an index pattern fit in a first-level cache.
pub(crate) const MAX_BLOCK: usize = 512;

/// No step has more inputs: the compiler joins the smallest ones first.
pub(crate) const MAX_INPUTS: usize = 8;

/// Outer axes of a clique whose entries can be counted in 48 bits.
const MAX_OUTER: usize = 48;

/// How an input meets the inner block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Entry `j` of the block reads entry `j`.
    Contiguous,
    /// All entries of the block read one entry.
    Constant,
    /// Entry `j` of the block reads entry `pattern[j]`.
    Pattern(Vec<u32>),
}

/// How one input is addressed.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) mode: Mode,
    /// Entries that one block may touch, from its offset on.
    pub(crate) span: usize,
    /// Offset of each row.
    pub(crate) rows: Vec<usize>,
    /// Stride of each outer column axis.
    pub(crate) outer: Vec<usize>,
}

/// The walk over one clique.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Entries of the inner block.
    pub(crate) block: usize,
    /// Cardinalities of the outer column axes, slowest first.
    pub(crate) outer: Vec<usize>,
    /// One for each input.
    pub(crate) inputs: Vec<Access>,
}

impl Plan {
    /// `rows` and `cols` are (variable key, cardinality) in walking order; every input lists its
    /// own axes likewise, a subset of both, in the order in which its table is stored.
    pub(crate) fn new(
        rows: &[(usize, usize)],
        cols: &[(usize, usize)],
        inputs: &[Vec<(usize, usize)>],
    ) -> Self {
        let mut first_inner = cols.len();
        let mut block = 1;
        while first_inner > 0 {
            let card = cols[first_inner - 1].1;
            if block > 1 && block * card > MAX_BLOCK {
                break;
            }
            block *= card;
            first_inner -= 1;
        }
        let (outer, inner) = cols.split_at(first_inner);
        let inputs = inputs
            .iter()
            .map(|axes| Access::new(rows, outer, inner, axes))
            .collect();
        Self {
            block,
            outer: outer.iter().map(|&(_, card)| card).collect(),
            inputs,
        }
    }
}

impl Access {
    fn new(
        rows: &[(usize, usize)],
        outer: &[(usize, usize)],
        inner: &[(usize, usize)],
        axes: &[(usize, usize)],
    ) -> Self {
        let pattern = expand(inner, axes);
        let mode = if pattern.iter().all(|&offset| offset == 0) {
            Mode::Constant
        } else if pattern.iter().enumerate().all(|(j, &offset)| j == offset) {
            Mode::Contiguous
        } else {
            let narrow =
                |offset: &usize| u32::try_from(*offset).expect("a block's offsets fit in 32 bits");
            Mode::Pattern(pattern.iter().map(narrow).collect())
        };
        Self {
            mode,
            span: pattern.iter().max().map_or(1, |&last| last + 1),
            rows: expand(rows, axes),
            outer: strides(outer, axes),
        }
    }
}

/// For each axis of `walk` its stride in a table over `table`; 0 if the table lacks it.
///
/// Axes are (variable key, cardinality), slowest first.
fn strides(walk: &[(usize, usize)], table: &[(usize, usize)]) -> Vec<usize> {
    let stride = |key: usize| match table.iter().position(|&(k, _)| k == key) {
        Some(at) => table[at + 1..].iter().map(|&(_, card)| card).product(),
        None => 0,
    };
    walk.iter().map(|&(key, _)| stride(key)).collect()
}

/// The offset in a table over `table` at every joint state of `walk`, last axis fastest.
pub(crate) fn expand(walk: &[(usize, usize)], table: &[(usize, usize)]) -> Vec<usize> {
    let mut offsets = vec![0];
    for (&(_, card), stride) in walk.iter().zip(strides(walk, table)) {
        let next = |&offset: &usize| (0..card).map(move |state| offset + state * stride);
        offsets = offsets.iter().flat_map(next).collect();
    }
    offsets
}

/// A position among the outer columns: the offset of every input at it.
pub(crate) struct Cursor<'p> {
    plan: &'p Plan,
    state: [usize; MAX_OUTER],
    pub(crate) offsets: [usize; MAX_INPUTS],
}

impl<'p> Cursor<'p> {
    /// The cursor at outer column number `at`.
    pub(crate) fn new(plan: &'p Plan, mut at: usize) -> Self {
        let mut state = [0; MAX_OUTER];
        let mut offsets = [0; MAX_INPUTS];
        for axis in (0..plan.outer.len()).rev() {
            state[axis] = at % plan.outer[axis];
            at /= plan.outer[axis];
            for (offset, input) in offsets.iter_mut().zip(&plan.inputs) {
                *offset += state[axis] * input.outer[axis];
            }
        }
        Self {
            plan,
            state,
            offsets,
        }
    }

    /// Moves to the next outer column.
    pub(crate) fn advance(&mut self) {
        for axis in (0..self.plan.outer.len()).rev() {
            let card = self.plan.outer[axis];
            self.state[axis] += 1;
            let wrapped = self.state[axis] == card;
            for (offset, input) in self.offsets.iter_mut().zip(&self.plan.inputs) {
                let stride = input.outer[axis];
                *offset = if wrapped {
                    *offset - stride * (card - 1)
                } else {
                    *offset + stride
                };
            }
            if !wrapped {
                return;
            }
            self.state[axis] = 0;
        }
    }
}

//! How the kernels walk a clique: rows × outer columns × one inner block.
//!
//! The inner block is a suffix of the column axes; it is what the innermost loops run over. Outside
//! of it only offsets move. Within it an input is read in one of the ways of [`Mode`]; a small table
//! whose way is slow is *spread* beforehand to one that holds whole blocks. In a small clique all rows
//! together are read as one block, which spares the bookkeeping of each.

/// Inner blocks hold at most this many entries unless one axis alone is longer: a few of them fit
/// in a first-level cache.
pub(crate) const MAX_BLOCK: usize = 512;

/// Cliques of at most this many entries are read as a whole ...
const WHOLE: usize = 256;
/// ... and of at most this many if that is cheaper: half of the first-level cache holds both their products
/// and their beliefs. With 2048 passes at ibound 10 were slower by a tenth.
const MAX_WHOLE: usize = 1024;

/// Smaller blocks are not tried if a larger one fits.
const LEAST_BLOCK: usize = 32;

/// No step has more inputs: the compiler joins the smallest ones first.
pub(crate) const MAX_INPUTS: usize = 8;

/// Axes of a clique whose entries can be counted in 48 bits: each has two states at least.
pub(crate) const MAX_AXES: usize = 48;

/// A table is spread if that makes it no larger than the clique divided by this.
const SPREAD_RATIO: usize = 8;

/// Larger tables are never spread: they would be read from beyond the second-level cache.
const MAX_SPREAD: usize = 1 << 16;

/// An axis of a table or a walk: (key of the variable, cardinality).
pub(crate) type Axis = (usize, usize);

/// How an input meets the inner block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Entry `j` of the block reads entry `j`.
    Contiguous,
    /// All entries of the block read one entry.
    Constant,
    /// Entry `j` reads entry `j / times`: the innermost axes are missing.
    Repeat(usize),
    /// As many entries read the first start, then the next, and so on.
    Stairs(usize, Vec<u32>),
    /// Runs of so many entries, each contiguous, at these starts: axes further out are missing.
    Runs(usize, Vec<u32>),
    /// Entry `j` of the block reads entry `pattern[j]`.
    Pattern(Vec<u32>),
}

impl Mode {
    fn of(pattern: &[usize]) -> Self {
        let narrow =
            |offset: &usize| u32::try_from(*offset).expect("a block's offsets fit in 32 bits");
        let contiguous =
            |from: usize, len: usize| (0..len).all(|j| pattern[from + j] == pattern[from] + j);
        let block = pattern.len();
        if pattern.iter().all(|&offset| offset == 0) {
            return Self::Constant;
        }
        if contiguous(0, block) {
            return Self::Contiguous;
        }
        // Entries in a group, each `slope` after the one before it.
        let group = |slope: usize| {
            let len = (1..block).take_while(|&j| pattern[j] == slope * j).count() + 1;
            let even = |group: &[usize]| (0..len).all(|j| group[j] == group[0] + slope * j);
            let all = block.is_multiple_of(len) && pattern.chunks_exact(len).all(even);
            if all { len } else { 1 }
        };
        let starts = |len: usize| pattern.iter().step_by(len).map(narrow).collect();
        match (group(0), group(1)) {
            (1, 1) => Self::Pattern(starts(1)),
            (1, run) => Self::Runs(run, starts(run)),
            (times, _) if pattern.iter().enumerate().all(|(j, &at)| at == j / times) => {
                Self::Repeat(times)
            }
            (times, _) => Self::Stairs(times, starts(times)),
        }
    }

    /// Nanoseconds for each entry of a block, roughly; only their ratios matter.
    fn cost(&self) -> f64 {
        match self {
            Self::Constant => 0.0,
            Self::Contiguous => 0.1,
            Self::Repeat(2 | 4 | 8) => 0.2,
            Self::Runs(run, _) | Self::Stairs(run, _) if run.is_multiple_of(8) => 0.2,
            Self::Runs(..) | Self::Stairs(..) | Self::Repeat(_) => 0.4,
            Self::Pattern(_) => 0.8,
        }
    }
}

/// A small table laid out anew so that whole blocks are contiguous.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    /// Where each block starts in the table.
    heads: Vec<u32>,
    /// Where each entry of a block lies from there.
    pattern: Vec<u32>,
}

impl Spread {
    /// Entries of the table once it is spread.
    pub(crate) fn entries(&self) -> usize {
        self.heads.len() * self.pattern.len()
    }

    /// Copies a table.
    pub(crate) fn spread(&self, table: &[f64], out: &mut [f64]) {
        for (out, &head) in out.chunks_exact_mut(self.pattern.len()).zip(&self.heads) {
            let table = &table[head as usize..];
            for (out, &at) in out.iter_mut().zip(&self.pattern) {
                *out = table[at as usize];
            }
        }
    }

    /// Adds up what was gathered on the spread table.
    pub(crate) fn fold(&self, gathered: &[f64], out: &mut [f64]) {
        for (gathered, &head) in gathered.chunks_exact(self.pattern.len()).zip(&self.heads) {
            let out = &mut out[head as usize..];
            for (gathered, &at) in gathered.iter().zip(&self.pattern) {
                out[at as usize] += gathered;
            }
        }
    }
}

/// How one input is addressed.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) mode: Mode,
    /// Entries that one block may touch, from its offset on.
    pub(crate) span: usize,
    /// Offset of each row.
    pub(crate) rows: Vec<usize>,
    /// States of the row axes that it holds, its slowest axes.
    pub(crate) row_states: usize,
    /// Stride of each outer column axis.
    pub(crate) outer: Vec<usize>,
    /// If offsets are those of the spread table.
    pub(crate) spread: Option<Spread>,
}

/// The walk over one clique.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Joint states of the eliminated variables.
    pub(crate) rows: usize,
    /// Entries of the inner block.
    pub(crate) block: usize,
    /// Is an input's [`Mode`] about all rows, one after the other, and not about one?
    pub(crate) whole: bool,
    /// Cardinalities of the outer column axes, slowest first.
    pub(crate) outer: Vec<usize>,
    /// One for each input.
    pub(crate) inputs: Vec<Access>,
}

impl Plan {
    /// `rows` and `cols` are in walking order; every input lists its own axes likewise, a subset of
    /// both, in the order in which its table is stored.
    pub(crate) fn new(rows: &[Axis], cols: &[Axis], inputs: &[Vec<Axis>]) -> Self {
        let clique = size(rows) * size(cols);
        let whole = || {
            let axes = [rows, cols].concat();
            let inputs = inputs.iter().map(|own| Access::new(&[], &[], &axes, own));
            Self {
                rows: size(rows),
                block: size(cols),
                whole: true,
                outer: Vec::new(),
                inputs: inputs.collect(),
            }
        };
        if clique <= WHOLE {
            return whole();
        }
        let fits = |&at: &usize| at + 1 >= cols.len() || size(&cols[at..]) <= MAX_BLOCK;
        let largest = (0..=cols.len()).find(fits).unwrap_or(cols.len());
        let fitting = (largest..=cols.len())
            .map(|at| cols.split_at(at))
            .take_while(|(outer, inner)| outer.len() == largest || size(inner) >= LEAST_BLOCK);
        let plan = |(outer, inner): (&[Axis], &[Axis])| {
            let inputs = inputs
                .iter()
                .map(|axes| Access::new(rows, outer, inner, axes));
            Self {
                rows: size(rows),
                block: size(inner),
                whole: false,
                outer: outer.iter().map(|&(_, card)| card).collect(),
                inputs: inputs.collect(),
            }
        };
        let plans = fitting.map(plan).chain((clique <= MAX_WHOLE).then(whole));
        plans
            .min_by(|a, b| a.cost().total_cmp(&b.cost()))
            .expect("one candidate at least")
    }

    /// Entries of what a kernel works in: three blocks, and two cliques if it is read as a whole.
    pub(crate) fn tile_len(&self) -> usize {
        self.block * (3 + if self.whole { 2 * self.rows } else { 0 })
    }

    /// Nanoseconds for each entry of the clique, roughly; only their ratios matter.
    fn cost(&self) -> f64 {
        let per_block = 4.0 + 2.0 * self.inputs.len() as f64;
        let per_entry: f64 = self.inputs.iter().map(|input| input.mode.cost()).sum();
        match self.whole {
            false => per_block / self.block as f64 + per_entry,
            // Products are written and read, and the way back finds them there.
            true => 0.2 + 0.5 * (per_block / (self.rows * self.block) as f64 + per_entry),
        }
    }
}

impl Access {
    fn new(rows: &[Axis], outer: &[Axis], inner: &[Axis], axes: &[Axis]) -> Self {
        let pattern = expand(inner, axes);
        let mode = Mode::of(&pattern);
        let own = |walk: &[Axis]| -> Vec<Axis> {
            walk.iter()
                .copied()
                .filter(|axis| axes.contains(axis))
                .collect()
        };
        let heads = [own(rows), own(outer)].concat();
        let spread_len = size(&heads) * size(inner);
        let clique = size(rows) * size(outer) * size(inner);
        let fast = matches!(mode, Mode::Constant | Mode::Contiguous);
        let spread = (!fast && spread_len <= MAX_SPREAD.min(clique / SPREAD_RATIO)).then(|| {
            let narrow = |at: &[usize]| at.iter().map(|&at| at as u32).collect();
            Spread {
                heads: narrow(&expand(&heads, axes)),
                pattern: narrow(&pattern),
            }
        });
        let spread_axes = [&heads, inner].concat();
        let (mode, span, axes) = match spread {
            Some(_) => (Mode::Contiguous, size(inner), &spread_axes[..]),
            None => (mode, pattern.iter().max().map_or(1, |&last| last + 1), axes),
        };
        Self {
            mode,
            span,
            rows: expand(rows, axes),
            row_states: size(&own(rows)),
            outer: strides(outer, axes),
            spread,
        }
    }
}

/// Number of joint states.
fn size(axes: &[Axis]) -> usize {
    axes.iter().map(|&(_, card)| card).product()
}

/// For each axis of `walk` its stride in a table over `table`; 0 if the table lacks it.
fn strides(walk: &[Axis], table: &[Axis]) -> Vec<usize> {
    let stride = |key: usize| match table.iter().position(|&(k, _)| k == key) {
        Some(at) => size(&table[at + 1..]),
        None => 0,
    };
    walk.iter().map(|&(key, _)| stride(key)).collect()
}

/// The offset in a table over `table` at every joint state of `walk`, last axis fastest.
pub(crate) fn expand(walk: &[Axis], table: &[Axis]) -> Vec<usize> {
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
    state: [u32; MAX_AXES],
    pub(crate) offsets: [usize; MAX_INPUTS],
}

impl<'p> Cursor<'p> {
    /// The cursor at outer column number `at`.
    #[inline(always)]
    pub(crate) fn new(plan: &'p Plan, at: usize) -> Self {
        let mut cursor = Self {
            plan,
            state: [0; MAX_AXES],
            offsets: [0; MAX_INPUTS],
        };
        if at > 0 {
            cursor.seek(at);
        }
        cursor
    }

    fn seek(&mut self, mut at: usize) {
        for axis in (0..self.plan.outer.len()).rev() {
            let state = at % self.plan.outer[axis];
            at /= self.plan.outer[axis];
            self.state[axis] = state as u32;
            for (offset, input) in self.offsets.iter_mut().zip(&self.plan.inputs) {
                *offset += state * input.outer[axis];
            }
        }
    }

    /// Moves to the next outer column.
    #[inline(always)]
    pub(crate) fn advance(&mut self) {
        for axis in (0..self.plan.outer.len()).rev() {
            let card = self.plan.outer[axis];
            self.state[axis] += 1;
            let wrapped = self.state[axis] as usize == card;
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

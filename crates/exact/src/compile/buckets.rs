//! The buckets of the variables and the products of factors, as linked lists: four bytes for each
//! factor, variable and draft.

/// Where a table comes from: [`Source`](crate::Source) by factor and draft, in eight bytes.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// The base that this factor leads.
    Base(u32),
    /// The message of this draft.
    Message(u32),
    /// A cost shift, added or subtracted.
    Shift(u32, bool),
}

/// The end of a list.
const NONE: u32 = u32::MAX;

/// Lists of the factors and messages that wait for each place in the order.
pub(super) struct Buckets {
    /// By place: the factor and the message that came last.
    heads: Vec<[u32; 2]>,
    /// By factor and by draft: the one that came before in the same bucket.
    before: [Vec<u32>; 2],
}

const FACTORS: usize = 0;
const MESSAGES: usize = 1;

impl Buckets {
    pub(super) fn new(places: usize, factors: usize) -> Self {
        Self {
            heads: vec![[NONE; 2]; places],
            before: [vec![NONE; factors], Vec::new()],
        }
    }

    fn post(&mut self, kind: usize, place: usize, item: usize) {
        let before = &mut self.before[kind];
        if before.len() <= item {
            before.resize(item + 1, NONE);
        }
        before[item] = std::mem::replace(&mut self.heads[place][kind], item as u32);
    }

    pub(super) fn post_factor(&mut self, place: usize, factor: usize) {
        self.post(FACTORS, place, factor);
    }

    pub(super) fn post_message(&mut self, place: usize, draft: usize) {
        self.post(MESSAGES, place, draft);
    }

    /// The tables of a bucket: its factors, the last one posted first, and then its messages, the
    /// first one first.
    pub(super) fn take(&self, place: usize, tables: &mut Vec<Origin>) {
        tables.clear();
        let mut list = |kind: usize, origin: fn(u32) -> Origin| {
            let from = tables.len();
            let mut item = self.heads[place][kind];
            while item != NONE {
                tables.push(origin(item));
                item = self.before[kind][item as usize];
            }
            from
        };
        list(FACTORS, Origin::Base);
        let messages = list(MESSAGES, Origin::Message);
        tables[messages..].reverse();
    }
}

/// Lists of the factors that are multiplied into one base.
pub(super) struct Products {
    /// By factor that leads a base: the last factor of it.
    last: Vec<u32>,
    /// By factor: the next one of the same base.
    next: Vec<u32>,
}

impl Products {
    /// Every factor is a base of its own.
    pub(super) fn new(factors: usize) -> Self {
        Self {
            last: (0..factors as u32).collect(),
            next: vec![NONE; factors],
        }
    }

    /// Multiplies the base that one factor leads into the base that another leads.
    pub(super) fn absorb(&mut self, into: u32, from: u32) {
        let end = self.last[into as usize] as usize;
        self.next[end] = from;
        self.last[into as usize] = self.last[from as usize];
    }

    /// The factors of the base that `factor` leads.
    pub(super) fn of(&self, factor: u32) -> impl Iterator<Item = usize> + '_ {
        let next = |&at: &u32| Some(self.next[at as usize]).filter(|&next| next != NONE);
        std::iter::successors(Some(factor), next).map(|at| at as usize)
    }
}

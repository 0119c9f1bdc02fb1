//! The buckets of the variables, as linked lists: four bytes for each factor, variable and draft.

/// The end of a list.
const NONE: u32 = u32::MAX;

/// Lists of the factors and messages that wait for each place in the order, and of the factors that
/// are multiplied into one base.
pub(super) struct Buckets {
    /// By place: the factor and the message that came last.
    heads: Vec<[u32; 2]>,
    /// By factor and by draft: the one that came before in the same bucket.
    before: [Vec<u32>; 2],
    /// By factor that leads a base: the last factor of it.
    last: Vec<u32>,
    /// By factor: the next one of the same base.
    next: Vec<u32>,
}

const FACTORS: usize = 0;
const MESSAGES: usize = 1;

impl Buckets {
    pub(super) fn new(places: usize, factors: usize) -> Self {
        Self {
            heads: vec![[NONE; 2]; places],
            before: [vec![NONE; factors], Vec::new()],
            last: (0..factors as u32).collect(),
            next: vec![NONE; factors],
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

    /// The factors of a bucket, the last one posted first, and its messages, the first one first.
    pub(super) fn take(&mut self, place: usize) -> (Vec<usize>, Vec<usize>) {
        let list = |kind: usize| {
            let mut items = Vec::new();
            let mut item = self.heads[place][kind];
            while item != NONE {
                items.push(item as usize);
                item = self.before[kind][item as usize];
            }
            items
        };
        let (factors, mut messages) = (list(FACTORS), list(MESSAGES));
        messages.reverse();
        (factors, messages)
    }

    /// Multiplies the base that one factor leads into the base that another leads.
    pub(super) fn absorb(&mut self, into: usize, from: usize) {
        let end = self.last[into] as usize;
        self.next[end] = from as u32;
        self.last[into] = self.last[from];
    }

    /// The factors of the base that `factor` leads.
    pub(super) fn base(&self, factor: usize) -> impl Iterator<Item = usize> + '_ {
        let next = |&at: &u32| Some(self.next[at as usize]).filter(|&next| next != NONE);
        std::iter::successors(Some(factor as u32), next).map(|at| at as usize)
    }
}

//! A set of small whole numbers, one bit for each.

/// Which of the numbers `0..len` are in the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// The empty set of numbers below `len`.
    pub(crate) fn new(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(64)],
            len,
        }
    }

    /// All numbers below `len`.
    pub(crate) fn full(len: usize) -> Self {
        let mut words = vec![u64::MAX; len.div_ceil(64)];
        if let (Some(last), 1..) = (words.last_mut(), len % 64) {
            *last >>= 64 - len % 64;
        }
        Self { words, len }
    }

    /// Numbers below this can be in the set.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Allows `more` further numbers, those for which `member` says so being in the set.
    pub(crate) fn extend(&mut self, members: impl ExactSizeIterator<Item = bool>) {
        self.words
            .resize((self.len + members.len()).div_ceil(64), 0);
        for member in members {
            self.words[self.len / 64] |= u64::from(member) << (self.len % 64);
            self.len += 1;
        }
    }

    pub(crate) fn contains(&self, at: usize) -> bool {
        self.words[at / 64] >> (at % 64) & 1 == 1
    }

    pub(crate) fn insert(&mut self, at: usize) {
        self.words[at / 64] |= 1 << (at % 64);
    }

    pub(crate) fn remove(&mut self, at: usize) {
        self.words[at / 64] &= !(1 << (at % 64));
    }

    /// The least member that is at least `from` and below `end`.
    pub(crate) fn next(&self, from: usize, end: usize) -> Option<usize> {
        if from >= end {
            return None;
        }
        let mut word = from / 64;
        let mut rest = self.words[word] & (u64::MAX << (from % 64));
        while rest == 0 {
            word += 1;
            if word * 64 >= end {
                return None;
            }
            rest = self.words[word];
        }
        Some(word * 64 + rest.trailing_zeros() as usize).filter(|&at| at < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_member_is_the_least_that_is_not_below() {
        let members = [0, 3, 63, 64, 130, 191, 192];
        let mut bits = Bits::new(3);
        bits.insert(0);
        bits.extend((3..200).map(|at| members.contains(&at)));
        assert_eq!(bits.len(), 200);
        for from in 0..=200 {
            for end in 0..=200 {
                let expected = members.iter().copied().find(|&at| from <= at && at < end);
                assert_eq!(bits.next(from, end), expected, "{from} {end}");
            }
        }
        for len in 0..200 {
            let mut all = Bits::new(0);
            all.extend((0..len).map(|_| true));
            assert_eq!(Bits::full(len), all, "{len}");
        }
        bits.remove(64);
        assert!(bits.contains(63) && !bits.contains(64));
        assert_eq!(bits.next(64, 200), Some(130));
    }
}

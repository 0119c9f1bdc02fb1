//! A binary heap of numbered items whose keys may change.

/// The items `0..n`, the one with the largest key first; equal keys in order of their numbers.
#[derive(Clone, Debug)]
pub(super) struct Heap {
    keys: Vec<f64>,
    /// Items as a heap.
    items: Vec<usize>,
    /// Where each item is in the heap.
    places: Vec<usize>,
}

impl Heap {
    pub(super) fn new(keys: Vec<f64>) -> Self {
        let mut items: Vec<usize> = (0..keys.len()).collect();
        // Sorted downwards is a heap.
        items.sort_by(|&a, &b| keys[b].total_cmp(&keys[a]).then(a.cmp(&b)));
        let mut places = vec![0; items.len()];
        for (place, &item) in items.iter().enumerate() {
            places[item] = place;
        }
        Self {
            keys,
            items,
            places,
        }
    }

    /// The item with the largest key.
    pub(super) fn first(&self) -> Option<(usize, f64)> {
        self.items.first().map(|&item| (item, self.keys[item]))
    }

    /// Changes the key of an item.
    pub(super) fn set(&mut self, item: usize, key: f64) {
        self.keys[item] = key;
        let mut place = self.places[item];
        while place > 0 && self.is_before(place, (place - 1) / 2) {
            self.swap(place, (place - 1) / 2);
            place = (place - 1) / 2;
        }
        loop {
            let left = 2 * place + 1;
            let right = left + 1;
            if left >= self.items.len() {
                return;
            }
            let child = if right < self.items.len() && self.is_before(right, left) {
                right
            } else {
                left
            };
            if !self.is_before(child, place) {
                return;
            }
            self.swap(child, place);
            place = child;
        }
    }

    fn is_before(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.items[a], self.items[b]);
        let larger = self.keys[a].total_cmp(&self.keys[b]);
        larger.is_gt() || larger.is_eq() && a < b
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.items.swap(a, b);
        self.places[self.items[a]] = a;
        self.places[self.items[b]] = b;
    }
}

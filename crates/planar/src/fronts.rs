//! The elimination tree of a sparse matrix, its columns gathered in dense fronts (Duff and Reid 1983).

/// Pivots that are eliminated together, and the rows that they leave a mark on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Front {
    /// Places in the order, ascending.
    pub(crate) pivots: Vec<u32>,
    /// Places of later pivots, ascending.
    pub(crate) rows: Vec<u32>,
    /// Fronts whose rows are among the pivots and rows of this one.
    pub(crate) children: Vec<u32>,
}

/// All fronts, children before parents.
#[derive(Clone, Debug)]
pub(crate) struct Fronts {
    pub(crate) list: Vec<Front>,
    /// Multiply-adds from the leaves up to each front.
    pub(crate) below: Vec<f64>,
    /// The order: which node stands at each place.
    pub(crate) order: Vec<u32>,
    /// And at which place each node stands.
    pub(crate) place: Vec<u32>,
}

/// Fronts of up to so many pivots take in a child whatever that adds in zeros: a front has a cost of its own.
const SMALL: usize = 4;
/// What fronts have passed on and others wait for, in matrices of the largest front's size, by nested dissection:
/// the parts of a level have a quarter of the entries of those above, and are four where those are two.
const WAITING: f64 = 6.0;
/// Subtrees of less than this share of the work are run by one thread each.
const SHARE: f64 = 1.0 / 64.0;
/// Larger ones if no more than this part of what they hold is zero then.
const ZEROS: f64 = 0.15;

impl Fronts {
    /// The fronts of a graph whose nodes are eliminated in this order.
    pub(crate) fn new(order: Vec<u32>, beside: &[Vec<u32>]) -> Self {
        let count = order.len();
        let mut place = vec![0u32; count];
        for (at, &node) in order.iter().enumerate() {
            place[node as usize] = at as u32;
        }
        let mut building: Vec<Option<Front>> = Vec::with_capacity(count);
        // Fronts that wait for the pivot at a place, the first of their rows.
        let mut waiting: Vec<Vec<u32>> = vec![Vec::new(); count];
        let mut mark = vec![u32::MAX; count];
        for (at, &node) in order.iter().enumerate() {
            let stamp = at as u32;
            let mut rows = Vec::new();
            let mut add = |row: u32| {
                if row > stamp && mark[row as usize] != stamp {
                    mark[row as usize] = stamp;
                    rows.push(row);
                }
            };
            for &other in &beside[node as usize] {
                add(place[other as usize]);
            }
            let mut children = std::mem::take(&mut waiting[at]);
            for &child in &children {
                for &row in building[child as usize]
                    .iter()
                    .flat_map(|child| &child.rows)
                {
                    add(row);
                }
            }
            rows.sort_unstable();
            let mut front = Front {
                pivots: vec![stamp],
                rows,
                children: Vec::new(),
            };
            // The child that it adds the least to is taken in, if that pays.
            let most = children.iter().copied().max_by_key(|&child| {
                let rows = building[child as usize]
                    .as_ref()
                    .map(|child| child.rows.len());
                (rows, child)
            });
            if let Some(child) = most
                && let Some(joined) =
                    building[child as usize].take_if(|child| child.admits(&front.rows))
            {
                children.retain(|&other| other != child);
                front.pivots = joined.pivots;
                front.pivots.push(stamp);
                front.children = joined.children;
            }
            front.children.append(&mut children);
            if let Some(&first) = front.rows.first() {
                waiting[first as usize].push(building.len() as u32);
            }
            building.push(Some(front));
        }
        let mut fronts = Self {
            list: Vec::new(),
            below: Vec::new(),
            order,
            place,
        };
        fronts.number(building);
        fronts
    }

    /// Numbers the fronts anew without those that were taken in; children stay before parents.
    fn number(&mut self, building: Vec<Option<Front>>) {
        let mut name = vec![0; building.len()];
        for (at, front) in building.into_iter().enumerate() {
            let Some(mut front) = front else { continue };
            name[at] = self.list.len() as u32;
            for child in &mut front.children {
                *child = name[*child as usize];
            }
            let beneath = front
                .children
                .iter()
                .map(|&child| self.below[child as usize]);
            self.below.push(front.work() + beneath.sum::<f64>());
            self.list.push(front);
        }
    }

    /// Multiply-adds of the elimination.
    pub(crate) fn work(&self) -> f64 {
        self.list.iter().map(Front::work).sum()
    }

    /// Bytes of the rows that are kept, and of the fronts at work.
    pub(crate) fn bytes(&self) -> f64 {
        let threads = rayon::current_num_threads() as f64;
        let entries = |front: &Front| (2 * front.pivots.len() * front.len()) as f64;
        let kept: f64 = self.list.iter().map(entries).sum();
        let squares = self.list.iter().map(|front| (front.len() as f64).powi(2));
        let largest = squares.fold(0.0, f64::max);
        8.0 * (kept + (WAITING + threads) * largest)
    }

    /// The work in parts.
    pub(crate) fn parts(&self) -> Parts {
        let roots = self
            .list
            .iter()
            .enumerate()
            .filter(|(_, front)| front.rows.is_empty());
        let mut open: Vec<u32> = roots.map(|(at, _)| at as u32).collect();
        let total: f64 = open.iter().map(|&root| self.below[root as usize]).sum();
        let mut parts = Parts::default();
        while let Some(at) = open.pop() {
            if self.below[at as usize] <= SHARE * total {
                parts.subtrees.push(self.subtree(at));
            } else {
                parts.top.push(at);
                open.extend(&self.list[at as usize].children);
            }
        }
        // Children have smaller numbers than their parents.
        parts.top.sort_unstable();
        parts
    }

    /// The fronts of a subtree, children first.
    fn subtree(&self, root: u32) -> Vec<u32> {
        let mut found = vec![root];
        let mut at = 0;
        while at < found.len() {
            found.extend(&self.list[found[at] as usize].children);
            at += 1;
        }
        found.reverse();
        found
    }
}

/// The fronts by how they are run; children come before parents.
#[derive(Default)]
pub(crate) struct Parts {
    /// Fronts that are run one after the other, when all subtrees are done.
    pub(crate) top: Vec<u32>,
    /// Subtrees that are run beside each other, each by one thread.
    pub(crate) subtrees: Vec<Vec<u32>>,
}

impl Front {
    /// Rows and columns of the dense matrix, two for each pivot and row.
    pub(crate) fn len(&self) -> usize {
        2 * (self.pivots.len() + self.rows.len())
    }

    /// Multiply-adds of its elimination.
    pub(crate) fn work(&self) -> f64 {
        let (all, rows) = (self.len() as f64, 2.0 * self.rows.len() as f64);
        (all.powi(3) - rows.powi(3)) / 6.0
    }

    /// Is it worth joining with a parent of one pivot and these rows?
    fn admits(&self, rows: &[u32]) -> bool {
        let pivots = self.pivots.len() as f64;
        let added = (rows.len() + 1 - self.rows.len()) as f64;
        let zeros = pivots * added;
        let held = pivots * (pivots / 2.0 + rows.len() as f64 + 1.0);
        self.pivots.len() < SMALL || zeros <= ZEROS * held
    }
}

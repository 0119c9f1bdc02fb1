//! The darts of a graph by the vertex that they leave.

/// Darts in one list, vertex after vertex.
pub(crate) struct Darts {
    list: Vec<u32>,
    /// Where those of each vertex begin, and where the last ones end.
    begins: Vec<u32>,
}

impl Darts {
    /// Of darts that leave these vertices.
    pub(crate) fn new(vertices: usize, tails: impl Iterator<Item = u32> + Clone) -> Self {
        let mut begins = vec![0u32; vertices + 1];
        for v in tails.clone() {
            begins[v as usize + 1] += 1;
        }
        for v in 0..vertices {
            begins[v + 1] += begins[v];
        }
        let mut free = begins.clone();
        let mut list = vec![0; begins[vertices] as usize];
        for (dart, v) in tails.enumerate() {
            list[free[v as usize] as usize] = dart as u32;
            free[v as usize] += 1;
        }
        Self { list, begins }
    }

    /// Those that leave a vertex.
    pub(crate) fn around(&self, v: u32) -> &[u32] {
        &self.list[self.begins[v as usize] as usize..self.begins[v as usize + 1] as usize]
    }
}

//! The same on any number of threads.

/// Runs something on a pool of so many threads of its own.
///
/// # Panics
/// If the system has no more threads.
pub fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("as many threads").install(run)
}

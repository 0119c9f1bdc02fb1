//! How much memory to use when the user does not say, and that no more is used than allowed.

use std::fs;

/// Lets all threads share two heaps, and gives large tables back to the system when they are freed.
///
/// With a heap for each of them, what one thread has freed is lost to the others, and eight threads took
/// twice what `--memory` allows. With one, threads that compile schedules wait for each other: on a grid
/// of 10^5 variables the first bounds took twice as long.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn share_heap() {
    const HEAPS: i32 = 2;
    const LARGE_BYTES: i32 = 128 << 10;
    const TRIMMED_BYTES: i32 = 1 << 20;
    // SAFETY: `mallopt` may be called at any time; this is before there are other threads.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, HEAPS);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, TRIMMED_BYTES);
    }
}

/// Other allocators have no such habit, or no such knob.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn share_heap() {}

/// Half of the memory that is free now, and 4 GiB where the system does not tell.
pub(crate) fn default_limit() -> f64 {
    const UNKNOWN: f64 = 4.0 * 1024.0 * 1024.0 * 1024.0;
    let told = [of_machine(), of_control_group()].into_iter().flatten();
    told.reduce(f64::min).map_or(UNKNOWN, |free| free / 2.0)
}

/// What Linux says new programs can have without swapping.
fn of_machine() -> Option<f64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024.0 * kibibytes)
}

/// What is left of the limit of a container.
fn of_control_group() -> Option<f64> {
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<f64>().ok();
    let limit = number("/sys/fs/cgroup/memory.max")?;
    let used = number("/sys/fs/cgroup/memory.current")?;
    Some((limit - used).max(0.0))
}

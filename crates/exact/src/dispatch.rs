//! One body, compiled once for each vector width, chosen at run time.
//!
//! Only the width of the vectors differs between the versions. Rust neither contracts `a * b + c`
//! into a fused operation nor reorders sums, so every version gives the same bits; a body keeps that
//! promise as long as it does not itself call `mul_add`.

/// The vector instructions a function was compiled for, narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the compilation target guarantees.
    Baseline,
    /// 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The widest level this processor has.
#[inline]
fn detected() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("popcnt")
        {
            return Level::Avx512;
        }
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("popcnt")
        {
            return Level::Avx2;
        }
    }
    Level::Baseline
}

/// The level to run at: never above what the processor has, which is what makes the calls in
/// [`dispatch!`] sound.
#[cfg(not(test))]
#[inline]
#[must_use]
pub fn level() -> Level {
    detected()
}

#[cfg(test)]
pub(crate) use capped::{at_each_level, level};

/// Multiversions a function: the body is compiled for every [`Level`], and a call runs the widest.
///
/// A helper that the body calls in its inner loop must be `#[inline(always)]`, otherwise it may stay
/// behind as a baseline function and keep the loop from being vectorised; a closure counts as a helper
/// unless it is small. The test of the level and the call cost some nanoseconds, so dispatch a loop, not
/// an element. A body that calls another function of this kind on little data calls `name::body`, which is
/// compiled into it at its own level.
#[macro_export]
#[doc(hidden)]
macro_rules! dispatch {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $output:ty)?
        $body:block
    ) => {
        $(#[$attribute])*
        $visibility fn $name($($argument: $type),*) $(-> $output)? {
            match $crate::dispatch::level() {
                // SAFETY: `level` answers `Avx512` only if the processor has avx512f, avx512dq,
                // avx512vl and popcnt, all that `avx512` enables.
                #[cfg(target_arch = "x86_64")]
                $crate::dispatch::Level::Avx512 => unsafe { $name::avx512($($argument),*) },
                // SAFETY: `level` answers `Avx2` only if the processor has avx2, fma and popcnt,
                // all that `avx2` enables.
                #[cfg(target_arch = "x86_64")]
                $crate::dispatch::Level::Avx2 => unsafe { $name::avx2($($argument),*) },
                $crate::dispatch::Level::Baseline => $name::body($($argument),*),
            }
        }

        /// The function of this name at each level.
        #[allow(private_interfaces)]
        pub(crate) mod $name {
            #[allow(clippy::wildcard_imports, unused_imports)]
            use super::*;

            #[inline(always)]
            pub(crate) fn body($($argument: $type),*) $(-> $output)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512vl,popcnt")]
            pub(super) fn avx512($($argument: $type),*) $(-> $output)? {
                body($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,popcnt")]
            pub(super) fn avx2($($argument: $type),*) $(-> $output)? {
                body($($argument),*)
            }
        }
    };
}
pub use dispatch;

/// Tests run a function at every level the processor has and compare the bits.
#[cfg(test)]
mod capped {
    use super::{Level, detected};
    use std::cell::Cell;

    thread_local! {
        static CAP: Cell<Option<Level>> = const { Cell::new(None) };
    }

    pub(crate) fn level() -> Level {
        let detected = detected();
        CAP.get().map_or(detected, |cap| cap.min(detected))
    }

    /// The results of `run` at each level this processor has, the baseline first.
    ///
    /// The cap holds on the calling thread alone, so `run` must not hand its work to other threads.
    pub(crate) fn at_each_level<T>(mut run: impl FnMut() -> T) -> Vec<(Level, T)> {
        let levels = [
            Level::Baseline,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512,
        ];
        let available = levels.into_iter().filter(|&level| level <= detected());
        let results = available.map(|level| {
            CAP.set(Some(level));
            (level, run())
        });
        let results = results.collect();
        CAP.set(None);
        results
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    dispatch! {
        /// Arguments, a borrowed slice and a result pass through the generated functions.
        fn dot(x: &[f64], y: &[f64], start: f64) -> (Level, f64) {
            let sum = x.iter().zip(y).fold(start, |sum, (x, y)| sum + x * y);
            (level(), sum)
        }
    }

    #[test]
    fn every_level_runs_and_gives_the_same_bits() {
        let x: Vec<f64> = (0..1003).map(|i| f64::from(i).sin()).collect();
        let y: Vec<f64> = (0..1003).map(|i| f64::from(i).cos()).collect();
        let runs = at_each_level(|| dot(&x, &y, 0.5));
        assert_eq!(runs[0].0, Level::Baseline);
        assert_eq!(runs.last().map(|run| run.0), Some(detected()));
        for (level, (ran_at, sum)) in &runs {
            assert_eq!(level, ran_at);
            assert_eq!(sum.to_bits(), runs[0].1.1.to_bits(), "{level:?}");
        }
        assert_eq!(level(), detected(), "the cap is lifted afterwards");
    }
}

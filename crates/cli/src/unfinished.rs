//! What keeps an elimination from its end: how far it has come in time, and what does not fit in memory.

use std::fmt;

use forney_exact::human;

use crate::memory;
use crate::text::rough_seconds;

/// What is being done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    Reading,
    Ordering,
    Eliminating {
        predicted_s: f64,
        /// Or is it not even tried?
        begun: bool,
    },
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reading => write!(f, "reading"),
            Self::Ordering => write!(f, "searching for an elimination order"),
            Self::Eliminating { predicted_s, .. } => {
                write!(f, "eliminating, {}", rough_seconds(*predicted_s))
            }
        }
    }
}

impl Stage {
    /// What there was no time for, and the way out.
    pub(crate) fn unfinished(self) -> String {
        match self {
            Self::Reading => "the model was not read within --time; allow more time".to_owned(),
            Self::Ordering => "no elimination order was found within --time; allow more time, or \
                               choose a quick one: --order minfill"
                .to_owned(),
            Self::Eliminating { predicted_s, begun } => format!(
                "exact elimination {}, predicted to take {}; allow more time, search longer \
                 for an order, or bound ln Z instead: `forney bound`",
                if begun {
                    "did not end within --time"
                } else {
                    "was not begun: it does not fit in --time"
                },
                rough_seconds(predicted_s)
            ),
        }
    }
}

/// An elimination that does not fit in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoFit {
    /// The command.
    pub(crate) task: &'static str,
    pub(crate) width: usize,
    /// Entries of the largest table that it has to go through.
    pub(crate) largest_clique: f64,
    pub(crate) bytes: f64,
    pub(crate) limit: f64,
    /// Did the user set the limit?
    pub(crate) given: bool,
    /// What `ln Z` alone takes.
    pub(crate) ln_z_bytes: f64,
}

impl fmt::Display for NoFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` needs {} for its tables, more than the {}{}; its largest step joins {} \
             variables, 2^{:.1} entries; ",
            self.task,
            human(self.bytes),
            human(self.limit),
            if self.given {
                " of --memory"
            } else {
                " that are half of the free memory"
            },
            self.width + 1,
            self.largest_clique.max(1.0).log2(),
        )?;
        // Half of the free memory is the default; more than all of it is no advice.
        if self.bytes <= 2.0 * memory::default_limit() {
            write!(f, "--memory {} would do, ", mebibytes(self.bytes))?;
        }
        write!(
            f,
            "a longer search may find a cheaper order (--time, --seed), "
        )?;
        if self.ln_z_bytes <= self.limit && self.ln_z_bytes < self.bytes {
            let needs = human(self.ln_z_bytes);
            write!(f, "`forney exact` computes ln Z alone with {needs}, ")?;
        }
        write!(f, "and `forney bound` bounds ln Z instead")
    }
}

/// A size as `--memory` takes it, rounded up.
fn mebibytes(bytes: f64) -> String {
    const MEBIBYTE: f64 = 1024.0 * 1024.0;
    format!("{:.0}MiB", (bytes / MEBIBYTE).ceil())
}

//! What keeps an elimination from its end: how far it has come in time, and what does not fit in memory.

use std::fmt;

use forney::NoFit;
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
pub(crate) struct Refused {
    pub(crate) command: &'static str,
    pub(crate) no_fit: NoFit,
    /// Did the user set the limit?
    pub(crate) given: bool,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NoFit {
            width,
            largest_clique,
            bytes,
            limit,
            ln_z_bytes,
        } = self.no_fit;
        write!(
            f,
            "`{}` needs {} for its tables, more than the {}{}; its largest step joins {} \
             variables, 2^{:.1} entries; ",
            self.command,
            human(bytes),
            human(limit),
            if self.given {
                " of --memory"
            } else {
                " that are half of the free memory"
            },
            width + 1,
            largest_clique.max(1.0).log2(),
        )?;
        // Half of the free memory is the default; more than all of it is no advice.
        if bytes <= 2.0 * memory::default_limit() {
            write!(f, "--memory {} would do, ", mebibytes(bytes))?;
        }
        write!(
            f,
            "a longer search may find a cheaper order (--time, --seed), "
        )?;
        if ln_z_bytes <= limit && ln_z_bytes < bytes {
            let needs = human(ln_z_bytes);
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

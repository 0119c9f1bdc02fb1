//! Typed indices, so that a variable and a factor cannot be confused, and how many states a variable may have.

use std::fmt;

/// The most states a variable may have, `2^24`: domains and marginals list them one by one, so a
/// header that claims 10^18 of them must not get that far.
pub const MAX_CARD: usize = 1 << 24;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The identifier of position `index`.
            ///
            /// # Panics
            /// If `index` exceeds `u32::MAX`; models of that size do not fit in memory.
            #[must_use]
            pub fn new(index: usize) -> Self {
                Self(u32::try_from(index).expect("more than 2^32 variables or factors"))
            }

            /// The position, for indexing slices.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id! {
    /// A variable, numbered from 0 in the order of the model.
    VarId, "v"
}
id! {
    /// A factor, numbered from 0 in the order of the model.
    FactorId, "f"
}

//! What a witness has to be able to do.

use crate::{Bound, Flaw, Side};

/// A witness that proves a bound on a problem of type `P`.
///
/// `verify` recomputes the bound from the witness and the problem alone. It shares no state with
/// the optimiser that found the witness, so a faulty optimiser can only produce a loose bound.
pub trait Certificate<P: ?Sized> {
    /// The side on which the bound lies.
    type Side: Side;

    /// Recomputes the bound.
    ///
    /// # Errors
    /// A [`Flaw`] if the witness does not fit the problem or breaks a condition of its proof.
    fn verify(&self, problem: &P) -> Result<Bound<Self::Side>, Flaw>;
}

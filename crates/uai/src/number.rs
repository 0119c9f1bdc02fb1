//! Numbers as text.

use std::io::{self, Write};

/// Writes the shortest decimal that reads back to the same bits.
///
/// # Errors
/// Those of `out`, and NaN or `+∞`: no file of this crate may hold them.
pub(crate) fn write_number(out: &mut impl Write, x: f64) -> io::Result<()> {
    if x.is_nan() || x == f64::INFINITY {
        let message = format!("{x} is no value of a UAI file");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    // Both forms have the fewest digits; the exponent spares the zeros of far-off magnitudes.
    let near = x == 0.0 || (1e-5..1e16).contains(&x.abs());
    if near || x.is_infinite() {
        write!(out, "{x}")
    } else {
        write!(out, "{x:e}")
    }
}

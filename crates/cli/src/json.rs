//! Numbers that JSON lacks.

use serde::Serializer;

/// Nats or their decimal cousins: an infinite value becomes the string `"-inf"` or `"inf"`.
pub(crate) fn number<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if x.is_finite() {
        serializer.serialize_f64(*x)
    } else {
        serializer.serialize_str(&x.to_string())
    }
}

//! Files read.

use std::fs;
use std::path::Path;

use crate::UaiError;

/// Reads a file with one of the readers of this crate; its errors name the file.
///
/// # Errors
/// [`UaiError::Io`] if the file cannot be read, and what `read` returns.
///
/// # Example
/// ```no_run
/// use forney_uai::{read_evidence, read_file, read_model};
/// let model = read_file("asia.uai", read_model)?;
/// let evidence = read_file("asia.uai.evid", |bytes| read_evidence(bytes, &model.cards))?;
/// # Ok::<(), forney_uai::UaiError>(())
/// ```
pub fn read_file<T>(
    path: impl AsRef<Path>,
    read: impl FnOnce(&[u8]) -> Result<T, UaiError>,
) -> Result<T, UaiError> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|error| UaiError::io(path, error))?;
    read(&bytes).map_err(|error| error.in_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_readers_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.uai");
        let missing = read_file(&path, crate::read_model).unwrap_err();
        assert!(missing.to_string().contains("model.uai: "), "{missing}");
        fs::write(&path, "MARKOV x").unwrap();
        let wrong = read_file(&path, crate::read_model).unwrap_err();
        assert!(
            wrong
                .to_string()
                .contains("model.uai, line 1, column 8: expected"),
            "{wrong}"
        );
    }
}

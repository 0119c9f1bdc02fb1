//! Files in and out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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

/// Writes a file so that at every moment, also after a crash, it holds all of the old content or
/// all of the new: written beside, synced, and renamed.
///
/// A file that exists keeps its permissions, and a symbolic link keeps pointing to it. What is not
/// a regular file (`/dev/stdout`, a pipe) is written to directly.
///
/// # Errors
/// [`UaiError::Io`]; the old content is untouched then.
///
/// # Example
/// ```no_run
/// use forney_uai::{Solution, write_atomic, write_solution};
/// let mut text = Vec::new();
/// write_solution(&mut text, &Solution::Pr { log10_z: -1.5 })?;
/// write_atomic("asia.uai.PR", &text)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), UaiError> {
    let path = path.as_ref();
    replace(path, bytes).map_err(|error| UaiError::io(path, error))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Opening an old file for writing asks whether we may replace it, and changes nothing.
    let (target, permissions) = match OpenOptions::new().write(true).open(path) {
        Ok(mut old) => {
            let metadata = old.metadata()?;
            if !metadata.is_file() {
                old.write_all(bytes)?;
                return old.flush();
            }
            (fs::canonicalize(path)?, Some(metadata.permissions()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
        Err(error) => return Err(error),
    };
    let (beside, mut file) = create_beside(&target)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| permissions.map_or(Ok(()), |as_before| file.set_permissions(as_before)))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&beside, &target));
    if let Err(error) = written {
        // The first error is the one to report.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    // The content is safe; only the rename itself could still be lost with the power. Not every
    // file system syncs a folder, and none can take the result back.
    if let Ok(folder) = File::open(folder_of(&target)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// A new file in the folder of `target`, on the same file system as a rename needs it.
fn create_beside(target: &Path) -> io::Result<(PathBuf, File)> {
    let process = std::process::id();
    let mut attempt = 0u32;
    loop {
        let beside = folder_of(target).join(format!(".forney-{process}-{attempt}.tmp"));
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&beside)
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            opened => return opened.map(|file| (beside, file)),
        }
    }
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn new_and_old_files_are_written_and_nothing_stays_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        for content in ["a longer first content", "second"] {
            write_atomic(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("out");
        let error = write_atomic(&path, b"x").unwrap_err();
        assert!(
            error.to_string().starts_with(&path.display().to_string()),
            "{error}"
        );
    }

    #[test]
    fn a_folder_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_atomic(folder.path(), b"x").is_err());
        assert_eq!(names(folder.path()), [""; 0]);
    }

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

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_survive() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("out"), folder.path().join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("out", &link).unwrap();
        write_atomic(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert_eq!(names(folder.path()), ["link", "out"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let error = write_atomic("/dev/full", b"x").unwrap_err();
        assert!(error.to_string().starts_with("/dev/full: "), "{error}");
        assert!(!fs::metadata("/dev/full").unwrap().is_file());
    }
}

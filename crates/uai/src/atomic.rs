//! Files written, all of them or nothing.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::UaiError;

/// Writes a file so that at every moment, also after a crash, it holds all of the old content or
/// all of the new: written beside, synced, and renamed.
///
/// A file that exists keeps its permissions, and a symbolic link keeps pointing to it. What is not
/// a regular file (`/dev/stdout`, a pipe) is written to directly.
///
/// What is written beside is called `.NAME.forney-PROCESS-NUMBER.tmp` and locked until it is
/// renamed. A process that is killed leaves it behind; the next that writes the same file removes
/// it, as nobody holds the lock any more.
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
    let beside = Beside::new(&target);
    beside.remove_stale();
    let (beside, mut file) = beside.create()?;
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

/// What ends the name of a file that is being written.
const ENDING: &str = ".tmp";

/// The files that are written beside a target before they take its place: in its folder, as a
/// rename needs them on the same file system.
struct Beside<'a> {
    folder: &'a Path,
    /// How their names begin.
    prefix: OsString,
}

impl<'a> Beside<'a> {
    fn new(target: &'a Path) -> Self {
        // File systems allow 255 bytes, and the rest of the name takes a few.
        const LONGEST: usize = 160;
        let name = target.file_name().unwrap_or_default();
        let name = match name.len() <= LONGEST {
            true => name.to_owned(),
            false => {
                let name = name.to_string_lossy();
                let end = (0..=LONGEST).rev().find(|&end| name.is_char_boundary(end));
                OsString::from(&name[..end.unwrap_or(0)])
            }
        };
        let mut prefix = OsString::from(".");
        prefix.push(name);
        prefix.push(".forney-");
        Self {
            folder: folder_of(target),
            prefix,
        }
    }

    /// A new file, locked: whoever gets the lock knows that its writer is gone.
    fn create(&self) -> io::Result<(PathBuf, File)> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let process = std::process::id();
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let mut name = self.prefix.clone();
            name.push(format!("{process}-{number}{ENDING}"));
            let path = self.folder.join(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    // Where there are no locks, nobody takes this file for stale. Elsewhere
                    // somebody who looks for stale files may have been quicker, and removes it.
                    let taken = matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock));
                    if !taken && is_still(&path, &file) {
                        return Ok((path, file));
                    }
                }
            }
        }
    }

    /// Removes what killed processes left. Whatever goes wrong here is no reason not to write.
    fn remove_stale(&self) {
        let Ok(entries) = fs::read_dir(self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            if !self.is_own(&entry.file_name()) {
                continue;
            }
            let path = entry.path();
            // Not through links: they are not ours.
            let regular = entry.file_type().is_ok_and(|kind| kind.is_file());
            if !regular {
                continue;
            }
            if let Ok(file) = OpenOptions::new().write(true).open(&path)
                && file.try_lock().is_ok()
                && is_still(&path, &file)
            {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// Is this the name of a file beside the target?
    fn is_own(&self, name: &OsStr) -> bool {
        let name = name.as_encoded_bytes();
        let middle = name
            .strip_prefix(self.prefix.as_encoded_bytes())
            .and_then(|rest| rest.strip_suffix(ENDING.as_bytes()));
        let number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        middle.is_some_and(|middle| {
            let mut parts = middle.split(|byte| *byte == b'-');
            let (process, count, more) = (parts.next(), parts.next(), parts.next());
            process.is_some_and(number) && count.is_some_and(number) && more.is_none()
        })
    }
}

/// Is the open file still the one of this name? Its writer may have renamed it before it let go of
/// the lock.
#[cfg(unix)]
fn is_still(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(named), Ok(open)) => (named.dev(), named.ino()) == (open.dev(), open.ino()),
        _ => false,
    }
}

/// Elsewhere an open file cannot be renamed.
#[cfg(not(unix))]
fn is_still(_: &Path, _: &File) -> bool {
    true
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

    #[test]
    fn what_killed_processes_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let stale = [".out.forney-123-0.tmp", ".out.forney-4294967295-77.tmp"];
        let foreign = [
            ".forney-123-0.tmp",
            ".out.forney--0.tmp",
            ".out.forney-1-2-3.tmp",
            ".out.forney-123-0.tmp~",
            ".out.forney-x-0.tmp",
            ".out2.forney-123-0.tmp",
            "out.forney-123-0.tmp",
        ];
        for name in stale.iter().chain(&foreign) {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        let held = folder.path().join(".out.forney-5-0.tmp");
        let writer = File::create(&held).unwrap();
        writer.lock().unwrap();
        write_atomic(&path, b"new").unwrap();
        let mut expected: Vec<&str> = [&foreign[..], &["out", ".out.forney-5-0.tmp"]].concat();
        expected.sort_unstable();
        assert_eq!(names(folder.path()), expected);
        drop(writer);
        write_atomic(&path, b"newer").unwrap();
        assert!(!held.exists(), "its writer has let go of it");
        assert_eq!(fs::read_to_string(&path).unwrap(), "newer");
    }

    #[test]
    fn names_as_long_as_they_may_be_are_written() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["x".repeat(255), "é".repeat(127)] {
            let path = folder.path().join(&name);
            write_atomic(&path, b"new").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        }
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[test]
    fn many_writers_of_one_file_leave_one_whole_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        std::thread::scope(|scope| {
            for writer in 0..8u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..20 {
                        write_atomic(path, &[writer; 1000]).unwrap();
                    }
                });
            }
        });
        let content = fs::read(&path).unwrap();
        assert!(content.len() == 1000 && content.iter().all(|byte| *byte == content[0]));
        assert_eq!(names(folder.path()), ["out"]);
    }
}

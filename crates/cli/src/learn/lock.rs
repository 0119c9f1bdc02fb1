//! A checkpoint belongs to one run at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Failure, complain};

/// The right to write a checkpoint, as long as this lives.
///
/// A checkpoint is replaced as a whole, so a lock on the file itself would be lost with the first save:
/// a file beside it is locked. The system forgets the lock of a process that dies.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    /// Locked while it is open.
    _file: File,
}

impl Lock {
    /// Takes the lock of a checkpoint; `None` for what is no regular file, and where the file system
    /// knows no locks.
    ///
    /// # Errors
    /// Another run has it, or no file can be made there.
    pub(super) fn take(checkpoint: &Path) -> Result<Option<Self>, Failure> {
        // One file may have many names.
        let target = fs::canonicalize(checkpoint).unwrap_or_else(|_| checkpoint.to_owned());
        if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(None);
        }
        let mut path = target.into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let cannot = |source| Failure::Output {
            path: path.clone(),
            source,
        };
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let mut file = options.open(&path).map_err(cannot)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::Checkpoint {
                        file: checkpoint.to_owned(),
                        message: format!(
                            "is in use by another run{}: wait until it ends, or choose another file",
                            owner(&path)
                        ),
                    });
                }
                Err(TryLockError::Error(error)) => {
                    complain(format_args!(
                        "warning: {} cannot be locked ({error}); let no other run write it",
                        checkpoint.display()
                    ));
                    return Ok(None);
                }
            }
            // The run before may have removed the file between our opening and locking it; then the
            // lock is one on nothing, and the next one is to be taken.
            let name = name();
            let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
            written
                .and_then(|_| file.write_all(name.as_bytes()))
                .map_err(cannot)?;
            let gone = match fs::read_to_string(&path) {
                Ok(found) => found != name,
                Err(error) => error.kind() == ErrorKind::NotFound,
            };
            if !gone {
                return Ok(Some(Self { path, _file: file }));
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What stays behind is only untidy: it is not locked.
        let _ = fs::remove_file(&self.path);
    }
}

/// This run, as no other one calls itself.
fn name() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanoseconds = since.map_or(0, |since| since.as_nanos());
    format!("{} {nanoseconds}\n", std::process::id())
}

/// The process that has a lock, if it says so.
fn owner(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_string(&mut text));
    let process = text
        .split_whitespace()
        .next()
        .and_then(|word| word.parse::<u32>().ok());
    match (read, process) {
        (Ok(_), Some(process)) => format!(" (process {process})"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_at_a_time_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let lock = Lock::take(&path).unwrap().unwrap();
        let refused = Lock::take(&path).unwrap_err().to_string();
        let process = format!(
            "checkpoint is in use by another run (process {})",
            std::process::id()
        );
        assert!(refused.contains(&process), "{refused}");
        drop(lock);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(Lock::take(&path).unwrap().is_some());
        assert!(Lock::take(folder.path()).unwrap().is_none());
        assert!(Lock::take(&folder.path().join("none").join("checkpoint")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn it_is_one_lock_for_all_names_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("checkpoint"), folder.path().join("link"));
        fs::write(&path, "state").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let _lock = Lock::take(&link).unwrap().unwrap();
        assert!(Lock::take(&path).is_err());
    }

    #[test]
    fn what_a_killed_run_left_behind_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        fs::write(folder.path().join("checkpoint.lock"), "1 1\n").unwrap();
        assert!(Lock::take(&path).unwrap().is_some());
    }
}

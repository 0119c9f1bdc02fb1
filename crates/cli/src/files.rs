//! Files that a run reads and writes.

use std::path::{Path, PathBuf};

use crate::error::Failure;

/// Refuses to write over what is read, or two things into one file. Pipes, terminals and the like may be
/// named again and again.
pub(crate) fn apart<'p>(
    read: impl IntoIterator<Item = &'p Path>,
    written: impl IntoIterator<Item = &'p Path>,
) -> Result<(), Failure> {
    let mut taken: Vec<PathBuf> = read.into_iter().filter_map(identity).collect();
    for path in written {
        let Some(file) = identity(path) else { continue };
        if taken.contains(&file) {
            return Err(Failure::Usage(format!(
                "{} would be written over what this run reads or writes there: name another file",
                path.display()
            )));
        }
        taken.push(file);
    }
    Ok(())
}

/// The file that a path leads to, which need not exist; `None` for what is no regular file.
fn identity(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return path.is_file().then(|| path.canonicalize().ok()).flatten();
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
    Some(folder.join(path.file_name()?))
}

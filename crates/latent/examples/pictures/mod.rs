//! Where the examples put their pictures.

use std::path::Path;

/// Writes a file of `docs/pictures` and says so.
pub(crate) fn write(name: &str, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pictures");
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join(name), bytes)?;
    println!("wrote docs/pictures/{name}");
    Ok(())
}

//! Writing files so that whoever reads them sees the old content or the new, never a part.

use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::path::Path;

/// Puts bytes in the place of a file.
pub(super) fn replace(
    path: &Path,
    bytes: &[u8],
    permissions: Option<Permissions>,
) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".meshc-")
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(directory)?.sync_all()
}

/// Puts other text into a file that is there.
pub(super) fn rewrite(path: &Path, text: &str) -> io::Result<()> {
    let permissions = std::fs::metadata(path)?.permissions();
    if permissions.readonly() {
        return Err(io::Error::other("it is read-only"));
    }
    replace(path, text.as_bytes(), Some(permissions))
}

/// Temporary files are private; what others read is not.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // not so elsewhere
pub(super) fn readable_by_all() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
pub(super) fn readable_by_all() -> Option<Permissions> {
    None
}

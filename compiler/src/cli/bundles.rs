//! Bundles that are there: files, and directories of slices.

use super::file;
use mesh_bundle::Bundle;
use mesh_bundle::format::{MAX_LENGTH, OpenError};
use std::path::{Path, PathBuf};

/// How the files of bundles are called.
pub(super) const EXTENSION: &str = "bundle";

/// Opens a bundle, checking all of it but who signed it.
pub(super) fn open(path: &Path) -> Result<Bundle, String> {
    let name = path.display();
    let unreadable = |error| format!("{name} cannot be read: {error}");
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > MAX_LENGTH as u64 {
        return Err(format!("{name} {}", OpenError::TooLarge(length)));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    Bundle::open(bytes).map_err(|error| format!("{name} {error}"))
}

/// Opens a bundle that was made just now.
pub(super) fn made(bytes: Vec<u8>) -> Result<Bundle, String> {
    Bundle::open(bytes)
        .map_err(|error| format!("the bundle just compiled {error}; this is a bug in meshc"))
}

/// "5120 bytes", "40 KiB".
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..10_485_760 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1 << 20)),
    }
}

/// Puts a bundle in place: whoever reads the file sees the one before or this one. A bundle holds no secret, and
/// who serves it may be somebody else.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    file::replace(path, bytes, file::readable_by_all())
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// Whether a path is that of a bundle, and not of a mesh.
pub(super) fn is_bundle(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == EXTENSION) && path.is_file()
}

/// The bundle at a path; of a directory all below it, in the order of their names.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    collect(path, &mut files)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    files.sort();
    if files.is_empty() {
        return Err(format!(
            "there is no bundle in {}; `meshc compile --slice -o` writes some",
            path.display()
        ));
    }
    Ok(files)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|it| it.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|it| it == EXTENSION) {
            files.push(path);
        }
    }
    Ok(())
}

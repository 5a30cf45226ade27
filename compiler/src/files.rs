//! Reading what a policy is made of: its own files, and those that it names.
//!
//! Whoever opens a pipe waits for somebody to write, and some devices have no end. So only files are read, and none
//! that is larger than what it is for.

use std::io;
use std::path::Path;

/// What is in a file of at most so many bytes.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if metadata.len() > most {
        let message = format!(
            "it has {} bytes, and at most {most} are read",
            metadata.len()
        );
        return Err(io::Error::other(message));
    }
    std::fs::read(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::read;
    use std::path::Path;

    #[test]
    fn only_files_are_read_and_none_that_is_too_large() {
        let directory = tempfile::tempdir().unwrap();
        let said = |path: &Path| read(path, 3).map_err(|error| error.to_string());
        assert_eq!(said(directory.path()), Err("it is no file".to_owned()));
        assert_eq!(
            said(Path::new("/dev/zero")),
            Err("it is no file".to_owned())
        );
        let path = directory.path().join("a");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(said(&path), Ok(b"abc".to_vec()));
        std::fs::write(&path, "abcd").unwrap();
        let message = "it has 4 bytes, and at most 3 are read";
        assert_eq!(said(&path), Err(message.to_owned()));
    }
}

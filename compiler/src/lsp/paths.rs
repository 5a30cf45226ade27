//! Documents by name: the URIs of editors, and the paths of files.
//!
//! Editors escape the same path in different ways, so that documents are known by their paths. One that
//! lies nowhere, such as a new buffer, is known by its URI in place of a path.

use gen_lsp_types::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::path::{Component, Path, PathBuf};

/// What is escaped in a path: all but what every editor leaves as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The path that a document is known by.
pub(super) fn of_uri(uri: &Uri) -> PathBuf {
    file_of_uri(uri).unwrap_or_else(|| PathBuf::from(&uri.0))
}

/// The file that a URI names, if it names one on this machine.
pub(super) fn file_of_uri(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.0.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let bytes = path.as_bytes();
    let has_drive = bytes.len() > 2 && bytes[1].is_ascii_alphabetic() && bytes[2] == b':';
    let path = if cfg!(windows) && has_drive {
        &path[1..]
    } else {
        &path[..]
    };
    Some(lexically(Path::new(path)))
}

/// The URI of the document that is known by a path.
pub(super) fn to_uri(path: &Path) -> Uri {
    if !path.is_absolute() {
        return Uri(path.to_string_lossy().into_owned());
    }
    let text = path.to_string_lossy().replace('\\', "/");
    let slash = if text.starts_with('/') { "" } else { "/" };
    let escaped = utf8_percent_encode(&text, ESCAPED);
    Uri(format!("file://{slash}{escaped}"))
}

/// A path without `.` and without `x/..`.
pub(super) fn lexically(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir if parts.file_name().is_some() => {
                parts.pop();
            }
            Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts
}

/// Whether a file is a policy by its name.
pub(super) fn is_policy(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "mesh")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_uris_lead_to_each_other() {
        for path in ["/a/b.mesh", "/a b/ü/c#d?e%20.mesh", "/a/[x]/{y}.mesh", "/"] {
            let uri = to_uri(Path::new(path));
            assert_eq!(file_of_uri(&uri), Some(PathBuf::from(path)), "{uri}");
        }
    }

    #[test]
    fn editors_escape_the_same_path_in_different_ways() {
        for uri in [
            "file:///a%20b/c.mesh",
            "file://localhost/a%20b/c.mesh",
            "file:///a b/./x/../c.mesh",
            "file:///%61%20b/c.mesh",
        ] {
            assert_eq!(of_uri(&uri.into()), Path::new("/a b/c.mesh"));
        }
    }

    #[test]
    fn what_lies_nowhere_is_known_by_its_uri() {
        for uri in [
            "untitled:Untitled-1",
            "git:/a.mesh?x",
            "file://server/share/a.mesh",
        ] {
            let path = of_uri(&uri.into());
            assert_eq!(to_uri(&path), uri.into());
        }
    }
}

//! Where the files are that findings speak of.
//!
//! A source file is known by its name in the mesh, so that what people read is the same wherever the mesh
//! lies. Tools need the way from where they run: `shop/cart.mesh` for `cart.mesh` of the mesh `shop`. What
//! `--set` gives lies nowhere.

use mesh_lang::source::{FileId, SourceFile, Sources};
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// Source files, and where they lie.
#[derive(Clone, Copy, Debug)]
pub struct Files<'f> {
    /// All of them.
    pub sources: &'f Sources,
    /// The directory that their names are relative to; none where they lie nowhere.
    pub root: Option<&'f Path>,
    /// How many of them are files: the first ones. Those behind were given on the command line.
    pub count: usize,
    /// Where the command runs, if that is known.
    pub here: Option<&'f Path>,
}

impl<'f> Files<'f> {
    /// Texts that lie nowhere.
    pub fn nowhere(sources: &'f Sources) -> Self {
        Self {
            sources,
            root: None,
            count: 0,
            here: None,
        }
    }

    /// The text and name of a file.
    pub fn get(self, file: FileId) -> &'f SourceFile {
        self.sources.get(file)
    }

    /// The way to a file from where the command runs, if it lies anywhere.
    pub fn path(self, file: FileId) -> Option<PathBuf> {
        let root = self.root.filter(|_| (file.0 as usize) < self.count)?;
        let path = clean(&root.join(self.get(file).name()));
        let inside = self.here.and_then(|here| path.strip_prefix(here).ok());
        Some(inside.map_or_else(|| path.clone(), Path::to_owned))
    }

    /// What tools call a file: the way to it, `/` between its parts, or its name where it lies nowhere.
    pub(super) fn label(self, file: FileId) -> String {
        match self.path(file) {
            Some(path) => slashes(&path),
            None => self.get(file).name().to_owned(),
        }
    }

    /// The address of a file: relative to where the command runs, or else absolute.
    pub(super) fn address(self, file: FileId) -> Option<String> {
        let path = self.path(file)?;
        Some(if path.is_absolute() {
            file_url(&path)
        } else {
            percent_encoded(&slashes(&path))
        })
    }

    /// The address of a file on this machine.
    pub(super) fn absolute_address(self, file: FileId) -> Option<String> {
        let path = self.here?.join(self.path(file)?);
        path.is_absolute().then(|| file_url(&clean(&path)))
    }
}

/// A path without `.` and, where that can be seen, without `..`.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        let last = clean.components().next_back();
        match (part, last) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                clean.pop();
            }
            (part, _) => clean.push(part),
        }
    }
    clean
}

fn slashes(path: &Path) -> String {
    let path = path.to_string_lossy();
    if cfg!(windows) {
        path.replace('\\', "/")
    } else {
        path.into_owned()
    }
}

/// `file:///shop/cart.mesh`; `C:\shop` is `file:///C:/shop`.
fn file_url(path: &Path) -> String {
    let path = percent_encoded(&slashes(path));
    let root = if path.starts_with('/') { "" } else { "/" };
    format!("file://{root}{path}")
}

/// A path as part of an address.
fn percent_encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for &byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files<'f>(sources: &'f Sources, root: &'f str, here: Option<&'f str>) -> Files<'f> {
        Files {
            sources,
            root: Some(Path::new(root)),
            count: 1,
            here: here.map(Path::new),
        }
    }

    #[test]
    fn the_way_to_a_file_starts_where_the_command_runs() {
        let mut sources = Sources::new();
        let file = sources.add("a b.mesh", "");
        let given = sources.add("--set canary", "");
        let label = |root, here| files(&sources, root, here).label(file);
        assert_eq!(label(".", None), "a b.mesh");
        assert_eq!(label("./shop/", None), "shop/a b.mesh");
        assert_eq!(label("shop/../other", None), "other/a b.mesh");
        assert_eq!(label("../shop", None), "../shop/a b.mesh");
        assert_eq!(label("/work/shop", Some("/work")), "shop/a b.mesh");
        assert_eq!(label("/work/shop", Some("/home")), "/work/shop/a b.mesh");
        let files = files(&sources, "shop", Some("/work"));
        assert_eq!(files.path(given), None);
        assert_eq!(files.label(given), "--set canary");
    }

    #[test]
    fn addresses_are_encoded() {
        let mut sources = Sources::new();
        let file = sources.add("é/a b.mesh", "");
        let relative = files(&sources, "shop", Some("/work"));
        let address = relative.address(file);
        assert_eq!(address.as_deref(), Some("shop/%C3%A9/a%20b.mesh"));
        let absolute = relative.absolute_address(file);
        assert_eq!(
            absolute.as_deref(),
            Some("file:///work/shop/%C3%A9/a%20b.mesh")
        );
        let elsewhere = files(&sources, "/shop", Some("/work")).address(file);
        assert_eq!(elsewhere.as_deref(), Some("file:///shop/%C3%A9/a%20b.mesh"));
        assert_eq!(Files::nowhere(&sources).address(file), None);
    }
}

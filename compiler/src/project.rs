//! From a path on disk to source files: which files a mesh is made of.
//!
//! A mesh is a directory: all `*.mesh` files below it, in any order (a single file is a mesh too).
//! `import "../common"` brings in another directory. Hidden directories are left out, and a directory
//! is read once however many links lead to it. Files are named relative to the mesh, so that messages
//! and bundles are the same wherever the mesh lies.

use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::{FileId, NotText, Sources, Span, decode};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Why there are no sources.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Nothing at this path.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// A file or directory that cannot be read.
    #[error("{} cannot be read: {error}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A directory without policies.
    #[error("there is no `.mesh` file in {}", .0.display())]
    NoFiles(PathBuf),
}

/// The source files of a mesh.
#[derive(Clone, Debug)]
pub struct Project {
    /// The directory that file names, and paths in the policy, are relative to.
    pub root: PathBuf,
    /// The files.
    pub sources: Sources,
    /// Files that are not text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Project {
    /// Loads the mesh at `path`: a directory or a single file.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let unreadable = |error| unreadable(path, error);
        if !path.try_exists().map_err(unreadable)? {
            return Err(LoadError::Missing(path.to_owned()));
        }
        let single = path.is_file();
        let root = match path.parent() {
            Some(parent) if single && parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) if single => parent.to_owned(),
            _ => path.to_owned(),
        };
        let mut project = Self {
            root,
            sources: Sources::new(),
            diagnostics: Vec::new(),
        };
        if single {
            project.read(path, &file_name(path))?;
            return Ok(project);
        }
        let mut loader = Loader::default();
        loader.directory(path, "")?;
        if loader.files.is_empty() {
            return Err(LoadError::NoFiles(path.to_owned()));
        }
        loader.files.sort();
        for (name, path) in loader.files {
            project.read(&path, &name)?;
        }
        Ok(project)
    }

    /// A mesh of texts that lie nowhere; for tests and editors.
    pub fn of_texts<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let mut sources = Sources::new();
        for (name, text) in texts {
            sources.add(name, text);
        }
        Self {
            root: PathBuf::from("."),
            sources,
            diagnostics: Vec::new(),
        }
    }

    /// All directories that files were read from: what to watch for changes.
    pub fn directories(&self) -> BTreeSet<PathBuf> {
        let files = self
            .sources
            .iter()
            .map(|(_, file)| self.root.join(file.name()));
        files
            .filter_map(|file| file.parent().map(Path::to_owned))
            .collect()
    }

    fn read(&mut self, path: &Path, name: &str) -> Result<FileId, LoadError> {
        let bytes = std::fs::read(path).map_err(|error| unreadable(path, error))?;
        // What is no text is still shown up to where it ceases to be.
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match decode(bytes) {
            Ok(text) => Ok(self.sources.add(name, text)),
            Err(NotText::NotUtf8 { offset }) => {
                let bytes = std::fs::read(path).map_err(|error| unreadable(path, error))?;
                let file = self.sources.add(name, lossy(&bytes));
                let at = offset as u32;
                let message =
                    format!("{name} is not UTF-8: byte {offset} does not belong to a character");
                self.diagnostics.push(
                    Diagnostic::new(Code::NotText, message)
                        .primary(Span::new(file, at, at + 1), "here")
                        .help("save the file as UTF-8"),
                );
                Ok(file)
            }
            Err(error @ NotText::TooLong { .. }) => {
                let file = self.sources.add(name, "");
                let diagnostic = Diagnostic::new(Code::NotText, format!("{name}: {error}"));
                self.diagnostics.push(diagnostic);
                Ok(file)
            }
        }
    }
}

fn unreadable(path: &Path, error: io::Error) -> LoadError {
    LoadError::Unreadable {
        path: path.to_owned(),
        error,
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Collects the files of directories.
#[derive(Default)]
struct Loader {
    /// Names and paths.
    files: Vec<(String, PathBuf)>,
    /// Directories that were read, by their real place.
    seen: BTreeSet<PathBuf>,
}

impl Loader {
    /// Reads a directory whose files are named behind `prefix`.
    fn directory(&mut self, path: &Path, prefix: &str) -> Result<(), LoadError> {
        let real = path
            .canonicalize()
            .map_err(|error| unreadable(path, error))?;
        if !self.seen.insert(real) {
            return Ok(());
        }
        let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(path, error))?;
            let (path, name) = (
                entry.path(),
                entry.file_name().to_string_lossy().into_owned(),
            );
            if name.starts_with('.') {
                continue;
            }
            // Through links: whoever links a policy into a mesh wants it to be part of it.
            let kind = match std::fs::metadata(&path) {
                Ok(kind) => kind,
                // A link to nowhere, or a file removed just now, is no policy.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(unreadable(&path, error)),
            };
            if kind.is_dir() {
                self.directory(&path, &format!("{prefix}{name}/"))?;
            } else if path
                .extension()
                .is_some_and(|extension| extension == "mesh")
            {
                self.files.push((format!("{prefix}{name}"), path));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(project: &Project) -> Vec<&str> {
        project
            .sources
            .iter()
            .map(|(_, file)| file.name())
            .collect()
    }

    #[test]
    fn a_directory_is_all_mesh_files_below_it() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        for name in [
            "b.mesh",
            "a.mesh",
            "teams/x/c.mesh",
            "notes.md",
            ".hidden/d.mesh",
        ] {
            write(name);
        }
        let project = Project::load(dir.path()).unwrap();
        assert_eq!(names(&project), ["a.mesh", "b.mesh", "teams/x/c.mesh"]);
        assert_eq!(project.directories().len(), 2);
        let single = Project::load(&dir.path().join("a.mesh")).unwrap();
        assert_eq!(names(&single), ["a.mesh"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.mesh"), "").unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("dangling.mesh")).unwrap();
        assert_eq!(names(&Project::load(dir.path()).unwrap()), ["a.mesh"]);
    }

    #[test]
    fn what_cannot_be_loaded_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let error = Project::load(&dir.path().join("missing")).unwrap_err();
        assert!(
            error.to_string().ends_with("missing does not exist"),
            "{error}"
        );
        let error = Project::load(dir.path()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("there is no `.mesh` file in "),
            "{error}"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_reported_with_their_place() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.mesh"), b"mesh x\n\xff").unwrap();
        let project = Project::load(dir.path()).unwrap();
        assert_eq!(project.diagnostics.len(), 1);
        assert_eq!(project.diagnostics[0].span().unwrap().start, 7);
    }
}

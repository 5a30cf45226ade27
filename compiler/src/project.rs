//! From a path on disk to source files and their trees: which files a mesh is made of.
//!
//! A mesh is a directory: all `*.mesh` files below it, in any order (a single file is a mesh too).
//! `import "../common"` brings in another directory. Hidden directories are left out, and a directory
//! is read once however many links lead to it. Files are named relative to the mesh, so that messages
//! and bundles are the same wherever the mesh lies.

use crate::files;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::parser::parse;
use mesh_lang::source::{FileId, MAX_LEN, Sources, Span, decode};
use mesh_lang::tree::Tree;
use mesh_lang::view::Item;
use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path, PathBuf};

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
    /// Their trees, file by file.
    pub trees: Vec<Tree>,
    /// What of the files is not text, what of the text does not parse, and imports that lead nowhere.
    pub diagnostics: Vec<Diagnostic>,
    /// Which of the files an `import` brought in.
    pub imported: BTreeSet<FileId>,
}

/// A directory (or the file) that is the mesh itself, or one that is imported.
struct Part {
    /// Its real place, to know it again.
    real: PathBuf,
    /// Names and paths of its files.
    files: Vec<(String, PathBuf)>,
    /// What it imports: the parts, and where that is said.
    imports: Vec<(usize, Span)>,
}

impl Project {
    /// Loads the mesh at `path`: a directory or a single file.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        // What is too long for a source is told as a finding.
        Self::load_with(path, &|file| files::read(file, u64::MAX))
    }

    /// The same with the bytes that `read` gives for its files: an editor may have newer ones than the disk.
    pub fn load_with(
        path: &Path,
        read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, LoadError> {
        let mut loader = Loader::default();
        loader.first(path)?;
        let single = path.is_file();
        let root = match path.parent() {
            Some(parent) if single && parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) if single => parent.to_owned(),
            _ => path.to_owned(),
        };
        let mut project = Self {
            root,
            sources: Sources::new(),
            trees: Vec::new(),
            diagnostics: Vec::new(),
            imported: BTreeSet::new(),
        };
        project.read_all(&mut loader, read)?;
        for diagnostic in circles(&loader.parts) {
            project.diagnostics.push(diagnostic);
        }
        Ok(project)
    }

    /// A mesh of texts that lie nowhere; for tests and editors.
    pub fn of_texts<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let mut project = Self {
            root: PathBuf::from("."),
            sources: Sources::new(),
            trees: Vec::new(),
            diagnostics: Vec::new(),
            imported: BTreeSet::new(),
        };
        for (name, text) in texts {
            project.add_text(name, text);
        }
        project
    }

    /// Adds a file that may lie nowhere.
    pub fn add_text(&mut self, name: &str, text: &str) -> FileId {
        let file = self.sources.add(name, text);
        self.parse(file);
        file
    }

    /// The same with other texts in its files.
    #[must_use]
    pub fn with_sources(self, sources: Sources) -> Self {
        let mut project = Self {
            root: self.root,
            sources,
            trees: Vec::new(),
            diagnostics: Vec::new(),
            imported: self.imported,
        };
        let files: Vec<FileId> = project.sources.iter().map(|(file, _)| file).collect();
        for file in files {
            project.parse(file);
        }
        project
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

    /// Reads the files of the first part, then those of what it imports, and so on.
    fn read_all(
        &mut self,
        loader: &mut Loader,
        read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<(), LoadError> {
        let mut part = 0;
        while part < loader.parts.len() {
            for (name, path) in loader.parts[part].files.clone() {
                let bytes = read(&path).map_err(|error| unreadable(&path, error))?;
                let file = self.add(&name, bytes);
                if part > 0 {
                    self.imported.insert(file);
                }
                let items = self.trees[file.0 as usize].items();
                let imports = items.filter_map(|item| match item {
                    Item::Import(import) => {
                        let path = import.path()?;
                        Some((path.span(), path.unescaped().into_owned()))
                    }
                    _ => None,
                });
                for (span, import) in imports.collect::<Vec<_>>() {
                    self.import(loader, part, &name, span, &import);
                }
            }
            part += 1;
        }
        Ok(())
    }

    /// Notes what an `import` in the file `name` of a part brings in.
    fn import(&mut self, loader: &mut Loader, part: usize, name: &str, span: Span, import: &str) {
        let problem = |message: String| {
            Diagnostic::new(Code::UnreadableFile, message)
                .primary(span, "")
                .help("an import names a directory, relative to the file that it stands in")
        };
        if Path::new(import).is_absolute() {
            let message = format!("`{import}` is the same place on no other machine");
            self.diagnostics.push(problem(message));
            return;
        }
        let beside = Path::new(name).parent().unwrap_or(Path::new(""));
        let prefix = lexically(&beside.join(import));
        let path = self.root.join(&prefix);
        if !path.is_dir() {
            let message = format!("there is no directory `{import}`");
            self.diagnostics.push(problem(message));
            return;
        }
        let prefix = match prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        match loader.part(&path, &prefix) {
            Ok(imported) => loader.parts[part].imports.push((imported, span)),
            Err(error) => self.diagnostics.push(problem(error.to_string())),
        }
    }

    fn parse(&mut self, file: FileId) {
        let parsed = parse(file, self.sources.get(file).text());
        self.diagnostics.extend(parsed.diagnostics);
        self.trees.push(parsed.tree);
    }

    fn add(&mut self, name: &str, bytes: Vec<u8>) -> FileId {
        let (file, no_text) = add(&mut self.sources, name, bytes);
        self.diagnostics.extend(no_text);
        self.parse(file);
        file
    }
}

/// Adds a file by its bytes, with a finding if they are no text. Such a file is still shown.
pub fn add(sources: &mut Sources, name: &str, bytes: Vec<u8>) -> (FileId, Option<Diagnostic>) {
    let shown = match std::str::from_utf8(&bytes) {
        Err(_) if bytes.len() <= MAX_LEN => String::from_utf8_lossy(&bytes).into_owned(),
        _ => String::new(),
    };
    match decode(bytes) {
        Ok(text) => (sources.add(name, text), None),
        Err(error) => {
            let file = sources.add(name, shown);
            (file, Some(error.diagnostic(file)))
        }
    }
}

/// The `.mesh` files at a path: that file, or all below that directory. By name and path, in the order of
/// their names; what they import is not among them.
pub fn files(path: &Path) -> Result<Vec<(String, PathBuf)>, LoadError> {
    let mut loader = Loader::default();
    loader.first(path)?;
    Ok(loader.parts.swap_remove(0).files)
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

/// A path without `.` and without `x/..`, with `/` between its parts.
fn lexically(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for component in path.components() {
        match component {
            Component::ParentDir if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            Component::CurDir => {}
            other => parts.push(other.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

/// Parts that import each other: a finding for each circle, at the import that closes it.
fn circles(parts: &[Part]) -> Vec<Diagnostic> {
    fn visit(
        parts: &[Part],
        at: usize,
        way: &mut Vec<(usize, Span)>,
        done: &mut [bool],
        found: &mut Vec<Diagnostic>,
    ) {
        if done[at] {
            return;
        }
        for &(next, span) in &parts[at].imports {
            way.push((at, span));
            match way.iter().position(|(known, _)| *known == next) {
                Some(start) => {
                    let message = if way.len() - start == 1 {
                        "this directory imports itself"
                    } else {
                        "these directories import each other"
                    };
                    let mut diagnostic =
                        Diagnostic::new(Code::ImportCycle, message).primary(span, "");
                    for (_, span) in &way[start..way.len() - 1] {
                        diagnostic = diagnostic.secondary(*span, "");
                    }
                    let help = "move what both need into a directory that imports neither";
                    found.push(diagnostic.help(help));
                }
                None => visit(parts, next, way, done, found),
            }
            way.pop();
        }
        done[at] = true;
    }
    let mut found = Vec::new();
    let mut done = vec![false; parts.len()];
    for start in 0..parts.len() {
        visit(parts, start, &mut Vec::new(), &mut done, &mut found);
    }
    found
}

/// Collects the files of directories.
#[derive(Default)]
struct Loader {
    /// Directories that were read, by their real place.
    seen: BTreeSet<PathBuf>,
    /// The mesh itself, and what is imported.
    parts: Vec<Part>,
}

impl Loader {
    /// The part that the mesh itself is.
    fn first(&mut self, path: &Path) -> Result<(), LoadError> {
        let unreadable = |error| unreadable(path, error);
        if !path.try_exists().map_err(unreadable)? {
            return Err(LoadError::Missing(path.to_owned()));
        }
        if path.is_file() {
            self.parts.push(Part {
                real: path.canonicalize().map_err(unreadable)?,
                files: vec![(file_name(path), path.to_owned())],
                imports: Vec::new(),
            });
            return Ok(());
        }
        self.part(path, "")?;
        if self.parts[0].files.is_empty() {
            return Err(LoadError::NoFiles(path.to_owned()));
        }
        Ok(())
    }

    /// The part of a directory whose files are named behind `prefix`.
    fn part(&mut self, path: &Path, prefix: &str) -> Result<usize, LoadError> {
        let real = path
            .canonicalize()
            .map_err(|error| unreadable(path, error))?;
        if let Some(known) = self.parts.iter().position(|part| part.real == real) {
            return Ok(known);
        }
        let mut files = Vec::new();
        self.directory(path, prefix, &mut files)?;
        // A mesh that is a single file may import the directory that it lies in.
        files.retain(|(_, path)| path.canonicalize().ok().as_ref() != self.single_file());
        files.sort();
        self.parts.push(Part {
            real,
            files,
            imports: Vec::new(),
        });
        Ok(self.parts.len() - 1)
    }

    /// The file that the mesh is, if it is one.
    fn single_file(&self) -> Option<&PathBuf> {
        let first = self.parts.first()?;
        first.real.is_file().then_some(&first.real)
    }

    /// Adds the files of a directory and of those in it.
    fn directory(
        &mut self,
        path: &Path,
        prefix: &str,
        files: &mut Vec<(String, PathBuf)>,
    ) -> Result<(), LoadError> {
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
                self.directory(&path, &format!("{prefix}{name}/"), files)?;
            } else if path
                .extension()
                .is_some_and(|extension| extension == "mesh")
            {
                files.push((format!("{prefix}{name}"), path));
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

    /// A directory with these files.
    fn written(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn imports_bring_in_directories_relative_to_their_files() {
        let dir = written(&[
            ("shop/a.mesh", "import \"../common\"\n"),
            (
                "shop/teams/b.mesh",
                "import \"../../common/./more/..\"\nimport \"../../base\"\n",
            ),
            ("common/c.mesh", "import \"../base\"\n"),
            ("common/more/d.mesh", ""),
            ("base/e.mesh", ""),
        ]);
        let project = Project::load(&dir.path().join("shop")).unwrap();
        assert!(project.diagnostics.is_empty(), "{:?}", project.diagnostics);
        assert_eq!(
            names(&project),
            [
                "a.mesh",
                "teams/b.mesh",
                "../common/c.mesh",
                "../common/more/d.mesh",
                "../base/e.mesh"
            ]
        );
        assert!(
            project
                .directories()
                .contains(&dir.path().join("shop/../base"))
        );
    }

    #[test]
    fn imports_around_in_a_circle_are_reported_once() {
        let dir = written(&[
            ("a/a.mesh", "import \"../b\"\n"),
            ("b/b.mesh", "import \"../c\"\n"),
            ("c/c.mesh", "import \"../a\"\nimport \".\"\n"),
        ]);
        let project = Project::load(&dir.path().join("a")).unwrap();
        assert_eq!(names(&project), ["a.mesh", "../b/b.mesh", "../c/c.mesh"]);
        let messages: Vec<&str> = project
            .diagnostics
            .iter()
            .map(|it| it.message.as_str())
            .collect();
        assert_eq!(
            messages,
            [
                "these directories import each other",
                "this directory imports itself"
            ]
        );
        assert_eq!(project.diagnostics[0].labels.len(), 3);
    }

    #[test]
    fn an_import_leads_to_a_directory() {
        let dir = written(&[(
            "a/a.mesh",
            "import \"../nowhere\"\nimport \"/etc\"\nimport \"a.mesh\"\n",
        )]);
        let project = Project::load(&dir.path().join("a")).unwrap();
        assert_eq!(project.diagnostics.len(), 3);
    }

    #[test]
    fn a_single_file_may_import_what_lies_beside_it() {
        let dir = written(&[("a.mesh", "import \".\"\n"), ("b.mesh", "")]);
        let project = Project::load(&dir.path().join("a.mesh")).unwrap();
        assert_eq!(names(&project), ["a.mesh", "b.mesh"]);
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
        let mut found = project.diagnostics.iter();
        let found = found.find(|it| it.code == Code::NotText).unwrap();
        assert_eq!(found.span().unwrap().start, 7);
    }
}

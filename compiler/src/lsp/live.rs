//! A mesh that is being edited: its files as they are now, and what was found out about them.
//!
//! ```text
//! files on disk, open buffers ─ load ─▶ Live ─ edit, edit, … ─▶ project ─▶ proofs
//!                                        │                                   │
//!                                        └── words and syntax at once        └── Proved, of a revision
//! ```
//!
//! Every edit makes another revision. What only needs one file (its syntax, its words, its names) is kept file by
//! file and done again for the file that was edited, the syntax item by item. What needs all of them is
//! proved elsewhere, and holds for the revision that it was proved of.

use super::names::{FileNames, Names};
use super::paths;
use crate::compile::Checked;
use crate::files;
use crate::model::Mesh;
use crate::project::{LoadError, Project};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::parser::{Change, Parse, reparse};
use mesh_lang::source::{FileId, SourceFile, Sources, Span};
use mesh_lang::tree::Tree;
use mesh_lang::vocabulary;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of a mesh.
#[derive(Debug)]
struct File {
    path: PathBuf,
    /// The same through all links.
    real: PathBuf,
    parse: Parse,
    /// What the vocabulary says about it.
    words: Vec<Diagnostic>,
    names: OnceCell<Arc<FileNames>>,
}

/// A mesh that is being edited.
#[derive(Debug)]
pub(super) struct Live {
    /// The directory or the file that it is.
    pub(super) root: PathBuf,
    /// Goes up with every edit.
    pub(super) revision: u64,
    /// The directory that file names, and paths in the policy, are relative to.
    pub(super) directory: PathBuf,
    sources: Sources,
    files: Vec<File>,
    /// What was found when it was loaded: imports that lead nowhere, files that are no text.
    loading: Vec<Diagnostic>,
    names: OnceCell<Arc<Names>>,
    /// What was proved of this revision.
    proved: Option<Checked>,
    /// Whether nothing more is to be found out about this revision.
    settled: bool,
    /// What was proved before that, to be freed where nobody waits.
    stale: Option<Checked>,
    /// What was proved of an earlier revision and nothing has been said about since, where it is now.
    carried: Vec<Diagnostic>,
}

impl Live {
    /// Loads the mesh at `root`. `buffers` are the texts that an editor has, by their paths.
    pub(super) fn load(root: &Path, revision: u64, buffers: &[(PathBuf, Arc<str>)]) -> Self {
        let read = |file: &Path| {
            let path = paths::lexically(file);
            let buffer = buffers.iter().find(|(known, _)| *known == path);
            match buffer {
                Some((_, text)) => Ok(text.as_bytes().to_vec()),
                None => files::read(file, u64::MAX),
            }
        };
        let (project, missing) = match Project::load_with(root, &read) {
            Ok(project) => (project, None),
            // Not everything that is edited was saved yet.
            Err(LoadError::Missing(_) | LoadError::NoFiles(_)) => (empty(root), None),
            Err(error) => (empty(root), Some(error)),
        };
        let mut live = Self::of_project(root, revision, project);
        if let Some(LoadError::Unreadable { path, error }) = missing {
            let message = format!("{} cannot be read: {error}", path.display());
            live.loading
                .push(Diagnostic::new(Code::UnreadableFile, message));
        }
        for (path, text) in buffers {
            if live.file(path).is_none() && live.adopts(path) {
                live.add(path, text);
            }
        }
        live
    }

    /// Whether a file that was not saved yet would be one of its files: it lies below the root, or beside a
    /// file that is imported.
    pub(super) fn adopts(&self, path: &Path) -> bool {
        let is_single =
            self.root.is_file() || paths::is_policy(&self.root) || !self.root.is_absolute();
        if is_single {
            return path == self.root;
        }
        let beside = |file: &File| file.path.parent() == path.parent();
        path.starts_with(&self.root) || self.files.iter().any(beside)
    }

    fn of_project(root: &Path, revision: u64, project: Project) -> Self {
        let Project {
            root: directory,
            sources,
            trees,
            diagnostics,
            ..
        } = project;
        let is_syntax = |it: &Diagnostic| it.code.is_syntax() && it.code != Code::NotText;
        let (syntax, loading): (Vec<_>, Vec<_>) = diagnostics.into_iter().partition(is_syntax);
        let files = trees.into_iter().map(|tree| {
            let is_own = |it: &&Diagnostic| it.span().is_some_and(|span| span.file == tree.file());
            let path = paths::lexically(&directory.join(sources.get(tree.file()).name()));
            let diagnostics = syntax.iter().filter(is_own).cloned().collect();
            File::new(path, Parse { tree, diagnostics })
        });
        Self {
            root: root.to_owned(),
            revision,
            files: files.collect(),
            directory: paths::lexically(&directory),
            sources,
            loading,
            names: OnceCell::new(),
            proved: None,
            settled: false,
            stale: None,
            carried: Vec::new(),
        }
    }

    /// Adds a file that was not saved yet.
    fn add(&mut self, path: &Path, text: &Arc<str>) {
        let name = path.strip_prefix(&self.directory).unwrap_or(path);
        let name = name.to_string_lossy().into_owned();
        let file = self.sources.add(name, Arc::clone(text));
        let parse = mesh_lang::parser::parse(file, text);
        self.files.push(File::new(path.to_owned(), parse));
    }

    /// The file at a path.
    pub(super) fn file(&self, path: &Path) -> Option<FileId> {
        let same_path = self.files.iter().position(|file| file.path == path);
        let found = same_path.or_else(|| {
            let real = path.canonicalize().ok()?;
            self.files.iter().position(|file| file.real == real)
        });
        found.map(|index| FileId(index as u32))
    }

    /// Whether a file at this path is or would be one of its own, not one that it imports.
    pub(super) fn owns(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }

    /// Gives a file another text; whether it differs. If it does not, nothing happens.
    pub(super) fn edit(&mut self, file: FileId, new: &SourceFile, revision: u64) -> bool {
        let index = file.0 as usize;
        let before = &self.files[index].parse;
        let Some(change) = change(before.tree.text(), new.text()) else {
            return false;
        };
        let again = reparse(before, new.text(), &change);
        self.carry();
        let it = &mut self.files[index];
        it.words = again.keep(std::mem::take(&mut it.words));
        let range = again.read.new_range();
        it.words
            .extend(vocabulary::check_part(&again.parse.tree, &range));
        if let Some(names) = it.names.take() {
            let names = names.read_again(&again.parse.tree, &again.read);
            it.names = OnceCell::from(Arc::new(names));
        }
        it.parse = again.parse;
        let name = self.sources.get(file).name().to_owned();
        self.sources.replace(file, new.named(name));
        self.names = OnceCell::new();
        self.revision = revision;
        self.carried = std::mem::take(&mut self.carried)
            .into_iter()
            .filter_map(|it| survivor(it, file, &change))
            .collect();
        self.loading.retain(|it| {
            it.code != Code::NotText || it.span().is_none_or(|span| span.file != file)
        });
        self.settled = false;
        true
    }

    /// Keeps what was proved until it is proved again.
    fn carry(&mut self) {
        let Some(proved) = self.proved.take() else {
            return;
        };
        let known: HashSet<_> = self.at_once().map(identity).collect();
        let further = proved
            .diagnostics
            .iter()
            .filter(|it| !known.contains(&identity(it)));
        self.carried = further.cloned().collect();
        self.stale = Some(proved);
    }

    /// What was proved of an earlier revision, which is large.
    pub(super) fn take_stale(&mut self) -> Option<Checked> {
        self.stale.take()
    }

    /// The mesh as it is now, to be proved; what its words say among the findings.
    pub(super) fn project(&self) -> Project {
        Project {
            root: self.directory.clone(),
            sources: self.sources.clone(),
            trees: self
                .files
                .iter()
                .map(|file| file.parse.tree.clone())
                .collect(),
            diagnostics: self.at_once().cloned().collect(),
            imported: (0..)
                .map(FileId)
                .zip(&self.files)
                .filter(|(_, file)| !self.owns(&file.path))
                .map(|(id, _)| id)
                .collect(),
        }
    }

    /// Takes what was proved, if it is about what is there now; nothing where that failed.
    pub(super) fn settle(&mut self, revision: u64, checked: Option<Checked>) -> bool {
        if revision != self.revision {
            return false;
        }
        self.settled = true;
        if checked.is_some() {
            self.carried.clear();
        }
        self.proved = checked;
        true
    }

    /// Whether nothing more is to be found out about it as it is now.
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// What the mesh means as it is now, if that was found out.
    pub(super) fn mesh(&self) -> Option<&Mesh> {
        self.proved.as_ref()?.mesh.as_ref()
    }

    /// The texts that what was proved is about, those of the mesh as it is now.
    pub(super) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Whether the file at exactly this path is one of its own.
    pub(super) fn holds(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// Whether it was proved and nothing is wrong with it.
    pub(super) fn is_sound(&self) -> bool {
        self.proved
            .as_ref()
            .is_some_and(|proved| !proved.has_errors())
    }

    /// What is known at once after an edit.
    fn at_once(&self) -> impl Iterator<Item = &Diagnostic> {
        let files = self.files.iter();
        let own = files.flat_map(|file| file.parse.diagnostics.iter().chain(&file.words));
        self.loading.iter().chain(own)
    }

    /// All findings, as far as they are known: those of this revision, and of earlier ones those that nothing
    /// speaks against.
    pub(super) fn findings(&self) -> Vec<&Diagnostic> {
        match &self.proved {
            Some(proved) => proved.diagnostics.iter().collect(),
            None => self.at_once().chain(&self.carried).collect(),
        }
    }

    /// The findings that are about the files as they are now.
    pub(super) fn current_findings(&self) -> Vec<&Diagnostic> {
        match &self.proved {
            Some(proved) => proved.diagnostics.iter().collect(),
            None => self.at_once().collect(),
        }
    }

    /// The names of the mesh.
    pub(super) fn names(&self) -> Arc<Names> {
        let names = self.names.get_or_init(|| {
            let files = self.files.iter().map(File::names);
            Arc::new(Names::new(files.collect()))
        });
        Arc::clone(names)
    }

    /// The tree of a file.
    pub(super) fn tree(&self, file: FileId) -> &Tree {
        &self.files[file.0 as usize].parse.tree
    }

    /// The text of a file.
    pub(super) fn source(&self, file: FileId) -> &SourceFile {
        self.sources.get(file)
    }

    /// The path of a file; of what was given from outside there is none.
    pub(super) fn path(&self, file: FileId) -> Option<&Path> {
        self.files.get(file.0 as usize).map(|file| &*file.path)
    }

    /// All its files.
    pub(super) fn files(&self) -> impl Iterator<Item = (FileId, &Path)> {
        let files = self.files.iter().map(|file| &*file.path);
        (0..).map(FileId).zip(files)
    }

    /// The text of a span.
    pub(super) fn text(&self, span: Span) -> &str {
        self.sources.text(span)
    }
}

impl File {
    fn new(path: PathBuf, parse: Parse) -> Self {
        Self {
            real: path.canonicalize().unwrap_or_else(|_| path.clone()),
            words: vocabulary::check(&parse.tree),
            path,
            parse,
            names: OnceCell::new(),
        }
    }

    fn names(&self) -> Arc<FileNames> {
        let names = self
            .names
            .get_or_init(|| Arc::new(FileNames::read(&self.parse.tree)));
        Arc::clone(names)
    }
}

/// A mesh without files.
fn empty(root: &Path) -> Project {
    let directory = if paths::is_policy(root) {
        root.parent().unwrap_or(root)
    } else {
        root
    };
    let mut project = Project::of_texts([]);
    directory.clone_into(&mut project.root);
    project
}

/// What tells findings apart.
fn identity(diagnostic: &Diagnostic) -> (Option<Span>, Code, &str) {
    (diagnostic.span(), diagnostic.code, &diagnostic.message)
}

/// The one change that makes another text of a text; none if it is the same.
pub(super) fn change(old: &str, new: &str) -> Option<Change> {
    let (old, new) = (old.as_bytes(), new.as_bytes());
    let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
    let start = old.iter().zip(new).take_while(same).count();
    if start == old.len() && start == new.len() {
        return None;
    }
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(same)
        .count();
    Some(Change {
        old: start as u32..(old.len() - end) as u32,
        new: (new_rest.len() - end) as u32,
    })
}

/// A finding behind or before a change of a file; none if the change touches what it is about.
fn survivor(finding: Diagnostic, file: FileId, change: &Change) -> Option<Diagnostic> {
    let is_touched = |span: Span| {
        span.file == file && span.start <= change.old.end && change.old.start <= span.end
    };
    let own = finding.span();
    if own.is_some_and(is_touched) {
        return None;
    }
    let moved = |span: Span| {
        if span.file == file {
            change.moves(span)
        } else {
            span
        }
    };
    Some(finding.moved(moved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_change_makes_the_new_text(old in "[ab\n]{0,20}", new in "[ab\n]{0,20}") {
            match change(&old, &new) {
                None => prop_assert_eq!(old, new),
                Some(Change { old: range, new: len }) => {
                    let (start, end) = (range.start as usize, range.end as usize);
                    let put = &new[start..start + len as usize];
                    prop_assert_eq!(format!("{}{put}{}", &old[..start], &old[end..]), new);
                }
            }
        }
    }
}

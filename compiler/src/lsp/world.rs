//! Everything that the server knows: the documents that are open, and the meshes that they are parts of.
//!
//! In: what the editor says of its documents, folders and files. Out: a [`View`] of a document, which answers
//! are made from. A mesh is loaded when the first of its files is opened, follows every edit, and is forgotten
//! when the last one is closed.

use super::client::{Abilities, Refusal};
use super::live::Live;
use super::paths;
use super::workspace::{Outline, Workspace};
use gen_lsp_types::{
    Location, Position, Range, TextDocumentContentChangeEvent, TextDocumentIdentifier,
    TextDocumentPositionParams, Uri,
};
use mesh_lang::source::{FileId, SourceFile, Span};
use mesh_lang::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A document that is open.
#[derive(Debug)]
pub(super) struct Document {
    /// As the editor writes it.
    pub(super) uri: Uri,
    pub(super) version: i32,
    source: SourceFile,
    outline: Outline,
    /// The meshes that it is a part of, and which of their files it is; its own mesh first.
    places: Vec<(PathBuf, FileId)>,
}

/// Everything that the server knows.
#[derive(Debug)]
pub(super) struct World {
    /// What the editor can.
    pub(super) can: Abilities,
    workspace: Workspace,
    documents: BTreeMap<PathBuf, Document>,
    meshes: BTreeMap<PathBuf, Live>,
    /// The latest revision of any mesh.
    revision: u64,
    /// The meshes of which something is new.
    changed: BTreeSet<PathBuf>,
}

impl World {
    /// A world with these folders, and nothing open.
    pub(super) fn new(can: Abilities, folders: Vec<PathBuf>) -> Self {
        Self {
            can,
            workspace: Workspace::new(folders),
            documents: BTreeMap::new(),
            meshes: BTreeMap::new(),
            revision: 0,
            changed: BTreeSet::new(),
        }
    }

    // ── What the editor says ──

    /// A document was opened.
    pub(super) fn open(&mut self, uri: Uri, version: i32, text: &str) {
        let path = paths::of_uri(&uri);
        let source = SourceFile::new(path.to_string_lossy(), text);
        let document = Document {
            outline: Outline::of_text(text),
            uri,
            version,
            source,
            places: Vec::new(),
        };
        self.documents.insert(path.clone(), document);
        self.assign();
        // Its findings are told with its version, even if they are known already.
        let places = self.documents.get(&path).map(|it| &it.places);
        let roots = places.into_iter().flatten().map(|(root, _)| root.clone());
        self.changed.extend(roots);
    }

    /// A document was edited.
    pub(super) fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: &[TextDocumentContentChangeEvent],
    ) {
        let path = paths::of_uri(uri);
        let Some(document) = self.documents.get_mut(&path) else {
            return;
        };
        for change in changes {
            document.source = self.can.encoding.apply(&document.source, change);
        }
        document.version = version;
        self.follow(&path);
    }

    /// A document was saved, perhaps with a text that the editor did not tell of.
    pub(super) fn save(&mut self, uri: &Uri, text: Option<&str>) {
        let path = paths::of_uri(uri);
        if let (Some(document), Some(text)) = (self.documents.get_mut(&path), text) {
            document.source = SourceFile::new(path.to_string_lossy(), text);
        }
        self.follow(&path);
        // What is there may be a file now that none was before.
        self.workspace.forget_files();
    }

    /// A document was closed: the file counts again.
    pub(super) fn close(&mut self, uri: &Uri) {
        let path = paths::of_uri(uri);
        let Some(document) = self.documents.remove(&path) else {
            return;
        };
        let on_disk = std::fs::read_to_string(&path);
        if on_disk.ok().as_deref() != Some(document.source.text()) {
            self.forget(document.places.into_iter().map(|(root, _)| root));
        }
        self.assign();
    }

    /// Files were made, changed or removed by somebody else.
    pub(super) fn change_files(&mut self, files: &[PathBuf]) {
        let is_open = |file: &&PathBuf| self.documents.contains_key(*file);
        let files: Vec<&PathBuf> = files.iter().filter(|file| !is_open(file)).collect();
        if files.is_empty() {
            return;
        }
        self.workspace.forget_files();
        let is_touched = |live: &Live| {
            let mut touched = files
                .iter()
                .filter(|file| live.owns(file) || live.file(file).is_some());
            touched.next().is_some()
        };
        let touched = self.meshes.iter().filter(|(_, live)| is_touched(live));
        let roots: Vec<PathBuf> = touched.map(|(root, _)| root.clone()).collect();
        self.forget(roots);
        self.assign();
    }

    /// Folders were opened and closed.
    pub(super) fn change_folders(&mut self, added: Vec<PathBuf>, removed: &[PathBuf]) {
        self.workspace.change_folders(added, removed);
        self.assign();
    }

    /// The user said where meshes are.
    pub(super) fn set_roots(&mut self, roots: &[PathBuf]) {
        self.workspace.set_roots(roots);
        self.assign();
    }

    // ── Meshes ──

    /// Brings the text of a document to the meshes that it is a part of.
    fn follow(&mut self, path: &Path) {
        let Some(document) = self.documents.get_mut(path) else {
            return;
        };
        self.revision += 1;
        let mut outline = None;
        for (root, file) in &document.places {
            let Some(live) = self.meshes.get_mut(root) else {
                continue;
            };
            live.edit(*file, &document.source, self.revision);
            outline.get_or_insert_with(|| Outline::of_tree(live.tree(*file)));
            self.changed.insert(root.clone());
        }
        // Which files belong together may be another now.
        if let Some(outline) = outline.filter(|outline| *outline != document.outline) {
            document.outline = outline;
            let roots: Vec<PathBuf> = document.places.drain(..).map(|(root, _)| root).collect();
            self.forget(roots);
            self.assign();
        }
    }

    fn forget(&mut self, roots: impl IntoIterator<Item = PathBuf>) {
        for root in roots {
            self.meshes.remove(&root);
            self.changed.insert(root);
        }
    }

    /// Finds for every document the meshes that it is a part of, loads those that are new and forgets those
    /// that nobody needs.
    fn assign(&mut self) {
        let buffers = self.buffers();
        let mut roots_of: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
        for (path, _) in &buffers {
            let roots = self.workspace.meshes_of(path, &buffers);
            for root in &roots {
                let is_complete = |live: &Live| live.file(path).is_some() || !live.adopts(path);
                if !self.meshes.get(root).is_some_and(is_complete) {
                    self.revision += 1;
                    let live = Live::load(root, self.revision, &buffers);
                    self.meshes.insert(root.clone(), live);
                    self.changed.insert(root.clone());
                }
            }
            roots_of.insert(path, roots);
        }
        let mut needed = BTreeSet::new();
        for (path, document) in &mut self.documents {
            document.places.clear();
            for root in roots_of.remove(path.as_path()).unwrap_or_default() {
                let Some(live) = self.meshes.get_mut(&root) else {
                    continue;
                };
                let Some(file) = live.file(path) else {
                    continue;
                };
                self.revision += 1;
                if live.edit(file, &document.source, self.revision) {
                    self.changed.insert(root.clone());
                }
                document.places.push((root.clone(), file));
                needed.insert(root);
            }
        }
        let unneeded = self.meshes.extract_if(.., |root, _| !needed.contains(root));
        self.changed.extend(unneeded.map(|(root, _)| root));
    }

    fn buffers(&self) -> Vec<(PathBuf, Arc<str>)> {
        let documents = self.documents.iter();
        documents
            .map(|(path, it)| (path.clone(), it.source.shared_text()))
            .collect()
    }

    /// The meshes of which something is new since this was asked last; some may be gone.
    pub(super) fn take_changed(&mut self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut self.changed)
    }

    /// The meshes that are loaded.
    pub(super) fn meshes(&self) -> impl Iterator<Item = (&PathBuf, &Live)> {
        self.meshes.iter()
    }

    /// A mesh.
    pub(super) fn mesh(&self, root: &Path) -> Option<&Live> {
        self.meshes.get(root)
    }

    /// A mesh, to be told what was proved of it.
    pub(super) fn mesh_mut(&mut self, root: &Path) -> Option<&mut Live> {
        self.meshes.get_mut(root)
    }

    /// All meshes in the folders, those of which nothing is open among them.
    pub(super) fn all_meshes(&mut self) -> Vec<Live> {
        let buffers = self.buffers();
        let roots = self.workspace.all_meshes(&buffers);
        let not_loaded = roots
            .into_iter()
            .filter(|root| !self.meshes.contains_key(root));
        not_loaded
            .map(|root| Live::load(&root, 0, &buffers))
            .collect()
    }

    // ── Documents ──

    /// The document that is a file of a mesh, if that is open.
    pub(super) fn document_of(&self, root: &Path, file: FileId) -> Option<(&PathBuf, &Document)> {
        let mut documents = self.documents.iter();
        documents.find(|(_, document)| {
            document
                .places
                .iter()
                .any(|it| it.0 == root && it.1 == file)
        })
    }

    /// The document at a path, if it is open.
    pub(super) fn document(&self, path: &Path) -> Option<&Document> {
        self.documents.get(path)
    }

    /// The mesh that a document is a part of first of all.
    pub(super) fn own_mesh(&self, document: &Document) -> Option<&Live> {
        let (root, _) = document.places.first()?;
        self.meshes.get(root)
    }

    /// A document as a part of its own mesh.
    pub(super) fn view(&self, document: &TextDocumentIdentifier) -> Result<View<'_>, Refusal> {
        let path = paths::of_uri(&document.uri);
        let open = self.documents.get(&path);
        let place = open.and_then(|document| document.places.first());
        let found = place.and_then(|(root, file)| Some((self.meshes.get(root)?, *file)));
        match found {
            Some((live, file)) => Ok(View {
                world: self,
                live,
                file,
            }),
            None => Err(Refusal::because(format!("{} is not open", document.uri))),
        }
    }

    /// A file of any mesh that is loaded, open or not.
    pub(super) fn view_anywhere(
        &self,
        document: &TextDocumentIdentifier,
    ) -> Result<View<'_>, Refusal> {
        let path = paths::of_uri(&document.uri);
        let mut meshes = self.meshes.values();
        let found = meshes.find_map(|live| Some((live, live.file(&path)?)));
        match found {
            Some((live, file)) if !self.documents.contains_key(&path) => Ok(View {
                world: self,
                live,
                file,
            }),
            _ => self.view(document),
        }
    }

    /// A place in a document.
    pub(super) fn place(
        &self,
        params: &TextDocumentPositionParams,
    ) -> Result<(View<'_>, u32), Refusal> {
        let view = self.view(&params.text_document)?;
        let offset = view.offset(params.position);
        Ok((view, offset))
    }

    /// How a file of a mesh is called in the editor.
    pub(super) fn uri(&self, live: &Live, file: FileId) -> Option<Uri> {
        match self.document_of(&live.root, file) {
            Some((_, document)) => Some(document.uri.clone()),
            None => live.path(file).map(paths::to_uri),
        }
    }

    /// A place in a mesh.
    pub(super) fn location(&self, live: &Live, span: Span) -> Option<Location> {
        Some(Location {
            uri: self.uri(live, span.file)?,
            range: self.can.encoding.range(live.source(span.file), span),
        })
    }
}

/// A document as a part of a mesh.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'w> {
    pub(super) world: &'w World,
    pub(super) live: &'w Live,
    pub(super) file: FileId,
}

impl<'w> View<'w> {
    /// The text.
    pub(super) fn source(&self) -> &'w SourceFile {
        self.live.source(self.file)
    }

    /// The tree.
    pub(super) fn tree(&self) -> &'w Tree {
        self.live.tree(self.file)
    }

    /// The offset of a position.
    pub(super) fn offset(&self, position: Position) -> u32 {
        self.world.can.encoding.offset(self.source(), position)
    }

    /// The place that a range is.
    pub(super) fn span(&self, range: Range) -> Span {
        let (start, end) = (self.offset(range.start), self.offset(range.end));
        Span::new(self.file, start.min(end), start.max(end))
    }

    /// The position of an offset.
    pub(super) fn position(&self, offset: u32) -> Position {
        self.world.can.encoding.position(self.source(), offset)
    }

    /// The range of a place in the document.
    pub(super) fn range(&self, span: Span) -> Range {
        self.world.can.encoding.range(self.source(), span)
    }

    /// A place anywhere in the mesh.
    pub(super) fn location(&self, span: Span) -> Option<Location> {
        self.world.location(self.live, span)
    }
}

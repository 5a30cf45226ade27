//! Which files belong together.
//!
//! In: the folders that an editor has open, and the files in them. Out: for a file the meshes that it is a
//! part of, by their roots. A mesh has one `mesh` item, and its root is the widest directory around a file of
//! which that holds: whoever runs `meshc` there means all that is below. Where files import others, the root is
//! the directory that the `mesh` item lies in, and what is imported belongs to those that import it. Where each
//! of several files of a directory has a `mesh` of its own, as samples have, each is a mesh. What belongs
//! nowhere is a mesh by itself, with what lies beside it.

use super::paths::{is_policy, lexically};
use mesh_lang::parser::parse;
use mesh_lang::source::FileId;
use mesh_lang::tree::Tree;
use mesh_lang::view::{Item, ItemKind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Directories in which nobody keeps policies, but many files.
const SKIPPED: &[&str] = &["node_modules", "target"];

/// Entries of directories that are looked at, at most.
const MOST_ENTRIES: usize = 200_000;

/// What of a file decides to which mesh it belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    /// Whether it has a `mesh` item.
    pub(super) has_mesh: bool,
    /// The directories that it imports, as written.
    pub(super) imports: Vec<String>,
}

impl Outline {
    /// What a tree says.
    pub(super) fn of_tree(tree: &Tree) -> Self {
        let mut outline = Self::default();
        for item in tree.items() {
            match item {
                Item::Block(block) if block.kind() == ItemKind::Mesh => outline.has_mesh = true,
                Item::Import(import) => {
                    let path = import.path().map(|path| path.unescaped().into_owned());
                    outline.imports.extend(path);
                }
                _ => {}
            }
        }
        outline
    }

    /// What a text says.
    pub(super) fn of_text(text: &str) -> Self {
        // Most files have neither, and need not be read further.
        let may_say = text.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with("mesh") || line.contains("import")
        });
        if may_say {
            Self::of_tree(&parse(FileId(0), text).tree)
        } else {
            Self::default()
        }
    }

    fn of_file(path: &Path) -> Self {
        let text = std::fs::read_to_string(path);
        text.map_or_else(|_| Self::default(), |text| Self::of_text(&text))
    }
}

/// The texts that an editor has, by their paths.
pub(super) type Buffers = [(PathBuf, Arc<str>)];

/// The folders that are open.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    folders: Vec<PathBuf>,
    /// The roots of meshes, where the user says so.
    roots: Vec<PathBuf>,
    /// All policies in the folders, once somebody needed them.
    scanned: Option<BTreeMap<PathBuf, Outline>>,
}

impl Workspace {
    pub(super) fn new(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            ..Self::default()
        }
    }

    /// Says where meshes are; relative to the folders.
    pub(super) fn set_roots(&mut self, roots: &[PathBuf]) {
        let absolute = |root: &PathBuf| {
            let folders = self.folders.iter();
            folders
                .map(|folder| lexically(&folder.join(root)))
                .collect::<Vec<_>>()
        };
        self.roots = roots.iter().flat_map(absolute).collect();
    }

    /// Opens and closes folders.
    pub(super) fn change_folders(&mut self, added: Vec<PathBuf>, removed: &[PathBuf]) {
        self.folders.retain(|folder| !removed.contains(folder));
        self.folders.extend(added);
        self.scanned = None;
    }

    /// Notes that files have come, gone or changed.
    pub(super) fn forget_files(&mut self) {
        self.scanned = None;
    }

    /// The roots of the meshes that a file is a part of; the first is its own.
    pub(super) fn meshes_of(&mut self, file: &Path, buffers: &Buffers) -> Vec<PathBuf> {
        if !file.is_absolute() {
            return vec![file.to_owned()];
        }
        let said = self.roots.iter().filter(|root| file.starts_with(root));
        if let Some(root) = said.max_by_key(|root| root.components().count()) {
            return vec![root.clone()];
        }
        let own = match self.upwards(file, buffers) {
            Some(root) if root.is_dir() => Some(self.widened(root, buffers)),
            Some(root) => Some(root),
            None => self.around(file, buffers),
        };
        let mut roots: Vec<PathBuf> = own.into_iter().collect();
        roots.extend(self.importers(file, buffers));
        if roots.is_empty() {
            roots.push(file.parent().unwrap_or(file).to_owned());
        }
        let mut seen = BTreeSet::new();
        roots.retain(|root| seen.insert(root.clone()));
        roots
    }

    /// The roots of all meshes in the folders.
    pub(super) fn all_meshes(&mut self, buffers: &Buffers) -> BTreeSet<PathBuf> {
        let files: Vec<PathBuf> = self.scan(buffers).into_keys().collect();
        let roots = files
            .iter()
            .filter_map(|file| self.meshes_of(file, buffers).into_iter().next());
        roots.collect()
    }

    /// The mesh whose `mesh` item lies in a directory around a file.
    fn upwards(&self, file: &Path, buffers: &Buffers) -> Option<PathBuf> {
        let beside = file.parent()?;
        let around = self
            .folders
            .iter()
            .filter(|folder| file.starts_with(folder));
        let last = around.min_by_key(|folder| folder.components().count());
        let last = last.map_or(beside, PathBuf::as_path);
        for directory in beside.ancestors() {
            if let Some(root) = root_in(directory, file, buffers) {
                return Some(root);
            }
            if directory == last {
                break;
            }
        }
        None
    }

    /// The widest directory around a root that has no other `mesh` item in it, and no imports.
    fn widened(&mut self, root: PathBuf, buffers: &Buffers) -> PathBuf {
        let outlines = self.scan(buffers);
        let folders = self
            .folders
            .iter()
            .filter(|folder| root.starts_with(folder));
        let Some(last) = folders.min_by_key(|folder| folder.components().count()) else {
            return root;
        };
        let wider = root
            .ancestors()
            .take_while(|directory| directory.starts_with(last));
        let whole = wider.take_while(|directory| meshes_below(directory, &outlines) == Some(1));
        whole.last().map_or_else(|| root.clone(), Path::to_owned)
    }

    /// The mesh whose `mesh` item lies beside or below a directory around a file, if it is the only one there.
    fn around(&mut self, file: &Path, buffers: &Buffers) -> Option<PathBuf> {
        let outlines = self.scan(buffers);
        let is_open = |directory: &&Path| {
            self.folders
                .iter()
                .any(|folder| directory.starts_with(folder))
        };
        let around = file.ancestors().skip(1).take_while(is_open);
        let found = around.map(|directory| (directory, meshes_below(directory, &outlines)));
        let (directory, count) = found.into_iter().find(|(_, count)| *count != Some(0))?;
        let directory = directory.to_owned();
        (count == Some(1)).then(|| self.widened(directory, buffers))
    }

    /// The meshes that import a directory around a file, by themselves or through others.
    fn importers(&mut self, file: &Path, buffers: &Buffers) -> Vec<PathBuf> {
        let outlines = self.scan(buffers);
        let imports: Vec<(PathBuf, PathBuf)> = outlines
            .iter()
            .flat_map(|(path, outline)| {
                let beside = path.parent().unwrap_or(path).to_owned();
                let imports = outline.imports.iter();
                imports.map(move |import| (path.clone(), lexically(&beside.join(import))))
            })
            .collect();
        let mut roots = Vec::new();
        let mut reached = BTreeSet::new();
        let mut wanted = vec![file.to_owned()];
        while let Some(path) = wanted.pop() {
            for (importer, _) in imports
                .iter()
                .filter(|(_, imported)| path.starts_with(imported))
            {
                if reached.insert(importer.clone()) {
                    roots.extend(self.upwards(importer, buffers));
                    wanted.push(importer.clone());
                }
            }
        }
        roots
    }

    /// All policies in the folders.
    fn scan(&mut self, buffers: &Buffers) -> BTreeMap<PathBuf, Outline> {
        let folders = &self.folders;
        let scanned = self.scanned.get_or_insert_with(|| {
            let mut files = BTreeMap::new();
            let mut left = MOST_ENTRIES;
            for folder in folders {
                scan(folder, &mut files, &mut left);
            }
            files
        });
        let mut files = scanned.clone();
        for (path, text) in buffers {
            if folders.iter().any(|folder| path.starts_with(folder)) {
                files.insert(path.clone(), Outline::of_text(text));
            }
        }
        files
    }
}

/// How many `mesh` items the files below a directory have; none where some of them import others.
fn meshes_below(directory: &Path, outlines: &BTreeMap<PathBuf, Outline>) -> Option<usize> {
    let below = outlines
        .iter()
        .filter(|(path, _)| path.starts_with(directory));
    let mut count = 0;
    for (_, outline) in below {
        if !outline.imports.is_empty() {
            return None;
        }
        count += usize::from(outline.has_mesh);
    }
    Some(count)
}

/// The mesh that a directory is for a file in it or below it, if it has a `mesh` item.
fn root_in(directory: &Path, file: &Path, buffers: &Buffers) -> Option<PathBuf> {
    let members = members(directory, buffers);
    let with_mesh = members.values().filter(|has_mesh| **has_mesh).count();
    match with_mesh {
        0 => None,
        1 => Some(directory.to_owned()),
        // Samples, each a mesh by itself.
        many if many == members.len() => members.contains_key(file).then(|| file.to_owned()),
        _ => Some(directory.to_owned()),
    }
}

/// The policies right in a directory, and whether they have a `mesh` item.
fn members(directory: &Path, buffers: &Buffers) -> BTreeMap<PathBuf, bool> {
    let mut members = BTreeMap::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if is_policy(&path) && !is_hidden(&path) && path.is_file() {
            let is_open = buffers.iter().any(|(open, _)| *open == path);
            let has_mesh = !is_open && Outline::of_file(&path).has_mesh;
            members.insert(path, has_mesh);
        }
    }
    for (path, text) in buffers {
        if path.parent() == Some(directory) {
            members.insert(path.clone(), Outline::of_text(text).has_mesh);
        }
    }
    members
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name();
    name.is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Adds the policies below a directory. Links are left alone: they may lead anywhere.
fn scan(directory: &Path, files: &mut BTreeMap<PathBuf, Outline>, left: &mut usize) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if *left == 0 {
            return;
        }
        *left -= 1;
        let path = entry.path();
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if is_hidden(&path) {
            continue;
        }
        if kind.is_dir() {
            let name = entry.file_name();
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                scan(&path, files, left);
            }
        } else if is_policy(&path) {
            let outline = Outline::of_file(&path);
            files.insert(path, outline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with these files, and the meshes of one of them, relative to it.
    fn meshes(files: &[(&str, &str)], open: &[(&str, &str)], file: &str) -> Vec<String> {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        }
        let buffers: Vec<(PathBuf, Arc<str>)> = open
            .iter()
            .map(|(name, text)| (directory.path().join(name), Arc::from(*text)))
            .collect();
        let mut workspace = Workspace::new(vec![directory.path().to_owned()]);
        let roots = workspace.meshes_of(&directory.path().join(file), &buffers);
        let relative = |root: &PathBuf| {
            let root = root.strip_prefix(directory.path()).expect("it is below");
            root.display().to_string()
        };
        roots.iter().map(relative).collect()
    }

    #[test]
    fn a_mesh_is_the_directory_with_the_mesh_item() {
        let files = [
            ("shop/mesh.mesh", "mesh shop { }\n"),
            ("shop/teams/a/cart.mesh", "service cart { }\n"),
            ("other/mesh.mesh", "mesh other { }\n"),
        ];
        assert_eq!(meshes(&files, &[], "shop/teams/a/cart.mesh"), ["shop"]);
        assert_eq!(meshes(&files, &[], "shop/mesh.mesh"), ["shop"]);
        // What was not saved yet counts.
        let open = [("shop/teams/a/new.mesh", "mesh new { }")];
        assert_eq!(
            meshes(&files, &open, "shop/teams/a/cart.mesh"),
            ["shop/teams"]
        );
    }

    #[test]
    fn a_mesh_is_as_wide_as_there_is_no_other() {
        let files = [
            ("market/platform/mesh.mesh", "mesh market { }\n"),
            ("market/platform/edge.mesh", "gateway edge { }\n"),
            ("market/teams/a/cart.mesh", "service cart { }\n"),
            ("other/mesh.mesh", "mesh other { }\n"),
        ];
        for file in [
            "market/platform/mesh.mesh",
            "market/platform/edge.mesh",
            "market/teams/a/cart.mesh",
        ] {
            assert_eq!(meshes(&files, &[], file), ["market"], "{file}");
        }
        // The folder that is open is the widest.
        assert_eq!(meshes(&files[..3], &[], "market/teams/a/cart.mesh"), [""]);
        // What belongs to one of two is not guessed.
        let file = ("new/x.mesh", "service x { }\n");
        assert_eq!(meshes(&[files[0], files[3], file], &[], file.0), ["new"]);
    }

    #[test]
    fn samples_are_a_mesh_each() {
        let files = [("a.mesh", "mesh a { }\n"), ("b.mesh", "mesh b { }\n")];
        assert_eq!(meshes(&files, &[], "a.mesh"), ["a.mesh"]);
        // One `mesh` too many among others is a mistake to be shown.
        let files = [files[0], files[1], ("c.mesh", "service c { }\n")];
        assert_eq!(meshes(&files, &[], "a.mesh"), [""]);
    }

    #[test]
    fn what_is_imported_belongs_to_whoever_imports_it() {
        let files = [
            ("shop/mesh.mesh", "import \"../common\"\nmesh shop { }\n"),
            ("blog/mesh.mesh", "mesh blog { }\nimport \"../common\"\n"),
            ("common/c.mesh", "import \"../base\"\n"),
            ("base/sub/b.mesh", "policy patient { timeout 10s }\n"),
            ("alone/a.mesh", "service a { }\n"),
        ];
        assert_eq!(meshes(&files, &[], "common/c.mesh"), ["blog", "shop"]);
        assert_eq!(meshes(&files, &[], "base/sub/b.mesh"), ["blog", "shop"]);
        assert_eq!(meshes(&files, &[], "alone/a.mesh"), ["alone"]);
    }

    #[test]
    fn roots_may_be_said() {
        let mut workspace = Workspace::new(vec![PathBuf::from("/w")]);
        workspace.set_roots(&[PathBuf::from("infra")]);
        let file = Path::new("/w/infra/teams/a.mesh");
        assert_eq!(workspace.meshes_of(file, &[]), [Path::new("/w/infra")]);
    }

    #[test]
    fn a_buffer_that_lies_nowhere_is_a_mesh() {
        let mut workspace = Workspace::default();
        let file = Path::new("untitled:Untitled-1");
        assert_eq!(workspace.meshes_of(file, &[]), [file]);
    }
}

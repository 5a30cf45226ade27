//! Names: what is declared where, and what each word refers to.
//!
//! ```text
//! tree ─ collect ─▶ FileNames: declarations and uses of a file, in the order of the text
//!                        │ all files of a mesh
//!                        ▼
//!                      Names: what a use means, who uses a declaration
//! ```
//!
//! Each file is read by itself, whatever is wrong with it, and again only when it changes. What a use
//! means is looked up when somebody asks, by the rules of the language: in its own namespace, then at top
//! level; in the room of a service its versions first.

mod collect;
#[cfg(test)]
mod tests;

use crate::model::DEFAULT_NAMESPACE;
use mesh_lang::source::{FileId, Span};
use mesh_lang::tree::Tree;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Part {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl From<Span> for Part {
    fn from(span: Span) -> Self {
        Self {
            start: span.start,
            end: span.end,
        }
    }
}

impl Part {
    /// Where it is, in `file`.
    pub(super) fn span(self, file: FileId) -> Span {
        Span::new(file, self.start, self.end)
    }

    /// Whether a cursor at `offset` is in it or beside it.
    pub(super) fn touches(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }
}

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Mesh,
    Namespace,
    Service,
    External,
    Gateway,
    Version,
    Param,
    /// A `let` of a value.
    Let,
    /// A `let` of a condition.
    Condition,
    Policy,
    Jwt,
    Keys,
    Env,
    Arm,
    Rule,
}

/// A set of names that are unique among each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Set {
    Mesh,
    Namespace,
    /// Services, externals and gateways.
    Entity,
    Version,
    /// Params and lets.
    Value,
    Policy,
    Jwt,
    Keys,
    Env,
    /// Arms and rules.
    Label,
}

impl Kind {
    /// The set that its names are of.
    pub(super) const fn set(self) -> Set {
        match self {
            Self::Mesh => Set::Mesh,
            Self::Namespace => Set::Namespace,
            Self::Service | Self::External | Self::Gateway => Set::Entity,
            Self::Version => Set::Version,
            Self::Param | Self::Let | Self::Condition => Set::Value,
            Self::Policy => Set::Policy,
            Self::Jwt => Set::Jwt,
            Self::Keys => Set::Keys,
            Self::Env => Set::Env,
            Self::Arm | Self::Rule => Set::Label,
        }
    }

    /// The word that it is declared with, or what it is called.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Mesh => "mesh",
            Self::Namespace => "namespace",
            Self::Service => "service",
            Self::External => "external",
            Self::Gateway => "gateway",
            Self::Version => "version",
            Self::Param => "param",
            Self::Let | Self::Condition => "let",
            Self::Policy => "policy",
            Self::Jwt => "jwt",
            Self::Keys => "keys",
            Self::Env => "env",
            Self::Arm => "arm",
            Self::Rule => "rule",
        }
    }
}

/// A declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) kind: Kind,
    /// Its name.
    pub(super) name: Part,
    /// The whole of it.
    pub(super) item: Part,
    /// The namespace that it stands in; none at top level.
    pub(super) namespace: Option<Part>,
    /// Of a version the service, among the declarations of the file.
    pub(super) service: Option<u32>,
    /// Of an arm or a rule the block that it stands in.
    pub(super) table: u32,
    pub(super) exported: bool,
}

/// A word, or a part of one, that refers to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) at: Part,
    pub(super) means: Means,
    /// What for.
    pub(super) role: Role,
    /// The namespace that it stands in; none at top level.
    pub(super) namespace: Option<Part>,
    /// The service that it stands in, among the declarations of the file.
    pub(super) within: Option<u32>,
    /// The gateway that it stands in.
    pub(super) gateway: Option<u32>,
}

/// What a use may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// A namespace.
    Namespace,
    /// A service, an external or a gateway, of the namespace that is written before it, if one is.
    Entity {
        qualifier: Option<Part>,
        /// Whether a version of the service around comes first.
        or_version: bool,
        /// Whether a param or a let comes first.
        or_value: bool,
    },
    /// A version of the service that is written before it.
    Version {
        qualifier: Option<Part>,
        service: Part,
    },
    /// A param or a let; where it is not `certain`, it may be a word that means itself.
    Value { certain: bool },
    /// A param of exactly this namespace.
    Param { qualifier: Option<Part> },
    /// A policy, an issuer of tokens or API keys, of the namespace that is written before it, if one is.
    Reference { set: Set, qualifier: Option<Part> },
}

/// What a use is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Requests or connections go there.
    Forward,
    /// A copy of some does.
    Mirror,
    /// They go there when nobody else is healthy.
    Failover,
    /// A service calls it.
    Call,
    /// It may call.
    Allow,
    /// It may not.
    Deny,
    /// Anything else.
    Other,
}

/// The names of a file.
#[derive(Debug)]
pub(super) struct FileNames {
    tree: Tree,
    /// In the order of the text.
    pub(super) declared: Vec<Declared>,
    /// In the order of the text.
    pub(super) used: Vec<Used>,
}

impl FileNames {
    /// The text of a part.
    pub(super) fn text(&self, part: Part) -> &str {
        part.span(self.tree.file()).text(self.tree.text())
    }

    /// A namespace by name.
    pub(super) fn namespace(&self, namespace: Option<Part>) -> &str {
        namespace.map_or(DEFAULT_NAMESPACE, |name| self.text(name))
    }

    /// The use at a place, the innermost.
    pub(super) fn used_at(&self, offset: u32) -> Option<&Used> {
        let touching = self.used.iter().filter(|used| used.at.touches(offset));
        touching.min_by_key(|used| (used.at.end - used.at.start, used.at.start))
    }

    /// The declaration whose name is at a place.
    pub(super) fn declared_at(&self, offset: u32) -> Option<u32> {
        let at = self.declared.iter().position(|it| it.name.touches(offset));
        at.map(|index| index as u32)
    }
}

/// A declaration of a mesh: the file, and which one of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id {
    pub(super) file: FileId,
    pub(super) index: u32,
}

/// Declarations by set, namespace and name.
type ByName = HashMap<Set, HashMap<Box<str>, HashMap<Box<str>, Vec<Id>>>>;

/// The names of a mesh.
#[derive(Debug)]
pub(super) struct Names {
    files: Vec<Arc<FileNames>>,
    by_name: ByName,
    /// By service.
    versions: HashMap<Id, Vec<Id>>,
}

impl Names {
    /// The names of files, by their ids.
    pub(super) fn new(files: Vec<Arc<FileNames>>) -> Self {
        let mut by_name = ByName::new();
        let mut versions: HashMap<Id, Vec<Id>> = HashMap::new();
        for (file, names) in (0..).map(FileId).zip(&files) {
            for (index, declared) in (0..).zip(&names.declared) {
                let id = Id { file, index };
                let scope = match declared.kind.set() {
                    Set::Mesh | Set::Namespace | Set::Env => "",
                    Set::Version => {
                        let service = declared.service.map(|index| Id { file, index });
                        versions.entry(service.unwrap_or(id)).or_default().push(id);
                        continue;
                    }
                    Set::Label => continue, // nothing refers to them
                    Set::Entity | Set::Value | Set::Policy | Set::Jwt | Set::Keys => {
                        names.namespace(declared.namespace)
                    }
                };
                let set = by_name.entry(declared.kind.set()).or_default();
                let scope = set.entry(scope.into()).or_default();
                let name = names.text(declared.name).into();
                scope.entry(name).or_default().push(id);
            }
        }
        Self {
            files,
            by_name,
            versions,
        }
    }

    /// The names of a file.
    pub(super) fn file(&self, file: FileId) -> &FileNames {
        &self.files[file.0 as usize]
    }

    /// The same, to be kept.
    pub(super) fn shared(&self, file: FileId) -> Arc<FileNames> {
        Arc::clone(&self.files[file.0 as usize])
    }

    /// All files.
    pub(super) fn files(&self) -> impl Iterator<Item = (FileId, &FileNames)> {
        (0..)
            .map(FileId)
            .zip(self.files.iter().map(|names| &**names))
    }

    /// A declaration.
    pub(super) fn declared(&self, id: Id) -> &Declared {
        &self.file(id.file).declared[id.index as usize]
    }

    /// All declarations.
    pub(super) fn all(&self) -> impl Iterator<Item = (Id, &Declared)> {
        self.files().flat_map(|(file, names)| {
            let all = (0..).zip(&names.declared);
            all.map(move |(index, declared)| (Id { file, index }, declared))
        })
    }

    /// The name of a declaration.
    pub(super) fn name(&self, id: Id) -> &str {
        self.file(id.file).text(self.declared(id).name)
    }

    /// The namespace that a declaration stands in.
    pub(super) fn namespace(&self, id: Id) -> &str {
        let names = self.file(id.file);
        names.namespace(self.declared(id).namespace)
    }

    /// The name of a declaration with what stands before it elsewhere: `payments/ledger.v2`.
    pub(super) fn qualified(&self, id: Id) -> String {
        let declared = self.declared(id);
        let name = match declared.service {
            Some(index) if declared.kind == Kind::Version => {
                let service = Id { index, ..id };
                return format!("{}.{}", self.qualified(service), self.name(id));
            }
            _ => self.name(id),
        };
        match declared.namespace {
            Some(_) => format!("{}/{name}", self.namespace(id)),
            None => name.to_owned(),
        }
    }

    /// Where the name of a declaration is.
    pub(super) fn span(&self, id: Id) -> Span {
        self.declared(id).name.span(id.file)
    }

    /// What a use of a file refers to: one declaration, unless something is declared twice or a policy is
    /// used by several services; none if nothing is called so.
    pub(super) fn meaning(&self, file: FileId, used: &Used) -> Vec<Id> {
        let names = self.file(file);
        let name = names.text(used.at);
        let from = names.namespace(used.namespace);
        match used.means {
            Means::Namespace => self.find(Set::Namespace, "", name).to_vec(),
            Means::Reference { set, qualifier } => match qualifier {
                Some(namespace) => self.find(set, names.text(namespace), name).to_vec(),
                None => self.visible(set, from, name).to_vec(),
            },
            Means::Value { .. } => self.visible(Set::Value, from, name).to_vec(),
            Means::Param { qualifier } => {
                let found = self.find(Set::Value, names.namespace(qualifier), name);
                let is_param = |id: &&Id| self.declared(**id).kind == Kind::Param;
                found.iter().filter(is_param).copied().collect()
            }
            Means::Version { qualifier, service } => {
                let qualifier = qualifier.map(|qualifier| names.text(qualifier));
                let services = self.entity(from, qualifier, names.text(service));
                self.versions(services, name)
            }
            Means::Entity {
                qualifier,
                or_version,
                or_value,
            } => {
                if or_value {
                    let value = self.visible(Set::Value, from, name);
                    if !value.is_empty() {
                        return value.to_vec();
                    }
                }
                if or_version {
                    let version = self.version_around(file, used, name);
                    if !version.is_empty() {
                        return version;
                    }
                }
                let qualifier = qualifier.map(|qualifier| names.text(qualifier));
                let entity = self.entity(from, qualifier, name);
                if entity.is_empty() && or_version && used.within.is_none() {
                    // A policy means the versions of whoever uses it.
                    return self.versions_called(name);
                }
                entity.to_vec()
            }
        }
    }

    /// The uses of a declaration, in the order of the text.
    pub(super) fn uses(&self, of: Id) -> Vec<(FileId, Used)> {
        let name = self.name(of);
        let mut found = Vec::new();
        for (file, names) in self.files() {
            let called_so = names.used.iter().filter(|used| {
                names.text(used.at) == name && self.meaning(file, used).contains(&of)
            });
            found.extend(called_so.map(|used| (file, *used)));
        }
        found
    }

    /// What the place of a file is about: a declaration whose name is there, or what a use there refers to.
    pub(super) fn at(&self, file: FileId, offset: u32) -> Option<(Span, Vec<Id>)> {
        let names = self.file(file);
        if let Some(index) = names.declared_at(offset) {
            let id = Id { file, index };
            return Some((self.span(id), vec![id]));
        }
        let used = names.used_at(offset)?;
        let meaning = self.meaning(file, used);
        (!meaning.is_empty()).then(|| (used.at.span(file), meaning))
    }

    /// The declarations of a set that may be named in a namespace without saying where they are.
    pub(super) fn visible_in(&self, set: Set, from: &str) -> Vec<Id> {
        let is_visible = |(id, declared): &(Id, &Declared)| {
            let namespace = self.namespace(*id);
            declared.kind.set() == set && (namespace == from || namespace == DEFAULT_NAMESPACE)
        };
        self.all().filter(is_visible).map(|(id, _)| id).collect()
    }

    /// The versions of a service.
    pub(super) fn versions_of(&self, service: Id) -> &[Id] {
        self.versions.get(&service).map_or(&[], Vec::as_slice)
    }

    /// The service, external or gateway that a name means in a namespace.
    pub(super) fn entity(&self, from: &str, qualifier: Option<&str>, name: &str) -> &[Id] {
        match qualifier {
            Some(namespace) => self.find(Set::Entity, namespace, name),
            None => self.visible(Set::Entity, from, name),
        }
    }

    /// The declarations of exactly this scope.
    fn find(&self, set: Set, scope: &str, name: &str) -> &[Id] {
        let scopes = self.by_name.get(&set);
        let names = scopes.and_then(|scopes| scopes.get(scope));
        let found = names.and_then(|names| names.get(name));
        found.map_or(&[], Vec::as_slice)
    }

    /// The declarations of a namespace, else those at top level.
    fn visible(&self, set: Set, from: &str, name: &str) -> &[Id] {
        match self.find(set, from, name) {
            [] => self.find(set, DEFAULT_NAMESPACE, name),
            found => found,
        }
    }

    /// The versions of this name that the service around a use has.
    fn version_around(&self, file: FileId, used: &Used, name: &str) -> Vec<Id> {
        let service = used.within.map(|index| Id { file, index });
        let services: Vec<Id> = service.into_iter().collect();
        self.versions(&services, name)
    }

    fn versions(&self, services: &[Id], name: &str) -> Vec<Id> {
        let all = services
            .iter()
            .flat_map(|service| self.versions_of(*service));
        all.copied().filter(|id| self.name(*id) == name).collect()
    }

    /// All versions of this name.
    fn versions_called(&self, name: &str) -> Vec<Id> {
        let is_meant = |(id, declared): &(Id, &Declared)| {
            declared.kind == Kind::Version && self.name(*id) == name
        };
        self.all().filter(is_meant).map(|(id, _)| id).collect()
    }
}

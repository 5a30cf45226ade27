//! Findings as editors show them.
//!
//! In: the findings of meshes. Out: for each file a list, which is sent when it differs from the last one. A file
//! that several meshes share has the findings of all of them, each once.

use super::client::Client;
use super::live::Live;
use super::paths;
use super::world::World;
use gen_lsp_types::{
    Code as CodeOrNumber, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity,
    DiagnosticTag, Message, PublishDiagnosticsNotification, PublishDiagnosticsParams, Uri,
};
use mesh_lang::codes::{Code, Severity};
use mesh_lang::diagnostic::Diagnostic as Finding;
use mesh_lang::source::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

/// What the editor was told last, by file.
#[derive(Debug, Default)]
pub(super) struct Publisher {
    told: BTreeMap<PathBuf, Told>,
}

#[derive(Debug, PartialEq)]
struct Told {
    uri: Uri,
    version: Option<i32>,
    diagnostics: Vec<Diagnostic>,
}

impl Publisher {
    /// Tells what is new of the meshes `changed`, some of which may be gone.
    pub(super) fn publish(&mut self, client: &Client, world: &World, changed: &BTreeSet<PathBuf>) {
        let mut files = self.files_of_none(world);
        for (root, live) in world.meshes().filter(|(root, _)| changed.contains(*root)) {
            let all = live.files().map(|(file, path)| {
                let document = world.document_of(root, file);
                document.map_or_else(|| path.to_owned(), |(path, _)| path.clone())
            });
            files.extend(all);
        }
        let mut found = findings(world, &files);
        for path in files {
            let document = world.document(&path);
            let told = Told {
                uri: document.map_or_else(|| paths::to_uri(&path), |document| document.uri.clone()),
                version: document.map(|document| document.version),
                diagnostics: found.remove(&path).unwrap_or_default(),
            };
            let before = self.told.get(&path);
            let is_news = match before {
                Some(before) => *before != told,
                None => !told.diagnostics.is_empty() || told.version.is_some(),
            };
            if is_news {
                client.notify::<PublishDiagnosticsNotification>(PublishDiagnosticsParams {
                    uri: told.uri.clone(),
                    version: told.version,
                    diagnostics: told.diagnostics.clone(),
                });
            }
            if told.diagnostics.is_empty() && told.version.is_none() {
                self.told.remove(&path);
            } else if is_news {
                self.told.insert(path, told);
            }
        }
    }

    /// The files that something was told about and that belong to no mesh any more.
    fn files_of_none(&self, world: &World) -> BTreeSet<PathBuf> {
        let belongs = |path: &PathBuf| {
            world.document(path).is_some() || world.meshes().any(|(_, live)| live.holds(path))
        };
        self.told
            .keys()
            .filter(|path| !belongs(path))
            .cloned()
            .collect()
    }
}

/// The findings about files, of all meshes.
fn findings(world: &World, files: &BTreeSet<PathBuf>) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
    let mut found: BTreeMap<PathBuf, Vec<Diagnostic>> = BTreeMap::new();
    for (root, live) in world.meshes() {
        let mut paths: HashMap<FileId, Option<PathBuf>> = HashMap::new();
        for finding in live.findings() {
            // What is about no file is shown in the first one.
            let span = finding.span().unwrap_or(Span::empty(FileId(0), 0));
            let path = paths.entry(span.file).or_insert_with(|| {
                let document = world
                    .document_of(root, span.file)
                    .map(|(path, _)| path.clone());
                document.or_else(|| live.path(span.file).map(ToOwned::to_owned))
            });
            let Some(path) = path.as_ref().filter(|path| files.contains(*path)) else {
                continue;
            };
            let list = found.entry(path.clone()).or_default();
            let diagnostic = diagnostic(world, live, finding, span);
            if !list.contains(&diagnostic) {
                list.push(diagnostic);
            }
        }
    }
    found
}

/// A finding, at `span`, as the protocol has it.
pub(super) fn diagnostic(world: &World, live: &Live, finding: &Finding, span: Span) -> Diagnostic {
    let range = world.can.encoding.range(live.source(span.file), span);
    let others = finding.labels.iter().filter(|label| label.span != span);
    let related = others.filter_map(|label| {
        Some(DiagnosticRelatedInformation {
            location: world.location(live, label.span)?,
            message: match label.text.as_str() {
                "" => "here".to_owned(),
                text => text.to_owned(),
            },
        })
    });
    let related: Vec<_> = related.collect();
    Diagnostic {
        range,
        severity: Some(match finding.severity {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
            Severity::Info => DiagnosticSeverity::Information,
        }),
        code: Some(CodeOrNumber::String(finding.code.id().to_owned())),
        code_description: None,
        source: Some("meshc".to_owned()),
        message: Message::String(message(finding, span)),
        tags: is_in_vain(finding.code).then(|| vec![DiagnosticTag::Unnecessary]),
        related_information: (!related.is_empty()).then_some(related),
        data: None,
    }
}

/// All that is to be read: what is, why, what to do.
fn message(finding: &Finding, span: Span) -> String {
    let mut lines = vec![finding.message.clone()];
    let own = finding
        .labels
        .iter()
        .filter(|label| label.span == span && !label.text.is_empty());
    lines.extend(own.map(|label| label.text.clone()));
    lines.extend(finding.notes.iter().cloned());
    lines.extend(finding.advice().map(|advice| format!("help: {advice}")));
    let Finding { code, .. } = finding;
    lines.push(format!("{}: meshc explain {code}", code.name()));
    lines.join("\n")
}

/// Whether what a finding is about might as well not be there.
fn is_in_vain(code: Code) -> bool {
    matches!(
        code,
        Code::AllowUnused
            | Code::LimitUnusedForProtocol
            | Code::MatchRedundant
            | Code::OutlierIneffective
            | Code::RetryNonidempotent
            | Code::MirrorUnsafeMethods
            | Code::PolicyIneffective
            | Code::RouteShadowed
            | Code::UnusedDecl
            | Code::UnusedSuppression
            | Code::VersionUnused
    )
}

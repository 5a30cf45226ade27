//! How a bundle came to be: what its readers are told besides the policy.
//!
//! The source's hash, parameters and compiler say what the content depends on; checks and suppressions say
//! what the compiler was content with. None of it is a time or a place: the same mesh gives the same bytes.

use super::Planner;
use mesh_bundle::BundleId;
use mesh_bundle::format::{self as format, CheckKind, Id};
use mesh_lang::source::{Sources, Span};
use zerocopy::little_endian::U32;

/// What is known of a bundle besides the model.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The hash of the sources.
    pub sources: Option<[u8; 32]>,
    /// The bundle that a slice is cut from.
    pub whole: Option<BundleId>,
    /// What the mesh was held against, and held.
    pub checks: Vec<Check>,
    /// Lints that are not heard of.
    pub suppressions: Vec<Suppression>,
    /// The mesh spelled out, for whoever compares the bundle with another.
    pub text: Option<String>,
}

/// The key under which a bundle holds the mesh spelled out.
pub const TEXT: &str = "text";

/// Something that the mesh was held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is.
    pub kind: CheckKind,
    /// What it is called.
    pub title: String,
    /// Claims that were proved, or requests that were sent.
    pub count: u32,
    /// Where it is written.
    pub span: Span,
}

/// A lint that is not heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Its code.
    pub code: &'static str,
    /// Its name.
    pub lint: &'static str,
    /// Why; `None` where the mesh allows it everywhere.
    pub reason: Option<String>,
    /// Where that is said.
    pub span: Span,
}

/// The hash of the first `files` sources: for each the lengths of its name and text, then both.
pub fn source_hash(sources: &Sources, files: usize) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for (_, file) in sources.iter().take(files) {
        let (name, text) = (file.name().as_bytes(), file.text().as_bytes());
        for part in [name, text] {
            hasher.update(&(part.len() as u64).to_le_bytes());
        }
        hasher.update(name);
        hasher.update(text);
    }
    *hasher.finalize().as_bytes()
}

impl Planner<'_> {
    /// Writes how the bundle came to be.
    pub(super) fn origin(&mut self, origin: &Origin) {
        let mesh = self.mesh;
        self.fact("compiler", concat!("meshc ", env!("CARGO_PKG_VERSION")));
        if let Some(hash) = origin.sources {
            self.fact("sources", &BundleId(hash).in_full());
        }
        if let Some(whole) = origin.whole {
            self.fact("whole", &whole.in_full());
        }
        if let Some(environment) = &mesh.environment {
            self.fact("environment", &environment.name);
            for set in &environment.sets {
                let (what, value) = set.split_once('=').unwrap_or((set, ""));
                self.fact(&format!("set {}", what.trim()), value.trim());
            }
        }
        if let Some(text) = &origin.text {
            self.fact(TEXT, text);
        }
        for param in &mesh.params {
            self.fact(&format!("param {}", param.name), &param.value);
        }
        for check in &origin.checks {
            let record = format::Check {
                kind: check.kind.code(),
                title: self.draft.string(&check.title),
                count: U32::new(check.count),
                location: self.location(check.span),
            };
            self.draft.checks.push(record);
        }
        for suppression in &origin.suppressions {
            let record = format::Suppression {
                code: self.draft.string(suppression.code),
                lint: self.draft.string(suppression.lint),
                reason: match &suppression.reason {
                    Some(reason) => self.draft.string(reason),
                    None => Id::NONE,
                },
                location: self.location(suppression.span),
            };
            self.draft.suppressions.push(record);
        }
    }

    fn fact(&mut self, key: &str, value: &str) {
        let fact = format::Provenance {
            key: self.draft.string(key),
            value: self.draft.string(value),
        };
        self.draft.provenances.push(fact);
    }
}

//! What there is to know of a bundle, read from the bundle alone: for people ([`human`]) and, as JSON, for
//! programs.
//!
//! ```text
//! Bundle ─▶ Inspection: whose, who signed it, how it came to be, nodes, needs, tables, sections ─▶ text, JSON
//!      └──▶ node::Node, records::Records: more of it, where asked for
//! ```

pub mod human;
pub mod node;
pub mod records;
mod tables;

use crate::plan::origin::TEXT;
use mesh_bundle::format::{Bundle, CheckKind, Id, NeedScope, Section, SliceOf};
use mesh_bundle::needs::Feature;
use mesh_bundle::signature::{KeyId, Moment};
use serde::Serialize;
use tables::Table;

/// What `meshc inspect --format json` prints, as a JSON Schema.
pub const SCHEMA: &str = include_str!("json.schema.json");

/// A bundle, looked at from outside.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// Its name in full.
    pub bundle: String,
    /// The version of its format.
    pub format: String,
    /// The mesh that it is of.
    pub mesh: String,
    /// The node whose slice it is; none: the whole mesh.
    pub slice: Option<String>,
    /// Bytes of the file.
    pub bytes: usize,
    /// Bytes of what stands behind the content.
    pub signature_bytes: usize,
    /// Who signed it. Whether they did, who has their keys can tell.
    pub signatures: Vec<SignedBy>,
    /// What the content depends on.
    pub provenance: Vec<Fact>,
    /// What the compiler held the mesh against, and what held.
    pub checks: Vec<Check>,
    /// How many requests nodes hold the bundle against before they serve it.
    pub samples: usize,
    /// Lints that the mesh did not want to hear of.
    pub suppressions: Vec<Suppression>,
    /// What `meshd --node` can name.
    pub nodes: Vec<String>,
    /// What nodes need of their runtime.
    pub needs: Vec<Need>,
    /// What decides.
    pub tables: Vec<Table>,
    /// All sections of the file.
    pub sections: Vec<SectionSize>,
}

/// What a signature says.
#[derive(Debug, Serialize)]
pub struct SignedBy {
    /// Whose it is.
    pub key: String,
    /// The place in the order of the mesh's bundles.
    pub sequence: u64,
    /// From when on it is valid; none: from the beginning.
    pub valid_from: Option<String>,
    /// Until when; none: for ever.
    pub valid_until: Option<String>,
}

/// A fact about how the bundle came to be.
#[derive(Debug, Serialize)]
pub struct Fact {
    /// Such as `compiler`.
    pub key: String,
    /// As text.
    pub value: String,
}

/// Something that held.
#[derive(Debug, Serialize)]
pub struct Check {
    /// `assertion` or `test`.
    pub kind: &'static str,
    /// What it is called.
    pub title: String,
    /// Claims that were proved, or requests that were sent.
    pub count: u32,
    /// Where it is written.
    pub place: Option<String>,
}

/// A lint that is not heard of.
#[derive(Debug, Serialize)]
pub struct Suppression {
    /// Its code.
    pub code: String,
    /// Its name.
    pub lint: String,
    /// Why; none: the mesh allows it everywhere.
    pub reason: Option<String>,
    /// Where that is said.
    pub place: Option<String>,
}

/// What nodes need.
#[derive(Debug, Serialize)]
pub struct Need {
    /// The feature, or its number where this build does not know it.
    pub feature: String,
    /// Whether a node that lacks it must not serve.
    pub protection: bool,
    /// Whether `meshd` of this version acts on it.
    pub acted_on: bool,
    /// Who needs it: `everyone`, `gateway edge`, `sidecar shop`, `callers of shop`.
    pub by: String,
    /// The statement that asks for it.
    pub place: Option<String>,
}

/// A section of the file.
#[derive(Debug, Serialize)]
pub struct SectionSize {
    /// Its number.
    pub number: u32,
    /// Its name; none: this build does not know it.
    pub name: Option<&'static str>,
    /// How many records it has.
    pub records: u32,
    /// Bytes of each.
    pub stride: u32,
    /// Bytes of all.
    pub bytes: u64,
}

/// Looks at a bundle.
pub fn inspect(bundle: &Bundle) -> Inspection {
    let (major, minor) = bundle.format();
    let text = |id| bundle.opt_str(id).unwrap_or_default().to_owned();
    let provenance = bundle.provenances().iter().map(|it| Fact {
        key: text(it.key),
        value: match bundle.opt_str(it.key) {
            // It is there to be compared, and `meshc expand` prints it better.
            Some(TEXT) => format!("the mesh spelled out, {} bytes", text(it.value).len()),
            _ => text(it.value),
        },
    });
    let checks = bundle.checks().iter().map(|it| Check {
        kind: match CheckKind::from_code(it.kind) {
            Some(CheckKind::Test) => "test",
            Some(CheckKind::Assertion) | None => "assertion",
        },
        title: text(it.title),
        count: it.count.get(),
        place: bundle.place(it.location),
    });
    let suppressions = bundle.suppressions().iter().map(|it| Suppression {
        code: text(it.code),
        lint: text(it.lint),
        reason: bundle.opt_str(it.reason).map(str::to_owned),
        place: bundle.place(it.location),
    });
    Inspection {
        bundle: bundle.id().in_full(),
        format: format!("{major}.{minor}"),
        mesh: text(bundle.mesh().name),
        slice: slice_of(bundle),
        bytes: bundle.bytes().len(),
        signature_bytes: bundle.bytes().len() - bundle.content().len(),
        signatures: signatures(bundle),
        provenance: provenance.collect(),
        checks: checks.collect(),
        samples: bundle.samples().len(),
        suppressions: suppressions.collect(),
        nodes: node::names(bundle),
        needs: needs(bundle),
        tables: tables::all(bundle),
        sections: sections(bundle),
    }
}

/// The node whose slice a bundle is, as `meshd --node` has it.
fn slice_of(bundle: &Bundle) -> Option<String> {
    let mesh = bundle.mesh();
    let kind = match SliceOf::from_code(mesh.slice)? {
        SliceOf::Everybody => return None,
        SliceOf::Gateway => "gateway",
        SliceOf::Sidecar => "sidecar",
    };
    let name = bundle.qualified(mesh.slice_namespace, mesh.slice_name);
    Some(format!("{kind}/{name}"))
}

fn signatures(bundle: &Bundle) -> Vec<SignedBy> {
    let all = bundle.signatures().into_iter();
    let all = all.flat_map(|signatures| signatures.iter());
    let limit = |moment: Moment, none: Moment| (moment != none).then(|| moment.to_string());
    all.map(|it| SignedBy {
        key: KeyId(it.key).to_string(),
        sequence: it.sequence.get(),
        valid_from: limit(Moment(it.not_before.get()), Moment::START),
        valid_until: limit(Moment(it.not_after.get()), Moment::NEVER),
    })
    .collect()
}

fn needs(bundle: &Bundle) -> Vec<Need> {
    let service = |index: u32| {
        let service = bundle.service(Id::new(index));
        bundle.qualified(service.namespace, service.name)
    };
    let needs = bundle.needs().iter().map(|need| {
        let (code, subject) = (need.feature.get(), need.subject.get());
        let known = Feature::from_code(code);
        Need {
            feature: known.map_or_else(|| format!("feature {code}"), |it| it.name().to_owned()),
            protection: need.protection != 0,
            acted_on: known.is_some_and(Feature::is_acted_on),
            by: match NeedScope::from_code(need.scope) {
                Some(NeedScope::Gateway) => {
                    let gateway = bundle.gateway(Id::new(subject));
                    format!(
                        "gateway {}",
                        bundle.qualified(gateway.namespace, gateway.name)
                    )
                }
                Some(NeedScope::Sidecar) => format!("sidecar {}", service(subject)),
                Some(NeedScope::Caller) => format!("callers of {}", service(subject)),
                Some(NeedScope::Everyone) | None => "everyone".to_owned(),
            },
            place: bundle.place(need.location),
        }
    });
    needs.collect()
}

fn sections(bundle: &Bundle) -> Vec<SectionSize> {
    let entries = bundle.contents().iter().map(|entry| SectionSize {
        number: entry.section.get(),
        name: Section::from_number(entry.section.get()).map(Section::name),
        records: entry.count.get(),
        stride: entry.stride.get(),
        bytes: entry.length(),
    });
    entries.collect()
}

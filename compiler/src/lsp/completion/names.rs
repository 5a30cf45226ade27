//! Names of the mesh, by kind.

use super::context::Context;
use super::http;
use super::item::{Offer, Offers, Rank};
use crate::lsp::names::{Id, Kind, Set};
use crate::model::DEFAULT_NAMESPACE;
use gen_lsp_types::CompletionItemKind;

/// Offers the names of a set that can be used here; those of other namespaces with that before them.
pub(super) fn of_set(
    offers: &mut Offers<'_>,
    context: &Context<'_>,
    set: Set,
    is_meant: impl Fn(Kind) -> bool,
) {
    let names = &context.names;
    for (id, declared) in names.all() {
        if declared.kind.set() != set || !is_meant(declared.kind) {
            continue;
        }
        let namespace = names.namespace(id);
        let is_visible = namespace == context.namespace || namespace == DEFAULT_NAMESPACE;
        let label = match is_visible {
            true => names.name(id).to_owned(),
            false if matches!(set, Set::Value) => continue,
            false => names.qualified(id),
        };
        add(offers, context, id, label);
    }
}

fn add(offers: &mut Offers<'_>, context: &Context<'_>, id: Id, label: String) {
    let kind = context.names.declared(id).kind;
    let rank = if context.names.declared(id).kind == Kind::Version {
        Rank::Further
    } else {
        Rank::Name
    };
    let offer = Offer::new(label, icon(kind), rank).detail(format!(
        "{} {}",
        kind.word(),
        context.names.qualified(id)
    ));
    let tree = offers.view.live.tree(id.file);
    let around = crate::lsp::spot::around(tree, context.names.declared(id).name.start);
    let doc = around
        .last()
        .map(|(statement, _)| statement.doc().collect::<Vec<_>>().join("\n"));
    offers.add(offer.doc(doc.unwrap_or_default()));
}

/// Where requests may be sent: versions of the service around, services, and versions of these.
pub(super) fn targets(offers: &mut Offers<'_>, context: &Context<'_>, with_versions: bool) {
    let names = context.names.clone();
    if let Some(service) = context.service {
        for id in names.entity(&context.namespace, None, service) {
            for version in names.versions_of(*id) {
                add_first(offers, context, *version);
            }
        }
        if with_versions {
            offers.add(Offer::word("self"));
        }
    }
    of_set(offers, context, Set::Entity, |kind| kind != Kind::Gateway);
    if !with_versions {
        return;
    }
    for (id, declared) in names.all() {
        let Some(index) = declared.service.filter(|_| declared.kind == Kind::Version) else {
            continue;
        };
        let service = Id { index, ..id };
        let namespace = names.namespace(service);
        let is_visible = namespace == context.namespace || namespace == DEFAULT_NAMESPACE;
        let label = if is_visible {
            format!("{}.{}", names.name(service), names.name(id))
        } else {
            names.qualified(id)
        };
        add(offers, context, id, label);
    }
}

fn add_first(offers: &mut Offers<'_>, context: &Context<'_>, id: Id) {
    let name = context.names.name(id).to_owned();
    let offer = Offer::new(name, icon(Kind::Version), Rank::Name);
    offers.add(offer.detail(format!("version {}", context.names.qualified(id))));
}

/// Services and gateways, which may call.
pub(super) fn callers(offers: &mut Offers<'_>, context: &Context<'_>) {
    of_set(offers, context, Set::Entity, |kind| kind != Kind::External);
}

/// Gateways.
pub(super) fn gateways(offers: &mut Offers<'_>, context: &Context<'_>) {
    of_set(offers, context, Set::Entity, |kind| kind == Kind::Gateway);
}

/// Params and lets of values.
pub(super) fn values(offers: &mut Offers<'_>, context: &Context<'_>) {
    of_set(offers, context, Set::Value, |kind| kind != Kind::Condition);
}

/// Named conditions.
pub(super) fn conditions(offers: &mut Offers<'_>, context: &Context<'_>) {
    of_set(offers, context, Set::Value, |kind| kind == Kind::Condition);
}

/// Namespaces.
pub(super) fn namespaces(offers: &mut Offers<'_>, context: &Context<'_>) {
    let names = context.names.clone();
    for (id, _) in names
        .all()
        .filter(|(_, declared)| declared.kind == Kind::Namespace)
    {
        add(offers, context, id, names.name(id).to_owned());
    }
    offers.add(Offer::new(
        DEFAULT_NAMESPACE,
        CompletionItemKind::Module,
        Rank::Further,
    ));
}

/// Claims of tokens.
pub(super) fn claims(offers: &mut Offers<'_>) {
    for claim in http::CLAIMS {
        offers.add(Offer::new(
            *claim,
            CompletionItemKind::Property,
            Rank::Value,
        ));
    }
}

/// The picture that editors show beside a name.
fn icon(kind: Kind) -> CompletionItemKind {
    match kind {
        Kind::Mesh | Kind::Namespace => CompletionItemKind::Module,
        Kind::Service => CompletionItemKind::Class,
        Kind::External => CompletionItemKind::Interface,
        Kind::Gateway => CompletionItemKind::Struct,
        Kind::Version => CompletionItemKind::EnumMember,
        Kind::Param => CompletionItemKind::Constant,
        Kind::Let => CompletionItemKind::Variable,
        Kind::Condition => CompletionItemKind::Function,
        Kind::Policy | Kind::Env => CompletionItemKind::Property,
        Kind::Jwt | Kind::Keys => CompletionItemKind::Reference,
        Kind::Arm | Kind::Rule => CompletionItemKind::Event,
    }
}

//! Arms, rules, claims and steps: what is due follows from the tokens before the cursor.

use super::context::Context;
use super::item::{Offer, Offers, Rank};
use super::{http, names, values};
use crate::lsp::hover::grammar_doc;
use crate::lsp::names::{Kind as NameKind, Set};
use gen_lsp_types::CompletionItemKind;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::Tree;
use mesh_lang::view::{Item, ItemKind, Setting, Value};
use mesh_lang::vocabulary::{ACTIONS, Kind, PROPERTIES};
use std::collections::BTreeSet;

/// Offers what an arm goes on with.
pub(super) fn of_arm(offers: &mut Offers<'_>, context: &Context<'_>) {
    let arrow = context
        .before
        .iter()
        .rposition(|(kind, _)| *kind == SyntaxKind::Arrow);
    match arrow {
        Some(at) => action(offers, context, at + 1),
        None => taken(offers, context),
    }
}

/// What an arm takes, before its arrow.
fn taken(offers: &mut Offers<'_>, context: &Context<'_>) {
    let has_path = context
        .before
        .iter()
        .any(|(kind, _)| *kind == SyntaxKind::Path);
    match context.last() {
        Some((SyntaxKind::Comma, _)) if !has_path => methods(offers),
        Some((SyntaxKind::Comma, _)) => paths(offers, context),
        Some((_, "otherwise")) => offers.add(Offer::word("->")),
        Some((SyntaxKind::Colon, _)) => {
            methods(offers);
            paths(offers, context);
            offers.words(&["when", "otherwise"]);
        }
        _ => {
            if !has_path {
                paths(offers, context);
            }
            offers.words(&["when", "->"]);
        }
    }
}

/// What an arm does; its tokens start at `start`.
fn action(offers: &mut Offers<'_>, context: &Context<'_>, start: usize) {
    match &context.before[start..] {
        [] => {
            names::targets(offers, context, true);
            for action in ACTIONS
                .iter()
                .filter(|action| action.word.starts_with(char::is_lowercase))
            {
                let doc = format!("{}\n\n```mesh\n{}\n```", action.doc, action.example);
                offers.add(Offer::word(action.word).detail(action.signature).doc(doc));
            }
        }
        [(_, "split"), .., (kind, text)] if *kind == SyntaxKind::Comma || *text == "split" => {
            shares(offers, context);
        }
        [(_, "split")] => shares(offers, context),
        [(_, "split"), .., _] => names::targets(offers, context, true),
        [(_, "redirect")] => values::statuses(offers, Kind::RedirectStatus),
        [(_, "respond")] => values::statuses(offers, Kind::Status),
        [(_, "respond"), _] => offers.add(Offer::word("file").snippet("file \"$0\"")),
        _ => {}
    }
}

fn shares(offers: &mut Offers<'_>, context: &Context<'_>) {
    values::of_kind(offers, context, Kind::Percent);
    offers.add(Offer::word("rest").doc(grammar_doc("rest")));
}

/// Offers what a rule goes on with.
pub(super) fn of_rule(offers: &mut Offers<'_>, context: &Context<'_>) {
    match context.behind_last(&["allow", "deny", "to"]) {
        Some(("to", tokens)) => {
            let has_path = tokens.iter().any(|(kind, _)| *kind == SyntaxKind::Path);
            if !has_path {
                methods(offers);
            }
            paths(offers, context);
            if !tokens.is_empty() {
                offers.words(&["when", "unless"]);
            }
        }
        Some((_, [])) => who(offers, context),
        Some(_) => match context.last() {
            Some((SyntaxKind::Comma, _)) => who(offers, context),
            Some((_, "any")) => offers.add(Offer::word("service")),
            Some((_, "namespace")) => names::namespaces(offers, context),
            _ => offers.words(&["to", "when", "unless"]),
        },
        None => offers.words(&["allow", "deny"]),
    }
}

fn who(offers: &mut Offers<'_>, context: &Context<'_>) {
    names::callers(offers, context);
    for (word, doc) in [
        ("anyone", "anyone"),
        ("any service", "any"),
        ("internet", "internet"),
        ("namespace", "namespace"),
    ] {
        offers.add(Offer::word(word).doc(grammar_doc(doc)));
    }
}

/// Offers what a claim goes on with.
pub(super) fn of_claim(offers: &mut Offers<'_>, context: &Context<'_>) {
    if context.first() == "every" {
        return every_route(offers, context);
    }
    match context.behind_last(&["reaches", "reach", "at"]) {
        Some(("at", [])) => hosts(offers),
        Some((_, [])) => names::targets(offers, context, true),
        Some(_) => {
            methods(offers);
            paths(offers, context);
            offers.words(&["transitively", "at", "when", "unless"]);
        }
        None => match context.last() {
            Some((_, "any")) => offers.add(Offer::word("service")),
            Some((_, "namespace")) => names::namespaces(offers, context),
            Some((_, "never" | "always" | "only") | (SyntaxKind::Comma, _)) => who(offers, context),
            _ => offers.words(&["reaches", "reach"]),
        },
    }
}

fn every_route(offers: &mut Offers<'_>, context: &Context<'_>) {
    match context.last() {
        Some((_, "every")) => offers.add(Offer::word("route")),
        Some((_, "route")) => offers.add(Offer::word("in")),
        Some((_, "in")) => names::gateways(offers, context),
        Some((_, "to")) => who(offers, context),
        Some((_, "namespace")) => names::namespaces(offers, context),
        Some((_, "has")) => {
            for property in PROPERTIES {
                offers.add(Offer::new(
                    property.name,
                    CompletionItemKind::Property,
                    Rank::Value,
                ));
            }
        }
        Some((_, "requires")) => offers.words(&["jwt", "key"]),
        Some((_, "jwt")) => names::of_set(offers, context, Set::Jwt, |_| true),
        Some((_, "key")) => names::of_set(offers, context, Set::Keys, |_| true),
        Some((kind, _)) if kind.is_comparison() => {
            let compared = context
                .behind_last(&["has"])
                .and_then(|(_, tokens)| tokens.first());
            let property = PROPERTIES
                .iter()
                .find(|it| compared.is_some_and(|(_, text)| *text == it.name));
            if let Some(property) = property {
                values::of_kind(offers, context, property.operand);
            }
        }
        _ => offers.words(&["to", "has", "requires"]),
    }
}

/// Offers what a step of a test goes on with.
pub(super) fn of_step(offers: &mut Offers<'_>, context: &Context<'_>) {
    match &context.before[..] {
        [(_, "expect")] => {
            names::targets(offers, context, true);
            offers.words(&["split", "redirect", "respond"]);
            values::statuses(offers, Kind::Status);
        }
        [(_, "expect"), ..] => action(offers, context, 1),
        [(_, "request")] => methods(offers),
        [(_, "request"), _] => urls(offers, context),
        [(_, "request"), .., (_, "from")] => who(offers, context),
        [(_, "request"), ..] => offers.add(Offer::word("from").doc(grammar_doc("from"))),
        _ => {}
    }
}

/// Offers what the head of an item goes on with.
pub(super) fn of_item(offers: &mut Offers<'_>, context: &Context<'_>, item: Item<'_>) {
    match (item, &context.before[..]) {
        (_, [(_, "export")]) => {
            offers.words(&["service", "external", "gateway", "policy", "jwt", "keys"]);
        }
        (Item::Block(block), [_]) if block.kind() == ItemKind::Routes => {
            names::gateways(offers, context);
        }
        (Item::Block(block), [_, _]) if block.kind() == ItemKind::Routes => hosts(offers),
        (Item::Param(_) | Item::Let(_), [.., (SyntaxKind::Equals, _)]) => {
            names::values(offers, context);
        }
        _ => {}
    }
}

/// Offers what a `set` of an environment goes on with.
pub(super) fn of_set(offers: &mut Offers<'_>, context: &Context<'_>) {
    match &context.before[..] {
        [_] => offers.words(&[
            "param", "service", "external", "gateway", "policy", "jwt", "keys",
        ]),
        [_, (_, kind)] => {
            let (set, kinds): (Set, &[NameKind]) = match *kind {
                "param" => (Set::Value, &[NameKind::Param]),
                "service" => (Set::Entity, &[NameKind::Service]),
                "external" => (Set::Entity, &[NameKind::External]),
                "gateway" => (Set::Entity, &[NameKind::Gateway]),
                "policy" => (Set::Policy, &[NameKind::Policy]),
                "jwt" => (Set::Jwt, &[NameKind::Jwt]),
                "keys" => (Set::Keys, &[NameKind::Keys]),
                _ => return,
            };
            names::of_set(offers, context, set, |kind| kinds.contains(&kind));
        }
        _ => {}
    }
}

fn methods(offers: &mut Offers<'_>) {
    for method in http::METHODS {
        offers.add(Offer::new(
            *method,
            CompletionItemKind::EnumMember,
            Rank::Value,
        ));
    }
}

/// Offers the paths that the mesh has.
pub(super) fn paths(offers: &mut Offers<'_>, context: &Context<'_>) {
    for path in words(offers, |kind, _| kind == SyntaxKind::Path, context) {
        offers.add(Offer::new(path, CompletionItemKind::Text, Rank::Further));
    }
}

/// Offers the hosts of gateways.
pub(super) fn hosts(offers: &mut Offers<'_>) {
    for host in gateway_hosts(offers) {
        offers.add(Offer::new(host, CompletionItemKind::Text, Rank::Value));
    }
}

/// Offers where a request may go: the hosts of gateways, and services by their names.
fn urls(offers: &mut Offers<'_>, context: &Context<'_>) {
    for host in gateway_hosts(offers)
        .into_iter()
        .filter(|host| !host.contains('*'))
    {
        offers.add(Offer::new(
            format!("https://{host}/"),
            CompletionItemKind::Text,
            Rank::Value,
        ));
    }
    for id in context.names.visible_in(Set::Entity, &context.namespace) {
        if context.names.declared(id).kind == NameKind::Service {
            let url = format!("http://{}/", context.names.name(id));
            offers.add(Offer::new(url, CompletionItemKind::Text, Rank::Further));
        }
    }
}

fn gateway_hosts(offers: &Offers<'_>) -> BTreeSet<String> {
    offers
        .view
        .live
        .files()
        .flat_map(|(file, _)| hosts_of(offers.view.live.tree(file)))
        .collect()
}

/// The hosts that the gateways of a file have.
fn hosts_of(tree: &Tree) -> Vec<String> {
    let blocks = tree.items().filter_map(|item| match item {
        Item::Block(item) if item.kind() == ItemKind::Gateway => item.block(),
        _ => None,
    });
    let values = blocks
        .flat_map(|block| block.settings("host"))
        .flat_map(Setting::values);
    let words = values.filter_map(|value| match value {
        Value::Word(word) => Some(word.text.to_owned()),
        _ => None,
    });
    words.collect()
}

/// The tokens of the file that are of a kind, but for the one that is being written.
fn words(
    offers: &Offers<'_>,
    is_wanted: impl Fn(SyntaxKind, &str) -> bool,
    context: &Context<'_>,
) -> BTreeSet<String> {
    let tree = offers.view.tree();
    let tokens = tree.tokens();
    let own = context.word.start;
    let all = (0..tokens.len()).filter(|index| tokens.start(*index) != own);
    let wanted =
        all.filter(|index| is_wanted(tokens.kind(*index), tokens.text(tree.text(), *index)));
    wanted
        .map(|index| tokens.text(tree.text(), index).to_owned())
        .collect()
}

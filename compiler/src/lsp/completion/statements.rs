//! What a statement may start with.

use super::context::Context;
use super::item::{Offer, Offers, Rank};
use super::{http, names, parts};
use crate::lsp::hover::{capitalised, grammar_doc, statement_doc};
use gen_lsp_types::CompletionItemKind;
use mesh_lang::vocabulary::{self, Body, ITEMS, ItemEntry, Place, Shape, Statement};

/// Offers the statements of the block.
pub(super) fn offer(offers: &mut Offers<'_>, context: &Context<'_>) {
    for place in &context.places {
        of_place(offers, context, *place);
    }
}

fn of_place(offers: &mut Offers<'_>, context: &Context<'_>, place: Place) {
    if Place::ARMS.contains(&place) {
        for method in http::METHODS {
            offers.add(Offer::new(
                *method,
                CompletionItemKind::EnumMember,
                Rank::Value,
            ));
        }
        for word in ["when", "otherwise"] {
            offers.add(Offer::word(word).doc(grammar_doc(word)));
        }
        parts::paths(offers, context);
    }
    for statement in vocabulary::statements_in(place) {
        if statement.word == Statement::ANY_CLAIM {
            continue;
        }
        let offer = Offer::word(statement.word)
            .detail(statement.signature())
            .doc(statement_doc(statement.word, &[place]).unwrap_or_default())
            .snippet(snippet(statement));
        offers.add(offer);
    }
    match place {
        Place::File | Place::Namespace => {
            let is_here = |item: &&ItemEntry| {
                place == Place::File || !["mesh", "namespace", "import", "env"].contains(&item.word)
            };
            for entry in ITEMS.iter().filter(is_here) {
                offers.add(item(entry));
            }
            offers.add(Offer::word("export").doc(grammar_doc("export")));
        }
        Place::Authz | Place::NamespaceAuthz => {
            let words: &[&str] = if place == Place::Authz {
                &["allow", "deny"]
            } else {
                &["deny"]
            };
            for word in words {
                offers.add(
                    Offer::word(*word)
                        .doc(grammar_doc(word))
                        .snippet(format!("{word} $0")),
                );
            }
        }
        Place::Env => {
            offers.add(
                Offer::word("set")
                    .doc(grammar_doc("set"))
                    .snippet("set ${1:param} ${2:name} = $0"),
            );
        }
        Place::Assert => {
            for (word, snippet) in [
                ("never", "never ${1:internet} reaches $0"),
                ("always", "always ${1:internet} reaches $0"),
                ("only", "only $1 reaches $0"),
                ("every", "every route in $1 has $0"),
            ] {
                offers.add(Offer::word(word).doc(grammar_doc(word)).snippet(snippet));
            }
        }
        Place::Test => {
            for (word, snippet) in [("request", "request ${1:GET} $0"), ("expect", "expect $0")] {
                offers.add(Offer::word(word).doc(grammar_doc(word)).snippet(snippet));
            }
        }
        Place::Claims => names::claims(offers),
        _ => {}
    }
}

fn item(entry: &ItemEntry) -> Offer {
    let doc = format!(
        "{}\n\n```mesh\n{}\n```",
        capitalised(entry.doc),
        entry.example
    );
    let word = entry.word;
    let snippet = match word {
        "import" => "import \"$0\"".to_owned(),
        "param" => "param ${1:name} = $0".to_owned(),
        "let" => "let ${1:name} = $0".to_owned(),
        "assert" | "test" => format!("{word} \"$1\" {{\n\t$0\n}}"),
        "routes" => "routes ${1:gateway} ${2:host} {\n\t$0\n}".to_owned(),
        _ => format!("{word} ${{1:name}} {{\n\t$0\n}}"),
    };
    Offer::word(word)
        .detail(format!("{word} {}", entry.head))
        .doc(doc)
        .snippet(snippet)
}

/// The word, ready for its arguments; if it has none, with the block that it has to have.
fn snippet(statement: &Statement) -> String {
    let word = statement.word;
    let takes_arguments = statement
        .args
        .iter()
        .any(|shape| !matches!(shape, Shape::Optional(_)));
    match statement.body {
        _ if takes_arguments => format!("{word} $0"),
        Body::Required(_) => format!("{word} {{\n\t$0\n}}"),
        Body::None | Body::Optional(_) => word.to_owned(),
    }
}

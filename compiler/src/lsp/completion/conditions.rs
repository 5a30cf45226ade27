//! Conditions: fields, how they are compared, with what.

use super::context::{Before, Context};
use super::item::{Offer, Offers, Rank};
use super::{http, names, values};
use crate::lsp::hover::{capitalised, grammar_doc};
use crate::lsp::names::Set;
use gen_lsp_types::CompletionItemKind;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::view::Compare;
use mesh_lang::vocabulary::{FIELDS, Field, Key, Kind};

/// What is due in a condition.
enum Due<'t> {
    /// A field, a named condition or `not`.
    Test,
    /// What the field is compared by; a named condition may also be over.
    Comparison(&'t str),
    /// What the field is compared with.
    Operand(&'t str),
    /// A test is over.
    More,
}

/// Offers what may stand in the condition around the cursor; whether there is one.
pub(super) fn offer(offers: &mut Offers<'_>, context: &Context<'_>) -> bool {
    let Some(tokens) = tokens(context) else {
        return false;
    };
    if context.behind_last(&["where"]).is_some() {
        return true; // the fields of an inventory are its own
    }
    match due(tokens) {
        Due::Test => {
            names::conditions(offers, context);
            fields(offers, context, |_| true);
            offers.add(Offer::word("not").doc(grammar_doc("not")));
        }
        Due::Comparison(word) => {
            match Field::find(word, false).or_else(|| Field::find(word, true)) {
                Some((field, _)) => {
                    for compare in field.comparisons {
                        offers.add(comparison(*compare));
                    }
                    if field.key == Key::Jwt {
                        more(offers, context);
                    }
                }
                None => more(offers, context),
            }
        }
        Due::Operand(word) => {
            if let Some((field, _)) = Field::find(word, false).or_else(|| Field::find(word, true)) {
                operands(offers, context, field);
            }
        }
        Due::More => more(offers, context),
    }
    true
}

/// The tokens of the condition before the cursor, if the cursor is in one.
fn tokens<'c, 't>(context: &'c Context<'t>) -> Option<&'c [Before<'t>]> {
    if let Some((_, tokens)) = context.behind_last(&["when", "unless", "where"]) {
        let is_over = tokens.iter().any(|(kind, _)| *kind == SyntaxKind::Arrow);
        return (!is_over).then_some(tokens);
    }
    // `let NAME =` is followed by a condition or a value.
    match &context.before[..] {
        [(_, "let"), _, (SyntaxKind::Equals, _), tokens @ ..] => Some(tokens),
        _ => None,
    }
}

fn due<'t>(tokens: &[Before<'t>]) -> Due<'t> {
    let starts =
        |(kind, text): &Before<'_>| *kind == SyntaxKind::LeftParen || ["and", "or"].contains(text);
    let start = tokens.iter().rposition(starts).map_or(0, |at| at + 1);
    let mut test = &tokens[start..];
    while let [(_, "not"), rest @ ..] = test {
        test = rest;
    }
    let Some((first, rest)) = test.split_first() else {
        return Due::Test;
    };
    let field = first.1;
    // An index in brackets belongs to the field.
    let rest = match rest {
        [
            (SyntaxKind::LeftBracket, _),
            (kind, _),
            (SyntaxKind::RightBracket, _),
            rest @ ..,
        ] if kind.is_string() => rest,
        rest => rest,
    };
    let is_spelt =
        |text: &str| ["in", "matches", "starts-with", "ends-with", "contains"].contains(&text);
    match rest {
        [] | [(_, "not")] => Due::Comparison(field),
        [.., (kind, text)] if kind.is_comparison() || is_spelt(text) => Due::Operand(field),
        [.., (SyntaxKind::LeftBracket | SyntaxKind::Comma, _)] => Due::Operand(field),
        _ => Due::More,
    }
}

/// Offers how a condition goes on behind a test.
fn more(offers: &mut Offers<'_>, context: &Context<'_>) {
    for word in ["and", "or"] {
        offers.add(Offer::word(word).doc(grammar_doc(word)));
    }
    let is_arm = context
        .places
        .iter()
        .any(|place| mesh_lang::vocabulary::Place::ARMS.contains(place));
    if is_arm {
        offers.add(Offer::word("->"));
    }
}

fn comparison(compare: Compare) -> Offer {
    let word = compare.word();
    let kind = if compare.is_sign() {
        CompletionItemKind::Operator
    } else {
        CompletionItemKind::Keyword
    };
    Offer::new(word, kind, Rank::Word).doc(grammar_doc(word))
}

/// Offers fields of requests.
pub(super) fn fields(
    offers: &mut Offers<'_>,
    context: &Context<'_>,
    is_wanted: impl Fn(&Field) -> bool,
) {
    for field in FIELDS.iter().filter(|field| is_wanted(field)) {
        let doc = format!(
            "{}\n\n```mesh\n{}\n```",
            capitalised(field.doc),
            field.example
        );
        let offer = |label: String| {
            Offer::new(label, CompletionItemKind::Field, Rank::Value)
                .detail(field.name)
                .doc(doc.clone())
        };
        match field.key {
            Key::None => offers.add(offer(field.head.to_owned())),
            Key::Free => {
                offers.add(offer(format!("{}.", field.head)).snippet(format!("{}.$0", field.head)));
                if field.head == "header" && context.text.starts_with("header.") {
                    for header in http::HEADERS {
                        offers.add(offer(format!("header.{header}")));
                    }
                }
            }
            Key::Jwt | Key::Keys | Key::Claim => {
                let set = if field.key == Key::Keys {
                    Set::Keys
                } else {
                    Set::Jwt
                };
                for id in context.names.visible_in(set, &context.namespace) {
                    let name = format!("{}.{}", field.head, context.names.name(id));
                    if field.key != Key::Claim {
                        offers.add(offer(name));
                    } else if context.text.starts_with(&format!("{name}.")) {
                        for claim in http::CLAIMS {
                            offers.add(offer(format!("{name}.{claim}")));
                        }
                    }
                }
            }
        }
    }
}

fn operands(offers: &mut Offers<'_>, context: &Context<'_>, field: &Field) {
    match field.head {
        "source" => names::callers(offers, context),
        "source.namespace" => names::namespaces(offers, context),
        _ => {
            for kind in field.operands {
                values::of_kind(offers, context, *kind);
            }
            if field
                .operands
                .iter()
                .all(|kind| *kind != Kind::Number && *kind != Kind::Text)
            {
                names::values(offers, context);
            }
        }
    }
}

//! What a statement takes where the cursor is, and what there is of each kind of value.

use super::context::Context;
use super::item::{Offer, Offers, Rank};
use super::{conditions, http, names};
use crate::lsp::names::Set;
use gen_lsp_types::CompletionItemKind;
use mesh_lang::codes::Code;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::view::Setting;
use mesh_lang::vocabulary::{self, FieldUse, Kind, Shape};

/// Offers what a setting takes next.
pub(super) fn of_setting(offers: &mut Offers<'_>, context: &Context<'_>, setting: Setting<'_>) {
    if matches!(context.last(), Some((SyntaxKind::Arrow, _))) {
        return names::targets(offers, context, true);
    }
    for (_, reading) in vocabulary::read_before(setting, &context.places, context.word.start) {
        for shape in reading.next {
            of_shape(offers, context, shape);
        }
    }
}

fn of_shape(offers: &mut Offers<'_>, context: &Context<'_>, shape: &'static Shape) {
    match shape {
        Shape::Word(word) => offers.add(Offer::word(*word)),
        Shape::Value(kind) => of_kind(offers, context, *kind),
        Shape::Field(usage) => fields(offers, context, *usage),
        Shape::Arrow => offers.add(Offer::word("->")),
        Shape::Clause(kinds, _) => {
            for kind in *kinds {
                offers.add(Offer::word(kind.word()));
            }
        }
        Shape::Seq(_) | Shape::Optional(_) | Shape::OneOf(_) | Shape::List(_) => {}
    }
}

/// Offers the fields that a statement counts, hashes or remembers by.
fn fields(offers: &mut Offers<'_>, context: &Context<'_>, usage: FieldUse) {
    let wanted = usage.fields();
    conditions::fields(offers, context, |field| wanted.contains(&field.name));
}

/// Offers values of a kind.
pub(super) fn of_kind(offers: &mut Offers<'_>, context: &Context<'_>, kind: Kind) {
    let value = |offers: &mut Offers<'_>, label: &str, detail: &str| {
        offers.add(Offer::new(label, CompletionItemKind::Value, Rank::Value).detail(detail));
    };
    if kind.takes_params() {
        names::values(offers, context);
    }
    match kind {
        Kind::Target => match context.first() {
            "calls" => names::targets(offers, context, false),
            _ => names::targets(offers, context, true),
        },
        Kind::Name if context.first() == "open" => names::namespaces(offers, context),
        Kind::Reference => {
            let set = match context.first() {
                "use" => Set::Policy,
                "jwt" => Set::Jwt,
                "key" => Set::Keys,
                _ if context.is_behind("key") => Set::Keys,
                _ => Set::Jwt,
            };
            names::of_set(offers, context, set, |_| true);
        }
        Kind::Lint => {
            for code in Code::ALL.iter().filter(|code| code.is_lint()) {
                value(offers, code.name(), code.summary());
            }
        }
        Kind::Header => {
            for header in http::HEADERS {
                value(offers, header, "");
            }
        }
        Kind::Method => {
            for method in http::METHODS {
                offers.add(Offer::new(
                    *method,
                    CompletionItemKind::EnumMember,
                    Rank::Value,
                ));
            }
        }
        Kind::Scheme => {
            for scheme in ["http", "https"] {
                value(offers, scheme, "");
            }
        }
        Kind::Status | Kind::RedirectStatus | Kind::Statuses => statuses(offers, kind),
        Kind::Duration | Kind::Age | Kind::DurationRange => {
            units(offers, context, "5", &["ms", "s", "m", "h"]);
        }
        Kind::Percent => units(offers, context, "10", &["%"]),
        Kind::Size => units(offers, context, "1", &["KiB", "MiB", "GiB", "kB", "MB"]),
        Kind::Rate => units(offers, context, "100", &["/s", "/min", "/h"]),
        Kind::PathPattern | Kind::PathPrefix | Kind::PathTemplate => {
            super::parts::paths(offers, context);
        }
        Kind::Claim => {
            for word in ["true", "false"] {
                value(offers, word, "");
            }
        }
        Kind::Host | Kind::HostName => super::parts::hosts(offers),
        _ => {}
    }
}

/// Offers statuses, with what they are called.
pub(super) fn statuses(offers: &mut Offers<'_>, kind: Kind) {
    let classes = http::CLASSES.iter().filter(|_| kind == Kind::Statuses);
    for (status, name) in http::STATUSES.iter().chain(classes) {
        if kind != Kind::RedirectStatus || http::REDIRECTS.contains(status) {
            offers.add(Offer::new(*status, CompletionItemKind::Value, Rank::Value).detail(*name));
        }
    }
}

/// Offers the number that is being written with each unit, or `example` where none is yet.
fn units(offers: &mut Offers<'_>, context: &Context<'_>, example: &str, units: &[&str]) {
    let digits = context.text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let number = &context.text[..digits.unwrap_or(context.text.len())];
    let number = if number.is_empty() { example } else { number };
    for unit in units {
        let label = format!("{number}{unit}");
        let detail = crate::lsp::hover::value_doc(&label).unwrap_or_default();
        offers.add(Offer::new(label, CompletionItemKind::Unit, Rank::Value).detail(detail));
    }
}

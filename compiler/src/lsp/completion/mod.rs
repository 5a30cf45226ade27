//! What may be written at the cursor.
//!
//! ```text
//! place ─ Context ─▶ at the start of a statement: the statements of the block       statements.rs
//!                 ├▶ in a setting: what its form takes there, by the vocabulary     values.rs
//!                 ├▶ in a condition: fields, comparisons, operands                  conditions.rs
//!                 └▶ in an arm, a rule, a claim, a step: by the tokens before       parts.rs
//! ```
//!
//! The file is being written, so that most often it does not parse: the tokens of the statement that stand before
//! the cursor decide more than its tree does.

mod conditions;
mod context;
mod http;
mod item;
mod names;
mod parts;
mod statements;
mod values;

use self::context::Context;
use self::item::Offers;
use super::dispatch::Answer;
use super::world::{View, World};
use gen_lsp_types::{CompletionItem, CompletionList, CompletionParams, CompletionResponse};
use mesh_lang::view::Statement;
use mesh_lang::vocabulary::Place;

/// Characters behind which something is offered that no letter was typed of yet.
pub(super) const TRIGGERS: &[&str] = &[".", "/"];

/// What may be written at a place.
pub(super) fn complete(
    world: &mut World,
    params: &CompletionParams,
) -> Answer<Option<CompletionResponse>> {
    let (view, offset) = world.place(&params.text_document_position_params)?;
    let items = offers(&view, offset);
    Ok(Some(CompletionResponse::CompletionList(CompletionList {
        is_incomplete: false,
        items,
        ..CompletionList::default()
    })))
}

fn offers(view: &View<'_>, offset: u32) -> Vec<CompletionItem> {
    let Some(context) = Context::find(view, offset) else {
        return Vec::new();
    };
    let mut offers = Offers::new(view, &context);
    if context.starts_statement {
        statements::offer(&mut offers, &context);
        return offers.items;
    }
    if conditions::offer(&mut offers, &context) {
        return offers.items;
    }
    match context.statement {
        Some(Statement::Setting(setting)) => values::of_setting(&mut offers, &context, setting),
        Some(Statement::Item(item)) => parts::of_item(&mut offers, &context, item),
        Some(Statement::Set(_)) => parts::of_set(&mut offers, &context),
        _ => {}
    }
    let is_among = |places: &[Place]| context.places.iter().any(|place| places.contains(place));
    if is_among(Place::ARMS) {
        parts::of_arm(&mut offers, &context);
    }
    if is_among(Place::RULES) {
        parts::of_rule(&mut offers, &context);
    }
    if is_among(&[Place::Assert]) {
        parts::of_claim(&mut offers, &context);
    }
    if is_among(&[Place::Test]) {
        parts::of_step(&mut offers, &context);
    }
    offers.items
}

//! What stands between the words for those who read: shares that follow from others, values said elsewhere.

use super::dispatch::Answer;
use super::hover::arm;
use super::world::{View, World};
use crate::model::said::Origin;
use crate::model::{Action as Meant, Mesh, Service};
use crate::spell::{self, Line, Place};
use gen_lsp_types::{InlayHint, InlayHintKind, InlayHintLabelPart, InlayHintParams, Label};
use mesh_lang::source::Span;
use mesh_lang::value::Percent;
use mesh_lang::view::{Action, Arm, Item, ItemKind, Statement};

/// What is said of a service by others and shown behind its name.
const INHERITED: &[&str] = &["timeout", "retry"];

/// All hints of a part of a file.
pub(super) fn hints(world: &mut World, params: &InlayHintParams) -> Answer<Option<Vec<InlayHint>>> {
    let view = world.view(&params.text_document)?;
    let Some(mesh) = view.live.mesh() else {
        return Ok(None);
    };
    let within = view.span(params.range);
    let mut hints = Vec::new();
    of_statements(&view, mesh, within, view.tree().statements(), &mut hints);
    Ok(Some(hints))
}

fn of_statements<'t>(
    view: &View<'_>,
    mesh: &Mesh,
    within: Span,
    statements: impl Iterator<Item = Statement<'t>>,
    hints: &mut Vec<InlayHint>,
) {
    for statement in statements {
        let span = statement.span();
        if span.end < within.start || within.end < span.start {
            continue;
        }
        match statement {
            Statement::Arm(arm) => shares(view, mesh, arm, hints),
            Statement::Item(Item::Block(item))
                if matches!(item.kind(), ItemKind::Service | ItemKind::External) =>
            {
                let named = item
                    .name()
                    .and_then(|name| mesh.services.iter().find(|it| it.span == name.span));
                if let Some(service) = named {
                    inherited(view, mesh, service, item.head_span(), hints);
                }
            }
            _ => {}
        }
        if let Some(block) = statement.block() {
            of_statements(view, mesh, within, block.statements(), hints);
        }
    }
}

/// The shares of a split that are not written as percentages.
fn shares(view: &View<'_>, mesh: &Mesh, arm: Arm<'_>, hints: &mut Vec<InlayHint>) {
    let Some(Action::Split(split)) = arm.action() else {
        return;
    };
    let Some((_, table, at)) = arm::find(mesh, arm.head_span()) else {
        return;
    };
    let Meant::Split(meant) = &table.arms[at].action else {
        return;
    };
    for (part, share) in split.parts().zip(meant) {
        let Some(word) = part.share() else { continue };
        let is_written = Percent::parse(word.text).is_ok();
        if let Some(percent) = Percent::from_millionths(share.parts).filter(|_| !is_written) {
            hints.push(hint(
                view,
                word.span.end,
                vec![label(format!("= {percent}"))],
            ));
        }
    }
}

/// What holds for a service and is not said in its block, with who says so.
fn inherited(
    view: &View<'_>,
    mesh: &Mesh,
    service: &Service,
    head: Span,
    hints: &mut Vec<InlayHint>,
) {
    let policy = service.policy.clone().over(mesh.defaults.clone());
    let own = |line: &Line| match line.first_origin() {
        Some(Origin::Written(span)) => {
            service_block(view, head).is_some_and(|block| contains(block, span))
        }
        _ => false,
    };
    let lines = Place::top(mesh).policy(&policy.singles(|word| INHERITED.contains(&word)));
    for line in lines.iter().filter(|line| !own(line)) {
        let Some(origin) = line.first_origin() else {
            continue;
        };
        // What stands in its block would be too much beside the text.
        let said = line.flat();
        let said = said.split(" {").next().unwrap_or_default();
        let mut parts = vec![label(said.to_owned())];
        let mut from = label(format!("  {}", spell::told(origin, view.live.sources())));
        from.location = origin.span().and_then(|span| view.location(span));
        parts.push(from);
        hints.push(hint(view, head.end, parts));
    }
}

/// The block behind a head.
fn service_block(view: &View<'_>, head: Span) -> Option<Span> {
    let item = view
        .tree()
        .path_to(head.start)
        .into_iter()
        .filter_map(Statement::cast)
        .next_back()?;
    item.block().map(mesh_lang::view::Block::span)
}

fn contains(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
}

fn label(value: String) -> InlayHintLabelPart {
    InlayHintLabelPart {
        value,
        ..InlayHintLabelPart::default()
    }
}

fn hint(view: &View<'_>, offset: u32, parts: Vec<InlayHintLabelPart>) -> InlayHint {
    InlayHint {
        position: view.position(offset),
        label: Label::InlayHintLabelPartList(parts),
        kind: Some(InlayHintKind::Type),
        text_edits: None,
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: None,
    }
}

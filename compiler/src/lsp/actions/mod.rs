//! What the editor offers to do about a finding.
//!
//! Every fix of the findings that the place touches; for a lint, to say why it is fine here; for a name that
//! nothing declares, to declare it; for a split, to make it sum to the whole; and for a file, all that may be
//! mended unseen.

mod declare;
mod shares;

use super::client::json;
use super::diagnostics::diagnostic;
use super::dispatch::Answer;
use super::edits;
use super::hover::capitalised;
use super::world::{View, World};
use crate::fix::{self, Wanted};
use gen_lsp_types::{CodeAction, CodeActionKind, CodeActionParams, CodeActionResponse, Command};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Applicability, Diagnostic as Finding, Edit, Fix};
use mesh_lang::source::Span;
use mesh_lang::view::Statement;

/// What an editor shows the explanation of a code with.
const EXPLAIN: &str = "mesh.explain";

/// The kinds of actions that there are.
pub(super) const KINDS: &[CodeActionKind] = &[CodeActionKind::QuickFix, FIX_ALL];
const FIX_ALL: CodeActionKind = CodeActionKind::SourceFixAll;

/// What can be done about the findings at a place.
pub(super) fn actions(
    world: &mut World,
    params: &CodeActionParams,
) -> Answer<Option<Vec<CodeActionResponse>>> {
    let view = world.view(&params.text_document)?;
    if !world.can.action_literals {
        return Ok(None);
    }
    let span = view.span(params.range);
    let wanted = |kind: &CodeActionKind| match &params.context.only {
        Some(only) => only.iter().any(|it| is_within(kind, it)),
        None => true,
    };
    let mut actions = Vec::new();
    if wanted(&CodeActionKind::QuickFix) {
        for finding in view.live.current_findings() {
            let place = finding
                .span()
                .filter(|at| at.file == view.file && touch(*at, span));
            if let Some(place) = place {
                of_finding(&view, finding, place, &mut actions);
            }
        }
    }
    // Unasked it would stand below every fix.
    if params.context.only.is_some() && wanted(&FIX_ALL) {
        actions.extend(fix_all(&view));
    }
    Ok(Some(
        actions
            .into_iter()
            .map(CodeActionResponse::CodeAction)
            .collect(),
    ))
}

fn touch(one: Span, other: Span) -> bool {
    one.start <= other.end && other.start <= one.end
}

/// Whether `kind` is `wanted` or a kind of it: `source.fixAll` is a kind of `source`.
fn is_within(kind: &CodeActionKind, wanted: &CodeActionKind) -> bool {
    let text = |kind: &CodeActionKind| json(kind).as_str().unwrap_or_default().to_owned();
    let (kind, wanted) = (text(kind), text(wanted));
    wanted.is_empty()
        || kind == wanted
        || kind
            .strip_prefix(&wanted)
            .is_some_and(|rest| rest.starts_with('.'))
}

fn of_finding(view: &View<'_>, finding: &Finding, place: Span, actions: &mut Vec<CodeAction>) {
    let about = vec![diagnostic(view.world, view.live, finding, place)];
    let action = |fix: &Fix, is_preferred: bool| CodeAction {
        title: capitalised(&fix.title),
        kind: Some(CodeActionKind::QuickFix),
        diagnostics: Some(about.clone()),
        is_preferred: is_preferred.then_some(true),
        edit: Some(edits::of_workspace(view.world, view.live, &fix.edits)),
        ..CodeAction::default()
    };
    // Those that say what was meant beyond doubt stand first.
    let mut fixes: Vec<&Fix> = finding.fixes.iter().collect();
    fixes.sort_by_key(|fix| fix.applicability != Applicability::Safe);
    for (index, fix) in fixes.iter().enumerate() {
        actions.push(action(
            fix,
            index == 0 && fix.applicability == Applicability::Safe,
        ));
    }
    if finding.code == Code::WeightsNot100 {
        actions.extend(shares::sum_to_whole(view, place).map(|fix| action(&fix, false)));
    }
    if finding.code == Code::UnresolvedRef {
        actions.extend(declare::declare(view, place).map(|fix| action(&fix, false)));
    }
    if may_be_allowed(finding.code) {
        actions.extend(
            suppress(view, finding.code, place).map(|(title, edit)| CodeAction {
                title,
                kind: Some(CodeActionKind::QuickFix),
                diagnostics: Some(about.clone()),
                edit: Some(edit),
                ..CodeAction::default()
            }),
        );
    }
    if view.world.can.carries_out(EXPLAIN) {
        let title = format!("Explain {} {}", finding.code, finding.code.name());
        actions.push(CodeAction {
            title: title.clone(),
            kind: Some(CodeActionKind::QuickFix),
            diagnostics: Some(about),
            command: Some(Command {
                title,
                tooltip: None,
                command: EXPLAIN.to_owned(),
                arguments: Some(vec![json(finding.code.id())]),
            }),
            ..CodeAction::default()
        });
    }
}

/// Whether saying why it is fine makes a finding go away: not where it is about such a comment.
fn may_be_allowed(code: Code) -> bool {
    code.is_lint() && !matches!(code, Code::UnusedSuppression | Code::MalformedSuppression)
}

/// To say above the statement why a lint is fine there.
fn suppress(
    view: &View<'_>,
    code: Code,
    place: Span,
) -> Option<(String, gen_lsp_types::WorkspaceEdit)> {
    let path = view.tree().path_to(place.start);
    let mut statements = path.into_iter().filter_map(Statement::cast);
    // A comment is above a statement only where that starts its line.
    let starts_line = |it: &Statement<'_>| {
        it.node()
            .tokens()
            .next()
            .is_some_and(mesh_lang::tree::Token::starts_line)
    };
    let statement = statements.rfind(starts_line)?;
    let source = view.source();
    let start = source.line_start(source.line_of(statement.span().start));
    let indent = &source.text()[start as usize..statement.span().start as usize];
    let name = code.name();
    let title = format!("Allow `{name}` here, and say why");
    let has_places = view.world.can.snippet_edits && view.world.can.document_changes;
    let reason = if has_places { "${1:why}" } else { "why" };
    let edit = Edit {
        span: Span::empty(view.file, start),
        replacement: format!("{indent}# lint: allow {name} ({reason})\n"),
    };
    let edit = if has_places {
        edits::of_workspace_with_places(view.world, view.live, &[edit])
    } else {
        edits::of_workspace(view.world, view.live, &[edit])
    };
    Some((title, edit))
}

/// To mend all of a file that may be mended unseen.
fn fix_all(view: &View<'_>) -> Option<CodeAction> {
    let own = |it: &&Finding| it.span().is_some_and(|span| span.file == view.file);
    let findings: Vec<Finding> = view
        .live
        .current_findings()
        .into_iter()
        .filter(own)
        .cloned()
        .collect();
    let sources = view.live.sources();
    let count = view.live.files().count();
    let pass = fix::pass(&findings, sources, count, &Wanted::default());
    let mut all = Vec::new();
    for (file, text) in &pass.texts {
        let old = sources.get(*file).text();
        let change = super::live::change(old, text)?;
        let start = change.old.start as usize;
        all.push(Edit {
            span: Span::new(*file, change.old.start, change.old.end),
            replacement: text.get(start..start + change.new as usize)?.to_owned(),
        });
    }
    (!all.is_empty()).then(|| CodeAction {
        title: "Mend all that can be mended".to_owned(),
        kind: Some(FIX_ALL),
        edit: Some(edits::of_workspace(view.world, view.live, &all)),
        ..CodeAction::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsp::client::Abilities;
    use gen_lsp_types::{TextDocumentIdentifier, Uri};
    use serde_json::json as value;

    /// The text that is put before a lint is allowed at the `‸` of a text, and where.
    fn allowed(text: &str, abilities: &serde_json::Value) -> serde_json::Value {
        let at = text.find('‸').expect("it is there") as u32;
        let mut world = World::new(Abilities::read(abilities), Vec::new());
        let uri = Uri::from("untitled:a");
        world.open(uri.clone(), 1, &text.replace('‸', ""));
        let view = world.view(&TextDocumentIdentifier { uri });
        let view = view.expect("it is open");
        let place = Span::empty(view.file, at);
        let (title, edit) = suppress(&view, Code::NotActedOn, place).expect("there is a statement");
        assert_eq!(title, "Allow `not-acted-on` here, and say why");
        json(edit)
    }

    #[test]
    fn a_lint_is_allowed_above_its_statement_with_a_reason() {
        let text = "service a {\n  retry 2 on ‸reset\n}\n";
        let edit = allowed(text, &value!({}));
        let change = &edit["changes"]["untitled:a"][0];
        assert_eq!(change["newText"], "  # lint: allow not-acted-on (why)\n");
        assert_eq!(
            change["range"]["start"],
            value!({ "line": 1, "character": 0 })
        );
        // What stands on the line of another statement is excused with that.
        let edit = allowed("service a { retry 2 on ‸reset }\n", &value!({}));
        assert_eq!(
            edit["changes"]["untitled:a"][0]["range"]["start"]["line"],
            0
        );
    }

    #[test]
    fn the_reason_is_a_place_to_fill_in_where_the_editor_has_such() {
        let can = value!({ "capabilities": { "workspace": {
            "workspaceEdit": { "documentChanges": true, "snippetEditSupport": true },
        } } });
        let edit = allowed("service a {\n  retry 2 on ‸reset\n}\n", &can);
        let change = &edit["documentChanges"][0]["edits"][0];
        assert_eq!(
            change["snippet"]["value"],
            "  # lint: allow not-acted-on (${1:why})\n"
        );
    }

    #[test]
    fn kinds_of_actions_lie_in_each_other() {
        assert!(is_within(&FIX_ALL, &CodeActionKind::Source));
        assert!(is_within(&FIX_ALL, &FIX_ALL));
        assert!(!is_within(&FIX_ALL, &CodeActionKind::QuickFix));
        assert!(is_within(&CodeActionKind::QuickFix, &CodeActionKind::Empty));
    }
}

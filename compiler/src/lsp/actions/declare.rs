//! A name that nothing declares yet, declared.

use crate::lsp::names::{Id, Kind, Means, Set};
use crate::lsp::spot;
use crate::lsp::world::View;
use mesh_lang::diagnostic::{Applicability, Edit, Fix};
use mesh_lang::source::Span;
use mesh_lang::view::{Item, ItemKind, Statement};

/// The declaration of the name at a place, if it is clear what is to be declared, and where.
pub(super) fn declare(view: &View<'_>, place: Span) -> Option<Fix> {
    let names = view.live.names();
    let of_file = names.file(view.file);
    // The last name of the place: `ledger` of `payments/ledger`.
    let mut inside = of_file
        .used
        .iter()
        .filter(|used| place.start <= used.at.start && used.at.end <= place.end);
    let used = inside.rfind(|used| names.meaning(view.file, used).is_empty())?;
    let name = of_file.text(used.at);
    let (kind, qualifier) = match used.means {
        Means::Entity { qualifier, .. } => (Kind::Service, qualifier),
        Means::Reference {
            set: Set::Policy,
            qualifier,
        } => (Kind::Policy, qualifier),
        Means::Version { qualifier, service } => {
            let from = of_file.namespace(used.namespace);
            let qualifier = qualifier.map(|qualifier| of_file.text(qualifier));
            let service = names
                .entity(from, qualifier, of_file.text(service))
                .first()?;
            return version(view, *service, name);
        }
        _ => return None,
    };
    let text = match kind {
        Kind::Policy => format!("policy {name} {{ timeout 10s }}"),
        _ => format!("service {name} {{ endpoints 127.0.0.1:8080 }}"),
    };
    let edit = match qualifier {
        // In its own namespace it has to be exported to be aimed at.
        Some(namespace) => {
            let namespace = of_file.text(namespace);
            let mut all = names.all();
            let (id, _) =
                all.find(|(id, it)| it.kind == Kind::Namespace && names.name(*id) == namespace)?;
            at_end_of_block(view, id, &format!("export {text}"))?
        }
        None => behind_item(view, used.at.start, &text)?,
    };
    Some(fix(format!("declare {} `{name}`", kind.word()), edit))
}

fn fix(title: String, edit: Edit) -> Fix {
    Fix {
        title,
        edits: vec![edit],
        applicability: Applicability::Unsafe,
    }
}

/// A version of a service.
fn version(view: &View<'_>, service: Id, name: &str) -> Option<Fix> {
    let text = format!("version {name} {{ endpoints 127.0.0.1:8080 }}");
    let edit = at_end_of_block(view, service, &text)?;
    Some(fix(format!("declare version `{name}`"), edit))
}

/// A statement as the last one of the block of a declaration.
fn at_end_of_block(view: &View<'_>, id: Id, text: &str) -> Option<Edit> {
    let names = view.live.names();
    let around = spot::around(view.live.tree(id.file), names.span(id).start);
    let block = around.last()?.0.block()?;
    let span = block.span();
    let source = view.live.source(id.file);
    let last = block.statements().last();
    let is_one_line = source.line_of(span.start) == source.line_of(span.end);
    let (at, replacement) = match last {
        Some(last) if is_one_line => (last.span().end, format!("; {text}")),
        Some(last) => {
            let indent = indent(source, last.span().start);
            (last.span().end, format!("\n{indent}{text}"))
        }
        None => (span.start + 1, format!(" {text} ")),
    };
    Some(Edit {
        span: Span::empty(id.file, at),
        replacement,
    })
}

/// An item behind the one around a place, in the same namespace.
fn behind_item(view: &View<'_>, offset: u32, text: &str) -> Option<Edit> {
    let around = spot::around(view.tree(), offset);
    let is_namespace = |statement: &Statement<'_>| matches!(statement, Statement::Item(Item::Block(item)) if item.kind() == ItemKind::Namespace);
    let (item, _) = around
        .iter()
        .find(|(statement, _)| !is_namespace(statement))?;
    let span = item.span();
    let indent = indent(view.source(), span.start);
    Some(Edit {
        span: Span::empty(view.file, span.end),
        replacement: format!("\n\n{indent}{text}"),
    })
}

/// The white space before a place on its line.
fn indent(source: &mesh_lang::source::SourceFile, offset: u32) -> &str {
    let line = source.line_text(source.line_of(offset));
    &line[..line.len() - line.trim_start().len()]
}

//! How things are written: what reads otherwise than it means.

use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Applicability, Diagnostic, Edit, Fix};
use mesh_lang::source::Span;
use mesh_lang::tree::Tree;
use mesh_lang::view::Condition;

/// What the trees of a mesh show.
pub fn findings(trees: &[Tree]) -> Vec<Diagnostic> {
    let nodes = trees.iter().flat_map(|tree| tree.root().descendants());
    let conditions = nodes.filter_map(Condition::cast);
    let mixed = conditions.flat_map(|condition| match condition {
        Condition::Or(parts) => parts
            .iter()
            .filter(|part| matches!(part, Condition::And(_)))
            .map(|part| mixed(part.span()))
            .collect(),
        _ => Vec::new(),
    });
    mixed.collect()
}

/// An `and` beside an `or`.
fn mixed(and: Span) -> Diagnostic {
    let insert = |at: u32, sign: &str| Edit {
        span: Span::empty(and.file, at),
        replacement: sign.to_owned(),
    };
    Diagnostic::new(Code::MixedAndOr, "`and` and `or` stand side by side")
        .primary(and, "this belongs together")
        .fix(Fix {
            title: "put it into parentheses".to_owned(),
            edits: vec![insert(and.start, "("), insert(and.end, ")")],
            applicability: Applicability::Safe,
        })
}

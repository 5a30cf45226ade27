//! What of a text belongs to a statement: to move it, or to remove it and leave nothing behind.

use mesh_lang::source::Span;
use mesh_lang::tree::{Node, Token};

/// The lines of a statement with the comments right above it, if nothing else is on them.
pub fn of(node: Node<'_>) -> Option<Span> {
    let text = node.tree().text();
    let own = node.span();
    let start = with_comments(node, text);
    let line_start = text[..start as usize].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line_start..start as usize];
    let after = &text[own.end as usize..];
    let line_end = after.find('\n').map_or(after.len(), |at| at + 1);
    let rest = after[..line_end].trim_start();
    let alone = before.trim_start().is_empty() && (rest.is_empty() || rest.starts_with('#'));
    alone.then(|| Span::new(own.file, line_start as u32, own.end + line_end as u32))
}

/// What is removed with a statement: its lines, and one of two empty lines around them; or, where something else is
/// on them, it and the `;` that parts it from that.
pub fn removal(node: Node<'_>) -> Span {
    let text = node.tree().text();
    let own = node.span();
    if let Some(lines) = of(node) {
        let before = &text[..lines.start as usize];
        let opens =
            before.is_empty() || before.ends_with("\n\n") || before.trim_end().ends_with('{');
        let empty = text[lines.end as usize..].starts_with('\n');
        return Span::new(own.file, lines.start, lines.end + u32::from(opens && empty));
    }
    let after = &text[own.end as usize..];
    let behind = after.trim_start_matches(' ');
    if let Some(rest) = behind.strip_prefix(';') {
        let rest = rest.trim_start_matches(' ');
        return Span::new(own.file, own.start, (text.len() - rest.len()) as u32);
    }
    let before = text[..own.start as usize].trim_end_matches(' ');
    let start = before
        .strip_suffix(';')
        .map_or(own.start as usize, str::len);
    Span::new(own.file, start as u32, own.end)
}

/// Where a statement begins, with the comments on the lines right above it.
fn with_comments(node: Node<'_>, text: &str) -> u32 {
    let mut start = node.span().start;
    let comments: Vec<Span> = node.leading_comments().map(Token::span).collect();
    for comment in comments.into_iter().rev() {
        let between = &text[comment.end as usize..start as usize];
        if between.matches('\n').count() > 1 {
            break;
        }
        start = comment.start;
    }
    start
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use mesh_lang::parser::parse;
    use mesh_lang::source::FileId;
    use mesh_lang::view::Statement;

    /// The text without the first statement that begins with a word.
    fn without(text: &str, word: &str) -> String {
        let tree = parse(FileId(0), text).tree;
        let nodes = tree.root().descendants().filter_map(Statement::cast);
        let mut nodes = nodes
            .map(Statement::node)
            .filter(|it| it.text().starts_with(word));
        let span = removal(nodes.next().unwrap());
        let mut left = text.to_owned();
        left.replace_range(span.range(), "");
        left
    }

    #[test]
    fn a_statement_goes_with_its_lines_and_what_is_said_about_it() {
        let text = "mesh t { }\n\n## How many.\n# More.\nparam a = 1  # of ten\n\nparam b = 2\n";
        assert_eq!(without(text, "param a"), "mesh t { }\n\nparam b = 2\n");
        let text = "# The shop.\n\nparam a = 1\nparam b = 2\n";
        assert_eq!(without(text, "param a"), "# The shop.\n\nparam b = 2\n");
        assert_eq!(without("mesh t { }\nparam a = 1", "param"), "mesh t { }\n");
    }

    #[test]
    fn of_several_on_a_line_one_goes() {
        let text = "service a { timeout 1s; mirror 0% b; calls none }\n";
        let expected = "service a { timeout 1s; calls none }\n";
        assert_eq!(without(text, "mirror"), expected);
        let text = "service a { timeout 1s; mirror 0% b }\n";
        assert_eq!(without(text, "mirror"), "service a { timeout 1s }\n");
        let text = "service a { mirror 0% b }\n";
        assert_eq!(without(text, "mirror"), "service a {  }\n");
    }
}

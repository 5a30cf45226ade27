//! Where in a file a place is: the word that is there, the statement around it, and what the blocks around are.

use mesh_lang::source::Span;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::{Token, Tree};
use mesh_lang::view::Statement;
use mesh_lang::vocabulary::{self, Place};

/// The statements around a place, outermost first, each with the places that the block it stands in is.
pub(super) type Around<'t> = Vec<(Statement<'t>, Vec<Place>)>;

/// The statements that a place is in or beside, outermost first.
pub(super) fn around(tree: &Tree, offset: u32) -> Around<'_> {
    let mut around = Vec::new();
    let mut places = vec![Place::File];
    let mut statements: Vec<Statement<'_>> = tree.statements().collect();
    loop {
        // Of two that meet there, the one before: a cursor behind a word means that word.
        let touching = |it: &Statement<'_>| it.span().touches(offset);
        let Some(statement) = statements.into_iter().find(touching) else {
            return around;
        };
        let inside = vocabulary::places_inside(statement, &places);
        around.push((statement, std::mem::replace(&mut places, inside)));
        let block = statement.block();
        let Some(block) =
            block.filter(|block| block.span().start < offset && block.span().touches(offset))
        else {
            return around;
        };
        statements = block.statements().collect();
    }
}

/// The statements that something written at a place would belong to, outermost first: in each block the last one
/// that starts before it. Those whose block is closed before the place are left out with all that is in them.
pub(super) fn before(tree: &Tree, offset: u32) -> Around<'_> {
    let mut around = Vec::new();
    let mut places = vec![Place::File];
    let mut statements: Vec<Statement<'_>> = tree.statements().collect();
    loop {
        let last = statements
            .into_iter()
            .take_while(|it| it.span().start < offset)
            .last();
        let Some(statement) = last else {
            return around;
        };
        let inside = vocabulary::places_inside(statement, &places);
        let block = statement
            .block()
            .filter(|block| block.span().start < offset);
        let is_closed = block.is_some_and(|block| {
            block.span().end <= offset && block.node().token(SyntaxKind::RightBrace).is_some()
        });
        if is_closed {
            return around;
        }
        around.push((statement, std::mem::replace(&mut places, inside)));
        let Some(block) = block else { return around };
        statements = block.statements().collect();
    }
}

/// The token that a place is in or right behind; of two that meet there, a word rather than a sign.
pub(super) fn token(tree: &Tree, offset: u32) -> Option<Token<'_>> {
    let path = tree.path_to(offset);
    let innermost = path.last()?;
    let touching = innermost
        .tokens()
        .filter(|token| token.span().touches(offset));
    touching.max_by_key(|token| match token.kind() {
        SyntaxKind::Word | SyntaxKind::Path => 3,
        kind if kind.is_string() => 2,
        SyntaxKind::Whitespace | SyntaxKind::Newline => 0,
        _ => 1,
    })
}

/// A part of a statement without its block: from its first token to the last one before `{`.
pub(super) fn head(statement: Statement<'_>) -> Span {
    let span = statement.span();
    let Some(block) = statement.block() else {
        return span;
    };
    let node = statement.node();
    let before = node
        .tokens()
        .take_while(|token| token.span().start < block.span().start);
    let last = before
        .filter(|token| !token.kind().is_trivia() && token.kind() != SyntaxKind::Newline)
        .last();
    let end = last.map_or(span.start, |token| token.span().end);
    Span::new(span.file, span.start, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_lang::parser::parse;
    use mesh_lang::source::FileId;

    /// The words that the statements around the `‸` of a text start with, and the token there.
    fn at(text: &str) -> (Vec<String>, String) {
        let offset = text.find('‸').expect("it is there") as u32;
        let tree = parse(FileId(0), &text.replace('‸', "")).tree;
        let first = |(statement, _): &(Statement<'_>, Vec<Place>)| {
            let text = statement.node().text();
            text.split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let words = around(&tree, offset).iter().map(first).collect();
        (
            words,
            token(&tree, offset).map_or_else(String::new, |token| token.text().to_owned()),
        )
    }

    #[test]
    fn a_place_is_in_the_statements_around_it() {
        let (words, token) = at("service a { route { /x -> b { timeout 5‸s } } }");
        assert_eq!(words, ["service", "route", "/x", "timeout"]);
        assert_eq!(token, "5s");
        let (words, token) = at("service a { timeout‸ 5s }");
        assert_eq!((words.len(), token.as_str()), (2, "timeout"));
        assert_eq!(at("service a { }\n‸\nservice b { }").0, [""; 0]);
        assert_eq!(at("service a‸").1, "a");
        assert_eq!(at("‸").1, "");
    }

    #[test]
    fn a_head_ends_before_its_block() {
        let text = "service a { timeout 5s }\nparam x = 1\n";
        let tree = parse(FileId(0), text).tree;
        let heads = tree.statements().map(|it| head(it).text(text).to_owned());
        assert_eq!(heads.collect::<Vec<_>>(), ["service a", "param x = 1"]);
    }
}

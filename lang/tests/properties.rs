//! What holds for every text: nothing is lost, nothing panics, every token is in one node, every
//! place is in the text.
#![allow(clippy::unwrap_used)]

use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::lexer::lex;
use mesh_lang::parser::{Parse, parse};
use mesh_lang::source::{FileId, SourceFile, Span};
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::Node;
use mesh_lang::value;
use mesh_lang::vocabulary;
use proptest::prelude::*;

const FILES: &[&str] = &[
    include_str!("fixtures/mesh.mesh"),
    include_str!("fixtures/services.mesh"),
    include_str!("fixtures/gateway.mesh"),
    include_str!("fixtures/fragment.mesh"),
    include_str!("fixtures/proofs.mesh"),
];

/// Pieces of which real files are made, and some of which they are not.
const PIECES: &[&str] = &[
    "service",
    "export",
    "mesh",
    "gateway",
    "namespace",
    "routes",
    "assert",
    "test",
    "env",
    "set",
    "param",
    "let",
    "import",
    "authz",
    "route",
    "timeout",
    "retry",
    "limits",
    "lints",
    "jwt",
    "a",
    "b.v1",
    "n/c",
    "self",
    "x-y",
    "GET",
    "POST",
    "/a/**",
    "/b/{id}",
    "/c//d",
    "\"s\"",
    "\"/x;y\"",
    "r\"[0-9]\"",
    "\"open",
    "5s",
    "10%",
    "64KiB",
    "100/s",
    "503",
    "5xx",
    "::1",
    "[::1]:80",
    "10.0.0.0/8",
    "http://a/b",
    "1.5s",
    "otherwise",
    "when",
    "unless",
    "where",
    "and",
    "or",
    "not",
    "in",
    "to",
    "->",
    "split",
    "rest",
    "redirect",
    "respond",
    "file",
    "allow",
    "deny",
    "any",
    "anyone",
    "never",
    "only",
    "every",
    "reaches",
    "has",
    "requires",
    "request",
    "expect",
    "from",
    "==",
    "!=",
    "<=",
    "matches",
    "present",
    "header.x",
    "jwt.corp.sub",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    ":",
    "=",
    "..",
    "\n",
    "\n  ",
    "\n    ",
    "\r\n",
    "\r",
    " ",
    "\t",
    "# c\n",
    "## d\n",
    "é",
    "&&",
    "\u{feff}",
    "-",
    "%",
    "!",
    "'",
];

fn check_everything(text: &str) -> Result<(), TestCaseError> {
    let tokens = lex(text);
    let texts: String = (0..tokens.len())
        .map(|index| tokens.text(text, index))
        .collect();
    prop_assert_eq!(&texts, text);

    let Parse { tree, diagnostics } = parse(FileId(0), text);
    prop_assert_eq!(tree.text(), text);
    prop_assert_eq!(
        tree.root().span(),
        Span::new(FileId(0), 0, text.len() as u32)
    );
    let mut owners = vec![0_u32; tokens.len()];
    check_node(tree.root(), &mut owners)?;
    prop_assert!(owners.iter().all(|&owners| owners == 1), "{:?}", owners);

    let is_damage = |node: Node<'_>| matches!(node.kind(), SyntaxKind::Error | SyntaxKind::Missing);
    let is_damaged = tree.root().descendants().any(is_damage);
    prop_assert!(
        !is_damaged || !diagnostics.is_empty(),
        "damage without a word"
    );

    for diagnostic in diagnostics.iter().chain(&vocabulary::check(&tree)) {
        check_diagnostic(text, diagnostic)?;
    }
    for offset in [0, text.len() / 2, text.len()] {
        prop_assert!(vocabulary::places_at(&tree, offset as u32).len() <= 2);
        prop_assert_eq!(tree.path_to(offset as u32)[0], tree.root());
    }
    Ok(())
}

/// Whether the nodes below `node` lie in it in order, and counts the nodes that each token belongs
/// to by itself.
fn check_node(node: Node<'_>, owners: &mut [u32]) -> Result<(), TestCaseError> {
    let span = node.span();
    let mut end = span.start;
    for child in node.children() {
        prop_assert!(child.span().start >= end, "{:?} in {:?}", child, node);
        end = child.span().end;
        check_node(child, owners)?;
    }
    prop_assert!(end <= span.end, "{:?}", node);
    let is_missing = node.kind() == SyntaxKind::Missing;
    let may_be_empty = is_missing || node.kind() == SyntaxKind::File;
    prop_assert!(may_be_empty || !span.is_empty(), "{:?}", node);
    for token in node.tokens() {
        let in_child = node.children().any(|child| {
            let span = child.span();
            span.start <= token.span().start && token.span().end <= span.end
        });
        owners[token.index() as usize] += u32::from(!in_child);
    }
    Ok(())
}

fn check_diagnostic(text: &str, diagnostic: &Diagnostic) -> Result<(), TestCaseError> {
    prop_assert!(diagnostic.span().is_some(), "{:?}", diagnostic);
    let is_place = |span: Span| text.get(span.range()).is_some();
    prop_assert!(
        diagnostic.labels.iter().all(|label| is_place(label.span)),
        "{:?}",
        diagnostic
    );
    for fix in &diagnostic.fixes {
        prop_assert!(
            fix.edits.iter().all(|edit| is_place(edit.span)),
            "{:?}",
            fix
        );
        let mut spans: Vec<_> = fix.edits.iter().map(|edit| edit.span).collect();
        spans.sort_unstable();
        prop_assert!(
            spans.windows(2).all(|pair| pair[0].end <= pair[1].start),
            "{:?}",
            fix
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "(?s).{0,120}") {
        check_everything(&text)?;
    }

    #[test]
    fn any_ascii_text(text in "[ -~\n\r\t]{0,200}") {
        check_everything(&text)?;
    }

    #[test]
    fn any_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..80), spaced in any::<bool>()) {
        check_everything(&pieces.join(if spaced { " " } else { "" }))?;
    }

    #[test]
    fn files_with_a_part_cut_out(
        file in prop::sample::select(FILES),
        (from, to) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let (from, to) = (boundary(file, from), boundary(file, to));
        let text = format!("{}{}", &file[..from.min(to)], &file[from.max(to)..]);
        check_everything(&text)?;
    }

    #[test]
    fn files_with_a_piece_put_in(
        file in prop::sample::select(FILES),
        at in any::<prop::sample::Index>(),
        piece in prop::sample::select(PIECES),
    ) {
        let at = boundary(file, at);
        check_everything(&format!("{}{piece}{}", &file[..at], &file[at..]))?;
    }

    #[test]
    fn lines_and_columns_lead_back(text in "(?s)[a𝄞é\n\r ]{0,60}", at in any::<prop::sample::Index>()) {
        let file = SourceFile::new("a.mesh", text.clone());
        let offset = boundary(&text, at) as u32;
        let (line, column) = file.line_column(offset);
        prop_assert!(line >= 1 && column >= 1 && line <= file.line_count());
        prop_assert_eq!(line, file.line_of(offset));
        let (line, column) = file.utf16_position(offset);
        // Inside of `\r\n` there is no place.
        let inside = text[..offset as usize].ends_with('\r') && text[offset as usize..].starts_with('\n');
        prop_assert!(inside || file.offset_of_utf16(line, column) == offset);
    }

    #[test]
    fn any_value(text in "[a-z0-9A-Z./:%*{}\\[\\]_~?# -]{0,24}") {
        check_value(&text)?;
    }

    #[test]
    fn any_unicode_value(text in "(?s).{0,24}") {
        check_value(&text)?;
    }

    #[test]
    fn any_string_token(text in "(?s).{0,24}") {
        let _ = value::unescape(&text);
        let _ = value::unescape(&format!("\"{text}\""));
    }
}

fn boundary(text: &str, at: prop::sample::Index) -> usize {
    let mut at = at.index(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Whether what a text is read as is written so that it reads the same.
fn check_value(text: &str) -> Result<(), TestCaseError> {
    macro_rules! round_trip {
        ($($kind:ident)*) => {$(
            if let Ok(read) = value::$kind::parse(text) {
                let again = value::$kind::parse(&read.to_string());
                prop_assert_eq!(again, Ok(read));
            }
        )*};
    }
    round_trip!(
        Duration Rate Date Percent Size Integer Status StatusSet Port Host Address Cidr HostPattern
        Name Target Method HeaderName PathPattern Url
    );
    // What is surely meant is a value.
    macro_rules! suggestions {
        ($($kind:ident)*) => {$(
            if let Err(error) = value::$kind::parse(text)
                && let Some(suggestion) = error.suggestion
                && suggestion.certain
            {
                prop_assert!(value::$kind::parse(&suggestion.text).is_ok(), "{}", suggestion.text);
            }
        )*};
    }
    suggestions!(Duration Rate Percent Size StatusSet Address Cidr HostPattern Name Method PathPattern);
    Ok(())
}

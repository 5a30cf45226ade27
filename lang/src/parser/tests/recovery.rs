//! Broken files: one diagnostic for each mistake, and a tree that is as good as can be.

use super::{broken, parsed, show};
use crate::syntax::SyntaxKind;

/// Whether a text has exactly these findings, each "code: text under it".
#[track_caller]
fn finds(text: &str, expected: &[&str]) {
    let (found, _) = broken(text);
    assert_eq!(found, expected, "\n{text}");
}

/// Whether a text has exactly these findings and is still read as these statements.
#[track_caller]
fn reads(text: &str, expected: &[&str], tree: &[&str]) {
    let (found, statements) = broken(text);
    assert_eq!(found, expected, "\n{text}");
    assert_eq!(statements, tree, "\n{text}");
}

#[test]
fn a_missing_part_is_missing_and_nothing_else() {
    reads(
        "service { timeout 5s }",
        &["E0101: {"],
        &["(Service service (Missing) (Block { (Setting timeout (WordValue 5s)) }))"],
    );
    reads(
        "param x 10%",
        &["E0101: 10%"],
        &["(Param param (Name x) (Missing) (WordValue 10%))"],
    );
    reads(
        "param x =",
        &["E0101: "],
        &["(Param param (Name x) = (Missing))"],
    );
    reads(
        "service x",
        &["E0101: "],
        &["(Service service (Name x) (Missing))"],
    );
    reads(
        "let x = a ==\n\nparam y = 1",
        &["E0101: y"],
        &["(Let let (Name x) = (Comparison (Field a) == (WordValue param)) (Error y = 1))"],
    );
}

#[test]
fn a_statement_that_does_not_parse_ends_with_its_line() {
    reads(
        "service a {\n  timeout 5s ) x\n  retry off\n}",
        &["E0101: )"],
        &[
            "(Service service (Name a) (Block { (Setting timeout (WordValue 5s) (Error ) x)) \
           (Setting retry (WordValue off)) }))",
        ],
    );
    reads(
        "policy a { ]; timeout 5s }",
        &["E0101: ]"],
        &[
            "(Policy policy (Name a) (Block { (Error (Error ])) ; (Setting timeout (WordValue 5s)) }))",
        ],
    );
}

#[test]
fn the_block_of_a_broken_statement_is_read() {
    reads(
        "service a b { timeout 5s }",
        &["E0101: b"],
        &["(Service service (Name a) (Error b) (Block { (Setting timeout (WordValue 5s)) }))"],
    );
    reads(
        "assert x { only a reaches b }",
        &["E0101: x"],
        &[
            "(Assert assert (Missing) (Error x) (Block { (Claim only (Who a) reaches (Target b)) }))",
        ],
    );
    finds(
        "policy a { ) { timeout 5s; ) } }",
        &["E0101: )", "E0101: )"],
    );
}

#[test]
fn several_mistakes_are_all_found() {
    finds(
        "\
service {
  timeout = 5s
  route {
    GET /a foo
    POST -> -> b
    when == 1 -> c
  }
}
param x
let y = (a
test { request get / }
",
        &[
            "E0101: {",
            "E0101: =",
            "E0101: foo",
            "E0101: ->",
            "E0101: ==",
            "E0101: ",
            "E0105: (",
            "E0101: {",
            "E0101: get",
        ],
    );
}

#[test]
fn an_arm_that_lacks_a_part_is_still_an_arm() {
    for (text, found, tree) in [
        (
            "GET /x reviews",
            "E0101: reviews",
            "(Arm (Methods GET) (Paths (PathValue /x)) (Missing) (Forward (Target reviews)))",
        ),
        (
            "GET /x ->",
            "E0101: }",
            "(Arm (Methods GET) (Paths (PathValue /x)) -> (Missing))",
        ),
        (
            "-> x",
            "E0101: ->",
            "(Arm (Missing) -> (Forward (Target x)))",
        ),
        (
            "/x when -> v2",
            "E0101: ->",
            "(Arm (Paths (PathValue /x)) (When when (Missing)) -> (Forward (Target v2)))",
        ),
        (
            "/x when a == -> v2",
            "E0101: ->",
            "(Arm (Paths (PathValue /x)) (When when (Comparison (Field a) == (Missing))) -> (Forward (Target v2)))",
        ),
        (
            "/x unless a -> v2",
            "E0101: unless",
            "(Arm (Paths (PathValue /x)) (Unless unless (Comparison (Field a))) -> (Forward (Target v2)))",
        ),
        (
            "GET, /x -> v2",
            "E0101: /x",
            "(Arm (Methods GET , (Missing)) (Paths (PathValue /x)) -> (Forward (Target v2)))",
        ),
        (
            "/x when a = \"b\" -> v2",
            "E0101: =",
            "(Arm (Paths (PathValue /x)) (When when (Comparison (Field a) = (StringValue \"b\"))) -> (Forward (Target v2)))",
        ),
    ] {
        let (found_all, statements) = broken(&format!("service a {{ route {{ {text} }} }}"));
        assert_eq!(found_all, [found], "{text}");
        let tree = format!(
            "(Service service (Name a) (Block {{ (Setting route (Block {{ {tree} }})) }}))"
        );
        assert_eq!(statements, [tree], "{text}");
    }
}

#[test]
fn an_arrow_without_an_action_does_not_swallow_the_next_arm() {
    reads(
        "service a {\n  GET /x ->\n  POST /y -> z\n}",
        &["E0101: POST"],
        &[
            "(Service service (Name a) (Block { (Arm (Methods GET) (Paths (PathValue /x)) -> (Missing)) \
           (Arm (Methods POST) (Paths (PathValue /y)) -> (Forward (Target z))) }))",
        ],
    );
}

#[test]
fn misspelt_words_are_read_as_they_were_meant() {
    reads(
        "servce a { }",
        &["E0201: servce"],
        &["(Service servce (Name a) (Block { }))"],
    );
    reads(
        "exprt service a { }",
        &["E0201: exprt"],
        &["(Service exprt service (Name a) (Block { }))"],
    );
    reads(
        "asert \"x\" { nver a reaches b }",
        &["E0201: asert", "E0201: nver"],
        &["(Assert asert (StringValue \"x\") (Block { (Claim nver (Who a) reaches (Target b)) }))"],
    );
    reads(
        "test \"x\" { reqest GET http://a/; expct 200 }",
        &["E0201: reqest", "E0201: expct"],
        &[
            "(Test test (StringValue \"x\") (Block { (Request reqest (Methods GET) (WordValue http://a/)) ; \
           (Expect expct (WordValue 200)) }))",
        ],
    );
}

#[test]
fn other_statements_do_not_stand_in_closed_blocks() {
    finds("assert \"x\" { timeout 5s }", &["E0101: timeout"]);
    finds("test \"x\" { GET /a -> b }", &["E0101: GET"]);
    finds("env x { timeout 5s { connect 1s } }", &["E0101: timeout"]);
}

#[test]
fn habits_of_other_languages() {
    reads(
        "policy a { timeout: 5s }",
        &["E0101: :"],
        &["(Policy policy (Name a) (Block { (Setting timeout (Error :) (WordValue 5s)) }))"],
    );
    reads(
        "policy a { timeout = 5s }",
        &["E0101: ="],
        &["(Policy policy (Name a) (Block { (Setting timeout (Error =) (WordValue 5s)) }))"],
    );
    finds("let x = a && b", &["E0102: &&"]);
    finds("let x = !a", &["E0102: !"]);
    finds("let x\u{a0}= a", &["E0102: \u{a0}"]);
    finds("import '../common'", &["E0102: '"]);
    finds("export test \"x\" { }", &["E0101: export"]);
    finds(
        "export thing a { timeout 5s }\nparam b = 1",
        &["E0101: thing"],
    );
    finds("export\nparam b = 1", &["E0101: "]);
}

#[test]
fn unknown_characters_are_found_once_a_statement() {
    reads(
        "param é = 1\nparam b = ß",
        &["E0102: é", "E0102: ß"],
        &[
            "(Param param (Missing) (Missing) (Missing) (Error é = 1))",
            "(Param param (Name b) = (Missing) (Error ß))",
        ],
    );
}

#[test]
fn strings_are_looked_at_where_they_are_read() {
    reads(
        "import \"../a\nparam b = \"c",
        &["E0103: \"../a", "E0103: \"c"],
        &[
            "(Import import (StringValue \"../a))",
            "(Param param (Name b) = (StringValue \"c))",
        ],
    );
    finds("param a = \"x\\d\"", &["E0104: \\d"]);
    finds("param a = r\"x\\d\"", &[]);
}

#[test]
fn brackets_without_counterpart() {
    reads(
        "let a = [b, c\nlet d = 1",
        &["E0105: ["],
        &[
            "(Let let (Name a) = (ListValue [ (WordValue b) , (WordValue c) (Missing)))",
            "(Let let (Name d) = (WordValue 1))",
        ],
    );
    reads(
        "let a = (b or c\nlet d = [1]",
        &["E0105: ("],
        &[
            "(Let let (Name a) = (Paren ( (Or (Comparison (Field b)) or (Comparison (Field c))) (Missing)))",
            "(Let let (Name d) = (ListValue [ (WordValue 1) ]))",
        ],
    );
    reads(
        "let a = [b c]",
        &["E0101: c"],
        &["(Let let (Name a) = (ListValue [ (WordValue b) (Missing) (WordValue c) ]))"],
    );
    finds("let a = [(]\nlet b = [)]", &["E0105: [", "E0105: ["]);
    finds("let a = b]", &["E0101: ]"]);
}

#[test]
fn a_brace_on_the_next_line() {
    reads(
        "service a\n{\n  timeout 5s\n}",
        &["E0108: {"],
        &["(Service service (Name a) (Block { (Setting timeout (WordValue 5s)) }))"],
    );
    reads(
        "policy a {\n  limits\n  {\n    pending 5\n  }\n}",
        &["E0108: {"],
        &[
            "(Policy policy (Name a) (Block { (Setting limits (Block { (Setting pending (WordValue 5)) })) }))",
        ],
    );
}

#[test]
fn a_missing_closing_brace_is_found_by_indentation() {
    let text = "\
service a {
  route {
    GET /x -> y
  authz { allow z }
}
service b {
  timeout 5s
}
";
    reads(
        text,
        &["E0106: {"],
        &[
            "(Service service (Name a) (Block { (Setting route (Block { (Arm (Methods GET) (Paths (PathValue /x)) -> \
             (Forward (Target y))) (Missing))) (Setting authz (Block { (Rule allow (Who z)) })) }))",
            "(Service service (Name b) (Block { (Setting timeout (WordValue 5s)) }))",
        ],
    );
    reads(
        "service a {\n  timeout 5s\n\nservice b {\n}\n",
        &["E0106: {"],
        &[
            "(Service service (Name a) (Block { (Setting timeout (WordValue 5s)) (Missing)))",
            "(Service service (Name b) (Block { }))",
        ],
    );
    reads(
        "service a {\nservice b {\n}\n",
        &["E0106: {"],
        &[
            "(Service service (Name a) (Block { (Missing)))",
            "(Service service (Name b) (Block { }))",
        ],
    );
}

#[test]
fn blocks_open_at_the_end_are_one_mistake() {
    let parse = parsed("service a {\n  route {\n    GET /x -> y {\n");
    assert_eq!(parse.diagnostics.len(), 1);
    assert_eq!(parse.diagnostics[0].labels.len(), 3);
    assert_eq!(parse.diagnostics[0].message, "3 blocks have no `}`");
}

#[test]
fn a_brace_too_many_is_found_by_indentation() {
    reads(
        "service a {\n  route {\n    GET /x -> y\n  }\n  }\n  authz { allow z }\n}\nservice b {\n}\n",
        &["E0107: }"],
        &[
            "(Service service (Name a) (Block { (Setting route (Block { (Arm (Methods GET) (Paths (PathValue /x)) -> \
             (Forward (Target y))) })) (Error }) (Setting authz (Block { (Rule allow (Who z)) })) }))",
            "(Service service (Name b) (Block { }))",
        ],
    );
    finds("service a { }\n}\nservice b { }", &["E0107: }"]);
}

#[test]
fn a_missing_opening_brace_is_found_by_indentation() {
    reads(
        "service a\n  timeout 5s\n  retry off\n}\nservice b { }",
        &["E0101: "],
        &[
            "(Service service (Name a) (Block (Setting timeout (WordValue 5s)) (Setting retry (WordValue off)) }))",
            "(Service service (Name b) (Block { }))",
        ],
    );
    reads(
        "assert \"a {\n  only b reaches c\n}\n",
        &["E0103: \"a {"],
        &["(Assert assert (StringValue \"a {) (Block (Claim only (Who b) reaches (Target c)) }))"],
    );
}

#[test]
fn indentation_means_nothing_where_braces_are_even() {
    let text = "service a {\nroute {\n      GET /x -> y\n GET /z -> y\n    }\n  }\n    service b {\ntimeout 5s\n}";
    finds(text, &[]);
    assert_eq!(parsed(text).tree.items().count(), 2);
    let text = "namespace n {\n  service a {\n    timeout 5s\n}\nservice b {}\n}\n";
    finds(text, &[]);
    assert_eq!(parsed(text).tree.items().count(), 1);
}

#[test]
fn statements_without_a_block_say_so() {
    finds("policy a { authz { allow b { } } }", &["E0205: {"]);
    finds("import \"x\" { timeout 5s }", &["E0205: {"]);
    finds("{ timeout 5s }", &["E0101: {"]);
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("a {", "}"), ("x [", "]"), ("let x = (", ")")] {
        let deep = |levels: usize| {
            let first = open.chars().next_back().unwrap().to_string();
            let text = format!("{open}{}{}", first.repeat(levels), close.repeat(levels + 1));
            if open.ends_with('{') {
                format!("{}{}", "a {".repeat(levels + 1), "}".repeat(levels + 1))
            } else if open.ends_with('[') {
                format!("policy p {{ {text} }}")
            } else {
                text.replacen("()", "(a)", 1)
            }
        };
        let around = u32::from(open.ends_with('['));
        finds(&deep(63 - around as usize), &[]);
        let (found, _) = broken(&deep(64 - around as usize));
        assert_eq!(found.len(), 1, "{open}: {found:?}");
        assert!(found[0].starts_with("E0109"), "{found:?}");
    }
    let nots = |levels: usize| format!("let x = {}a", "not ".repeat(levels));
    finds(&nots(64), &[]);
    let (found, _) = broken(&nots(65));
    assert_eq!(found.len(), 1);
}

#[test]
fn no_depth_overflows_the_stack() {
    for unit in [
        "a {",
        "[",
        "(",
        "not ",
        "{",
        "x [",
        "let x = (",
        "service a {\n",
    ] {
        for prefix in ["", "let x = ", "policy p { x "] {
            let text = format!("{prefix}{}", unit.repeat(20_000));
            assert!(parsed(&text).tree.node_count() > 1, "{unit:?}");
        }
    }
}

#[test]
fn the_statements_after_a_deep_one_are_read() {
    let text = format!("policy a {{\n  b {}\n  timeout 5s\n}}", "[".repeat(100));
    let (found, statements) = broken(&text);
    assert_eq!(found.len(), 1);
    assert!(
        statements[0].ends_with("(Setting timeout (WordValue 5s)) }))"),
        "{statements:?}"
    );
}

#[test]
fn only_missing_nodes_are_empty() {
    let text = "service {\n  GET -> \n  = } ) param x let when -> [";
    let parse = parsed(text);
    for node in parse.tree.root().descendants() {
        assert_eq!(
            node.span().is_empty(),
            node.kind() == SyntaxKind::Missing,
            "{}",
            show(node)
        );
    }
}

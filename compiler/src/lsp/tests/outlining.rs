//! What is shown of a file besides its findings: outline, folds, links, lenses, hints, calls, tokens.

use super::session::{Session, abilities, example};
use gen_lsp_types::{
    CallHierarchyIncomingCallsRequest, CallHierarchyOutgoingCallsRequest,
    CallHierarchyPrepareRequest, CodeLensRequest, DocumentLinkRequest, DocumentSymbol,
    DocumentSymbolRequest, DocumentSymbolResponse, FoldingRangeRequest, InlayHintRequest, Label,
    Position, Request as _, SelectionRangeRequest, SemanticTokensRangeRequest,
    SemanticTokensRequest, WorkspaceSymbol, WorkspaceSymbolRequest,
};
use serde_json::{Value, json};
use std::fmt::Write as _;

fn bookinfo() -> Session {
    let mut session = Session::start(&[("bookinfo.mesh", &example("bookinfo/bookinfo.mesh"))]);
    session.open_file("bookinfo.mesh");
    session
}

fn document(session: &Session, name: &str) -> Value {
    json!({ "textDocument": session.document(name) })
}

/// The place of a word in a document.
fn word(session: &Session, name: &str, word: &str) -> Position {
    let text = session.text(name);
    let at = text.find(word).unwrap_or_else(|| panic!("no {word}"));
    let line = text[..at].matches('\n').count() as u32;
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line,
        character: (at - start) as u32,
    }
}

/// Adds symbols, a line each, those in others further right.
fn show(symbols: &[DocumentSymbol], indent: usize, shown: &mut String) {
    for symbol in symbols {
        let detail = symbol.detail.as_deref().unwrap_or_default();
        let line = symbol.selection_range.start.line + 1;
        let _ = writeln!(
            shown,
            "{:indent$}{:?} {} | {detail} | {line}",
            "", symbol.kind, symbol.name
        );
        assert!(
            symbol.range.start <= symbol.selection_range.start,
            "{symbol:?}"
        );
        assert!(symbol.selection_range.end <= symbol.range.end, "{symbol:?}");
        show(
            symbol.children.as_deref().unwrap_or_default(),
            indent + 2,
            shown,
        );
    }
}

#[test]
fn a_file_has_an_outline() {
    let mut session = bookinfo();
    let params = document(&session, "bookinfo.mesh");
    let Some(DocumentSymbolResponse::DocumentSymbolList(symbols)) =
        session.ask::<DocumentSymbolRequest>(params)
    else {
        panic!("no list");
    };
    let mut shown = String::new();
    show(&symbols, 0, &mut shown);
    insta::assert_snapshot!(shown);
}

#[test]
fn an_editor_without_trees_gets_a_list() {
    let mut abilities = abilities();
    abilities["textDocument"]["documentSymbol"] = Value::Null;
    let mut session = Session::with_abilities(&[], &abilities);
    session.open(
        "a.mesh",
        "service a { version v1 { endpoints 127.0.0.1:1 } }\n",
    );
    let params = document(&session, "a.mesh");
    let Some(DocumentSymbolResponse::SymbolInformationList(symbols)) =
        session.ask::<DocumentSymbolRequest>(params)
    else {
        panic!("no list");
    };
    let names: Vec<_> = symbols
        .iter()
        .map(|it| it.base_symbol_information.name.as_str())
        .collect();
    assert_eq!(names, ["a", "v1"]);
}

#[test]
fn symbols_are_found_in_all_folders() {
    let files = [
        (
            "one/mesh.mesh",
            "mesh one { }\nservice reviews { endpoints 127.0.0.1:1 }\n",
        ),
        (
            "two/mesh.mesh",
            "mesh two { }\nnamespace n { service ratings { version v1 { endpoints 127.0.0.1:1 } } }\n",
        ),
    ];
    let mut session = Session::start(&files);
    session.open_file("one/mesh.mesh");
    let mut found = |query: &str| {
        // Read back, the two lists of the protocol look alike.
        let symbols = session
            .request(
                WorkspaceSymbolRequest::METHOD.as_str(),
                json!({ "query": query }),
            )
            .expect("it is answered");
        let symbols: Vec<WorkspaceSymbol> = serde_json::from_value(symbols).expect("a list");
        symbols
            .into_iter()
            .map(|it| it.base_symbol_information.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("rev"), ["reviews"]);
    assert_eq!(found("RATV"), ["n/ratings.v1"]);
    assert_eq!(found("").len(), 6);
}

#[test]
fn blocks_comments_and_imports_fold() {
    let text = "import \"a\"\nimport \"b\"\n\n# one\n# two\nservice a {\n  timeout 5s {\n    connect 1s\n  }\n}\nlet x = [\n  1,\n]\n";
    let folds = |whole_lines: bool| {
        let mut abilities = abilities();
        abilities["textDocument"]["foldingRange"] = json!({ "lineFoldingOnly": whole_lines });
        let mut session = Session::with_abilities(&[], &abilities);
        session.open("a.mesh", text);
        let params = document(&session, "a.mesh");
        let mut folds = session
            .ask::<FoldingRangeRequest>(params)
            .expect("there are some");
        folds.sort_by_key(|fold| fold.start_line);
        folds
            .iter()
            .map(|it| (it.start_line + 1, it.end_line + 1))
            .collect::<Vec<_>>()
    };
    assert_eq!(folds(true), [(1, 2), (4, 5), (6, 9), (7, 8), (11, 12)]);
    assert_eq!(folds(false), [(1, 2), (4, 5), (6, 10), (7, 9), (11, 13)]);
}

#[test]
fn a_selection_grows_with_the_tree() {
    let text = "service a {\n  timeout 5s { connect 1s }\n}\n";
    let mut session = Session::start(&[]);
    session.open("a.mesh", text);
    let mut params = document(&session, "a.mesh");
    params["positions"] = json!([word(&session, "a.mesh", "1s")]);
    let ranges = session
        .ask::<SelectionRangeRequest>(params)
        .expect("there is one");
    let mut shown = Vec::new();
    let mut next = Some(&ranges[0]);
    while let Some(range) = next {
        let offset = |it: Position| {
            text.split_inclusive('\n')
                .take(it.line as usize)
                .map(str::len)
                .sum::<usize>()
                + it.character as usize
        };
        shown.push(text[offset(range.range.start)..offset(range.range.end)].to_owned());
        next = range.parent.as_deref();
    }
    let expected = [
        "1s",
        "connect 1s",
        " connect 1s ",
        "{ connect 1s }",
        "timeout 5s { connect 1s }",
        "\n  timeout 5s { connect 1s }\n",
        "{\n  timeout 5s { connect 1s }\n}",
        "service a {\n  timeout 5s { connect 1s }\n}",
        text,
    ];
    assert_eq!(shown, expected);
}

#[test]
fn what_a_policy_names_can_be_followed() {
    let files = [
        ("shop/mesh.mesh", "import \"../common\"\nmesh shop { }\n"),
        (
            "shop/a/jwt.mesh",
            "jwt corp { issuer \"https://a.example\"; jwks file \"keys.json\" }\ngateway g { host * { otherwise -> respond 404 file \"no.html\" } }\n",
        ),
        ("shop/keys.json", "{}"),
        ("shop/no.html", "no"),
        ("common/all.mesh", "policy patient { timeout 10s }\n"),
    ];
    let mut session = Session::start(&files);
    session.open_file("shop/mesh.mesh");
    session.open_file("shop/a/jwt.mesh");
    let mut targets = |name: &str| {
        let params = document(&session, name);
        let links = session
            .ask::<DocumentLinkRequest>(params)
            .expect("there are some");
        let targets = links.into_iter().filter_map(|link| link.target);
        targets
            .map(|target| target.0.rsplit('/').next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(targets("shop/mesh.mesh"), ["all.mesh"]);
    assert_eq!(targets("shop/a/jwt.mesh"), ["keys.json", "no.html"]);
}

#[test]
fn tests_can_be_run_and_callers_are_named() {
    let mut session = bookinfo();
    let params = document(&session, "bookinfo.mesh");
    let lenses = session
        .ask::<CodeLensRequest>(params)
        .expect("there are some");
    let shown: Vec<String> = lenses
        .iter()
        .map(|lens| {
            let command = lens.command.as_ref().expect("a command");
            format!(
                "{} {} [{}]",
                lens.range.start.line + 1,
                command.title,
                command.command
            )
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn calls_can_be_followed_both_ways() {
    let mut session = bookinfo();
    let at = word(&session, "bookinfo.mesh", "service reviews");
    let at = Position {
        character: at.character + 8,
        ..at
    };
    let place = session.place("bookinfo.mesh", at);
    let items = session
        .ask::<CallHierarchyPrepareRequest>(place)
        .expect("it is a service");
    assert_eq!(items[0].name, "reviews");
    let item = json!({ "item": items[0] });
    let from = session
        .ask::<CallHierarchyIncomingCallsRequest>(item.clone())
        .expect("it is called");
    let names: Vec<_> = from.iter().map(|call| call.from.name.as_str()).collect();
    assert_eq!(names, ["productpage"]);
    let to = session
        .ask::<CallHierarchyOutgoingCallsRequest>(item)
        .expect("it calls");
    let names: Vec<_> = to.iter().map(|call| call.to.name.as_str()).collect();
    assert_eq!(names, ["ratings"]);
    assert!(!to[0].from_ranges.is_empty());
}

#[test]
fn shares_and_inherited_values_stand_between_the_words() {
    let text = "\
mesh t { mtls off; authz open-by-default; lints { allow open-service }; defaults { timeout 4s } }
param canary = 10%
policy calm { retry 2 on 5xx }
service a {
  version v1 { endpoints 127.0.0.1:1 }
  version v2 { endpoints 127.0.0.1:2 }
  use calm
  route { otherwise -> split canary v2, rest v1 }
}
service b { endpoints 127.0.0.1:3; timeout 1s; retry off }
";
    let mut session = Session::start(&[]);
    session.open("a.mesh", text);
    let mut params = document(&session, "a.mesh");
    params["range"] =
        json!({ "start": Position::default(), "end": { "line": 99, "character": 0 } });
    let hints = session
        .ask::<InlayHintRequest>(params)
        .expect("there are some");
    let shown: Vec<String> = hints
        .iter()
        .map(|hint| {
            let Label::InlayHintLabelPartList(parts) = &hint.label else {
                panic!("{hint:?}")
            };
            let label: String = parts.iter().map(|part| part.value.as_str()).collect();
            format!(
                "{}:{} {label}",
                hint.position.line + 1,
                hint.position.character + 1
            )
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn tokens_of_a_part_are_those_of_the_whole() {
    let mut session = bookinfo();
    let params = document(&session, "bookinfo.mesh");
    let whole = session
        .ask::<SemanticTokensRequest>(params.clone())
        .expect("there are some");
    let places = |data: &[gen_lsp_types::SemanticToken]| {
        let (mut line, mut character) = (0, 0);
        let mut places = Vec::new();
        for token in data {
            character = if token.delta_line == 0 {
                character + token.delta_start
            } else {
                token.delta_start
            };
            line += token.delta_line;
            places.push((
                line,
                character,
                token.length,
                token.token_type,
                token.token_modifiers_bitset,
            ));
        }
        places
    };
    let whole = places(&whole.data);
    for (from, to) in [(0, 5), (10, 40), (30, 31), (0, 9999)] {
        let mut params = params.clone();
        params["range"] = json!({ "start": { "line": from, "character": 0 }, "end": { "line": to, "character": 0 } });
        let part = session
            .ask::<SemanticTokensRangeRequest>(params)
            .expect("there are some");
        let expected: Vec<_> = whole
            .iter()
            .copied()
            .filter(|it| (from..to).contains(&it.0))
            .collect();
        assert_eq!(places(&part.data), expected, "{from}..{to}");
    }
}

#[test]
fn the_graph_is_that_of_the_text_as_it_is() {
    let mut session = bookinfo();
    let uri = session.uri("bookinfo.mesh");
    let mut graph = || {
        let params = json!({ "command": "mesh.graph", "arguments": [uri] });
        session.request("workspace/executeCommand", params)
    };
    let page = graph().expect("there is one");
    assert!(
        page.as_str()
            .is_some_and(|page| page.contains("productpage"))
    );
    session.change("bookinfo.mesh", "mesh m { }\nservice a { calls nobody }\n");
    let params = json!({ "command": "mesh.graph", "arguments": [session.uri("bookinfo.mesh")] });
    let refused = session.request("workspace/executeCommand", params);
    assert!(refused.is_err_and(|error| error.message.contains("does not compile")));
}

#![allow(clippy::unwrap_used)]

use super::*;
use crate::parser::parse;
use crate::source::FileId;

fn tree(text: &str) -> Tree {
    let parse = parse(FileId(0), text);
    assert!(parse.diagnostics.is_empty(), "{:?}", parse.diagnostics);
    parse.tree
}

/// The statements in the block of the first item of a file.
fn statements(tree: &Tree) -> Vec<Statement<'_>> {
    let item = tree.statements().next().unwrap();
    item.block().unwrap().statements().collect()
}

fn texts<'t>(texts: impl Iterator<Item = Text<'t>>) -> Vec<&'t str> {
    texts.map(|text| text.text).collect()
}

#[test]
fn items_say_what_they_are() {
    let tree = tree(
        "import \"../common\"\nparam a = 10%\nlet b = a == 1\n## Sells.\nexport service shop { }\n\
         routes n/edge a.example { }\nassert \"x\" { }\n",
    );
    let items: Vec<_> = tree.items().collect();
    let [
        Item::Import(import),
        Item::Param(param),
        Item::Let(binding),
        Item::Block(shop),
        Item::Block(routes),
        Item::Block(assert),
    ] = items.as_slice()
    else {
        panic!("{items:?}");
    };
    assert_eq!(import.path().unwrap().unescaped(), "../common");
    assert_eq!(param.name().unwrap().text, "a");
    assert!(matches!(param.value(), Some(Value::Word(word)) if word.text == "10%"));
    assert!(binding.value().is_none());
    assert!(matches!(binding.condition(), Some(Condition::Test(_))));
    assert_eq!(shop.kind(), ItemKind::Service);
    assert_eq!(shop.keyword().unwrap().text, "service");
    assert_eq!(shop.name().unwrap().text, "shop");
    assert!(shop.exported());
    assert_eq!(shop.doc().collect::<Vec<_>>(), ["Sells."]);
    assert_eq!(shop.head_span().text(tree.text()), "export service shop ");
    assert!(!routes.exported());
    assert_eq!(texts(routes.names()), ["n/edge", "a.example"]);
    assert_eq!(assert.title().unwrap().unescaped(), "x");
    assert!(assert.name().is_none());
}

#[test]
fn settings_give_their_arguments_in_order() {
    let tree = tree(
        "gateway g {\n  listen 5432 tcp -> db\n  open /a, \"/b\" to namespace n\n  endpoints from inventory where v == 1\n\
         backoff 25ms..1s # wait\n timeout 3s { connect 1s }\n}",
    );
    let settings: Vec<_> = statements(&tree)
        .into_iter()
        .filter_map(Statement::setting)
        .collect();
    let [listen, open, endpoints, backoff, timeout] = settings.as_slice() else {
        panic!("{settings:?}");
    };
    assert_eq!(listen.keyword().text, "listen");
    assert_eq!(listen.arrow().unwrap().text, "db");
    assert_eq!(listen.args().count(), 3);
    let args: Vec<_> = open.args().collect();
    assert!(matches!(args[0], Arg::Value(Value::Path(path)) if path.text == "/a"));
    assert!(matches!(args[1], Arg::Comma(_)));
    assert!(matches!(args[2], Arg::Value(Value::Str(path)) if path.unescaped() == "/b"));
    assert_eq!(open.values().count(), 5);
    let clause = endpoints.clause().unwrap();
    assert_eq!(clause.kind(), ClauseKind::Where);
    assert!(clause.condition().is_some());
    assert!(
        matches!(backoff.values().next(), Some(Value::Range(low, high)) if (low.text, high.text) == ("25ms", "1s"))
    );
    assert_eq!(timeout.head_span().text(tree.text()), "timeout 3s");
    assert_eq!(
        timeout.span().text(tree.text()),
        "timeout 3s { connect 1s }"
    );
    let block = timeout.block().unwrap();
    assert!(block.setting("connect").is_some());
    assert!(block.setting("idle").is_none());
}

#[test]
fn arms_give_their_parts() {
    let tree = tree(
        "routes g a {\n  writes: POST, PUT /a/**, \"/b;c\" when x and y\n    -> b { timeout 1s }\n  otherwise -> respond 404 \"no\\n\"\n\
         GET -> redirect 301 \"/x\"\n  /z -> respond 503 file \"z.html\"\n}",
    );
    let arms: Vec<_> = statements(&tree)
        .into_iter()
        .map(|statement| match statement {
            Statement::Arm(arm) => arm,
            other => panic!("{other:?}"),
        })
        .collect();
    let writes = arms[0];
    assert_eq!(writes.name().unwrap().text, "writes");
    assert_eq!(texts(writes.methods()), ["POST", "PUT"]);
    let paths: Vec<_> = writes.paths().map(|path| path.path().unwrap()).collect();
    assert_eq!(paths, ["/a/**", "/b;c"]);
    assert!(matches!(writes.condition(), Some(Condition::And(of)) if of.iter().count() == 2));
    assert!(matches!(writes.action(), Some(Action::Forward(to)) if to.text == "b"));
    assert!(writes.block().is_some());
    assert!(!writes.is_otherwise());
    assert_eq!(
        writes.head_span().text(tree.text()),
        "POST, PUT /a/**, \"/b;c\" when x and y"
    );
    assert!(arms[1].is_otherwise());
    assert_eq!(arms[1].head_span().text(tree.text()), "otherwise");
    let Some(Action::Respond(respond)) = arms[1].action() else {
        panic!();
    };
    assert_eq!(respond.status().unwrap().text, "404");
    assert!(!respond.is_file());
    assert!(matches!(respond.body(), Some(Value::Str(body)) if body.unescaped() == "no\n"));
    let Some(Action::Redirect(redirect)) = arms[2].action() else {
        panic!();
    };
    assert_eq!(redirect.code().unwrap().text, "301");
    assert!(redirect.url().is_some());
    let Some(Action::Respond(respond)) = arms[3].action() else {
        panic!();
    };
    assert!(respond.is_file());
    assert!(matches!(respond.body(), Some(Value::Str(body)) if body.raw() == "\"z.html\""));
}

#[test]
fn splits_give_their_shares() {
    let tree = tree("service a { route { otherwise -> split canary v2, 5% v3, rest v1 } }");
    let route = statements(&tree)[0].block().unwrap();
    let Some(Statement::Arm(arm)) = route.statements().next() else {
        panic!();
    };
    let Some(Action::Split(split)) = arm.action() else {
        panic!();
    };
    let parts: Vec<_> = split
        .parts()
        .map(|part| {
            let (share, target) = (part.share().unwrap(), part.target().unwrap());
            (share.text, part.is_rest(), target.text)
        })
        .collect();
    assert_eq!(
        parts,
        [
            ("canary", false, "v2"),
            ("5%", false, "v3"),
            ("rest", true, "v1")
        ]
    );
}

#[test]
fn rules_give_their_parts() {
    let tree = tree(
        "service a { authz {\n  reads: allow b, any service, namespace n to GET /x unless c\n  deny anyone when d\n} }",
    );
    let block = statements(&tree)[0].block().unwrap();
    let rules: Vec<_> = block
        .statements()
        .map(|statement| match statement {
            Statement::Rule(rule) => rule,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(rules[0].name().unwrap().text, "reads");
    assert!(rules[0].allows());
    let who: Vec<_> = rules[0].who().collect();
    assert!(matches!(
        who.as_slice(),
        [Who::Target(_), Who::AnyService(_), Who::Namespace(name)] if name.text == "n"
    ));
    assert_eq!(texts(rules[0].methods()), ["GET"]);
    assert_eq!(rules[0].paths().count(), 1);
    assert_eq!(rules[0].clause().unwrap().kind(), ClauseKind::Unless);
    assert!(!rules[1].allows());
    assert!(matches!(rules[1].who().next(), Some(Who::Anyone(_))));
    assert_eq!(rules[1].clause().unwrap().kind(), ClauseKind::When);
}

#[test]
fn tests_of_conditions_give_their_parts() {
    let test_of = |text: &str, check: fn(Test<'_>)| {
        let tree = tree(&format!("let x = not {text}"));
        let Some(Item::Let(binding)) = tree.items().next() else {
            panic!();
        };
        let Some(Condition::Not(operand)) = binding.condition() else {
            panic!();
        };
        let Some(Condition::Test(test)) = operand.first() else {
            panic!();
        };
        check(test);
    };
    test_of("header[\"X_Y\"] starts-with \"a\"", |test| {
        assert_eq!(test.field().unwrap().text, "header");
        assert_eq!(test.index().unwrap().unescaped(), "X_Y");
        assert_eq!(test.comparison(), Some(Compare::StartsWith));
        assert!(matches!(test.value(), Some(Value::Str(_))));
    });
    test_of("a not in [b, c]", |test| {
        assert_eq!(test.comparison(), Some(Compare::NotIn));
        assert_eq!(test.comparison_span().unwrap().len(), 6);
        assert!(matches!(test.value(), Some(Value::List(list)) if list.values().count() == 2));
    });
    test_of("jwt.corp", |test| {
        assert_eq!(test.comparison(), None);
        assert_eq!(test.value(), None);
        assert_eq!(test.index(), None);
    });
    for compare in Compare::ALL {
        let value = if compare.takes_value() { "[1]" } else { "" };
        let tree = tree(&format!("let x = a {} {value}", compare.word()));
        let Some(Item::Let(binding)) = tree.items().next() else {
            panic!();
        };
        let Some(Condition::Test(test)) = binding.condition() else {
            panic!();
        };
        assert_eq!(test.comparison(), Some(*compare));
        assert_eq!(test.value().is_some(), compare.takes_value());
    }
}

#[test]
fn claims_and_steps_give_their_parts() {
    let assert = tree(
        "assert \"x\" {\n  never a, internet reach p.v1 POST /r transitively at h.example when c\n\
         every route in edge to p has timeout <= 30s\n  every route in edge requires key k\n}",
    );
    let claims = statements(&assert);
    let Statement::Claim(Claim::Reaches(reaches)) = claims[0] else {
        panic!();
    };
    assert_eq!(reaches.verb(), Some(Verb::Never));
    assert_eq!(reaches.who().count(), 2);
    assert_eq!(reaches.target().unwrap().text, "p.v1");
    assert_eq!(texts(reaches.methods()), ["POST"]);
    assert_eq!(reaches.paths().count(), 1);
    assert!(reaches.is_transitive());
    assert_eq!(reaches.host().unwrap().text, "h.example");
    assert_eq!(reaches.condition().unwrap().kind(), ClauseKind::When);
    let Statement::Claim(Claim::EveryRoute(has)) = claims[1] else {
        panic!();
    };
    assert_eq!(has.gateway().unwrap().text, "edge");
    assert!(matches!(has.to(), Some(Who::Target(to)) if to.text == "p"));
    assert!(
        matches!(has.requirement(), Some(Requirement::Has(test)) if test.comparison() == Some(Compare::LessOrEqual))
    );
    let Statement::Claim(Claim::EveryRoute(requires)) = claims[2] else {
        panic!();
    };
    assert!(requires.to().is_none());
    assert!(
        matches!(requires.requirement(), Some(Requirement::Requires(kind, name)) if (kind.text, name.text) == ("key", "k"))
    );

    let test = tree(
        "test \"x\" {\n  request GET http://a/b from p { cookie c \"1\" }\n  expect 403\n  expect split 50% a, rest b\n}",
    );
    let steps = statements(&test);
    let Statement::Step(Step::Request(request)) = steps[0] else {
        panic!();
    };
    assert_eq!(request.method().unwrap().text, "GET");
    assert!(matches!(request.url(), Some(Value::Word(url)) if url.text == "http://a/b"));
    assert!(matches!(request.from(), Some(Who::Target(from)) if from.text == "p"));
    assert!(request.block().unwrap().setting("cookie").is_some());
    let Statement::Step(Step::Expect(expect)) = steps[1] else {
        panic!();
    };
    assert_eq!(expect.status().unwrap().text, "403");
    assert!(expect.action().is_none());
    let Statement::Step(Step::Expect(expect)) = steps[2] else {
        panic!();
    };
    assert!(matches!(expect.action(), Some(Action::Split(_))));
}

#[test]
fn sets_give_their_parts() {
    let tree = tree("env e { set service a.v1.endpoints = 10.0.0.1:80, 10.0.0.2:80 }");
    let Statement::Set(set) = statements(&tree)[0] else {
        panic!();
    };
    assert_eq!(set.kind().unwrap().text, "service");
    assert_eq!(set.path().unwrap().text, "a.v1.endpoints");
    assert_eq!(set.values().count(), 2);
}

#[test]
fn what_is_broken_says_so_and_lacks_only_what_is_missing() {
    let parse = parse(
        FileId(0),
        "service { timeout = ; route { GET /x -> } }\nlet a = b ==\n",
    );
    let items: Vec<_> = parse.tree.items().collect();
    assert!(items.iter().all(|item| item.is_broken()));
    let Item::Block(service) = items[0] else {
        panic!();
    };
    assert!(service.name().is_none());
    let block = service.block().unwrap();
    let timeout = block.setting("timeout").unwrap();
    assert!(timeout.is_broken());
    let route = block.setting("route").unwrap();
    assert!(
        !route.is_broken(),
        "what stands in its block does not count"
    );
    let Some(Statement::Arm(arm)) = route.block().unwrap().statements().next() else {
        panic!();
    };
    assert!(arm.is_broken());
    assert!(arm.action().is_none());
    assert_eq!(arm.head_span().text(parse.tree.text()), "GET /x");
}

#[test]
fn strings_that_do_not_end_or_escape_are_read_as_far_as_they_go() {
    let parse = parse(FileId(0), "import \"a\\d\"\nimport \"b");
    let paths: Vec<_> = parse
        .tree
        .items()
        .map(|item| match item {
            Item::Import(import) => import.path().unwrap().unescaped().into_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(paths, ["a\\d", "b"]);
}

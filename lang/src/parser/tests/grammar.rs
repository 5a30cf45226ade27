//! Every production of the grammar.

use super::{clean, in_block};
use crate::parser::parse;
use crate::source::FileId;
use crate::tree::Token;

#[track_caller]
fn item(text: &str, tree: &str) {
    assert_eq!(clean(text), [tree], "{text}");
}

#[track_caller]
fn statement(text: &str, tree: &str) {
    assert_eq!(in_block("service a", text), [tree], "{text}");
}

#[track_caller]
fn rule(text: &str, tree: &str) {
    let text = format!("authz {{ {text} }}");
    let tree = format!("(Setting authz (Block {{ {tree} }}))");
    assert_eq!(in_block("service a", &text), [tree], "{text}");
}

#[track_caller]
fn condition(text: &str, tree: &str) {
    let tree = format!("(Let let (Name x) = {tree})");
    assert_eq!(clean(&format!("let x = {text}")), [tree], "{text}");
}

#[test]
fn items_without_blocks() {
    item(
        r#"import "../common""#,
        r#"(Import import (StringValue "../common"))"#,
    );
    item("param a = 10%", "(Param param (Name a) = (WordValue 10%))");
    item(
        "let a = [10.1.0.0/16, b]",
        "(Let let (Name a) = (ListValue [ (WordValue 10.1.0.0/16) , (WordValue b) ]))",
    );
    item(
        "let qa = header.x == \"qa\"",
        "(Let let (Name qa) = (Comparison (Field header.x) == (StringValue \"qa\")))",
    );
}

#[test]
fn items_with_blocks() {
    for (word, kind) in [
        ("mesh", "Mesh"),
        ("service", "Service"),
        ("external", "External"),
        ("gateway", "Gateway"),
        ("policy", "Policy"),
        ("jwt", "Jwt"),
        ("keys", "Keys"),
        ("namespace", "Namespace"),
        ("env", "Env"),
    ] {
        item(
            &format!("{word} a {{}}"),
            &format!("({kind} {word} (Name a) (Block {{ }}))"),
        );
    }
    item(
        "export service a { }",
        "(Service export service (Name a) (Block { }))",
    );
    item(
        "routes edge shop.example { }",
        "(Routes routes (Name edge) (Name shop.example) (Block { }))",
    );
    item(
        r#"assert "a" { }"#,
        r#"(Assert assert (StringValue "a") (Block { }))"#,
    );
    item(
        r#"test "a" { }"#,
        r#"(Test test (StringValue "a") (Block { }))"#,
    );
}

#[test]
fn a_block_ends_its_statement() {
    assert_eq!(clean("policy a {} policy b {}; policy c {}").len(), 3);
    assert_eq!(in_block("service a", "limits {} timeout 5s").len(), 2);
}

#[test]
fn settings_take_values_of_every_shape() {
    statement("timeout 5s", "(Setting timeout (WordValue 5s))");
    statement("http2", "(Setting http2)");
    statement(
        "a b, /c/{d}, \"e\", r\"f\", [g, [h],], 1s..2s",
        "(Setting a (WordValue b) , (PathValue /c/{d}) , (StringValue \"e\") , (StringValue r\"f\") , \
         (ListValue [ (WordValue g) , (ListValue [ (WordValue h) ]) , ]) , (RangeValue 1s .. 2s))",
    );
    statement("a []", "(Setting a (ListValue [ ]))");
    statement(
        "timeout 3s { connect 1s; idle 60s }",
        "(Setting timeout (WordValue 3s) (Block { (Setting connect (WordValue 1s)) ; (Setting idle (WordValue 60s)) }))",
    );
    statement(
        "listen 5432 tcp -> ledger-db",
        "(Setting listen (WordValue 5432) (WordValue tcp) (ArrowTarget -> (Target ledger-db)))",
    );
    statement(
        "endpoints from inventory where version == \"v3\"",
        "(Setting endpoints (WordValue from) (WordValue inventory) \
         (Where where (Comparison (Field version) == (StringValue \"v3\"))))",
    );
    statement(
        "require jwt corp unless path in [/a]",
        "(Setting require (WordValue jwt) (WordValue corp) \
         (Unless unless (Comparison (Field path) in (ListValue [ (PathValue /a) ]))))",
    );
    statement(
        "balance hash by header[\"X_Y\"]",
        "(Setting balance (WordValue hash) (WordValue by) (WordValue header) (ListValue [ (StringValue \"X_Y\") ]))",
    );
}

#[test]
fn arms_match_methods_paths_and_conditions() {
    statement(
        "/a -> b",
        "(Arm (Paths (PathValue /a)) -> (Forward (Target b)))",
    );
    statement("GET -> b", "(Arm (Methods GET) -> (Forward (Target b)))");
    statement(
        "when x -> b",
        "(Arm (When when (Comparison (Field x))) -> (Forward (Target b)))",
    );
    statement(
        "otherwise -> b.v1",
        "(Arm (Otherwise otherwise) -> (Forward (Target b.v1)))",
    );
    statement(
        "writes: POST, PUT /a/**, \"/b;c\" when x -> n/b { timeout 5s }",
        "(Arm (Label writes :) (Methods POST , PUT) (Paths (PathValue /a/**) , (StringValue \"/b;c\")) \
         (When when (Comparison (Field x))) -> (Forward (Target n/b)) (Block { (Setting timeout (WordValue 5s)) }))",
    );
    statement(
        "\"/a\" -> self",
        "(Arm (Paths (StringValue \"/a\")) -> (Forward (Target self)))",
    );
}

#[test]
fn actions_forward_split_redirect_and_respond() {
    let arm = |action: &str, tree: &str| {
        statement(
            &format!("/a -> {action}"),
            &format!("(Arm (Paths (PathValue /a)) -> {tree})"),
        );
    };
    arm(
        "split 90% v1, canary v2, rest v3",
        "(Split split (SplitPart (WordValue 90%) (Target v1)) , (SplitPart (WordValue canary) (Target v2)) , \
         (SplitPart (WordValue rest) (Target v3)))",
    );
    arm("redirect", "(Redirect redirect)");
    arm("redirect 301", "(Redirect redirect (WordValue 301))");
    arm(
        "redirect 308 \"https://a\"",
        "(Redirect redirect (WordValue 308) (StringValue \"https://a\"))",
    );
    arm("respond 403", "(Respond respond (WordValue 403))");
    arm(
        "respond 404 \"no\\n\"",
        "(Respond respond (WordValue 404) (StringValue \"no\\n\"))",
    );
    arm(
        "respond 503 file \"x.html\"",
        "(Respond respond (WordValue 503) (WordValue file) (StringValue \"x.html\"))",
    );
    arm(
        "redirect 301 { prefix \"/new\" }",
        "(Redirect redirect (WordValue 301)) (Block { (Setting prefix (StringValue \"/new\")) })",
    );
}

#[test]
fn rules_say_who_what_and_when() {
    rule("allow a", "(Rule allow (Who a))");
    rule(
        "deny anyone, any service, namespace n, p/a",
        "(Rule deny (Who anyone) , (Who any service) , (Who namespace (Name n)) , (Who p/a))",
    );
    rule(
        "reads: allow a to GET, HEAD /x, /y when c",
        "(Rule (Label reads :) allow (Who a) to (Methods GET , HEAD) (Paths (PathValue /x) , (PathValue /y)) \
         (When when (Comparison (Field c))))",
    );
    rule(
        "deny a to /x unless c",
        "(Rule deny (Who a) to (Paths (PathValue /x)) (Unless unless (Comparison (Field c))))",
    );
    rule("allow a to POST", "(Rule allow (Who a) to (Methods POST))");
}

#[test]
fn allow_and_deny_are_settings_among_lints() {
    assert_eq!(
        in_block("mesh m", "lints { deny a-b; allow c; warn d }"),
        [
            "(Setting lints (Block { (Setting deny (WordValue a-b)) ; (Setting allow (WordValue c)) ; \
             (Setting warn (WordValue d)) }))"
        ]
    );
}

#[test]
fn an_authz_may_hold_settings() {
    statement(
        "authz external \"http://a\" { timeout 200ms; on-failure closed }",
        "(Setting authz (WordValue external) (StringValue \"http://a\") \
         (Block { (Setting timeout (WordValue 200ms)) ; (Setting on-failure (WordValue closed)) }))",
    );
}

#[test]
fn conditions_bind_and_before_or() {
    let a = "(Comparison (Field a))";
    condition("not a", &format!("(Not not {a})"));
    condition("(a)", &format!("(Paren ( {a} ))"));
    condition(
        "not a and b or c",
        &format!("(Or (And (Not not {a}) and (Comparison (Field b))) or (Comparison (Field c)))"),
    );
    condition(
        "(a or b) and not not c",
        "(And (Paren ( (Or (Comparison (Field a)) or (Comparison (Field b))) )) and (Not not (Not not (Comparison (Field c)))))",
    );
    condition(
        "a == 1 or b == 2 or c == 3",
        "(Or (Comparison (Field a) == (WordValue 1)) or (Comparison (Field b) == (WordValue 2)) \
         or (Comparison (Field c) == (WordValue 3)))",
    );
}

#[test]
fn tests_compare_fields() {
    for comparison in [
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "matches",
        "starts-with",
        "ends-with",
        "contains",
        "in",
    ] {
        condition(
            &format!("a {comparison} b"),
            &format!("(Comparison (Field a) {comparison} (WordValue b))"),
        );
    }
    condition(
        "a not in [b]",
        "(Comparison (Field a) not in (ListValue [ (WordValue b) ]))",
    );
    condition("a present", "(Comparison (Field a) present)");
    condition("a absent", "(Comparison (Field a) absent)");
    condition(
        "header[\"X_Y\"] present",
        "(Comparison (Field header [ (StringValue \"X_Y\") ]) present)",
    );
    condition(
        "jwt.corp[\"https://a/roles\"] contains \"x\"",
        "(Comparison (Field jwt.corp [ (StringValue \"https://a/roles\") ]) contains (StringValue \"x\"))",
    );
    condition(
        "path == /a/**",
        "(Comparison (Field path) == (PathValue /a/**))",
    );
}

#[test]
fn a_let_of_one_word_is_a_value() {
    item(
        "let a = jwt.corp",
        "(Let let (Name a) = (WordValue jwt.corp))",
    );
    item(
        "let a = 1s..2s",
        "(Let let (Name a) = (RangeValue 1s .. 2s))",
    );
    item("let a = /x", "(Let let (Name a) = (PathValue /x))");
}

#[test]
fn claims() {
    let claim = |text: &str, tree: &str| {
        assert_eq!(in_block("assert \"x\"", text), [tree], "{text}");
    };
    claim(
        "only checkout reaches payments",
        "(Claim only (Who checkout) reaches (Target payments))",
    );
    claim(
        "never a, b reach p POST /r/** transitively at shop.example unless c",
        "(Claim never (Who a) , (Who b) reach (Target p) (Methods POST) (Paths (PathValue /r/**)) transitively \
         at (Name shop.example) (Unless unless (Comparison (Field c))))",
    );
    claim(
        "always internet reaches s GET /, /p/**",
        "(Claim always (Who internet) reaches (Target s) (Methods GET) (Paths (PathValue /) , (PathValue /p/**)))",
    );
    claim(
        "every route in edge has timeout <= 30s",
        "(EveryRoute every route in (Name edge) has (Comparison (Field timeout) <= (WordValue 30s)))",
    );
    claim(
        "every route in edge to namespace p requires jwt corp",
        "(EveryRoute every route in (Name edge) to (Who namespace (Name p)) requires jwt (Name corp))",
    );
}

#[test]
fn steps() {
    let step = |text: &str, tree: &str| {
        assert_eq!(in_block("test \"x\"", text), [tree], "{text}");
    };
    step(
        "request GET http://reviews/0 from productpage { header end-user \"jason\" }",
        "(Request request (Methods GET) (WordValue http://reviews/0) from (Who productpage) \
         (Block { (Setting header (WordValue end-user) (StringValue \"jason\")) }))",
    );
    step(
        "request DELETE \"https://a/b\" { jwt corp { sub \"a\"; allow \"b\"; o { p [\"q\"] } } }",
        "(Request request (Methods DELETE) (StringValue \"https://a/b\") (Block { (Setting jwt (WordValue corp) \
         (Block { (Setting sub (StringValue \"a\")) ; (Setting allow (StringValue \"b\")) ; \
         (Setting o (Block { (Setting p (ListValue [ (StringValue \"q\") ])) })) })) }))",
    );
    step("expect 403", "(Expect expect (WordValue 403))");
    step(
        "expect reviews.v2",
        "(Expect expect (Forward (Target reviews.v2)))",
    );
    step(
        "expect split 90% a.v1, 10% a.v2",
        "(Expect expect (Split split (SplitPart (WordValue 90%) (Target a.v1)) , (SplitPart (WordValue 10%) (Target a.v2))))",
    );
}

#[test]
fn environments_set() {
    assert_eq!(
        in_block(
            "env prod",
            "set service reviews.v1.endpoints = 10.0.0.1:80, 10.0.0.2:80"
        ),
        [
            "(Set set (Name service) (Name reviews.v1.endpoints) = (WordValue 10.0.0.1:80) , (WordValue 10.0.0.2:80))"
        ]
    );
}

#[test]
fn namespaces_hold_items_and_settings() {
    assert_eq!(
        in_block(
            "namespace n",
            "service a {}\nauthz { deny b }\nrate-limit 5/s"
        ),
        [
            "(Service service (Name a) (Block { }))",
            "(Setting authz (Block { (Rule deny (Who b)) }))",
            "(Setting rate-limit (WordValue 5/s))"
        ]
    );
}

#[test]
fn doc_comments_belong_to_the_next_statement() {
    let text = "\
## About a.
# not this

##  Two spaces.
service a { ## trailing
  ## About b.
  timeout 5s ## behind
  retry off
}
";
    let parse = parse(FileId(0), text);
    let item = parse.tree.items().next().unwrap();
    let lines: Vec<_> = item.doc().collect();
    assert_eq!(lines, ["About a.", " Two spaces."]);
    let comments: Vec<_> = item.node().leading_comments().map(Token::text).collect();
    assert_eq!(comments, ["## About a.", "# not this", "##  Two spaces."]);
    let block = crate::view::Statement::Item(item).block().unwrap();
    let docs: Vec<Vec<_>> = block.statements().map(|it| it.doc().collect()).collect();
    assert_eq!(docs, [vec!["About b."], vec![]]);
}

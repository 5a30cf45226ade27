//! Where a newline ends a statement.

use super::{clean, in_block};

/// Whether a newline in the place of `⏎` makes no difference to a statement of a service.
#[track_caller]
fn continues(text: &str) {
    let spaced = in_block("service a", &text.replace('⏎', " "));
    assert_eq!(spaced.len(), 1, "{text}");
    for newline in ["\n", "\r\n", "\r", "\n\n  \n", " # why\n", "\n# why\n\n"] {
        let broken = in_block("service a", &text.replace('⏎', newline));
        assert_eq!(broken, spaced, "{text} with {newline:?}");
    }
}

#[test]
fn a_newline_ends_a_statement() {
    for end in ["\n", "\r\n", "\r", ";", "; ;\n\n"] {
        let text = format!("timeout 5s{end}retry off");
        assert_eq!(in_block("service a", &text).len(), 2, "{end:?}");
    }
}

#[test]
fn not_inside_parentheses_and_brackets() {
    continues("a [⏎b⏎,⏎c⏎]");
    continues("a [b, [⏎c⏎]⏎]");
    continues("/x when (⏎a⏎and (⏎b⏎)⏎) -> c");
    continues("/x when header[⏎\"y\"⏎] present -> c");
}

#[test]
fn not_after_what_cannot_end_one() {
    continues("a b,⏎c");
    continues("listen 80 tcp ->⏎b");
    continues("/x ->⏎b");
    continues("/x when a ==⏎\"b\" -> c");
    continues("/x when a !=⏎\"b\" -> c");
    continues("/x when a <⏎1 -> c");
    continues("/x when a <=⏎1 -> c");
    continues("/x when a >⏎1 -> c");
    continues("/x when a >=⏎1 -> c");
    continues("/x when a and⏎b -> c");
    continues("/x when a or⏎b -> c");
    continues("/x when not⏎a -> c");
    continues("/x when a not⏎in⏎[b] -> c");
    continues("/x when⏎a -> c");
    continues("require jwt corp unless⏎a");
    continues("open /x to⏎namespace n");
    continues("authz { allow a to⏎GET }");
}

#[test]
fn not_after_a_word_that_compares() {
    continues("/x when a matches⏎r\"b\" -> c");
    continues("/x when a starts-with⏎\"b\" -> c");
    continues("/x when a ends-with⏎\"b\" -> c");
    continues("/x when a contains⏎\"b\" -> c");
    // Such a word may also be a name, behind which a statement ends.
    assert_eq!(in_block("service a", "/x -> contains\n/y -> b").len(), 2);
}

#[test]
fn not_after_the_equals_sign() {
    assert_eq!(clean("param a =\n10%"), clean("param a = 10%"));
    assert_eq!(clean("let a = b ==\n1"), clean("let a = b == 1"));
}

#[test]
fn not_before_what_goes_on() {
    continues("/x⏎-> b");
    continues("listen 80 tcp⏎-> b");
    continues("/x when a⏎and b -> c");
    continues("/x when a⏎or b -> c");
    continues("open /x⏎to namespace n");
    continues("authz { allow a⏎to GET }");
    continues("require jwt corp⏎unless a");
    continues("authz { deny a⏎unless b }");
}

#[test]
fn not_before_when_in_an_arm_without_its_arrow_and_in_a_rule() {
    continues("/x⏎when a -> b");
    continues("GET /x⏎when a⏎and b⏎-> c");
    continues("GET⏎when a -> b");
    continues("authz { allow a⏎when b }");
    continues("authz { deny a to GET /x⏎when b }");
}

#[test]
fn but_before_when_elsewhere() {
    let arms = in_block("service a", "/x -> b\nwhen a -> c");
    assert_eq!(arms.len(), 2, "an arm has its arrow");
    let setting = in_block("service a", "require jwt corp\nwhen a -> c");
    assert_eq!(setting.len(), 2, "a setting ends");
    let block = in_block("service a", "/x -> b { }\nwhen a -> c");
    assert_eq!(block.len(), 2);
}

#[test]
fn a_closing_brace_ends_the_last_statement() {
    assert_eq!(
        clean("service a { timeout 5s }"),
        clean("service a {\ntimeout 5s\n}")
    );
    assert_eq!(clean("policy a { timeout 5s; }").len(), 1);
}

#[test]
fn an_open_bracket_ends_at_braces_and_semicolons() {
    for text in [
        "policy a { b [c }",
        "policy a { b [c; d }",
        "policy a { b [c { d } }",
    ] {
        let (found, statements) = super::broken(text);
        assert_eq!(found, ["E0105: ["], "{text}");
        assert_eq!(statements.len(), 1, "{text}");
    }
}

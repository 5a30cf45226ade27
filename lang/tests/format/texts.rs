//! Texts to lay out: files that are there, files with a part changed, and files made at random.

use proptest::prelude::*;

/// Files that parse.
pub(crate) const FILES: &[&str] = &[
    include_str!("../../../examples/bookinfo/bookinfo.mesh"),
    include_str!("../fixtures/mesh.mesh"),
    include_str!("../fixtures/services.mesh"),
    include_str!("../fixtures/gateway.mesh"),
    include_str!("../fixtures/fragment.mesh"),
    include_str!("../fixtures/proofs.mesh"),
];

/// Pieces of which real files are made, and some of which they are not.
pub(crate) const PIECES: &[&str] = &[
    "service",
    "export",
    "gateway",
    "namespace",
    "assert",
    "test",
    "env",
    "set",
    "param",
    "let",
    "authz",
    "route",
    "timeout",
    "jwt",
    "lints",
    "a",
    "b.v1",
    "n/c",
    "self",
    "x-y",
    "x:",
    "y.",
    "GET",
    "POST",
    "/a/**",
    "/b/{id}",
    "\"s\"",
    "\"/x;y\"",
    "r\"[0-9]\"",
    "r",
    "\"open",
    "5s",
    "10%",
    "503",
    "::1",
    "[::1]:80",
    "http://a/b",
    "https://x",
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
    "allow",
    "deny",
    "any",
    "anyone",
    "never",
    "every",
    "route",
    "reaches",
    "has",
    "requires",
    "request",
    "expect",
    "from",
    "at",
    "==",
    "<=",
    "matches",
    "contains",
    "present",
    "header.x",
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
    "\n\n",
    "\n  ",
    "\n    ",
    "\r\n",
    "\r",
    " ",
    "\t",
    "# c\n",
    "  # e\n",
    "\n        # f\n",
    "## d\n",
    "é",
    "&&",
    "\u{feff}",
    "-",
    "!",
];

/// A name of some length.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,9}",
        1 => "[a-z]{20,40}",
    ]
    .prop_map(|name| format!("x{name}"))
}

fn quoted() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z#;{} é]{0,12}",
        1 => "[a-z ]{40,70}",
    ]
    .prop_map(|text| format!("\"{text}\""))
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "/[a-z]{1,8}(/\\{[a-z]{1,4}\\})?(/\\*\\*)?",
        1 => "(/[a-z]{3,9}){4,6}",
    ]
}

/// Some of `element`, with commas between.
fn several(element: impl Strategy<Value = String>, most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(element, 1..=most).prop_map(|elements| elements.join(", ⏎"))
}

fn list() -> impl Strategy<Value = String> {
    let element = prop_oneof![name(), path(), quoted(), Just("http://h/p ".to_owned())];
    (prop::collection::vec(element, 0..7), any::<bool>()).prop_map(|(elements, comma)| {
        let last = if comma && !elements.is_empty() {
            "⏎,"
        } else {
            ""
        };
        format!("[⏎{}{last}⏎]", elements.join("⏎,⏎ "))
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => name(),
        1 => quoted(),
        1 => path(),
        1 => list(),
        1 => Just("25ms..1s".to_owned()),
        1 => Just("10%".to_owned()),
        1 => Just("[::1]:80".to_owned()),
    ]
}

/// A condition. `⏎` is where white space may be anything, ends of lines included.
pub(crate) fn condition() -> BoxedStrategy<String> {
    let field = prop_oneof![
        name().prop_map(|name| format!("header.{name}")),
        quoted().prop_map(|text| format!("header[⏎{text}⏎]")),
    ];
    let test = (field, 0..7, value()).prop_map(|(field, how, value)| match how {
        0 => format!("{field} present"),
        1 => format!("{field} not ⏎in⏎ {value}"),
        2 => format!("{field} contains⏎ {value}"),
        3 => format!("{field} <= ⏎{value}"),
        _ => format!("{field} ==⏎ {value}"),
    });
    test.prop_recursive(3, 16, 4, |inner| {
        let operands = prop::collection::vec(inner.clone(), 2..5);
        prop_oneof![
            operands.clone().prop_map(|it| it.join(" ⏎and ⏎")),
            operands.prop_map(|it| it.join(" ⏎or ⏎")),
            inner.clone().prop_map(|it| format!("not ⏎{it}")),
            inner.prop_map(|it| format!("(⏎{it}⏎)")),
        ]
    })
    .boxed()
}

fn matched() -> impl Strategy<Value = String> {
    let methods = several(Just("GET".to_owned()), 3);
    let paths = several(prop_oneof![path(), quoted()], 4);
    (
        prop::option::of(methods),
        prop::option::of(paths),
        prop::option::of(condition()),
    )
        .prop_map(|(methods, paths, condition)| {
            let before_when = if methods.is_some() || paths.is_some() {
                "⏎"
            } else {
                ""
            };
            let condition = condition.map(|it| format!("{before_when}when ⏎{it}"));
            let parts = [methods, paths, condition];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
        .prop_filter("an arm matches something", |matched| !matched.is_empty())
}

fn action() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => name(),
        1 => several(name().prop_map(|name| format!("10% {name}")), 5)
            .prop_map(|parts| format!("split {parts}")),
        1 => quoted().prop_map(|text| format!("respond 404 {text}")),
        1 => Just("redirect".to_owned()),
    ]
}

fn label() -> impl Strategy<Value = String> {
    prop::option::weighted(0.3, name())
        .prop_map(|name| name.map_or_else(String::new, |name| format!("{name}: ")))
}

fn arm(block: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let matched = prop_oneof![4 => matched(), 1 => Just("otherwise".to_owned())];
    (label(), matched, action(), block).prop_map(|(label, matched, action, block)| {
        format!("{label}{matched} ⏎->⏎ {action}{block}")
    })
}

fn rule() -> impl Strategy<Value = String> {
    let who = prop_oneof![
        name(),
        Just("any service".to_owned()),
        name().prop_map(|name| format!("namespace {name}"))
    ];
    (
        label(),
        several(who, 4),
        prop::option::of(several(path(), 3)),
        prop::option::of((any::<bool>(), condition())),
    )
        .prop_map(|(label, who, paths, clause)| {
            let to = paths.map_or_else(String::new, |paths| format!(" ⏎to⏎ GET {paths}"));
            // Behind a rule without a condition a line that starts with `when` goes on with it.
            let clause = clause.map_or_else(
                || " ;".to_owned(),
                |(when, condition)| {
                    let word = if when { "when" } else { "unless" };
                    format!(" ⏎{word}⏎ {condition}")
                },
            );
            format!("{label}allow {who}{to}{clause}")
        })
}

fn setting(block: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let clause = (0..4, condition()).prop_map(|(how, condition)| match how {
        0 => format!(" ⏎unless⏎ {condition}"),
        1 => format!(" when⏎ {condition}"),
        2 => format!(" where {condition}"),
        _ => " ⏎-> ⏎target".to_owned(),
    });
    let arguments = prop::collection::vec(several(value(), 3), 0..4);
    (
        name(),
        arguments,
        prop::option::weighted(0.3, clause),
        block,
    )
        .prop_map(|(word, arguments, clause, block)| {
            let arguments: Vec<_> = std::iter::once(word).chain(arguments).collect();
            format!(
                "{}{}{block}",
                arguments.join(" "),
                clause.unwrap_or_default()
            )
        })
}

/// A block of statements, or none.
fn block() -> BoxedStrategy<String> {
    let none = Just(String::new()).boxed();
    none.prop_recursive(3, 24, 5, |inner| {
        let statement = prop_oneof![
            3 => arm(inner.clone()),
            1 => rule(),
            3 => setting(inner),
        ];
        statements(statement.boxed())
            .prop_map(|(statements, lines)| {
                let (open, close) = if lines {
                    ("{⏎\n", "\n}")
                } else {
                    ("{ ", " }")
                };
                format!(" {open}{statements}{close}")
            })
            .boxed()
    })
    .boxed()
}

/// Statements, and whether they are on lines of their own.
fn statements(statement: BoxedStrategy<String>) -> impl Strategy<Value = (String, bool)> {
    let ends = prop_oneof![
        4 => Just("\n"),
        1 => Just("\n\n\n"),
        1 => Just(" ;"),
        1 => Just("; \n"),
        2 => Just("  # at the end\n"),
        1 => Just(" # at the end\n                                        # and further\n"),
        1 => Just("\n# on a line\n"),
        1 => Just("\n\n## a doc\n\n  # and more\n"),
    ];
    let with_end = (statement, ends);
    (prop::collection::vec(with_end, 0..6), any::<bool>()).prop_map(|(statements, lines)| {
        let texts = statements.iter().map(|(text, end)| {
            // A line without an end is written on one with what follows.
            let text = if lines {
                text.clone()
            } else {
                text.replace('⏎', "")
            };
            let end = if lines { *end } else { "; " };
            format!("{text}{end}")
        });
        (texts.collect(), lines)
    })
}

fn item() -> impl Strategy<Value = String> {
    prop_oneof![
        (name(), value()).prop_map(|(name, value)| format!("param {name} =⏎ {value}")),
        (name(), condition()).prop_map(|(name, condition)| format!("let {name} = ⏎({condition})")),
        (name(), block()).prop_map(|(name, block)| match block.as_str() {
            "" => format!("service {name} {{ }}"),
            block => format!("export service {name}{block}"),
        }),
        several(name(), 4)
            .prop_map(|who| who.replace('⏎', ""))
            .prop_map(|who| format!("assert \"a\" {{ never {who} reaches x /a, /b unless a }}")),
    ]
}

/// A file that parses, with `⏎` where white space may be anything.
pub(crate) fn file() -> impl Strategy<Value = String> {
    statements(item().boxed()).prop_map(|(items, lines)| {
        if lines {
            items
        } else {
            // In one line there is no comment to end.
            items.replace('⏎', "")
        }
    })
}

/// What white space may be where a line may end.
fn white_space() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        12 => Just(""),
        4 => Just(" "),
        2 => Just("   \t"),
        2 => Just("\n"),
        1 => Just("\r\n      "),
        1 => Just("\n\n    "),
    ]
}

/// The same, or a comment.
fn white_space_or_comment() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        30 => white_space(),
        1 => Just(" # why\n"),
        1 => Just("\n  # why\n  # indeed\n"),
        1 => Just(" ## why\r\n"),
    ]
}

fn filled(
    file: impl Strategy<Value = String>,
    filler: impl Strategy<Value = &'static str>,
) -> impl Strategy<Value = String> {
    let fillers = prop::collection::vec(filler, 16);
    (file, fillers).prop_map(|(file, fillers)| {
        let mut fillers = fillers.iter().cycle();
        let mut text = String::new();
        for part in file.split_inclusive('⏎') {
            text.push_str(part.trim_end_matches('⏎'));
            if part.ends_with('⏎') {
                text.push_str(fillers.next().unwrap());
            }
        }
        text
    })
}

/// A file that parses, laid out at random.
pub(crate) fn any_file() -> impl Strategy<Value = String> {
    filled(file(), white_space_or_comment())
}

/// The same file laid out twice, with the same comments.
pub(crate) fn file_laid_out_twice() -> impl Strategy<Value = (String, String)> {
    file().prop_flat_map(|file| {
        let file = Just(file);
        (filled(file.clone(), Just("")), filled(file, white_space()))
    })
}

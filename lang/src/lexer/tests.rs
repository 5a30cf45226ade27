use super::*;
use SyntaxKind as K;

/// The tokens of a text but for white space, as (kind, text).
fn tokens(text: &str) -> Vec<(SyntaxKind, &str)> {
    let tokens = lex(text);
    (0..tokens.len())
        .map(|index| (tokens.kind(index), tokens.text(text, index)))
        .filter(|(kind, _)| *kind != K::Whitespace)
        .collect()
}

fn words(text: &str) -> Vec<&str> {
    tokens(text)
        .into_iter()
        .map(|(kind, text)| {
            assert_eq!(kind, K::Word, "{text}");
            text
        })
        .collect()
}

/// Whether the text is one token of this kind.
#[track_caller]
fn one(kind: SyntaxKind, text: &str) {
    assert_eq!(tokens(text), [(kind, text)]);
}

#[test]
fn nothing_is_lost() {
    let text = "\u{feff}a  b\t# c\r\n\"d\" é {->}..==\r";
    let tokens = lex(text);
    let texts: String = (0..tokens.len())
        .map(|index| tokens.text(text, index))
        .collect();
    assert_eq!(texts, text);
}

#[test]
fn an_empty_text_has_no_tokens() {
    let tokens = lex("");
    assert!(tokens.is_empty());
    assert_eq!(tokens.kind(0), K::EndOfFile);
    assert_eq!(tokens.start(0), 0);
}

#[test]
fn signs_are_themselves() {
    for (text, kind) in [
        ("{", K::LeftBrace),
        ("}", K::RightBrace),
        ("(", K::LeftParen),
        (")", K::RightParen),
        ("[", K::LeftBracket),
        ("]", K::RightBracket),
        (",", K::Comma),
        (";", K::Semicolon),
        (":", K::Colon),
        ("=", K::Equals),
        ("->", K::Arrow),
        ("..", K::DotDot),
        ("==", K::EqualsEquals),
        ("!=", K::NotEquals),
        ("<", K::Less),
        ("<=", K::LessEquals),
        (">", K::Greater),
        (">=", K::GreaterEquals),
    ] {
        one(kind, text);
    }
}

#[test]
fn every_kind_of_line_end_is_a_newline() {
    let kinds: Vec<_> = tokens("a\nb\r\nc\rd").iter().map(|token| token.0).collect();
    assert_eq!(
        kinds,
        [
            K::Word,
            K::Newline,
            K::Word,
            K::Newline,
            K::Word,
            K::Newline,
            K::Word
        ]
    );
    assert_eq!(tokens("\r\n"), [(K::Newline, "\r\n")]);
    assert_eq!(tokens("\r\r\n").len(), 2);
}

#[test]
fn comments_go_to_the_end_of_the_line() {
    assert_eq!(
        tokens("a # b, c\nd"),
        [
            (K::Word, "a"),
            (K::Comment, "# b, c"),
            (K::Newline, "\n"),
            (K::Word, "d")
        ]
    );
    one(K::DocComment, "## about it");
    one(K::DocComment, "##");
    one(K::Comment, "#");
    one(K::Comment, "######");
    one(K::Comment, "# a \" b");
}

#[test]
fn a_comment_starts_only_where_a_token_may() {
    one(K::Word, "http://a/#b");
    one(K::Path, "/a#b");
    assert_eq!(tokens("\"a#b\""), [(K::String, "\"a#b\"")]);
    assert_eq!(tokens("a#b"), [(K::Word, "a"), (K::Comment, "#b")]);
}

#[test]
fn a_byte_order_mark_is_one_at_the_start_only() {
    assert_eq!(
        tokens("\u{feff}a\u{feff}"),
        [
            (K::ByteOrderMark, "\u{feff}"),
            (K::Word, "a"),
            (K::Unknown, "\u{feff}")
        ]
    );
}

#[test]
fn words_are_runs_of_word_characters() {
    for word in [
        "a",
        "user-service",
        "250ms",
        "5xx",
        "64KiB",
        "100/s",
        "10.0.0.0/8",
        "127.0.0.1:9080",
        "*",
        "*.shop.example",
        "payments/ledger.v2",
        "_x",
        "GET",
        "a:b",
        "2026-12-01",
        "::1",
        "fd00::/8",
        "a_b",
        "1/*",
        "::",
        "api.stripe.com:443",
        "spiffe://a.example/ns/x",
    ] {
        assert_eq!(words(word), [word]);
    }
}

#[test]
fn a_word_ends_before_an_arrow() {
    assert_eq!(
        tokens("a->b"),
        [(K::Word, "a"), (K::Arrow, "->"), (K::Word, "b")]
    );
    assert_eq!(tokens("a-->"), [(K::Word, "a-"), (K::Arrow, "->")]);
    one(K::Word, "a-");
}

#[test]
fn a_word_ends_before_two_dots() {
    assert_eq!(
        tokens("25ms..1s"),
        [(K::Word, "25ms"), (K::DotDot, ".."), (K::Word, "1s")]
    );
    assert_eq!(tokens("500..599").len(), 3);
    one(K::Word, "a.b");
    one(K::Word, "a.");
}

#[test]
fn a_word_ends_before_a_colon_that_white_space_follows() {
    assert_eq!(
        tokens("writes: POST"),
        [(K::Word, "writes"), (K::Colon, ":"), (K::Word, "POST")]
    );
    assert_eq!(tokens("a:\n")[1].0, K::Colon);
    assert_eq!(tokens("a:\r")[1].0, K::Colon);
    assert_eq!(tokens("a:\t")[1].0, K::Colon);
    assert_eq!(tokens("a:"), [(K::Word, "a"), (K::Colon, ":")]);
    one(K::Word, "a:b");
    assert_eq!(tokens("a:{"), [(K::Word, "a:"), (K::LeftBrace, "{")]);
}

#[test]
fn a_word_ends_after_a_percent_sign() {
    assert_eq!(words("10%v1"), ["10%", "v1"]);
    assert_eq!(words("0.01%"), ["0.01%"]);
    assert_eq!(tokens("a%%"), [(K::Word, "a%"), (K::Unknown, "%")]);
}

#[test]
fn urls_run_on() {
    for url in [
        "http://reviews/reviews/0?a=b&c=(d)",
        "https://a.example/x%20y..z",
        "http://[::1]:80/x",
        "http://a:",
        "https://a->b",
    ] {
        assert_eq!(words(url), [url]);
    }
    for end in [" ", "\t", "\n", "\r", ",", ";", "{", "}", "\""] {
        let text = format!("http://a/b{end}");
        assert_eq!(tokens(&text)[0], (K::Word, "http://a/b"), "{end:?}");
    }
    assert_eq!(words("http:/a"), ["http:/a"]);
    assert_eq!(words("httpx://a"), ["httpx://a"]);
}

#[test]
fn an_address_in_brackets_is_one_word() {
    for word in ["[::1]:80", "[fd00::7]:9080", "[::ffff:10.0.0.1]:1"] {
        assert_eq!(words(word), [word]);
    }
    assert_eq!(tokens("[::1]").len(), 3);
    assert_eq!(tokens("[::1, a]").len(), 5);
    assert_eq!(tokens("[abc]:80")[0].0, K::LeftBracket);
    assert_eq!(tokens("[::1]: 80")[0].0, K::LeftBracket);
    assert_eq!(tokens("[::1]:x")[0].0, K::LeftBracket);
    assert_eq!(
        tokens("[::1]:80->a"),
        [(K::Word, "[::1]:80"), (K::Arrow, "->"), (K::Word, "a")]
    );
}

#[test]
fn paths_hold_their_captures() {
    for path in [
        "/",
        "/a/b",
        "/users/{id}",
        "/static/**",
        "/{path**}",
        "/v{n}/{name}.json",
        "/a..b",
        "/a:b",
        "/x?y=z",
        "/a-b",
        "/é",
        "/a=b&c",
        "//",
        "/*",
    ] {
        one(K::Path, path);
    }
}

#[test]
fn a_path_ends_before_its_delimiters() {
    for end in [
        " ", "\t", "\n", "\r", "->", ",", ";", "(", ")", "[", "]", "{", "}", "\"",
    ] {
        let text = format!("/a{end}");
        assert_eq!(tokens(&text)[0], (K::Path, "/a"), "{end:?}");
    }
}

#[test]
fn a_block_behind_a_path_is_no_capture() {
    assert_eq!(tokens("/a{ x }")[1].0, K::LeftBrace);
    assert_eq!(tokens("/a{}")[1].0, K::LeftBrace);
    assert_eq!(tokens("/a{x*}")[1].0, K::LeftBrace);
    assert_eq!(tokens("/a{**}")[1].0, K::LeftBrace);
    assert_eq!(tokens("/a{x;y}")[1].0, K::LeftBrace);
    assert_eq!(tokens("/a{x")[1].0, K::LeftBrace);
}

#[test]
fn strings_stand_on_one_line() {
    for string in [
        r#""""#,
        r#""a b""#,
        r#""a \"b\" \\""#,
        r#""\u{e9} é""#,
        r#""\é""#,
        r#""{ } # -> ,""#,
    ] {
        one(K::String, string);
    }
    assert_eq!(tokens(r#""a""b""#).len(), 2);
}

#[test]
fn raw_strings_go_to_the_next_quote() {
    one(K::RawString, r#"r"""#);
    one(K::RawString, r#"r".*\d[0-4]\""#);
    assert_eq!(tokens(r#"r"\"x"#)[1], (K::Word, "x"));
    assert_eq!(
        tokens(r#"bar"x""#),
        [(K::Word, "bar"), (K::String, "\"x\"")]
    );
    assert_eq!(tokens(r#"r "x""#)[0], (K::Word, "r"));
}

#[test]
fn a_string_without_its_quote_ends_with_the_line() {
    assert_eq!(
        tokens("\"a b\nc"),
        [
            (K::UnclosedString, "\"a b"),
            (K::Newline, "\n"),
            (K::Word, "c")
        ]
    );
    assert_eq!(tokens("r\"a\r\nb")[0], (K::UnclosedString, "r\"a"));
    one(K::UnclosedString, "\"");
    one(K::UnclosedString, "\"a\\");
    one(K::UnclosedString, "\"a\\\"");
    assert_eq!(tokens("\"a\\\nb\"")[0], (K::UnclosedString, "\"a\\"));
}

#[test]
fn what_starts_no_token_is_unknown_in_runs() {
    assert_eq!(
        tokens("a && b"),
        [(K::Word, "a"), (K::Unknown, "&&"), (K::Word, "b")]
    );
    for text in [
        "é",
        "ß→ü",
        "@",
        "$!",
        "-",
        "!",
        ".",
        "\u{a0}",
        "\u{0}\u{c}",
        "'",
    ] {
        one(K::Unknown, text);
    }
    assert_eq!(tokens("é=")[1].0, K::Equals);
    assert_eq!(tokens("-a"), [(K::Unknown, "-"), (K::Word, "a")]);
    assert_eq!(tokens("--->"), [(K::Unknown, "--"), (K::Arrow, "->")]);
}

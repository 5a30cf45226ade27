//! The tokens of any text put together are the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_lang::lexer::lex;

fuzz_target!(|text: &str| {
    let tokens = lex(text);
    let mut rest = text;
    for index in 0..tokens.len() {
        let token = tokens.text(text, index);
        assert!(!token.is_empty());
        rest = rest.strip_prefix(token).expect("tokens follow each other");
    }
    assert!(rest.is_empty());
});

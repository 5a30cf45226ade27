//! Text of a policy, before it meets a terminal.
//!
//! A policy may hold characters that a terminal obeys or that reorder what is read: escapes, control
//! characters, direction marks. Nobody is to be fooled by the report about them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character does something else than being read. Line ends and tabs are looked after elsewhere.
fn acts(character: char) -> bool {
    let moves_text = matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    );
    moves_text || (character.is_control() && !matches!(character, '\n' | '\t'))
}

/// A sentence in which such characters are written as escapes.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if text.contains(acts) {
        Cow::Owned(escaped(text, acts))
    } else {
        Cow::Borrowed(text)
    }
}

/// Source text in which such characters are shown as others of the same length, so that every offset stays
/// what it was. A lone carriage return ends a line, and does so here, too.
pub(super) fn harmless_source(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        shown.push(match character {
            '\r' if characters.peek() == Some(&'\n') => '\r',
            '\r' => '\n',
            _ if !acts(character) => character,
            _ => match character.len_utf8() {
                1 => '?',
                2 => '¿',
                _ => '\u{fffd}',
            },
        });
    }
    Cow::Owned(shown)
}

/// A sentence in ASCII: typographic signs by their plain forms, all else that is not ASCII as escapes.
pub(super) fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '…' => plain.push_str("..."),
            '“' | '”' | '„' => plain.push('"'),
            '‘' | '’' => plain.push('\''),
            '–' | '—' | '·' => plain.push('-'),
            '→' => plain.push_str("->"),
            '←' => plain.push_str("<-"),
            '≤' => plain.push_str("<="),
            '≥' => plain.push_str(">="),
            '×' => plain.push('x'),
            '\u{a0}' | '\u{202f}' => plain.push(' '),
            _ => plain.push(character),
        }
    }
    escaped(&plain, |it| acts(it) || !it.is_ascii())
}

fn escaped(text: &str, needs: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if needs(character) {
            // Writing to a string does not fail.
            let _ = write!(escaped, "\\u{{{:x}}}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_instead() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{202e}"), r"a\u{1b}[2Jb\u{202e}");
        assert_eq!(harmless("é “a”\t"), "é “a”\t");
    }

    #[test]
    fn source_text_keeps_its_length() {
        let text = "a\u{1b}b\u{85}c\u{202e}\r\nd\re\n";
        let shown = harmless_source(text);
        assert_eq!(shown, "a?b¿c\u{fffd}\r\nd\ne\n");
        assert_eq!(shown.len(), text.len());
    }

    #[test]
    fn ascii_is_ascii() {
        assert_eq!(ascii("“a” → b… é\u{7}"), r#""a" -> b... \u{e9}\u{7}"#);
    }
}

//! `name=value&name=value`: the form of queries and of what a browser posts, and its escapes.

use std::fmt::Write as _;

/// The pairs of a query or a form, decoded, in order. A name without `=` has an empty value.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (
            decode(&name.replace('+', " ")),
            decode(&value.replace('+', " ")),
        )
    })
}

/// Resolves `%2F` and the like. What is not an escape stays, and bytes that are not UTF-8 become
/// U+FFFD.
pub(crate) fn decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = (*first == b'%')
            .then(|| Some((digit(*tail.first()?)?, digit(*tail.get(1)?)?)))
            .flatten();
        if let Some((high, low)) = escape {
            decoded.push(high << 4 | low);
            rest = &tail[2..];
        } else {
            decoded.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Escapes everything but letters, digits and `-._~`, so that the text fits into a cookie.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                // Writing to a String does not fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        })
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_keep_their_order() {
        let read: Vec<_> = pairs("a=1&b=x%3Ay+z&&a=&c").collect();
        let expected = [("a", "1"), ("b", "x:y z"), ("a", ""), ("c", "")];
        assert_eq!(
            read,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%4"), "%4");
        assert_eq!(decode("%zz%41"), "%zzA");
        assert_eq!(decode("%C3%A9"), "é");
        assert_eq!(decode("%FF"), "\u{fffd}");
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        for text in ["jason", "Ada Lovelace", "é;=,\"\r\n%", ""] {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(encode("a b;"), "a%20b%3B");
    }
}

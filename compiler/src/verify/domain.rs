//! Which values the fields of text can have at all.

use super::readers::Language;
use mesh_bundle::host;
use mesh_bundle::path::EncodedSlash;
use std::sync::LazyLock;

/// A field of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    /// A token (RFC 9110 §5.6.2).
    Method,
    /// A host in normal form.
    Host,
    /// Header lines, joined by `,`: what a single line can hold, too.
    Header,
    /// Anything, escaped.
    Query,
    /// What stands behind the `=` of a pair in a `Cookie` header.
    Cookie,
    /// A path in normal form.
    Path(EncodedSlash),
    /// What tokens, keys and certificates hold: characters, as UTF-8.
    Characters,
}

/// The longest host name.
const HOST_LENGTH: usize = 253;

impl Domain {
    /// What its values are among; none: any bytes.
    pub(super) fn language(self) -> Option<&'static Language> {
        static METHOD: LazyLock<Option<Language>> =
            LazyLock::new(|| Language::of(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"));
        static HOST: LazyLock<Option<Language>> = LazyLock::new(|| Language::of(&host()));
        static HEADER: LazyLock<Option<Language>> =
            LazyLock::new(|| Language::of(r"([!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?)?"));
        static COOKIE: LazyLock<Option<Language>> =
            LazyLock::new(|| Language::of(r"([\t -:<-~\x80-\xff]*[!-:<-~\x80-\xff])?"));
        static TEXT: LazyLock<Option<Language>> = LazyLock::new(|| Language::of(CHARACTERS));
        static PATH: LazyLock<Option<Language>> =
            LazyLock::new(|| Language::of(&path(EncodedSlash::Reject)));
        static PATH_KEPT: LazyLock<Option<Language>> =
            LazyLock::new(|| Language::of(&path(EncodedSlash::Keep)));
        match self {
            Self::Method => METHOD.as_ref(),
            Self::Host => HOST.as_ref(),
            Self::Header => HEADER.as_ref(),
            Self::Query => None,
            Self::Cookie => COOKIE.as_ref(),
            Self::Characters => TEXT.as_ref(),
            Self::Path(EncodedSlash::Reject) => PATH.as_ref(),
            Self::Path(EncodedSlash::Keep) => PATH_KEPT.as_ref(),
        }
    }

    /// What must hold besides of a word of the language.
    pub(super) fn fits(self, word: &[u8]) -> bool {
        match self {
            Self::Host => std::str::from_utf8(word)
                .is_ok_and(|word| host::normalise(word).is_ok_and(|normal| normal == word)),
            _ => true,
        }
    }

    /// The most bytes that a value has.
    pub(super) fn longest(self) -> usize {
        match self {
            Self::Host => HOST_LENGTH,
            Self::Path(_) => mesh_bundle::path::MAX_LENGTH,
            _ => usize::MAX,
        }
    }

    /// Whether a value of its can be this.
    pub(super) fn has(self, word: &[u8]) -> bool {
        let in_language = self
            .language()
            .is_none_or(|language| language.accepts(word));
        in_language && word.len() <= self.longest() && self.fits(word)
    }

    /// Whether a request can be without it.
    pub(super) fn is_optional(self) -> bool {
        match self {
            Self::Header | Self::Query | Self::Cookie | Self::Characters => true,
            Self::Method | Self::Host | Self::Path(_) => false,
        }
    }

    /// Values that read well.
    pub(super) fn usual(self) -> &'static [&'static str] {
        match self {
            Self::Method => &[
                "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "QUERY",
            ],
            Self::Host => &["shop.example", "www.example", "other.example"],
            Self::Header | Self::Query | Self::Cookie | Self::Characters => {
                &["a", "b", "c", "d", "1", "2", "3"]
            }
            Self::Path(_) => &[],
        }
    }
}

/// UTF-8 (RFC 3629 §4).
const CHARACTERS: &str = r"([\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*";

/// Normal hosts: names, and addresses in brackets. Which zeros of an address are left out is said by
/// [`Domain::fits`].
fn host() -> String {
    let label = "[a-z0-9_-]{1,63}";
    let group = "(0|[1-9a-f][0-9a-f]{0,3})";
    let groups = format!("({group}(:{group}){{0,6}})?");
    let byte = "[0-9]{1,3}";
    let address =
        format!(r"{group}(:{group}){{7}}|{groups}::{groups}|::(ffff:)?{byte}(\.{byte}){{3}}");
    format!(r"{label}(\.{label})*|\[({address})\]")
}

/// Normal paths: segments that are neither `.` nor `..`, and empty only at the end.
fn path(encoded_slash: EncodedSlash) -> String {
    let escapes: Vec<String> = (0..=u8::MAX)
        .filter(|byte| match byte {
            0 | b'\r' | b'\n' | b'-' | b'.' | b'_' | b'~' => false,
            b'/' | b'\\' => encoded_slash == EncodedSlash::Keep,
            byte => !byte.is_ascii_alphanumeric(),
        })
        .map(|byte| format!("{byte:02X}"))
        .collect();
    // All that stands for itself, but for the dot.
    let letter = format!(r"([!-~&&[^#?\\/%.]]|%({}))", escapes.join("|"));
    let any = format!(r"({letter}|\.)");
    let segment = format!(r"({letter}{any}*|\.{letter}{any}*|\.\.{any}+)");
    format!("(/{segment})*/{segment}?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_bundle::NormalPath;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn normal_paths_are_those_that_normalising_leaves(
            path in "/?([a./%~;]|%2[ef]|%2F|%5C|%C3|%0A|%41|//|\\.\\./){0,6}",
            keep: bool,
        ) {
            let encoded_slash = if keep { EncodedSlash::Keep } else { EncodedSlash::Reject };
            let normal = NormalPath::parse(&path, encoded_slash)
                .is_ok_and(|normal| normal.as_str() == path);
            prop_assert_eq!(Domain::Path(encoded_slash).has(path.as_bytes()), normal, "{}", path);
        }

        #[test]
        fn characters_are_utf_8(bytes in prop::collection::vec(any::<u8>(), 0..5), text in ".{0,4}") {
            let is_text = std::str::from_utf8(&bytes).is_ok();
            prop_assert_eq!(Domain::Characters.has(&bytes), is_text);
            prop_assert!(Domain::Characters.has(text.as_bytes()));
        }

        #[test]
        fn normal_hosts_are_those_that_normalising_leaves(host in "[a-cA\\[\\]:.0-9_-]{0,8}|\\[[:0-9a-f]{2,6}\\]") {
            let normal = host::normalise(&host).is_ok_and(|normal| normal == host);
            prop_assert_eq!(Domain::Host.has(host.as_bytes()), normal, "{}", host);
        }
    }

    #[test]
    fn every_language_is_one() {
        for domain in [
            Domain::Method,
            Domain::Host,
            Domain::Header,
            Domain::Cookie,
            Domain::Characters,
            Domain::Path(EncodedSlash::Keep),
            Domain::Path(EncodedSlash::Reject),
        ] {
            assert!(domain.language().is_some(), "{domain:?}");
            for usual in domain.usual() {
                assert!(domain.has(usual.as_bytes()), "{usual}");
            }
        }
    }
}

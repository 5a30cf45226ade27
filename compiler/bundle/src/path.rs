//! Path normalisation: what a request target's path becomes before anything reads it.
//!
//! One function for the runtime and the compiler. What it returns is what is matched *and* what is
//! forwarded, so that the application cannot see another path than the one that was judged (the
//! class of CVE-2021-31920). In order:
//!
//! 1. refuse bytes that no path carries (controls, space, DEL, raw non-ASCII, `#`, `\`), malformed
//!    escapes, encoded NUL, CR and LF; refuse `%2F` and `%5C` unless the mesh says `encoded-slash keep`
//! 2. decode escapes of unreserved characters, upper-case the others (RFC 3986 §6.2.2), once
//! 3. resolve `.` and `..` (RFC 3986 §5.2.4); refuse to climb above the root
//! 4. merge `//`
//!
//! The usual path is normal already and is borrowed; the one pass that finds this out also notes
//! where its segments end, which is all that matching needs.

use smallvec::SmallVec;
use std::borrow::Cow;

/// The longest path, in bytes. Segment ends are 16 bits.
pub const MAX_LENGTH: usize = u16::MAX as usize;

/// What the mesh does with `%2F` and `%5C` in a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncodedSlash {
    /// 400. The default: backends disagree on whether it separates segments.
    #[default]
    Reject,
    /// `encoded-slash keep`: it stays as it is and is no separator.
    Keep,
}

/// Why a path is refused with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Empty, or another form of request target.
    #[error("the path does not begin with `/`")]
    NotOrigin,
    /// Longer than [`MAX_LENGTH`].
    #[error("the path is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// A byte that must be escaped or may not occur at all.
    #[error("the path holds byte 0x{0:02x}")]
    Byte(u8),
    /// `%` without two hexadecimal digits.
    #[error("the path holds a malformed escape")]
    Escape,
    /// `%00`, `%0D` or `%0A`.
    #[error("the path holds an encoded control character")]
    EncodedControl,
    /// `%2F` or `%5C` where the mesh does not keep them.
    #[error("the path holds an encoded slash or backslash")]
    EncodedSlash,
    /// More `..` than segments before them.
    #[error("the path climbs above `/`")]
    AboveRoot,
}

/// A path in normal form, with its segments: `/` is one empty segment, `/a/` is `a` and an empty one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath<'a> {
    text: Cow<'a, str>,
    /// Where each segment's slash stands; a segment runs from behind it to the next one, or the end.
    slashes: SmallVec<[u16; 12]>,
}

impl<'a> NormalPath<'a> {
    /// Normalises the path of a request target (without its query).
    pub fn parse(raw: &'a str, encoded_slash: EncodedSlash) -> Result<Self, PathError> {
        let bytes = raw.as_bytes();
        if bytes.first() != Some(&b'/') {
            return Err(PathError::NotOrigin);
        }
        if bytes.len() > MAX_LENGTH {
            return Err(PathError::TooLong);
        }
        let mut slashes = SmallVec::new();
        let mut normal = true;
        let mut previous = b' ';
        for (at, &byte) in bytes.iter().enumerate() {
            match CLASS[usize::from(byte)] {
                Class::Plain => {}
                Class::Slash => {
                    normal &= previous != b'/';
                    slashes.push(at as u16);
                }
                // Whether the segment is `.` or `..` is seen more easily with the whole path at hand.
                Class::Dot => normal &= previous != b'/',
                Class::Percent => normal = false,
                Class::Bad => return Err(PathError::Byte(byte)),
            }
            previous = byte;
        }
        if normal {
            Ok(Self {
                text: Cow::Borrowed(raw),
                slashes,
            })
        } else {
            rewrite(bytes, encoded_slash)
        }
    }

    /// The path as text.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether normalising changed it.
    pub fn is_changed(&self) -> bool {
        matches!(self.text, Cow::Owned(_))
    }

    /// How many segments it has; at least one.
    #[inline]
    pub fn segment_count(&self) -> usize {
        self.slashes.len()
    }

    /// Segment `index`, counted from 0.
    #[inline]
    pub fn segment(&self, index: usize) -> &str {
        let start = usize::from(self.slashes[index]) + 1;
        let end = self
            .slashes
            .get(index + 1)
            .map_or(self.text.len(), |&slash| usize::from(slash));
        &self.text[start..end]
    }

    /// The segments, from the left (or from the right, with `rev`).
    #[inline]
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> + '_ {
        (0..self.slashes.len()).map(|index| self.segment(index))
    }

    /// What stands behind the first `count` segments: empty, or a path of its own.
    pub fn after(&self, count: usize) -> &str {
        self.slashes
            .get(count)
            .map_or("", |&slash| &self.text[usize::from(slash)..])
    }

    /// Gives the path a life of its own.
    pub fn into_owned(self) -> NormalPath<'static> {
        NormalPath {
            text: Cow::Owned(self.text.into_owned()),
            slashes: self.slashes,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Plain,
    Slash,
    Dot,
    Percent,
    Bad,
}

const CLASS: [Class; 256] = {
    let mut table = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte < 0x21 || byte >= 0x7f {
            table[byte] = Class::Bad;
        }
        byte += 1;
    }
    table[b'#' as usize] = Class::Bad;
    table[b'?' as usize] = Class::Bad;
    table[b'\\' as usize] = Class::Bad;
    table[b'/' as usize] = Class::Slash;
    table[b'.' as usize] = Class::Dot;
    table[b'%' as usize] = Class::Percent;
    table
};

/// RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex(digit: u8) -> Result<u8, PathError> {
    (digit as char)
        .to_digit(16)
        .map(|value| value as u8)
        .ok_or(PathError::Escape)
}

/// Steps 1 and 2 of the module's list for escapes; plain bytes were checked before.
fn decode(bytes: &[u8], encoded_slash: EncodedSlash) -> Result<Vec<u8>, PathError> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let &[high, low, ref tail @ ..] = rest else {
            return Err(PathError::Escape);
        };
        rest = tail;
        let value = hex(high)? << 4 | hex(low)?;
        match value {
            0 | b'\r' | b'\n' => return Err(PathError::EncodedControl),
            b'/' | b'\\' if encoded_slash == EncodedSlash::Reject => {
                return Err(PathError::EncodedSlash);
            }
            value if is_unreserved(value) => decoded.push(value),
            _ => decoded.extend([b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]),
        }
    }
    Ok(decoded)
}

/// The slow way, for paths that are not normal yet.
fn rewrite(bytes: &[u8], encoded_slash: EncodedSlash) -> Result<NormalPath<'static>, PathError> {
    let decoded = decode(bytes, encoded_slash)?;
    let mut kept: Vec<&[u8]> = Vec::new();
    let segments: Vec<&[u8]> = decoded[1..].split(|&byte| byte == b'/').collect();
    let last = segments.len() - 1;
    for (index, &segment) in segments.iter().enumerate() {
        match segment {
            b"." => {}
            b".." => {
                kept.pop().ok_or(PathError::AboveRoot)?;
            }
            _ => {
                kept.push(segment);
                continue;
            }
        }
        // A dot segment at the end leaves the directory it names, with its slash.
        if index == last {
            kept.push(b"");
        }
    }
    let mut text = String::with_capacity(decoded.len());
    let mut slashes = SmallVec::new();
    let last = kept.len().saturating_sub(1);
    for (index, segment) in kept.iter().enumerate() {
        if segment.is_empty() && index < last {
            continue; // `//`
        }
        slashes.push(text.len() as u16);
        text.push('/');
        text.extend(segment.iter().map(|&byte| byte as char));
    }
    Ok(NormalPath {
        text: Cow::Owned(text),
        slashes,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(raw: &str) -> String {
        NormalPath::parse(raw, EncodedSlash::Reject)
            .unwrap()
            .as_str()
            .to_owned()
    }

    fn refused(raw: &str) -> PathError {
        NormalPath::parse(raw, EncodedSlash::Reject).unwrap_err()
    }

    #[test]
    fn leaves_normal_paths_alone() {
        for path in [
            "/",
            "/a",
            "/a/",
            "/a/b.c",
            "/a/..b",
            "/a/b..",
            "/a;x=y/b,c",
            "/a:b@c",
            "/a%2Cb",
        ] {
            assert_eq!(normal(path), path);
        }
        assert!(
            !NormalPath::parse("/a/b", EncodedSlash::Reject)
                .unwrap()
                .is_changed()
        );
    }

    #[test]
    fn decodes_unreserved_once_and_upper_cases_the_rest() {
        assert_eq!(normal("/%61dmin"), "/admin");
        assert_eq!(normal("/%7euser/%2d"), "/~user/-");
        assert_eq!(normal("/a%2cb"), "/a%2Cb");
        assert_eq!(normal("/%252e%252e"), "/%252e%252e");
    }

    #[test]
    fn resolves_dots_then_merges_slashes() {
        assert_eq!(normal("/a/./b"), "/a/b");
        assert_eq!(normal("/a/../b"), "/b");
        assert_eq!(normal("/a/b/.."), "/a/");
        assert_eq!(normal("/a/."), "/a/");
        assert_eq!(normal("/."), "/");
        assert_eq!(normal("/a/.."), "/");
        assert_eq!(normal("//admin"), "/admin");
        assert_eq!(normal("/a//b///"), "/a/b/");
        assert_eq!(normal("/x/%2e%2e/admin"), "/admin");
        // Dots before slashes: the empty segment is what `..` takes.
        assert_eq!(normal("/a//../b"), "/a/b");
    }

    #[test]
    fn refuses_what_would_be_read_in_two_ways() {
        assert_eq!(refused("/.."), PathError::AboveRoot);
        assert_eq!(refused("/a/../../b"), PathError::AboveRoot);
        assert_eq!(refused("/a%2fb"), PathError::EncodedSlash);
        assert_eq!(refused("/a%5Cb"), PathError::EncodedSlash);
        assert_eq!(refused("/a\\b"), PathError::Byte(b'\\'));
        assert_eq!(refused("/a%00"), PathError::EncodedControl);
        assert_eq!(refused("/a%0d%0a"), PathError::EncodedControl);
        assert_eq!(refused("/a%"), PathError::Escape);
        assert_eq!(refused("/a%4"), PathError::Escape);
        assert_eq!(refused("/a%zz"), PathError::Escape);
        assert_eq!(refused("/a#b"), PathError::Byte(b'#'));
        assert_eq!(refused("/\u{e9}"), PathError::Byte(0xc3));
        assert_eq!(refused("a"), PathError::NotOrigin);
        assert_eq!(refused(""), PathError::NotOrigin);
        assert_eq!(
            refused(&format!("/{}", "a".repeat(MAX_LENGTH))),
            PathError::TooLong
        );
    }

    #[test]
    fn keeps_encoded_slashes_where_the_mesh_says_so() {
        let path = NormalPath::parse("/a%2fb/c", EncodedSlash::Keep).unwrap();
        assert_eq!(path.as_str(), "/a%2Fb/c");
        assert_eq!(path.segments().collect::<Vec<_>>(), ["a%2Fb", "c"]);
    }

    #[test]
    fn hands_over_the_segments() {
        let segments = |raw| {
            NormalPath::parse(raw, EncodedSlash::Reject)
                .unwrap()
                .segments()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(segments("/"), [""]);
        assert_eq!(segments("/a"), ["a"]);
        assert_eq!(segments("/a/"), ["a", ""]);
        assert_eq!(segments("/a//b/./c/"), ["a", "b", "c", ""]);
        let path = NormalPath::parse("/a/b/c", EncodedSlash::Reject).unwrap();
        assert_eq!(path.after(1), "/b/c");
        assert_eq!(path.after(3), "");
    }

    proptest! {
        #[test]
        fn is_idempotent_and_in_normal_form(raw in "/[a-c./%2eE5cC;~]{0,24}") {
            if let Ok(path) = NormalPath::parse(&raw, EncodedSlash::Keep) {
                let text = path.as_str().to_owned();
                let again = NormalPath::parse(&text, EncodedSlash::Keep).unwrap();
                prop_assert_eq!(again.as_str(), text.as_str());
                prop_assert!(!text.contains("//"));
                let count = path.segment_count();
                for (index, segment) in path.segments().enumerate() {
                    prop_assert!(!matches!(segment, "." | ".."));
                    prop_assert!(!segment.is_empty() || index == count - 1);
                }
                prop_assert_eq!(format!("/{}", path.segments().collect::<Vec<_>>().join("/")), text);
            }
        }
    }
}

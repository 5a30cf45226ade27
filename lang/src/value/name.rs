//! Names: of services and the like, of methods, of headers.

use std::fmt;

use nom::Parser;
use nom::bytes::complete::take_while1;
use nom::character::complete::char;
use nom::combinator::{all_consuming, opt};
use nom::sequence::{preceded, terminated};

use super::ValueError;
use crate::codes::Code;

/// The words that name nothing, since the grammar reads them.
pub const RESERVED: &[&str] = &[
    "and",
    "any",
    "anyone",
    "default",
    "in",
    "internet",
    "namespace",
    "not",
    "off",
    "or",
    "otherwise",
    "redirect",
    "respond",
    "rest",
    "self",
    "split",
    "to",
    "unless",
    "when",
    "where",
];

/// The longest name: what a DNS label holds.
const MAX_NAME: usize = 63;

/// A DNS label that starts with a letter: `user-service`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Reads a name that is declared.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        Self::check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// Whether something may be declared under this name.
    pub fn check(text: &str) -> Result<(), ValueError> {
        Self::check_label(text)?;
        if RESERVED.contains(&text) {
            return Err(ValueError::with_code(
                Code::ReservedName,
                format!("`{text}` is a word of the grammar and names nothing"),
            ));
        }
        Ok(())
    }

    /// Whether this is a DNS label that starts with a letter.
    pub fn check_label(text: &str) -> Result<(), ValueError> {
        if Self::is_label(text) {
            return Ok(());
        }
        let error = |message| ValueError::with_code(Code::BadName, message);
        if text.len() > MAX_NAME {
            return Err(error(format!(
                "a name has {MAX_NAME} characters at most, this one {}",
                text.chars().count()
            )));
        }
        let error = error(format!(
            "`{text}` is no name: names are made of `a` to `z`, digits and `-`, and start with a letter"
        ));
        let folded = text.to_lowercase().replace(['_', '.'], "-");
        let folded = folded.trim_matches('-');
        Err(if Self::is_label(folded) {
            error.perhaps(folded)
        } else {
            error
        })
    }

    /// Whether this refers to something, its namespace before it where that is another:
    /// `[NAMESPACE/]NAME`.
    pub fn check_reference(text: &str) -> Result<(), ValueError> {
        let Some((namespace, name)) = text.split_once('/') else {
            return Self::check_label(text);
        };
        let is_right = |text: &str| Self::check_reference(text).is_ok();
        Self::check_label(namespace)
            .map_err(|error| error.of_part(|right| format!("{right}/{name}"), is_right))?;
        Self::check_label(name)
            .map_err(|error| error.of_part(|right| format!("{namespace}/{right}"), is_right))
    }

    /// Whether this is a DNS label that starts with a letter.
    pub fn is_label(text: &str) -> bool {
        let bytes = text.as_bytes();
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
            return false;
        };
        bytes.len() <= MAX_NAME
            && first.is_ascii_lowercase()
            && *last != b'-'
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What requests are sent to: `ledger`, `reviews.v2`, `payments/ledger`, `payments/ledger.v2`, or
/// `self`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The namespace, if it is written.
    pub namespace: Option<Name>,
    /// A service, an external, a gateway, or a version inside its service.
    pub name: Name,
    /// The version, if it is written.
    pub version: Option<Name>,
}

impl Target {
    /// Reads `[NAMESPACE/]NAME[.VERSION]`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let part = || take_while1::<_, &str, ()>(|character| character != '/' && character != '.');
        let mut parts = all_consuming((
            opt(terminated(part(), char('/'))),
            part(),
            opt(preceded(char('.'), part())),
        ));
        let Ok((_, (namespace, name, version))) = parts.parse_complete(text) else {
            return Err(ValueError::with_code(
                Code::BadName,
                format!(
                    "`{text}` names no service: `reviews`, `reviews.v2` and `payments/ledger` do"
                ),
            ));
        };
        // A suggestion for one part is put in the place of that part.
        let part_error = |error: ValueError, rebuild: &dyn Fn(&str) -> String| {
            error.of_part(rebuild, |target| Self::parse(target).is_ok())
        };
        if name != "self" || namespace.is_some() || version.is_some() {
            Name::check(name)
                .map_err(|error| part_error(error, &|right| joined(namespace, right, version)))?;
        }
        if let Some(namespace) = namespace {
            Name::check_label(namespace)
                .map_err(|error| part_error(error, &|right| joined(Some(right), name, version)))?;
        }
        if let Some(version) = version {
            Name::check(version).map_err(|error| {
                part_error(error, &|right| joined(namespace, name, Some(right)))
            })?;
        }
        let owned = |text: &str| Name(text.to_owned());
        Ok(Self {
            namespace: namespace.map(owned),
            name: owned(name),
            version: version.map(owned),
        })
    }

    /// Whether it is `self`: the service itself, past its route.
    pub fn is_self(&self) -> bool {
        self.name.as_str() == "self"
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let namespace = self.namespace.as_ref().map(Name::as_str);
        let version = self.version.as_ref().map(Name::as_str);
        f.write_str(&joined(namespace, self.name.as_str(), version))
    }
}

/// A target of these parts.
fn joined(namespace: Option<&str>, name: &str, version: Option<&str>) -> String {
    let namespace = namespace.map_or(String::new(), |namespace| format!("{namespace}/"));
    let version = version.map_or(String::new(), |version| format!(".{version}"));
    format!("{namespace}{name}{version}")
}

/// The methods that everybody knows.
pub const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
];

/// Whether a word looks like a method: capitals and `-`, a capital first.
pub fn is_method(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

/// A method of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(String);

impl Method {
    /// Reads `GET`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if is_method(text) {
            return Ok(Self(text.to_owned()));
        }
        let error = ValueError::new(format!(
            "`{text}` is no method: they are written in capitals"
        ));
        let capitals = text.to_ascii_uppercase();
        Err(if METHODS.contains(&capitals.as_str()) {
            error.meaning(capitals)
        } else {
            error
        })
    }

    /// The method.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a header, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

impl HeaderName {
    /// Reads `x-team`; capitals mean the same.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let is_name_byte =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_name_byte) {
            return Err(ValueError::with_code(
                Code::BadName,
                format!("`{text}` is no name of a header"),
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_are_dns_labels_that_start_with_a_letter() {
        for text in ["a", "user-service", "v2", "a--b", &"a".repeat(63)] {
            assert!(Name::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "2a",
            "-a",
            "a-",
            "A",
            "a_b",
            "a.b",
            "é",
            &"a".repeat(64),
        ] {
            let error = Name::parse(text).unwrap_err();
            assert_eq!(error.code, Code::BadName, "{text}");
        }
        let error = Name::parse("User_Service").unwrap_err();
        assert_eq!(error.suggestion.unwrap().text, "user-service");
    }

    #[test]
    fn words_of_the_grammar_are_no_names() {
        for text in RESERVED {
            assert_eq!(Name::parse(text).unwrap_err().code, Code::ReservedName);
        }
        assert!(Name::check_reference("default").is_ok());
        assert!(Name::check_reference("payments/corp").is_ok());
        let error = Name::check_reference("payments/Corp").unwrap_err();
        assert_eq!(error.suggestion.unwrap().text, "payments/corp");
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn targets_may_have_a_namespace_and_a_version() {
        for text in [
            "ledger",
            "reviews.v2",
            "payments/ledger",
            "payments/ledger.v2",
            "self",
        ] {
            assert_eq!(Target::parse(text).unwrap().to_string(), text);
        }
        assert!(Target::parse("default/ledger").is_ok());
        let error = Target::parse("payments/Ledger.v2").unwrap_err();
        assert_eq!(error.suggestion.unwrap().text, "payments/ledger.v2");
        assert!(Target::parse("self").unwrap().is_self());
        for text in [
            "", "a.", ".a", "a/", "/a", "a.b.c", "a/b/c", "A", "x/self", "self.v1", "rest",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn methods_are_in_capitals() {
        assert!(Method::parse("M-SEARCH").is_ok());
        let error = Method::parse("get").unwrap_err();
        assert_eq!(error.suggestion.unwrap().text, "GET");
        for text in ["", "-GET", "GET2", "other"] {
            assert!(Method::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn header_names_ignore_case() {
        assert_eq!(HeaderName::parse("X_Y-z").unwrap().as_str(), "x_y-z");
        for text in ["", "a b", "a:b", "é"] {
            assert!(HeaderName::parse(text).is_err(), "{text}");
        }
    }
}

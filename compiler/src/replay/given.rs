//! A request, put together from what is known of it and what is supposed.

use super::line::Line;
use mesh_bundle::Bundle;
use mesh_bundle::asked;
use mesh_bundle::decide::Field;
use mesh_bundle::journey::{Held, Request};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Nothing.
    Absent,
    /// A text that some policy names, or that the log has.
    Text(String),
    /// A text that stands for all that no policy tells from it.
    Like(String),
    /// A header, parameter or cookie that comes more than once, of which decisions see this text: the lines of a
    /// header joined by `,`, of the others the first.
    Repeated(Box<Given>),
    /// A valid token.
    Valid,
    /// Several texts.
    List(Vec<String>),
}

impl Given {
    /// The text that decisions see, if it is one.
    pub(super) fn text(&self) -> Option<&String> {
        match self {
            Self::Text(text) | Self::Like(text) => Some(text),
            Self::Repeated(seen) => seen.text(),
            Self::Absent | Self::Valid | Self::List(_) => None,
        }
    }

    /// The text, if it stands for no other.
    pub(super) fn exactly(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Repeated(seen) => seen.exactly(),
            _ => None,
        }
    }

    /// `header.x-team is "qa"`.
    pub(super) fn of<'g>(&'g self, name: &'g str) -> impl fmt::Display + 'g {
        struct Of<'g>(&'g Given, &'g str);
        impl fmt::Display for Of<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let name = self.1;
                match self.0 {
                    Given::Absent => write!(f, "{name} is absent"),
                    Given::Text(text) => write!(f, "{name} is {text:?}"),
                    Given::Like(text) => write!(f, "{name} is another, like {text:?}"),
                    Given::Repeated(_) => write!(f, "{name} comes twice"),
                    Given::Valid => write!(f, "{name} is valid"),
                    Given::List(texts) => write!(f, "{name} is {texts:?}"),
                }
            }
        }
        Of(self, name)
    }
}

/// Fields by the names that the log has for them.
pub(super) type Fields = BTreeMap<String, Given>;

/// How the log names the tokens, claims and keys of a bundle.
#[derive(Debug, Default)]
pub(super) struct Names {
    jwts: HashMap<String, u32>,
    claims: HashMap<String, (u32, String)>,
    keys: HashMap<String, u32>,
}

impl Names {
    pub(super) fn of(bundle: &Bundle) -> Self {
        let mut names = Self::default();
        for index in 0..bundle.jwts().len() as u32 {
            names.jwts.extend(named(bundle, Field::Jwt(index), index));
        }
        for index in 0..bundle.keys().len() as u32 {
            names.keys.extend(named(bundle, Field::Key(index), index));
        }
        for facet in bundle.facets() {
            if let Some(field @ Field::Claim(provider, path)) = Field::of_facet(bundle, facet) {
                let claim = (provider, path.to_owned());
                names.claims.extend(named(bundle, field, claim));
            }
        }
        names
    }

    /// The request of a line that has these fields, as this bundle sees it.
    pub(super) fn request<'f>(
        &self,
        line: &Line,
        fields: impl Iterator<Item = (&'f String, &'f Given)>,
    ) -> Request {
        let host = line.host.as_deref().unwrap_or_default();
        let mut request = Request::new(&line.method, host, &line.path);
        request.scheme.clone_from(&line.scheme);
        request.port = line.port;
        request.client_ip = line.client_ip;
        request.source_ip = line.client_ip;
        let mut cookies = Vec::new();
        for (name, given) in fields {
            let texts: &[String] = match given {
                Given::Absent => continue,
                Given::List(texts) => texts,
                given => given.text().map_or(&[], std::slice::from_ref),
            };
            let text = texts.first().map_or("", String::as_str);
            let times = if matches!(given, Given::Repeated(_)) {
                2
            } else {
                1
            };
            if let Some(name) = name.strip_prefix("header.") {
                // Joined, two lines are the same text again.
                for line in text.splitn(times, ',') {
                    request.headers.push((name.to_owned(), line.to_owned()));
                }
            } else if let Some(name) = name.strip_prefix("cookie.") {
                cookies.extend((0..times).map(|_| format!("{name}={text}")));
            } else if let Some(name) = name.strip_prefix("query.") {
                let query = request.query.get_or_insert_default();
                for _ in 0..times {
                    if !query.is_empty() {
                        query.push('&');
                    }
                    form_encode(query, name);
                    query.push('=');
                    form_encode(query, text);
                }
            } else if name == "source.ip" {
                if let Ok(address) = text.parse() {
                    request.source_ip = address;
                }
            } else if name == "client-cert.san" {
                request.client_cert_sans = Some(texts.to_vec());
            } else if let Some(provider) = self.jwts.get(name) {
                token(&mut request, *provider);
            } else if let Some((provider, path)) = self.claims.get(name) {
                let held = match given {
                    Given::List(texts) => Held::List(texts.clone()),
                    _ => Held::Scalar(text.to_owned()),
                };
                token(&mut request, *provider).push((path.clone(), held));
            } else if let Some(keys) = self.keys.get(name) {
                request.keys.push((*keys, text.to_owned()));
            }
        }
        if !cookies.is_empty() {
            let cookies = cookies.join("; ");
            request.headers.push(("cookie".to_owned(), cookies));
        }
        request
    }
}

fn named<T>(bundle: &Bundle, field: Field<'_>, what: T) -> Option<(String, T)> {
    Some((asked::name(bundle, field)?, what))
}

/// The claims of a token that is there.
fn token(request: &mut Request, provider: u32) -> &mut Vec<(String, Held)> {
    let tokens = &mut request.tokens;
    let index = tokens.iter().position(|(known, _)| *known == provider);
    let index = index.unwrap_or_else(|| {
        tokens.push((provider, Vec::new()));
        tokens.len() - 1
    });
    &mut tokens[index].1
}

/// As forms write names and values.
fn form_encode(to: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            to.push(char::from(byte));
        } else {
            to.push('%');
            for digit in [byte >> 4, byte & 15] {
                to.extend(char::from_digit(digit.into(), 16));
            }
        }
    }
}

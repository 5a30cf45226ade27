//! What the decision code sees of a request.
//!
//! The runtime implements [`RequestView`] on the parts of a live request; tests and the compiler use
//! [`Plain`].

use crate::format::{Bundle, Facet, FieldKind, Id, address_number};
use crate::path::NormalPath;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

/// A field that a policy may test, path fields aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'n> {
    /// The method.
    Method,
    /// The host, in normal form.
    Host,
    /// `http` or `https`.
    Scheme,
    /// The listener's port.
    Port,
    /// A header, by its lower-case name.
    Header(&'n str),
    /// A query parameter.
    Query(&'n str),
    /// A cookie.
    Cookie(&'n str),
    /// The caller, as `namespace/name`.
    Source,
    /// The caller's namespace.
    SourceNamespace,
    /// The address of the peer.
    SourceIp,
    /// The address of the client.
    ClientIp,
    /// The names in the client's certificate.
    ClientCertSan,
    /// Whether a valid token of this provider is there: any text, or absent.
    Jwt(u32),
    /// A claim of a valid token: the provider, and the claim's path, its names parted by
    /// [`FieldRef::CLAIM_SEPARATOR`](crate::format::FieldRef::CLAIM_SEPARATOR).
    Claim(u32, &'n str),
    /// The consumer that a valid key belongs to.
    Key(u32),
    /// A field of an entry of an inventory.
    Inventory(&'n str),
}

impl<'n> Field<'n> {
    /// A field by its kind; `None` for those of the path, which the decision code reads itself.
    #[inline]
    pub fn new(kind: FieldKind, provider: u32, name: &'n str) -> Option<Self> {
        Some(match kind {
            FieldKind::Method => Self::Method,
            FieldKind::Host => Self::Host,
            FieldKind::Scheme => Self::Scheme,
            FieldKind::Port => Self::Port,
            FieldKind::Header => Self::Header(name),
            FieldKind::Query => Self::Query(name),
            FieldKind::Cookie => Self::Cookie(name),
            FieldKind::Source => Self::Source,
            FieldKind::SourceNamespace => Self::SourceNamespace,
            FieldKind::SourceIp => Self::SourceIp,
            FieldKind::ClientIp => Self::ClientIp,
            FieldKind::ClientCertSan => Self::ClientCertSan,
            FieldKind::Jwt => Self::Jwt(provider),
            FieldKind::Claim => Self::Claim(provider, name),
            FieldKind::Key => Self::Key(provider),
            FieldKind::Inventory => Self::Inventory(name),
            FieldKind::PathText | FieldKind::PathTail | FieldKind::PathLength => return None,
        })
    }

    /// The field that a facet asks for; `None` for those of the path.
    pub fn of_facet(bundle: &'n Bundle, facet: &Facet) -> Option<Self> {
        let name = bundle.opt_str(facet.name).unwrap_or_default();
        Self::new(
            FieldKind::from_code(facet.field)?,
            facet.provider.get(),
            name,
        )
    }
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// It has none.
    Absent,
    /// Text. Header lines of one name are joined by `,`; a query parameter is decoded, and of
    /// several only the first counts, as for cookies.
    Text(Cow<'v, [u8]>),
    /// The port, or an address as [`address_number`].
    Number(u128),
    /// Several texts: the names of a certificate, a claim that is a list.
    List(Vec<Cow<'v, [u8]>>),
}

/// A request, as far as policies can see it.
pub trait RequestView {
    /// The path.
    fn path(&self) -> &NormalPath<'_>;

    /// A field's value. `facet` is the one that asks: an implementation may keep prepared names by it.
    fn field(&self, field: Field<'_>, facet: Id<Facet>) -> Value<'_>;

    /// Whether a header comes on several lines, or a query parameter or cookie several times.
    fn repeats(&self, field: Field<'_>) -> bool;
}

/// A request, and somebody who is told of every field that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Watched<V, W> {
    view: V,
    watch: W,
}

impl<V: RequestView, W: Fn(Field<'_>, Id<Facet>)> Watched<V, W> {
    /// Tells `watch` what is asked of `view`.
    #[inline]
    pub fn new(view: V, watch: W) -> Self {
        Self { view, watch }
    }
}

impl<V: RequestView, W: Fn(Field<'_>, Id<Facet>)> RequestView for Watched<V, W> {
    #[inline]
    fn path(&self) -> &NormalPath<'_> {
        self.view.path()
    }

    #[inline]
    fn field(&self, field: Field<'_>, facet: Id<Facet>) -> Value<'_> {
        (self.watch)(field, facet);
        self.view.field(field, facet)
    }

    #[inline]
    fn repeats(&self, field: Field<'_>) -> bool {
        self.view.repeats(field)
    }
}

/// A request as plain data.
#[derive(Clone, Debug)]
pub struct Plain<'p> {
    /// The method.
    pub method: &'p str,
    /// The host, in normal form.
    pub host: &'p str,
    /// `http` or `https`.
    pub scheme: &'p str,
    /// The listener's port.
    pub port: u16,
    /// The path, in normal form.
    pub path: NormalPath<'p>,
    /// What follows `?`.
    pub query: Option<&'p str>,
    /// Lower-case names and values.
    pub headers: Vec<(&'p str, &'p str)>,
    /// The caller, as `namespace/name`.
    pub source: Option<&'p str>,
    /// The peer's address.
    pub source_ip: IpAddr,
    /// The client's address.
    pub client_ip: IpAddr,
    /// The names in the client's certificate, if it showed one.
    pub client_cert_sans: Option<Vec<&'p str>>,
    /// The valid tokens: their providers and claims.
    pub tokens: Vec<(u32, Vec<Claim<'p>>)>,
    /// The valid keys: their providers and consumers.
    pub keys: Vec<(u32, &'p str)>,
}

/// A claim of a token as plain data: its path, parted as in [`Field::Claim`], and what it holds.
pub type Claim<'p> = (&'p str, ClaimValue<'p>);

/// What a claim holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimValue<'p> {
    /// A string, number or truth value, as text.
    Scalar(&'p str),
    /// A list of these.
    List(Vec<&'p str>),
}

impl<'p> Plain<'p> {
    /// A request with nothing but what each has.
    pub fn new(method: &'p str, host: &'p str, path: NormalPath<'p>) -> Self {
        Self {
            method,
            host,
            scheme: "http",
            port: 80,
            path,
            query: None,
            headers: Vec::new(),
            source: None,
            source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            client_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            client_cert_sans: None,
            tokens: Vec::new(),
            keys: Vec::new(),
        }
    }

    fn claim(&self, provider: u32, path: &str) -> Option<&ClaimValue<'p>> {
        let (_, claims) = self.tokens.iter().find(|(known, _)| *known == provider)?;
        let (_, value) = claims.iter().find(|(known, _)| *known == path)?;
        Some(value)
    }

    fn lines(&self, name: &str) -> impl Iterator<Item = &'p str> {
        let lines = self
            .headers
            .iter()
            .filter(move |(header, _)| *header == name);
        lines.map(|(_, value)| *value)
    }
}

impl<'p> RequestView for Plain<'p> {
    fn path(&self) -> &NormalPath<'_> {
        &self.path
    }

    fn field(&self, field: Field<'_>, _: Id<Facet>) -> Value<'_> {
        let borrowed = |text: &'p str| Value::Text(Cow::Borrowed(text.as_bytes()));
        match field {
            Field::Method => borrowed(self.method),
            Field::Host => borrowed(self.host),
            Field::Scheme => borrowed(self.scheme),
            Field::Port => Value::Number(u128::from(self.port)),
            Field::Header(name) => {
                let mut lines = self.headers.iter().filter(|(header, _)| *header == name);
                match (lines.next(), lines.next()) {
                    (None, _) => Value::Absent,
                    (Some((_, one)), None) => borrowed(one),
                    (Some((_, first)), Some((_, second))) => {
                        let rest = lines.map(|(_, line)| *line);
                        let all: Vec<&str> = [*first, *second].into_iter().chain(rest).collect();
                        Value::Text(Cow::Owned(all.join(",").into_bytes()))
                    }
                }
            }
            Field::Query(name) => self
                .query
                .and_then(|query| query_parameter(query, name))
                .map_or(Value::Absent, Value::Text),
            Field::Cookie(name) => {
                let lines = self
                    .headers
                    .iter()
                    .filter(|(header, _)| *header == "cookie");
                let mut cookies = lines.filter_map(|(_, value)| cookie(value.as_bytes(), name));
                cookies
                    .next()
                    .map_or(Value::Absent, |value| Value::Text(Cow::Borrowed(value)))
            }
            Field::Source => self.source.map_or(Value::Absent, borrowed),
            Field::SourceNamespace => self
                .source
                .and_then(|source| source.split_once('/'))
                .map_or(Value::Absent, |(namespace, _)| borrowed(namespace)),
            Field::SourceIp => Value::Number(address_number(self.source_ip)),
            Field::ClientIp => Value::Number(address_number(self.client_ip)),
            Field::ClientCertSan => match &self.client_cert_sans {
                None => Value::Absent,
                Some(names) => {
                    Value::List(names.iter().map(|name| name.as_bytes().into()).collect())
                }
            },
            Field::Jwt(provider) => {
                let known = self.tokens.iter().any(|(known, _)| *known == provider);
                if known { borrowed("") } else { Value::Absent }
            }
            Field::Claim(provider, path) => match self.claim(provider, path) {
                None => Value::Absent,
                Some(ClaimValue::Scalar(text)) => borrowed(text),
                Some(ClaimValue::List(members)) => {
                    Value::List(members.iter().map(|text| text.as_bytes().into()).collect())
                }
            },
            Field::Key(provider) => {
                let consumer = self.keys.iter().find(|(known, _)| *known == provider);
                consumer.map_or(Value::Absent, |(_, consumer)| borrowed(consumer))
            }
            // A request has none.
            Field::Inventory(_) => Value::Absent,
        }
    }

    fn repeats(&self, field: Field<'_>) -> bool {
        match field {
            Field::Header(name) => self.lines(name).count() > 1,
            Field::Query(name) => self
                .query
                .is_some_and(|query| query_parameters(query, name).count() > 1),
            Field::Cookie(name) => {
                let lines = self.lines("cookie");
                lines
                    .map(|line| cookies(line.as_bytes(), name).count())
                    .sum::<usize>()
                    > 1
            }
            _ => false,
        }
    }
}

/// The first parameter of this name in a query string. Names and values are decoded as HTML forms
/// write them: `%41` and `+` for a space; a malformed escape stays as it is.
pub fn query_parameter<'q>(query: &'q str, name: &str) -> Option<Cow<'q, [u8]>> {
    query_parameters(query, name).next()
}

/// All parameters of this name in a query string.
pub fn query_parameters<'q>(query: &'q str, name: &str) -> impl Iterator<Item = Cow<'q, [u8]>> {
    query.split('&').filter_map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (*decode_form(key) == *name.as_bytes()).then(|| decode_form(value))
    })
}

fn decode_form(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if memchr::memchr2(b'%', b'+', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let value = match byte {
            b'+' => b' ',
            b'%' => match escape(rest) {
                Some(value) => {
                    rest = &rest[2..];
                    value
                }
                None => b'%',
            },
            byte => byte,
        };
        decoded.push(value);
    }
    Cow::Owned(decoded)
}

fn escape(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|value| value as u8);
    match digits {
        [high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// The first cookie of this name in a `Cookie` header (RFC 6265 §4.2.1). Quotes around a value stay.
pub fn cookie<'c>(header: &'c [u8], name: &str) -> Option<&'c [u8]> {
    cookies(header, name).next()
}

/// All cookies of this name in a `Cookie` header.
pub fn cookies<'c>(header: &'c [u8], name: &str) -> impl Iterator<Item = &'c [u8]> {
    header.split(|&byte| byte == b';').filter_map(move |pair| {
        let pair = pair.trim_ascii();
        pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_query_parameter_counts_decoded() {
        let first = |query, name| {
            query_parameter(query, name).map(|v| String::from_utf8_lossy(&v).into_owned())
        };
        assert_eq!(first("a=1&b=2&a=3", "a").as_deref(), Some("1"));
        assert_eq!(first("a=%61+b", "a").as_deref(), Some("a b"));
        assert_eq!(first("%61=1", "a").as_deref(), Some("1"));
        assert_eq!(first("a", "a").as_deref(), Some(""));
        assert_eq!(first("a=%zz%4", "a").as_deref(), Some("%zz%4"));
        assert_eq!(first("ab=1", "a"), None);
        assert_eq!(first("", "a"), None);
    }

    #[test]
    fn the_first_cookie_counts() {
        assert_eq!(
            cookie(b"user=jason; session=42; user=eve", "user"),
            Some(&b"jason"[..])
        );
        assert_eq!(
            cookie(b"user=jason;session=42", "session"),
            Some(&b"42"[..])
        );
        assert_eq!(cookie(b"xuser=a; user=", "user"), Some(&b""[..]));
        assert_eq!(cookie(b"user", "user"), None);
        assert_eq!(cookie(b"a=\"b\"", "a"), Some(&b"\"b\""[..]));
    }
}

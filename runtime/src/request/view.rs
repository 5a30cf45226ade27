//! A live request, as the decision code sees it.

use std::borrow::Cow;
use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use mesh_bundle::decide::{cookie, cookies, query_parameter, query_parameters};
use mesh_bundle::format::{Facet, Id, address_number};
use mesh_bundle::{Field, NormalPath, RequestView, Value};

use crate::snapshot::HeaderNames;

/// The parts of a request that policies can test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'r> {
    pub(crate) names: &'r HeaderNames,
    pub(crate) method: &'r Method,
    pub(crate) uri: &'r Uri,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) path: &'r NormalPath<'r>,
    pub(crate) host: &'r str,
    pub(crate) scheme: &'static str,
    pub(crate) port: u16,
    /// The calling service or gateway, as `namespace/name`.
    pub(crate) source: Option<&'r str>,
    pub(crate) peer: IpAddr,
    pub(crate) client: IpAddr,
}

impl RequestView for View<'_> {
    #[inline]
    fn path(&self) -> &NormalPath<'_> {
        self.path
    }

    #[inline]
    fn field(&self, field: Field<'_>, facet: Id<Facet>) -> Value<'_> {
        match field {
            Field::Method => text(self.method.as_str()),
            Field::Host => text(self.host),
            Field::Scheme => text(self.scheme),
            Field::Port => Value::Number(self.port.into()),
            Field::Header(_) => match self.names.of(facet) {
                Some(name) => joined(self.headers, name),
                None => Value::Absent,
            },
            Field::Query(name) => self
                .uri
                .query()
                .and_then(|query| query_parameter(query, name))
                .map_or(Value::Absent, Value::Text),
            Field::Cookie(name) => {
                let lines = self.headers.get_all(header::COOKIE).iter();
                let mut found = lines.filter_map(|line| cookie(line.as_bytes(), name));
                found
                    .next()
                    .map_or(Value::Absent, |value| Value::Text(value.into()))
            }
            Field::Source => self.source.map_or(Value::Absent, text),
            Field::SourceNamespace => self
                .source
                .and_then(|source| source.split_once('/'))
                .map_or(Value::Absent, |(namespace, _)| text(namespace)),
            Field::SourceIp => Value::Number(address_number(self.peer)),
            Field::ClientIp => Value::Number(address_number(self.client)),
            // Nothing verifies these yet: a node whose policy asks for them is not served.
            Field::ClientCertSan | Field::Jwt(_) | Field::Claim(..) | Field::Key(_) => {
                Value::Absent
            }
            Field::Inventory(_) => Value::Absent,
        }
    }

    fn repeats(&self, field: Field<'_>) -> bool {
        match field {
            Field::Header(name) => self.headers.get_all(name).iter().nth(1).is_some(),
            Field::Query(name) => self
                .uri
                .query()
                .is_some_and(|query| query_parameters(query, name).nth(1).is_some()),
            Field::Cookie(name) => {
                let lines = self.headers.get_all(header::COOKIE).iter();
                let mut found = lines.flat_map(|line| cookies(line.as_bytes(), name));
                found.nth(1).is_some()
            }
            _ => false,
        }
    }
}

fn text(text: &str) -> Value<'_> {
    Value::Text(Cow::Borrowed(text.as_bytes()))
}

/// A header's lines, joined by `,` where there are several.
fn joined<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Value<'h> {
    let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let Some(first) = lines.next() else {
        return Value::Absent;
    };
    let Some(second) = lines.next() else {
        return Value::Text(Cow::Borrowed(first));
    };
    let mut all = first.to_vec();
    for line in std::iter::once(second).chain(lines) {
        all.push(b',');
        all.extend_from_slice(line);
    }
    Value::Text(Cow::Owned(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_name_are_joined() {
        let name = HeaderName::from_static("x-team");
        let mut headers = HeaderMap::new();
        assert_eq!(joined(&headers, &name), Value::Absent);
        headers.append(&name, HeaderValue::from_static("a"));
        assert_eq!(joined(&headers, &name), text("a"));
        headers.append(&name, HeaderValue::from_static("b"));
        headers.append(&name, HeaderValue::from_static(""));
        assert_eq!(joined(&headers, &name), text("a,b,"));
    }
}

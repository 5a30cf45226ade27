//! Requests as data, which the proxies on their way change.

use crate::decide::{ClaimValue, Plain};
use crate::format::{Bundle, HeaderOp, HeaderOperation, Id, Policy};
use crate::path::{EncodedSlash, NormalPath, PathError};
use std::net::{IpAddr, Ipv4Addr};

/// A request, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// The host, in normal form.
    pub host: String,
    /// The port at which it comes in.
    pub port: u16,
    /// The path as it is sent, before it is normalised.
    pub path: String,
    /// What follows `?`.
    pub query: Option<String>,
    /// Lower-case names and values, cookies among them.
    pub headers: Vec<(String, String)>,
    /// The caller, as `namespace/name`, if it proved who it is.
    pub source: Option<String>,
    /// The peer's address.
    pub source_ip: IpAddr,
    /// The client's address.
    pub client_ip: IpAddr,
    /// The names in the client's certificate, if it showed one.
    pub client_cert_sans: Option<Vec<String>>,
    /// The valid tokens: their providers and claims.
    pub tokens: Vec<(u32, Vec<(String, Held)>)>,
    /// The valid keys: their providers and consumers.
    pub keys: Vec<(u32, String)>,
}

/// What a claim holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// A string, number or truth value, as text.
    Scalar(String),
    /// A list of these.
    List(Vec<String>),
}

impl Request {
    /// A request with nothing but what each has.
    pub fn new(method: &str, host: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            scheme: "http".to_owned(),
            host: host.to_owned(),
            port: 80,
            path: path.to_owned(),
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

    /// A request that the decision code saw.
    pub fn of_plain(plain: &Plain<'_>) -> Self {
        let held = |value: &ClaimValue<'_>| match value {
            ClaimValue::Scalar(text) => Held::Scalar((*text).to_owned()),
            ClaimValue::List(members) => {
                Held::List(members.iter().map(|it| (*it).to_owned()).collect())
            }
        };
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let tokens = plain.tokens.iter();
        let sans = plain.client_cert_sans.as_ref();
        Self {
            scheme: plain.scheme.to_owned(),
            port: plain.port,
            query: plain.query.map(str::to_owned),
            headers: plain.headers.iter().map(owned).collect(),
            source: plain.source.map(str::to_owned),
            source_ip: plain.source_ip,
            client_ip: plain.client_ip,
            client_cert_sans: sans.map(|names| names.iter().map(|it| (*it).to_owned()).collect()),
            tokens: tokens
                .map(|(jwt, claims)| {
                    let claims = claims.iter();
                    let claims = claims.map(|(path, value)| ((*path).to_owned(), held(value)));
                    (*jwt, claims.collect())
                })
                .collect(),
            keys: plain
                .keys
                .iter()
                .map(|(keys, it)| (*keys, (*it).to_owned()))
                .collect(),
            ..Self::new(plain.method, plain.host, plain.path.as_str())
        }
    }

    /// Its path in normal form, by the rules of the mesh.
    pub fn normal_path(&self, bundle: &Bundle) -> Result<NormalPath<'_>, PathError> {
        let encoded_slash = if bundle.mesh().encoded_slash.is_set() {
            EncodedSlash::Keep
        } else {
            EncodedSlash::Reject
        };
        NormalPath::parse(&self.path, encoded_slash)
    }

    /// As the decision code sees it, given its path in normal form.
    pub fn plain<'r>(&'r self, path: &NormalPath<'r>) -> Plain<'r> {
        let claim = |(path, held): &'r (String, Held)| {
            let held = match held {
                Held::Scalar(text) => ClaimValue::Scalar(text),
                Held::List(members) => {
                    ClaimValue::List(members.iter().map(String::as_str).collect())
                }
            };
            (path.as_str(), held)
        };
        let tokens = self.tokens.iter();
        let tokens = tokens.map(|(jwt, claims)| (*jwt, claims.iter().map(claim).collect()));
        let headers = self.headers.iter();
        let sans = self.client_cert_sans.as_ref();
        Plain {
            method: &self.method,
            host: &self.host,
            scheme: &self.scheme,
            port: self.port,
            path: path.clone(),
            query: self.query.as_deref(),
            headers: headers
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            source: self.source.as_deref(),
            source_ip: self.source_ip,
            client_ip: self.client_ip,
            client_cert_sans: sans.map(|names| names.iter().map(String::as_str).collect()),
            tokens: tokens.collect(),
            keys: self
                .keys
                .iter()
                .map(|(keys, consumer)| (*keys, consumer.as_str()))
                .collect(),
        }
    }

    /// Applies the changes of headers that levels say, strongest first: those of the weakest come first,
    /// so that the strongest has the last word.
    pub(super) fn change_headers(&mut self, bundle: &Bundle, levels: &[Id<Policy>]) {
        let mut operations: Vec<&HeaderOperation> = Vec::new();
        for level in levels.iter().filter_map(|level| level.some()) {
            let level = bundle.policy(level);
            let own = &bundle.header_operations()[level.request_headers.range()];
            operations.splice(0..0, own);
            if level.off & Policy::OFF_REQUEST_HEADERS != 0 {
                break;
            }
        }
        for operation in operations {
            let name = bundle.str(operation.name);
            let value = bundle.opt_str(operation.value).unwrap_or_default();
            let kind = HeaderOp::from_code(operation.kind);
            if !matches!(kind, Some(HeaderOp::Add)) {
                self.headers.retain(|(known, _)| known != name);
            }
            if !matches!(kind, Some(HeaderOp::Remove)) {
                self.headers.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

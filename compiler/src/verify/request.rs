//! A request as a proof finds it: an example that somebody can send.

use super::world::Door;
use mesh_bundle::decide::{ClaimValue, Field, Plain, RequestView, Value, cookie, query_parameter};
use mesh_bundle::format::{Facet, FieldRef, Id, address_number};
use mesh_bundle::journey;
use mesh_bundle::path::{EncodedSlash, NormalPath};
use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};

/// A request. What no table asked of it is plain: no headers, and an address that stands for any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Where it comes in.
    pub door: Door,
    /// The host, in normal form.
    pub host: String,
    /// The path, in normal form.
    pub path: NormalPath<'static>,
    /// Query parameters, decoded.
    pub query: Vec<(String, Vec<u8>)>,
    /// Headers, but for cookies.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Cookies.
    pub cookies: Vec<(String, Vec<u8>)>,
    /// Who calls, as `namespace/name`.
    pub source: Option<String>,
    /// The peer.
    pub source_ip: IpAddr,
    /// The client.
    pub client_ip: IpAddr,
    /// The names in the client's certificate, if it shows one.
    pub certificate: Option<Vec<String>>,
    /// Valid tokens.
    pub tokens: Vec<Token>,
    /// Valid keys: the number and the name of their provider, and their consumer.
    pub keys: Vec<(u32, String, String)>,
}

/// A valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The number of its issuer.
    pub provider: u32,
    /// The name of its issuer.
    pub name: String,
    /// Its claims: the names of the objects around each and its own, and what it holds.
    pub claims: Vec<(Vec<String>, Claim)>,
}

/// What a claim holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A string, number or truth value, as text.
    Text(String),
    /// A list.
    List(Vec<String>),
}

/// An address of documentation (RFC 5737), for requests of which none is asked.
pub(super) const SOME_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

impl Request {
    /// A request of which nothing but this is known.
    pub(super) fn plain(host: &str, path: NormalPath<'static>) -> Self {
        Self {
            method: "GET".to_owned(),
            door: Door {
                https: false,
                port: 80,
            },
            host: host.to_owned(),
            path,
            query: Vec::new(),
            headers: Vec::new(),
            cookies: Vec::new(),
            source: None,
            source_ip: SOME_ADDRESS,
            client_ip: SOME_ADDRESS,
            certificate: None,
            tokens: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Reads a path that is normal already.
    pub(super) fn normal_path(
        path: &str,
        encoded_slash: EncodedSlash,
    ) -> Option<NormalPath<'static>> {
        let normal = NormalPath::parse(path, encoded_slash).ok()?;
        (normal.as_str() == path).then(|| normal.into_owned())
    }

    /// What follows `?`.
    pub fn query_text(&self) -> Option<String> {
        let mut text = String::new();
        for (name, value) in &self.query {
            let between = if text.is_empty() { "" } else { "&" };
            // Writing to a string does not fail.
            let _ = write!(text, "{between}{}={}", Form(name.as_bytes()), Form(value));
        }
        (!self.query.is_empty()).then_some(text)
    }

    /// The `Cookie` header.
    pub fn cookie_line(&self) -> Option<Vec<u8>> {
        let pairs = self.cookies.iter();
        let pairs = pairs.map(|(name, value)| [name.as_bytes(), b"=", value].concat());
        let pairs: Vec<Vec<u8>> = pairs.collect();
        (!pairs.is_empty()).then(|| pairs.join(b"; ".as_slice()))
    }

    fn token(&self, provider: u32) -> Option<&Token> {
        self.tokens.iter().find(|token| token.provider == provider)
    }

    /// Calls `with` with the request as plain data; none where a header is no text.
    pub fn with_plain<R>(&self, with: impl FnOnce(&Plain<'_>) -> R) -> Option<R> {
        let query = self.query_text();
        let cookie_line = self.cookie_line();
        let mut headers = Vec::with_capacity(self.headers.len() + 1);
        for (name, value) in &self.headers {
            headers.push((name.as_str(), std::str::from_utf8(value).ok()?));
        }
        if let Some(line) = &cookie_line {
            headers.push(("cookie", std::str::from_utf8(line).ok()?));
        }
        let claims: Vec<Vec<(String, &Claim)>> = self.tokens.iter().map(Token::by_name).collect();
        let tokens = self.tokens.iter().zip(&claims).map(|(token, claims)| {
            let claims = claims.iter().map(|(name, claim)| {
                let value = match claim {
                    Claim::Text(text) => ClaimValue::Scalar(text),
                    Claim::List(list) => {
                        ClaimValue::List(list.iter().map(String::as_str).collect())
                    }
                };
                (name.as_str(), value)
            });
            (token.provider, claims.collect())
        });
        let keys = self.keys.iter();
        Some(with(&Plain {
            scheme: self.door.scheme(),
            port: self.door.port,
            query: query.as_deref(),
            headers,
            source: self.source.as_deref(),
            source_ip: self.source_ip,
            client_ip: self.client_ip,
            client_cert_sans: self
                .certificate
                .as_ref()
                .map(|it| it.iter().map(String::as_str).collect()),
            tokens: tokens.collect(),
            keys: keys
                .map(|(provider, _, consumer)| (*provider, consumer.as_str()))
                .collect(),
            ..Plain::new(&self.method, &self.host, self.path.clone())
        }))
    }

    /// As whoever follows it on its way takes it; none where a header is no text.
    pub(crate) fn sent(&self) -> Option<journey::Request> {
        self.with_plain(journey::Request::of_plain)
    }

    /// Where it goes: `https://shop.example/a?b=c`.
    pub fn url(&self) -> String {
        let mut url = format!("{}://{}", self.door.scheme(), self.host);
        if !self.door.is_usual() {
            let _ = write!(url, ":{}", self.door.port);
        }
        url.push_str(self.path.as_str());
        if let Some(query) = self.query_text() {
            let _ = write!(url, "?{query}");
        }
        url
    }

    /// As a command that sends it.
    pub fn curl(&self) -> String {
        let mut command = match self.method.as_str() {
            "GET" => "curl".to_owned(),
            "HEAD" => "curl -I".to_owned(),
            method => format!("curl -X {method}"),
        };
        let _ = write!(command, " {}", Quoted(&self.url()));
        for (name, value) in &self.headers {
            // curl takes `name;` for a header without a value.
            let header = match value.as_slice() {
                b"" => format!("{name};"),
                value => format!("{name}: {}", String::from_utf8_lossy(value)),
            };
            let _ = write!(command, " -H {}", Quoted(&header));
        }
        if let Some(line) = self.cookie_line() {
            let line = String::from_utf8_lossy(&line);
            let _ = write!(command, " --cookie {}", Quoted(&line));
        }
        for token in &self.tokens {
            let name = &token.name;
            let _ = write!(
                command,
                " -H 'authorization: Bearer <a valid {name} token>'"
            );
        }
        for (_, name, consumer) in &self.keys {
            let _ = write!(command, " -H 'x-api-key: <a {name} key of {consumer}>'");
        }
        if self.certificate.is_some() {
            command.push_str(" --cert <a client certificate>");
        }
        command
    }
}

/// As the `request` of a `test` has it: `GET http://reviews/a from productpage { header end-user "jason" }`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url())?;
        if let Some(source) = &self.source {
            let short = source.strip_prefix("default/").unwrap_or(source);
            write!(f, " from {short}")?;
        }
        let mut carried = Vec::new();
        for (kind, list) in [("header", &self.headers), ("cookie", &self.cookies)] {
            for (name, value) in list {
                carried.push(format!("{kind} {} {}", Name(name), Text(value)));
            }
        }
        if self.client_ip != SOME_ADDRESS {
            carried.push(format!("client-ip {}", self.client_ip));
        }
        if self.source_ip != self.client_ip {
            carried.push(format!("source.ip {}", self.source_ip));
        }
        if let Some(names) = &self.certificate {
            carried.push(format!("client-cert.san {}", List(names)));
        }
        for token in &self.tokens {
            carried.push(token.to_string());
        }
        for (_, name, consumer) in &self.keys {
            carried.push(format!("key {name} {}", Text(consumer.as_bytes())));
        }
        if carried.is_empty() {
            Ok(())
        } else {
            write!(f, " {{ {} }}", carried.join("; "))
        }
    }
}

impl Token {
    /// Its claims as the decision code names them.
    fn by_name(&self) -> Vec<(String, &Claim)> {
        let separator = FieldRef::CLAIM_SEPARATOR.to_string();
        let claims = self.claims.iter();
        claims
            .map(|(path, claim)| (path.join(&separator), claim))
            .collect()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "jwt {}", self.name)?;
        if self.claims.is_empty() {
            return Ok(());
        }
        let claims = self.claims.iter().map(|(path, claim)| {
            let value = match claim {
                Claim::Text(text) => Text(text.as_bytes()).to_string(),
                Claim::List(list) => List(list).to_string(),
            };
            // The innermost name stands before its value, the others around it.
            let names = path.iter().rev().map(|name| Name(name).to_string());
            names
                .reduce(|inner, outer| format!("{outer} {{ {inner} {value} }}"))
                .map(|claim| {
                    if path.len() > 1 {
                        claim
                    } else {
                        format!("{claim} {value}")
                    }
                })
                .unwrap_or_default()
        });
        write!(f, " {{ {} }}", claims.collect::<Vec<_>>().join("; "))
    }
}

/// A name, quoted where it is no word.
struct Name<'n>(&'n str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_word(self.0) {
            f.write_str(self.0)
        } else {
            Text(self.0.as_bytes()).fmt(f)
        }
    }
}

/// A list of strings.
struct List<'l>(&'l [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.iter().map(|text| Text(text.as_bytes()).to_string());
        write!(f, "[{}]", all.collect::<Vec<_>>().join(", "))
    }
}

fn is_word(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    starts
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Bytes as a string of the language.
struct Text<'t>(&'t [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in String::from_utf8_lossy(self.0).chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\t' => f.write_str("\\t")?,
                character if character.is_control() => {
                    write!(f, "\\u{{{:x}}}", u32::from(character))?;
                }
                character => f.write_char(character)?,
            }
        }
        f.write_char('"')
    }
}

/// A word of a shell.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/.-_=,@%".contains(&byte);
        if !self.0.is_empty() && self.0.bytes().all(plain) {
            f.write_str(self.0)
        } else {
            write!(f, "'{}'", self.0.replace('\'', r"'\''"))
        }
    }
}

/// A name or value of a query, escaped.
struct Form<'t>(&'t [u8]);

impl fmt::Display for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            match byte {
                b'-' | b'.' | b'_' | b'~' => f.write_char(char::from(byte))?,
                byte if byte.is_ascii_alphanumeric() => f.write_char(char::from(byte))?,
                byte => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

impl RequestView for Request {
    fn path(&self) -> &NormalPath<'_> {
        &self.path
    }

    fn field(&self, field: Field<'_>, _: Id<Facet>) -> Value<'_> {
        let borrowed = |text: &[u8]| Value::Text(Cow::Owned(text.to_vec()));
        let owned = |text: Option<Vec<u8>>| {
            text.map_or(Value::Absent, |text| Value::Text(Cow::Owned(text)))
        };
        match field {
            Field::Method => borrowed(self.method.as_bytes()),
            Field::Host => borrowed(self.host.as_bytes()),
            Field::Scheme => borrowed(self.door.scheme().as_bytes()),
            Field::Port => Value::Number(self.door.port.into()),
            Field::Header(name) => {
                let found = self.headers.iter().find(|(header, _)| header == name);
                owned(found.map(|(_, value)| value.clone()))
            }
            // As it is sent, so that what it is made of is tried, too.
            Field::Query(name) => owned(
                self.query_text()
                    .and_then(|query| query_parameter(&query, name).map(Cow::into_owned)),
            ),
            Field::Cookie(name) => owned(
                self.cookie_line()
                    .and_then(|line| cookie(&line, name).map(<[u8]>::to_vec)),
            ),
            Field::Source => owned(
                self.source
                    .as_ref()
                    .map(|source| source.clone().into_bytes()),
            ),
            Field::SourceNamespace => {
                let namespace = self
                    .source
                    .as_ref()
                    .and_then(|source| source.split_once('/'));
                owned(namespace.map(|(namespace, _)| namespace.as_bytes().to_vec()))
            }
            Field::SourceIp => Value::Number(address_number(self.source_ip)),
            Field::ClientIp => Value::Number(address_number(self.client_ip)),
            Field::ClientCertSan => self.certificate.as_deref().map_or(Value::Absent, list),
            Field::Jwt(provider) => match self.token(provider) {
                Some(_) => borrowed(b""),
                None => Value::Absent,
            },
            Field::Claim(provider, name) => {
                let claims = self.token(provider).map(Token::by_name);
                let mut claims = claims.into_iter().flatten();
                match claims.find(|(known, _)| known == name) {
                    Some((_, Claim::Text(text))) => borrowed(text.as_bytes()),
                    Some((_, Claim::List(members))) => list(members),
                    None => Value::Absent,
                }
            }
            Field::Key(provider) => {
                let key = self.keys.iter().find(|(known, _, _)| *known == provider);
                owned(key.map(|(_, _, consumer)| consumer.clone().into_bytes()))
            }
            Field::Inventory(_) => Value::Absent,
        }
    }

    fn repeats(&self, _: Field<'_>) -> bool {
        false
    }
}

fn list(members: &[String]) -> Value<'_> {
    Value::List(members.iter().map(|it| it.as_bytes().into()).collect())
}

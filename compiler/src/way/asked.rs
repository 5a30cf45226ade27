//! A request from the words of a command line.

use mesh_bundle::Bundle;
use mesh_bundle::format::{FieldRef, Id, Service};
use mesh_bundle::journey::{self, Entry, Held, Request};
use mesh_lang::value::{Host, Scheme, Url};
use serde_json::Value;
use std::net::IpAddr;

/// What is asked, as it is written.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// `name: value`.
    pub headers: Vec<String>,
    /// `name=value`.
    pub cookies: Vec<String>,
    /// The service that sends it; none for a client of a gateway.
    pub from: Option<String>,
    /// The client's address.
    pub client_ip: Option<IpAddr>,
    /// `[NAME=]JSON`, the claims of a valid token.
    pub claims: Vec<String>,
    /// `NAME=CONSUMER`, a valid API key.
    pub keys: Vec<String>,
}

impl Asked {
    /// The request, and where it enters the mesh.
    pub fn read(&self, bundle: &Bundle) -> Result<(Entry, Request), String> {
        let url = Url::parse(&self.url).map_err(|error| error.to_string())?;
        let host = match &url.host {
            Host::Name(name) => name.clone(),
            Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
            Host::Ip(IpAddr::V4(ip)) => ip.to_string(),
        };
        let (path, query) = match url.path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (url.path_and_query.as_str(), None),
        };
        let path = if path.is_empty() { "/" } else { path };
        let (scheme, default_port) = match url.scheme {
            Scheme::Http => ("http", 80),
            Scheme::Https => ("https", 443),
        };
        let port = url.port.map(mesh_lang::value::Port::number);
        let mut request = Request::new(&self.method, &host, path);
        scheme.clone_into(&mut request.scheme);
        request.port = port.unwrap_or(default_port);
        request.query = query;
        request.client_ip = self.client_ip.unwrap_or(super::SOMEBODY);
        request.source_ip = request.client_ip;
        for header in &self.headers {
            let (name, value) = header
                .split_once(':')
                .ok_or_else(|| format!("`{header}` is no header; write `name: value`"))?;
            let name = name.trim().to_ascii_lowercase();
            request.headers.push((name, value.trim().to_owned()));
        }
        if !self.cookies.is_empty() {
            let cookies = self.cookies.join("; ");
            request.headers.push(("cookie".to_owned(), cookies));
        }
        for claims in &self.claims {
            request.tokens.push(token(bundle, claims)?);
        }
        for key in &self.keys {
            request.keys.push(key_of(bundle, key)?);
        }
        let entry = match &self.from {
            Some(name) => Entry::Sidecar(service(bundle, name)?),
            None => journey::entrance(bundle, scheme, &host, port).ok_or_else(|| {
                let at = port.map_or(String::new(), |port| format!(" at port {port}"));
                format!("no gateway listens for {scheme}{at}; of a service say `--from SERVICE`")
            })?,
        };
        Ok((entry, request))
    }
}

fn service(bundle: &Bundle, name: &str) -> Result<Id<Service>, String> {
    let mut services = bundle.services().iter();
    let index = services.position(|it| bundle.qualified(it.namespace, it.name) == name);
    let index = index.ok_or_else(|| format!("no service is called `{name}`"))?;
    Ok(Id::new(index as u32))
}

type Token = (u32, Vec<(String, Held)>);

fn token(bundle: &Bundle, text: &str) -> Result<Token, String> {
    let names: Vec<String> = bundle
        .jwts()
        .iter()
        .map(|jwt| bundle.qualified(jwt.namespace, jwt.name))
        .collect();
    let (name, json) = match text.split_once('=') {
        Some((name, json)) if !name.contains('{') => (Some(name.trim()), json),
        _ => (None, text),
    };
    let provider = match (name, names.as_slice()) {
        (Some(name), _) => names
            .iter()
            .position(|known| known == name)
            .ok_or_else(|| format!("no `jwt` is called `{name}`"))?,
        (None, [_]) => 0,
        (None, []) => return Err("this mesh takes no tokens".to_owned()),
        (None, names) => {
            let names = names.join("`, `");
            return Err(format!("whose token? write `NAME={json}`, of `{names}`"));
        }
    };
    let claims: Value = serde_json::from_str(json)
        .map_err(|error| format!("`{json}` is no JSON object of claims: {error}"))?;
    let Value::Object(claims) = claims else {
        return Err(format!("`{json}` is no JSON object of claims"));
    };
    let mut held = Vec::new();
    flatten(claims, "", &mut held);
    Ok((provider as u32, held))
}

/// Claims by their paths: those of an object with its name before theirs.
fn flatten(claims: serde_json::Map<String, Value>, before: &str, into: &mut Vec<(String, Held)>) {
    for (name, value) in claims {
        let path = format!("{before}{name}");
        match value {
            Value::Null => {}
            Value::Object(inner) => {
                flatten(inner, &format!("{path}{}", FieldRef::CLAIM_SEPARATOR), into);
            }
            Value::Array(members) => {
                let members = members.iter().filter_map(scalar).collect();
                into.push((path, Held::List(members)));
            }
            value => into.extend(scalar(&value).map(|text| (path, Held::Scalar(text)))),
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn key_of(bundle: &Bundle, text: &str) -> Result<(u32, String), String> {
    let (name, consumer) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is no key; write `NAME=CONSUMER`"))?;
    let mut all = bundle.keys().iter();
    let index = all.position(|keys| bundle.qualified(keys.namespace, keys.name) == name);
    let index = index.ok_or_else(|| format!("no `keys` is called `{name}`"))?;
    Ok((index as u32, consumer.to_owned()))
}

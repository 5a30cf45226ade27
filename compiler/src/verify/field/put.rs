//! From chosen values to a request.

use super::listed::address;
use super::{Cell, Chosen, Fields, Of, Value};
use crate::verify::request::{Claim, Request, Token};
use mesh_bundle::format::FieldRef;
use std::rc::Rc;

impl Fields {
    /// A request with these values, by group, and plain where there are none.
    pub(in crate::verify) fn request(
        &self,
        values: &[Option<Rc<Chosen>>],
        cell: &Cell,
    ) -> Option<Request> {
        let root = Request::normal_path("/", self.world.encoded_slash)?;
        let mut request = Request::plain(&self.world.host, root);
        for (index, group) in (0u32..).zip(&self.groups) {
            let chosen = values.get(index as usize).cloned().flatten();
            let chosen = chosen.or_else(|| self.plain(index, cell))?;
            self.put(&mut request, &group.of, &chosen.value)?;
        }
        if !self.groups.iter().any(|group| group.of == Of::SourceIp) {
            request.source_ip = request.client_ip;
        }
        Some(request)
    }

    fn put(&self, request: &mut Request, of: &Of, value: &Value) -> Option<()> {
        match (of, value) {
            (_, Value::Absent) => {}
            (Of::Method, Value::Text(method)) => request.method = text(method)?,
            (Of::Host, Value::Text(host)) => request.host = text(host)?,
            (Of::Path, Value::Text(path)) => {
                request.path = Request::normal_path(&text(path)?, self.world.encoded_slash)?;
            }
            (Of::Header(name), Value::Text(value)) => {
                request.headers.push((name.clone(), value.to_vec()));
            }
            (Of::Query(name), Value::Text(value)) => {
                request.query.push((name.clone(), value.to_vec()));
            }
            (Of::Cookie(name), Value::Text(value)) => {
                request.cookies.push((name.clone(), value.to_vec()));
            }
            (Of::Door, Value::Door(door)) => request.door = *door,
            (Of::Caller, Value::Caller(caller)) => request.source = Some(caller.to_string()),
            (Of::SourceIp, Value::Address(number)) => request.source_ip = address(*number),
            (Of::ClientIp, Value::Address(number)) => request.client_ip = address(*number),
            (Of::Address, Value::Address(number)) => {
                request.source_ip = address(*number);
                request.client_ip = address(*number);
            }
            (Of::Certificate, Value::List(names)) => {
                request.certificate = Some(texts(names)?);
            }
            (Of::Token(provider), Value::Token(claims)) => {
                let claims = claims.iter().map(|(name, value)| {
                    let path = name.split(FieldRef::CLAIM_SEPARATOR);
                    let path = path.map(str::to_owned).collect();
                    let value = match value {
                        Value::Text(value) => Claim::Text(text(value)?),
                        Value::List(members) => Claim::List(texts(members)?),
                        _ => return None,
                    };
                    Some((path, value))
                });
                request.tokens.push(Token {
                    provider: *provider,
                    name: name(&self.world.tokens, *provider),
                    claims: claims.collect::<Option<_>>()?,
                });
            }
            (Of::Key(provider), Value::Text(consumer)) => {
                let name = name(&self.world.keys, *provider);
                request.keys.push((*provider, name, text(consumer)?));
            }
            _ => return None,
        }
        Some(())
    }
}

fn name(names: &[String], index: u32) -> String {
    let name = names.get(index as usize).cloned();
    name.unwrap_or_else(|| index.to_string())
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn texts(all: &[Box<[u8]>]) -> Option<Vec<String>> {
    all.iter().map(|bytes| text(bytes)).collect()
}

//! Names as they are understood where they stand.

use super::Place;
use crate::model::condition::Field;
use crate::model::credential::Credential;
use crate::model::{DEFAULT_NAMESPACE, GatewayId, JwtId, KeysId, ServiceId, Target};
use mesh_lang::value::{Name, quote};

impl Place<'_> {
    /// A service, external or gateway.
    fn entity(&self, namespace: &str, name: &str) -> String {
        let is_taken = || {
            let services = self
                .mesh
                .services
                .iter()
                .map(|it| (&it.namespace, &it.name));
            let gateways = self
                .mesh
                .gateways
                .iter()
                .map(|it| (&it.namespace, &it.name));
            let mut all = services.chain(gateways);
            all.any(|(within, known)| within == self.namespace && known == name)
        };
        // In its own block a bare name is one of a service's versions first.
        let is_version = self.own.is_some_and(|own| {
            let mut versions = self.mesh[own].versions.iter();
            versions.any(|version| version.name == name)
        });
        let is_plain = namespace == self.namespace || namespace == DEFAULT_NAMESPACE && !is_taken();
        if is_plain && !is_version {
            name.to_owned()
        } else {
            format!("{namespace}/{name}")
        }
    }

    /// A service.
    pub(crate) fn service(&self, id: ServiceId) -> String {
        let service = &self.mesh[id];
        self.entity(&service.namespace, &service.name)
    }

    /// A gateway.
    pub(crate) fn gateway(&self, id: GatewayId) -> String {
        let gateway = &self.mesh[id];
        self.entity(&gateway.namespace, &gateway.name)
    }

    /// Where requests are sent.
    pub(crate) fn target(&self, target: Target) -> String {
        match target {
            Target::Own(service) if self.own == Some(service) => "self".to_owned(),
            Target::Own(service) | Target::Service(service) => self.service(service),
            Target::Version(service, version) => {
                let versions = &self.mesh[service].versions;
                let version = versions.get(version as usize);
                let version = version.map_or("", |version| version.name.as_str());
                if self.own == Some(service) {
                    version.to_owned()
                } else {
                    format!("{}.{version}", self.service(service))
                }
            }
        }
    }

    fn credential_name<'n>(
        &self,
        (namespace, name): (&str, &str),
        mut all: impl Iterator<Item = (&'n str, &'n str)>,
    ) -> String {
        let mut is_taken = || all.any(|known| known == (self.namespace, name));
        if namespace == self.namespace || namespace == DEFAULT_NAMESPACE && !is_taken() {
            name.to_owned()
        } else {
            format!("{namespace}/{name}")
        }
    }

    /// An issuer of tokens.
    pub(crate) fn jwt(&self, id: JwtId) -> String {
        let jwt = &self.mesh[id];
        let all = self.mesh.jwts.iter();
        let all = all.map(|it| (it.namespace.as_str(), it.name.as_str()));
        self.credential_name((&jwt.namespace, &jwt.name), all)
    }

    /// API keys.
    pub(crate) fn keys(&self, id: KeysId) -> String {
        let keys = &self.mesh[id];
        let all = self.mesh.keys.iter();
        let all = all.map(|it| (it.namespace.as_str(), it.name.as_str()));
        self.credential_name((&keys.namespace, &keys.name), all)
    }

    /// `jwt corp`.
    pub(crate) fn credential(&self, credential: Credential) -> String {
        match credential {
            Credential::Jwt(jwt) => format!("jwt {}", self.jwt(jwt)),
            Credential::Key(keys) => format!("key {}", self.keys(keys)),
        }
    }

    /// `header.x-team`.
    pub(crate) fn field(&self, field: &Field) -> String {
        match field {
            Field::Method => "method".to_owned(),
            Field::Path => "path".to_owned(),
            Field::Host => "host".to_owned(),
            Field::Scheme => "scheme".to_owned(),
            Field::Port => "port".to_owned(),
            Field::Header(name) => keyed("header", name),
            Field::Query(name) => keyed("query", name),
            Field::Cookie(name) => keyed("cookie", name),
            Field::Source => "source".to_owned(),
            Field::SourceNamespace => "source.namespace".to_owned(),
            Field::SourceIp => "source.ip".to_owned(),
            Field::ClientIp => "client-ip".to_owned(),
            Field::ClientCertSan => "client-cert.san".to_owned(),
            Field::Jwt(jwt) => format!("jwt.{}", self.jwt(*jwt)),
            Field::Claim(jwt, claim) => {
                let jwt = format!("jwt.{}", self.jwt(*jwt));
                match &claim[..] {
                    [one] => keyed(&jwt, one),
                    path => format!("{jwt}.{}", path.join(".")),
                }
            }
            Field::Key(keys) => format!("key.{}", self.keys(*keys)),
            Field::Inventory(name) => name.clone(),
        }
    }
}

/// `header.x-team`, or `header["X Team"]`.
fn keyed(head: &str, key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(is_bare) {
        format!("{head}.{key}")
    } else {
        format!("{head}[{}]", quote(key))
    }
}

/// `NAME: `, for what has a name of its own and not only the text that it was written with.
pub(super) fn label(name: &str) -> String {
    match Name::check(name) {
        Ok(()) => format!("{name}: "),
        Err(_) => String::new(),
    }
}

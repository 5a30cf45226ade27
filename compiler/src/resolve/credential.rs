//! `jwt` and `keys` items.

use super::Resolver;
use super::problems;
use crate::model::credential::{Jwks, Jwt, Keys, TokenPlace};
use crate::model::said::Said;
use mesh_lang::source::Span;
use mesh_lang::value::{Host, Scheme, Url};
use mesh_lang::view::{BlockItem, Setting};
use std::net::IpAddr;

impl<'t> Resolver<'t> {
    pub(super) fn jwt(&mut self, item: BlockItem<'t>) -> Jwt {
        let mut jwt = Jwt {
            name: item.name().map_or("", |name| name.text).to_owned(),
            namespace: self.scope.namespace.to_owned(),
            span: item.name().map_or(item.head_span(), |name| name.span),
            exported: item.exported(),
            issuer: String::new(),
            audiences: Vec::new(),
            jwks: None,
            places: Vec::new(),
        };
        for setting in Self::settings(item.block()) {
            let mut args = self.args(setting);
            match setting.keyword().text {
                "issuer" => {
                    let issuer = args.value().and_then(|value| self.text(value));
                    if let Some(issuer) = issuer {
                        if issuer.is_empty() {
                            let message = "a token without an issuer proves nothing";
                            self.refuse(setting.head_span(), message);
                        }
                        jwt.issuer = issuer;
                    }
                }
                "audiences" => jwt.audiences = self.texts(args.values()),
                "jwks" => {
                    let jwks = if args.word("url") {
                        let value = args.value();
                        let url = value.and_then(|value| self.url(value));
                        if let (Some(value), Some(url)) = (value, &url) {
                            self.check_origin(value.span(), url);
                        }
                        let every = self.every(setting, &mut args, Jwks::EVERY);
                        url.map(|url| Jwks::Url(url, every))
                    } else {
                        args.word("file");
                        let file = args.value().and_then(|value| self.text(value));
                        file.map(Jwks::File)
                    };
                    jwt.jwks = jwks.map(|jwks| self.said(setting, jwks));
                }
                "from" => {
                    let place = self.token_place(setting);
                    jwt.places.extend(place);
                }
                _ => {}
            }
        }
        if jwt.places.is_empty() {
            jwt.places.push(Said::edition(TokenPlace::authorization()));
        }
        jwt
    }

    /// Whoever can answer in place of the issuer can make tokens of his own.
    fn check_origin(&mut self, span: Span, url: &str) {
        let Ok(url) = Url::parse(url) else {
            return; // reported where it was read
        };
        let here = match &url.host {
            Host::Ip(ip) => ip.is_loopback(),
            Host::Name(name) => name == "localhost",
        };
        if url.scheme == Scheme::Http && !here {
            self.report(problems::keys_in_the_clear(span, &url));
        }
        // Where clouds answer questions about a machine, to whoever is on it (RFC 3927, RFC 4291 §2.5.6).
        let own_link = match url.host {
            Host::Ip(IpAddr::V4(ip)) => ip.is_link_local() || ip.is_unspecified(),
            Host::Ip(IpAddr::V6(ip)) => ip.is_unicast_link_local() || ip.is_unspecified(),
            Host::Name(_) => false,
        };
        if own_link {
            self.report(problems::keys_of_nobody(span, &url.host));
        }
    }

    pub(super) fn api_keys(&mut self, item: BlockItem<'t>) -> Keys {
        let mut keys = Keys {
            name: item.name().map_or("", |name| name.text).to_owned(),
            namespace: self.scope.namespace.to_owned(),
            span: item.name().map_or(item.head_span(), |name| name.span),
            exported: item.exported(),
            file: String::new(),
            place: None,
        };
        for setting in Self::settings(item.block()) {
            match setting.keyword().text {
                "file" => {
                    let file = self.args(setting).value();
                    keys.file = file.and_then(|value| self.text(value)).unwrap_or_default();
                }
                "from" => keys.place = self.token_place(setting),
                _ => {}
            }
        }
        keys
    }

    /// `from header NAME ["PREFIX"] | cookie NAME | query NAME`.
    fn token_place(&mut self, setting: Setting<'t>) -> Option<Said<TokenPlace>> {
        let mut args = self.args(setting);
        let kind = args.any_word()?;
        let name = args.value()?;
        let name = self.plain_word(name)?;
        let place = match kind.text {
            "header" => {
                let prefix = args.value().and_then(|value| self.text(value));
                TokenPlace::Header(name.to_ascii_lowercase(), prefix.unwrap_or_default())
            }
            "cookie" => TokenPlace::Cookie(name),
            _ => TokenPlace::Query(name),
        };
        Some(self.said(setting, place))
    }

    /// Where a field of a request carries a token or key, if it does: as what it is called, and the
    /// statement that says so.
    pub(super) fn carries(&self, wanted: &TokenPlace) -> Option<(String, Option<Span>)> {
        let same = |place: &Said<TokenPlace>| match (&place.value, wanted) {
            (TokenPlace::Header(a, _), TokenPlace::Header(b, _))
            | (TokenPlace::Cookie(a), TokenPlace::Cookie(b))
            | (TokenPlace::Query(a), TokenPlace::Query(b)) => a == b,
            _ => false,
        };
        let jwt = self.jwts.iter().find_map(|jwt| {
            let place = jwt.places.iter().find(|place| same(place))?;
            Some((format!("jwt.{}", jwt.name), place.span().or(Some(jwt.span))))
        });
        jwt.or_else(|| {
            let keys = self.keys.iter();
            let mut keys = keys.filter(|keys| keys.place.as_ref().is_some_and(same));
            let keys = keys.next()?;
            Some((format!("key.{}", keys.name), Some(keys.span)))
        })
    }
}

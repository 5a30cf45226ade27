//! The fields that decisions asked for, as the access log names them and hides their values.
//!
//! A line of the log says of each such field whether it was there and what it was, so that `meshc replay` can ask
//! another policy about the same request. A value that the policy itself names is written as it is: who reads the
//! log reads the policy. Every other value may be a secret, and is written as a keyed hash: two lines can be told
//! to hold the same value, and who has the key can test a value, but none can be read. Headers that carry
//! credentials are hashed always.
//!
//! ```text
//! runtime: field, value ─ is_plain ─┬─▶ "header.x-team": "qa"
//!                                   └─▶ "cookie.session": {"hash": "…"}
//! replay:  field of the new policy ─ name ─▶ the line's value, or a value whose hash it is, or unknown
//! ```

use crate::classify::{OTHER, bounds, literals};
use crate::decide::Field;
use crate::format::{Bundle, ClassifierKind, Facet, FieldRef, StrId};
use std::fmt;

/// Headers whose values are hashed even where a policy names them.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
];

/// Numbers that are compared by size are written as they are up to this length: longer ones identify
/// accounts, cards, people.
const MAX_DIGITS: usize = 9;

/// How the log names a field: `header.x-team`, `jwt.corp.sub`. `None` for what each line has in a place of its
/// own (method, path, host, scheme, port, client, caller), and for what no request has.
pub fn name(bundle: &Bundle, field: Field<'_>) -> Option<String> {
    let jwt = |provider: u32| {
        let jwt = &bundle.jwts()[provider as usize];
        format!("jwt.{}", bundle.qualified(jwt.namespace, jwt.name))
    };
    Some(match field {
        Field::Header(name) => format!("header.{name}"),
        Field::Query(name) => format!("query.{name}"),
        Field::Cookie(name) => format!("cookie.{name}"),
        Field::SourceIp => "source.ip".to_owned(),
        Field::ClientCertSan => "client-cert.san".to_owned(),
        Field::Jwt(provider) => jwt(provider),
        Field::Claim(provider, path) => {
            let path = path.replace(FieldRef::CLAIM_SEPARATOR, ".");
            format!("{}.{path}", jwt(provider))
        }
        Field::Key(provider) => {
            let keys = &bundle.keys()[provider as usize];
            format!("key.{}", bundle.qualified(keys.namespace, keys.name))
        }
        Field::Method
        | Field::Host
        | Field::Scheme
        | Field::Port
        | Field::Source
        | Field::SourceNamespace
        | Field::ClientIp
        | Field::Inventory(_) => return None,
    })
}

/// Whether a value may be written as it is: a facet that asked for it compares it with this very value, or as a
/// number that is not long.
pub fn is_plain(bundle: &Bundle, facet: &Facet, field: Field<'_>, value: &[u8]) -> bool {
    if let Field::Header(name) = field
        && CREDENTIALS.contains(&name)
    {
        return false;
    }
    match ClassifierKind::from_code(facet.classifier) {
        Some(ClassifierKind::Literals) => literals::class(bundle, facet, value) != OTHER,
        Some(ClassifierKind::Decimal) => {
            value.len() <= MAX_DIGITS && bounds::decimal(value).is_some()
        }
        Some(ClassifierKind::Member) => *bundle.str_bytes(StrId::new(facet.start.get())) == *value,
        Some(ClassifierKind::Automaton | ClassifierKind::Bounds | ClassifierKind::Tail) | None => {
            false
        }
    }
}

/// What hashes are made with. Never written anywhere, nor shown.
#[derive(Clone)]
pub struct Key([u8; 32]);

/// Digits of a hash.
pub const HASH_DIGITS: usize = 32;

/// The least length of a secret that a key is made of.
pub const MIN_SECRET: usize = 32;

impl Key {
    /// A key of random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key from a secret of at least [`MIN_SECRET`] bytes, as a file holds it; blank space at its end, which
    /// editors and tools add, is no part of it. `None` if it is too short.
    pub fn of_secret(secret: &[u8]) -> Option<Self> {
        let secret = secret.trim_ascii_end();
        let long_enough = secret.len() >= MIN_SECRET;
        long_enough.then(|| Self(blake3::derive_key("mesh 2026-11 access log values", secret)))
    }

    /// The hash of a field's value, in hexadecimal digits. The field is part of it: that a header and a cookie hold
    /// the same is not to be seen.
    pub fn hash(&self, name: &str, value: &[u8]) -> [u8; HASH_DIGITS] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(name.as_bytes()).update(&[0]).update(value);
        let hash = hasher.finalize();
        let mut text = [0; HASH_DIGITS];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(hash.as_bytes()) {
            *pair = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
        }
        text
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn hashes_tell_fields_values_and_keys_apart() {
        let key = Key::of_secret(&[b'k'; 32]).unwrap();
        let hash = key.hash("cookie.session", b"42");
        assert_eq!(hash, key.hash("cookie.session", b"42"));
        assert!(hash.iter().all(u8::is_ascii_hexdigit));
        assert_ne!(hash, key.hash("cookie.session", b"43"));
        assert_ne!(hash, key.hash("header.session", b"42"));
        assert_ne!(hash, Key::new([7; 32]).hash("cookie.session", b"42"));
    }

    #[test]
    fn the_end_of_a_line_is_no_part_of_a_secret_and_short_ones_are_none() {
        let hash = |secret: &[u8]| Key::of_secret(secret).map(|key| key.hash("header.a", b"b"));
        let secret = b"0123456789abcdef0123456789abcdef";
        assert_eq!(hash(secret), hash(b"0123456789abcdef0123456789abcdef\r\n"));
        assert_eq!(hash(&secret[1..]), None);
        assert_eq!(hash(b"                                  "), None);
    }

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(format!("{:?}", Key::new([65; 32])), "Key(…)");
    }
}

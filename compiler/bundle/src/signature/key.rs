//! Keys: Ed25519, in files of PEM as other tools write and read them.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt;

/// The label of a private key (PKCS#8).
const PRIVATE: &str = "PRIVATE KEY";
/// The label of a public key (SPKI).
const PUBLIC: &str = "PUBLIC KEY";
/// What stands before the 32 bytes of an Ed25519 key in an SPKI (RFC 8410 §4).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Why a text is no key that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no PEM.
    #[error("is no PEM: {0}")]
    Pem(String),
    /// There is no key in it.
    #[error("holds no {0}")]
    Nothing(&'static str),
    /// A private key stands where a public one is due.
    #[error("holds a private key, which nobody but the signer should have; use the public one")]
    Private,
    /// A public key stands where a private one is due.
    #[error("holds a public key; signing takes the private one")]
    Public,
    /// A key of another kind.
    #[error("holds a key that is no Ed25519 key")]
    Kind,
    /// The system gives no key.
    #[error("cannot be made: the system gives no random numbers")]
    Random,
}

/// Names a key: the first bytes of the BLAKE3 of the public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    /// 16 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key that signatures are checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// All public keys of a text: a file may hold the old one and the new one.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, KeyError> {
        let items = pem::parse_many(text).map_err(|error| KeyError::Pem(error.to_string()))?;
        if items.iter().any(|item| item.tag() == PRIVATE) {
            return Err(KeyError::Private);
        }
        let keys = items.iter().filter(|item| item.tag() == PUBLIC);
        let keys: Vec<Self> = keys
            .map(|item| Self::from_spki(item.contents()).ok_or(KeyError::Kind))
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(KeyError::Nothing("public key"));
        }
        Ok(keys)
    }

    fn from_spki(der: &[u8]) -> Option<Self> {
        let key = der.strip_prefix(&SPKI)?;
        Some(Self(key.try_into().ok()?))
    }

    /// As a file holds it.
    pub fn to_pem(&self) -> String {
        written(PUBLIC, [&SPKI[..], &self.0].concat())
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        let hash = blake3::hash(&self.0);
        let mut id = [0; 8];
        id.copy_from_slice(&hash.as_bytes()[..8]);
        KeyId(id)
    }

    /// Whether a signature of these bytes is this key's.
    pub(super) fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        key.verify(bytes, signature).is_ok()
    }
}

/// A key that signs.
#[derive(Debug)]
pub struct PrivateKey(Ed25519KeyPair);

impl PrivateKey {
    /// A new one.
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self(
            Ed25519KeyPair::generate().map_err(|_| KeyError::Random)?,
        ))
    }

    /// The private key of a text.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let items = pem::parse_many(text).map_err(|error| KeyError::Pem(error.to_string()))?;
        let key = items.iter().find(|item| item.tag() == PRIVATE);
        let Some(key) = key else {
            let public = items.iter().any(|item| item.tag() == PUBLIC);
            return Err(if public {
                KeyError::Public
            } else {
                KeyError::Nothing("private key")
            });
        };
        let pair = Ed25519KeyPair::from_pkcs8(key.contents()).map_err(|_| KeyError::Kind)?;
        Ok(Self(pair))
    }

    /// As a file holds it, for nobody else to read: PKCS#8, version 1, which every tool knows.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let der = self.0.to_pkcs8v1().map_err(|_| KeyError::Random)?;
        Ok(written(PRIVATE, der.as_ref().to_vec()))
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(key)
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(bytes).as_ref());
        signature
    }
}

fn written(label: &str, der: Vec<u8>) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(label, der), config)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410 §10.3 and §10.1.
    const RFC_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const RFC_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn keys_are_those_of_other_tools() {
        let private = PrivateKey::from_pem(RFC_PRIVATE).expect("it is a key");
        assert_eq!(private.public().to_pem(), RFC_PUBLIC);
        assert_eq!(private.to_pem().as_deref(), Ok(RFC_PRIVATE));
        let public = PublicKey::all_from_pem(RFC_PUBLIC).expect("it is a key");
        assert_eq!(public, [private.public()]);
        assert_eq!(public[0].id().to_string().len(), 16);
    }

    #[test]
    fn what_is_signed_is_checked() {
        let key = PrivateKey::generate().expect("there is one");
        let signature = key.sign(b"a statement");
        assert!(key.public().verifies(b"a statement", &signature));
        assert!(!key.public().verifies(b"another", &signature));
        let other = PrivateKey::generate().expect("there is one");
        assert!(!other.public().verifies(b"a statement", &signature));
    }

    #[test]
    fn a_file_may_hold_several_public_keys_and_no_private_one() {
        let other = PrivateKey::generate().expect("there is one").public();
        let both = format!("# old\n{RFC_PUBLIC}# new\n{}", other.to_pem());
        assert_eq!(PublicKey::all_from_pem(&both).map(|keys| keys.len()), Ok(2));
        let mixed = format!("{RFC_PUBLIC}{RFC_PRIVATE}");
        assert_eq!(PublicKey::all_from_pem(&mixed), Err(KeyError::Private));
        assert_eq!(
            PublicKey::all_from_pem("no key\n"),
            Err(KeyError::Nothing("public key"))
        );
        let elsewhere = PrivateKey::from_pem(RFC_PUBLIC).err();
        assert_eq!(elsewhere, Some(KeyError::Public));
    }

    #[test]
    fn keys_of_other_kinds_are_refused() {
        // An X25519 key: the same form, another algorithm.
        let other = "-----BEGIN PUBLIC KEY-----\n\
            MCowBQYDK2VuAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
            -----END PUBLIC KEY-----\n";
        assert_eq!(PublicKey::all_from_pem(other), Err(KeyError::Kind));
    }
}

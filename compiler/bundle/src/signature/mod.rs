//! Who vouches for a bundle.
//!
//! A signature is about one content, of one mesh, for one time, at one place in the order of that mesh's
//! bundles: the [`Statement`] that it signs names them all. So a bundle that was signed once cannot be passed
//! off as another mesh's, brought back after it was replaced, or kept beyond its time.
//!
//! ```text
//! content ─ hash ─┐
//! mesh, sequence, ├─▶ Statement ─ PrivateKey::sign ─▶ Signature ═ behind the content ═▶ Trust::judge
//! validity ───────┘                                                                     │ keys, mesh, time,
//!                                                                                       ▼ what was in force
//!                                                                            Approval or a sentence why not
//! ```
//!
//! Signatures are judged before anything of the content is looked at ([`crate::format::Sealed`]). Nothing that
//! is compared here is secret, so that nothing is compared in constant time; what touches private keys is the
//! library's.

mod key;
mod moment;
mod trust;

pub use key::{KeyError, KeyId, PrivateKey, PublicKey};
pub use moment::Moment;
pub use trust::{Approval, InForce, Refusal, Trust};

use crate::format::{BundleId, Signature, attach};
use zerocopy::little_endian::U64;

/// What a signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement<'m> {
    /// The bundle.
    pub bundle: BundleId,
    /// The mesh that it is of.
    pub mesh: &'m str,
    /// Where it stands in the order of that mesh's bundles.
    pub sequence: u64,
    /// From when on it may be used.
    pub not_before: Moment,
    /// From when on it may not be used any more.
    pub not_after: Moment,
}

impl<'m> Statement<'m> {
    /// The bytes that are signed by a key.
    fn bytes(&self, key: KeyId) -> Vec<u8> {
        let mut bytes = b"mesh bundle signature 1\n".to_vec();
        bytes.extend(self.bundle.0);
        bytes.extend(key.0);
        for number in [self.sequence, self.not_before.0, self.not_after.0] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.push(self.mesh.len() as u8); // names are short, or no signature is attached
        bytes.extend(self.mesh.as_bytes());
        bytes
    }

    /// What a signature says about a bundle of a mesh.
    fn of(signature: &Signature, bundle: BundleId, mesh: &'m str) -> Self {
        Self {
            bundle,
            mesh,
            sequence: signature.sequence.get(),
            not_before: Moment(signature.not_before.get()),
            not_after: Moment(signature.not_after.get()),
        }
    }

    /// The signature of a key.
    pub fn sign(&self, key: &PrivateKey) -> Signature {
        let public = key.public();
        Signature {
            key: public.id().0,
            sequence: U64::new(self.sequence),
            not_before: U64::new(self.not_before.0),
            not_after: U64::new(self.not_after.0),
            signature: key.sign(&self.bytes(public.id())),
        }
    }
}

/// The file of a content, signed by keys. Signatures that it has of other keys stay; `None` where that makes
/// more than a bundle may have, or the mesh's name is too long to be signed.
pub fn sign(
    content: &[u8],
    before: &[Signature],
    statement: &Statement<'_>,
    keys: &[PrivateKey],
) -> Option<Vec<u8>> {
    let new: Vec<Signature> = keys.iter().map(|key| statement.sign(key)).collect();
    let is_replaced = |old: &&Signature| new.iter().any(|new| new.key == old.key);
    let kept = before.iter().filter(|old| !is_replaced(old));
    let all: Vec<Signature> = kept.chain(&new).copied().collect();
    attach(content, statement.mesh, &all)
}

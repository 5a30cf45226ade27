//! Which bundles a node takes: signed by a key that it trusts, of its mesh, now, and not older than the one
//! in force.

use super::{KeyId, Moment, PublicKey, Statement};
use crate::format::{BundleId, Sealed, Signature};

/// Whom a node trusts.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The keys, of which one is enough; without any, nobody has to sign.
    pub keys: Vec<PublicKey>,
    /// The mesh that the node belongs to, where that was said.
    pub mesh: Option<String>,
}

/// What a node has taken before: nothing older comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its mesh.
    pub mesh: String,
    /// Its sequence number.
    pub sequence: u64,
    /// The bundle.
    pub bundle: BundleId,
}

/// A signature for which a bundle is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Whose it is.
    pub key: KeyId,
    /// From when on the bundle may not be used any more.
    pub not_after: Moment,
    /// What is in force when it is taken.
    pub in_force: InForce,
}

/// Why a bundle is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody signed it.
    #[error("is not signed, and only bundles signed by {} are taken", keys(.trusted))]
    Unsigned {
        /// The keys that are trusted.
        trusted: Vec<KeyId>,
    },
    /// Others signed it.
    #[error("is signed by {}, and only bundles signed by {} are taken", keys(.by), keys(.trusted))]
    UnknownKey {
        /// Who did.
        by: Vec<KeyId>,
        /// The keys that are trusted.
        trusted: Vec<KeyId>,
    },
    /// A signature names a key whose it is not.
    #[error("is not signed by key {0}, although it says so: it was changed, or the signature was")]
    Wrong(KeyId),
    /// It is another mesh's.
    #[error("is of mesh {mesh}, and this node belongs to mesh {wanted}")]
    Foreign {
        /// Whose it is.
        mesh: String,
        /// Whose it should be.
        wanted: String,
    },
    /// Its time has not come.
    #[error("is not valid before {0}")]
    Early(Moment),
    /// Its time is over.
    #[error("is not valid any more since {0}; sign it again, or publish a newer one")]
    Expired(Moment),
    /// It is older than the one in force.
    #[error(
        "is older than the bundle in force: its sequence number is {sequence}, and {newest} was served already"
    )]
    RolledBack {
        /// Its sequence number.
        sequence: u64,
        /// The one that is in force.
        newest: u64,
    },
    /// It is neither older nor newer than the one in force, and another one.
    #[error("has the sequence number of the bundle in force, {sequence}, and is another one")]
    Ambiguous {
        /// The number.
        sequence: u64,
    },
}

fn keys(keys: &[KeyId]) -> String {
    let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [one] => format!("key {one}"),
        several => format!("keys {}", several.join(", ")),
    }
}

impl Refusal {
    /// One word for it, for metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unsigned { .. } => "unsigned",
            Self::UnknownKey { .. } => "unknown-key",
            Self::Wrong(_) => "wrong-signature",
            Self::Foreign { .. } => "foreign",
            Self::Early(_) => "early",
            Self::Expired(_) => "expired",
            Self::RolledBack { .. } | Self::Ambiguous { .. } => "rolled-back",
        }
    }

    /// How far a signature came before it failed: of several the one that came furthest tells most.
    fn rank(&self) -> u8 {
        match self {
            Self::Unsigned { .. } | Self::UnknownKey { .. } => 0,
            Self::Wrong(_) => 1,
            Self::Foreign { .. } => 2,
            Self::Early(_) | Self::Expired(_) => 3,
            Self::RolledBack { .. } | Self::Ambiguous { .. } => 4,
        }
    }
}

impl Trust {
    /// Whether bundles have to be signed.
    pub fn asks_for_signatures(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Judges the signatures of a bundle; `None` where none are asked for.
    pub fn judge(
        &self,
        bundle: &Sealed,
        now: Moment,
        before: Option<&InForce>,
    ) -> Result<Option<Approval>, Refusal> {
        if !self.asks_for_signatures() {
            return Ok(None);
        }
        let trusted = || self.keys.iter().map(PublicKey::id).collect::<Vec<_>>();
        let Some(signatures) = bundle.signatures() else {
            return Err(Refusal::Unsigned { trusted: trusted() });
        };
        let by = || signatures.iter().map(|it| KeyId(it.key)).collect();
        let mut worst = Refusal::UnknownKey {
            by: by(),
            trusted: trusted(),
        };
        let mut best: Option<Approval> = None;
        for signature in signatures.iter() {
            let keys = self.keys.iter();
            for key in keys.filter(|key| key.id().0 == signature.key) {
                let statement = Statement::of(&signature, bundle.id(), signatures.mesh());
                match self.judge_one(&statement, &signature, key, now, before) {
                    Ok(approval) => {
                        let sequence = |it: &Approval| it.in_force.sequence;
                        let better = |known: &Approval| sequence(known) < sequence(&approval);
                        if best.as_ref().is_none_or(better) {
                            best = Some(approval);
                        }
                    }
                    Err(refusal) if refusal.rank() > worst.rank() => worst = refusal,
                    Err(_) => {}
                }
            }
        }
        best.map(Some).ok_or(worst)
    }

    fn judge_one(
        &self,
        statement: &Statement<'_>,
        signature: &Signature,
        key: &PublicKey,
        now: Moment,
        before: Option<&InForce>,
    ) -> Result<Approval, Refusal> {
        if !key.verifies(&statement.bytes(key.id()), &signature.signature) {
            return Err(Refusal::Wrong(key.id()));
        }
        self.judge_mesh(statement.mesh, before)?;
        if now < statement.not_before {
            return Err(Refusal::Early(statement.not_before));
        }
        if now >= statement.not_after {
            return Err(Refusal::Expired(statement.not_after));
        }
        let sequence = statement.sequence;
        if let Some(before) = before {
            let newest = before.sequence;
            if sequence < newest {
                return Err(Refusal::RolledBack { sequence, newest });
            }
            if sequence == newest && statement.bundle != before.bundle {
                return Err(Refusal::Ambiguous { sequence });
            }
        }
        Ok(Approval {
            key: key.id(),
            not_after: statement.not_after,
            in_force: InForce {
                mesh: statement.mesh.to_owned(),
                sequence,
                bundle: statement.bundle,
            },
        })
    }

    /// Whether a mesh is the node's: the one that was said, else the one that it took a bundle of before.
    pub fn judge_mesh(&self, mesh: &str, before: Option<&InForce>) -> Result<(), Refusal> {
        let known = self.mesh.as_deref();
        let wanted = known.or(before.map(|before| before.mesh.as_str()));
        match wanted {
            Some(wanted) if wanted != mesh => Err(Refusal::Foreign {
                mesh: mesh.to_owned(),
                wanted: wanted.to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

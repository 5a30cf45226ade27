//! Which bundles come in: whose signatures are trusted, and what was served before.
//!
//! A bundle is judged when it is read, before anything in it is looked at, and counts as served when it is in
//! force. What was served is remembered while the process runs; with a state file also across restarts, since
//! whoever can put an old bundle in place may be able to have the process started again, too.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use mesh_bundle::signature::{Approval, InForce, KeyError, Moment, PublicKey, Refusal, Trust};
use mesh_bundle::{Bundle, BundleId, OpenError, Sealed};
use serde::{Deserialize, Serialize};

/// Judges bundles.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    trust: Trust,
    state: Option<PathBuf>,
    served: Option<InForce>,
}

/// Why nothing can be judged.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// A key's file cannot be read.
    #[error("the key {} cannot be read: {source}", .path.display())]
    ReadKey {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A key's file holds none.
    #[error("{} {source}", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyError,
    },
    /// What was served before cannot be read.
    #[error("the state {} cannot be read: {reason}", .path.display())]
    ReadState {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// What is served cannot be written down.
    #[error("the state {} cannot be written: {source}", .path.display())]
    WriteState {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Why a file's bytes do not come in.
#[derive(Debug)]
pub(super) enum Barred {
    Open(OpenError),
    Refused(Refusal),
}

/// The state file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    mesh: String,
    sequence: u64,
    bundle: String,
}

impl Gate {
    /// Takes bundles that one of the keys in these files signed, or any if there are none; of this mesh, if
    /// one is named; and not older than what `state` remembers.
    pub fn new(
        keys: &[PathBuf],
        mesh: Option<String>,
        state: Option<PathBuf>,
    ) -> Result<Self, GateError> {
        let mut trusted = Vec::new();
        for path in keys {
            let path = path.clone();
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(source) => return Err(GateError::ReadKey { path, source }),
            };
            match PublicKey::all_from_pem(&text) {
                Ok(keys) => trusted.extend(keys),
                Err(source) => return Err(GateError::Key { path, source }),
            }
        }
        Ok(Self {
            trust: Trust {
                keys: trusted,
                mesh,
            },
            served: match &state {
                Some(path) => remembered(path)?,
                None => None,
            },
            state,
        })
    }

    /// Opens a bundle that may come in.
    pub(super) fn open(&self, bytes: Vec<u8>) -> Result<(Bundle, Option<Approval>), Barred> {
        let sealed = Sealed::read(bytes).map_err(Barred::Open)?;
        let judged = self
            .trust
            .judge(&sealed, Moment::now(), self.served.as_ref());
        let approval = judged.map_err(Barred::Refused)?;
        let bundle = sealed.open().map_err(Barred::Open)?;
        let mesh = bundle.str(bundle.mesh().name);
        let ours = self.trust.judge_mesh(mesh, self.served.as_ref());
        ours.map_err(Barred::Refused)?;
        Ok((bundle, approval))
    }

    /// From now on nothing older comes in.
    pub(crate) fn serves(&mut self, approval: &Approval) -> Result<(), GateError> {
        if self.served.as_ref() == Some(&approval.in_force) {
            return Ok(());
        }
        self.served = Some(approval.in_force.clone());
        match &self.state {
            Some(path) => {
                remember(path, &approval.in_force).map_err(|source| GateError::WriteState {
                    path: path.clone(),
                    source,
                })
            }
            None => Ok(()),
        }
    }
}

/// What a state file remembers; nothing where there is none yet.
fn remembered(path: &Path) -> Result<Option<InForce>, GateError> {
    let failed = |reason: String| GateError::ReadState {
        path: path.to_owned(),
        reason,
    };
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    let state: State = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
    let bundle = BundleId::from_full(&state.bundle);
    Ok(Some(InForce {
        mesh: state.mesh,
        sequence: state.sequence,
        bundle: bundle.ok_or_else(|| failed("it names no bundle".to_owned()))?,
    }))
}

/// Writes a state file: the old one stands until the new one is whole.
fn remember(path: &Path, served: &InForce) -> io::Result<()> {
    let state = State {
        mesh: served.mesh.clone(),
        sequence: served.sequence,
        bundle: served.bundle.in_full(),
    };
    let mut text = serde_json::to_vec(&state)?;
    text.push(b'\n');
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = std::fs::File::create(&new)?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    let home = path.parent().filter(|home| *home != Path::new(""));
    std::fs::File::open(home.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn in_force(sequence: u64) -> InForce {
        InForce {
            mesh: "shop".to_owned(),
            sequence,
            bundle: BundleId([7; 32]),
        }
    }

    #[test]
    fn what_was_served_is_remembered() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mesh.state");
        assert_eq!(remembered(&path).unwrap(), None);
        for sequence in [3, 5] {
            remember(&path, &in_force(sequence)).unwrap();
            assert_eq!(remembered(&path).unwrap(), Some(in_force(sequence)));
        }
        let files = std::fs::read_dir(home.path()).unwrap().count();
        assert_eq!(files, 1, "nothing else is left behind");
    }

    #[test]
    fn a_state_that_cannot_be_read_is_no_state_of_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mesh.state");
        for damaged in ["", "{}", r#"{"mesh":"shop","sequence":1,"bundle":"b3:7"}"#] {
            std::fs::write(&path, damaged).unwrap();
            let error = Gate::new(&[], None, Some(path.clone())).unwrap_err();
            assert!(error.to_string().contains("cannot be read: "), "{error}");
        }
    }
}

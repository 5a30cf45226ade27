//! Development certificates, where the policy names files that are not there.
//!
//! They are made in a hidden directory of the mesh, under the same names, and used again by the next
//! run: whoever told a client to trust one need not do so every time.

use crate::cli::Failure;
use crate::model::{Gateway, ListenerKind, Mesh};
use mesh_lang::value::HostPattern;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where they are, in the mesh's directory.
pub(super) const DIRECTORY: &str = ".meshc";
/// Made again when older; they are valid for longer.
const MAX_AGE: Duration = Duration::from_hours(60 * 24);

/// Certificates that were provided.
#[derive(Debug)]
pub(super) struct Provided {
    /// Where they are.
    pub(super) directory: PathBuf,
    /// Whether any listener shows one of them.
    pub(super) made: bool,
}

/// Provides a certificate for every listener whose files are not there.
pub(super) fn provide(root: &Path, mesh: &Mesh) -> Result<Provided, Failure> {
    let mut provided = Provided {
        directory: root.join(DIRECTORY),
        made: false,
    };
    for gateway in &mesh.gateways {
        let certificates = gateway.listeners.iter().flat_map(|listener| {
            let certificates = match &listener.kind {
                ListenerKind::Https { certificates, .. } => &certificates[..],
                _ => &[],
            };
            certificates.iter()
        });
        let of_hosts = gateway.hosts.iter().flat_map(|host| &host.certificates);
        for tls in certificates.chain(of_hosts) {
            let there = root.join(&tls.certificate).exists() || root.join(&tls.key).exists();
            if there || Path::new(&tls.certificate).is_absolute() {
                continue;
            }
            provided.made = true;
            let (certificate, key) = (
                provided.directory.join(&tls.certificate),
                provided.directory.join(&tls.key),
            );
            if !is_recent(&certificate) || !is_recent(&key) {
                make(&provided.directory, &certificate, &key, gateway).map_err(|error| {
                    format!(
                        "no development certificate can be made at {}: {error}",
                        certificate.display()
                    )
                })?;
            }
        }
    }
    Ok(provided)
}

fn is_recent(file: &Path) -> bool {
    let modified = std::fs::metadata(file).and_then(|file| file.modified());
    let age = modified.map(|modified| {
        SystemTime::now()
            .duration_since(modified)
            .unwrap_or_default()
    });
    age.is_ok_and(|age| age < MAX_AGE)
}

fn make(directory: &Path, certificate: &Path, key: &Path, gateway: &Gateway) -> io::Result<()> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    for pattern in gateway.hosts.iter().flat_map(|host| &host.patterns) {
        match pattern {
            HostPattern::Exact(name) if !names.contains(name) => names.push(name.clone()),
            HostPattern::Suffix(suffix) => names.push(format!("*.{suffix}")),
            HostPattern::Exact(_) | HostPattern::Any => {}
        }
    }
    let failed = |error: rcgen::Error| io::Error::other(error.to_string());
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "meshc development certificate");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    let pair = KeyPair::generate().map_err(failed)?;
    let signed = params.self_signed(&pair).map_err(failed)?;
    for file in [certificate, key] {
        std::fs::create_dir_all(file.parent().unwrap_or(directory))?;
    }
    // Whatever is in here is nobody's source.
    std::fs::write(directory.join(".gitignore"), "*\n")?;
    std::fs::write(certificate, signed.pem())?;
    write_private(key, &pair.serialize_pem())
}

/// A key is for its owner only.
fn write_private(file: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes())
}

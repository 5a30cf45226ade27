//! Certificates: files become what a listener shakes hands with.
//!
//! A chain and a key, both PEM, are read together and must belong together. Where nothing changed
//! since the last time, the same settings are used on, and with them the keys of session tickets.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider, sign::any_supported_type};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It is in none of the directories.
    #[error("{file} is not in {}", list(.directories))]
    NotFound {
        /// The file, as the bundle names it.
        file: String,
        /// Where it was looked for.
        directories: Vec<PathBuf>,
    },
    /// It cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is no PEM.
    #[error("{} is damaged: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it goes wrong.
        reason: String,
    },
    /// It is PEM of something else.
    #[error("{} holds no certificate", .path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// It is PEM of something else.
    #[error("{} holds no private key (PKCS#8, SEC1 or PKCS#1)", .path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is of a kind that TLS here does not know.
    #[error("{} holds a private key of a kind that is not supported", .path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is another one's.
    #[error("the key {} does not belong to the certificate {}", .key.display(), .certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// TLS refuses the certificate.
    #[error("the certificate {} cannot be used: {reason}", .certificate.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// What TLS says.
        reason: String,
    },
}

fn list(directories: &[PathBuf]) -> String {
    let names: Vec<String> = directories
        .iter()
        .map(|it| it.display().to_string())
        .collect();
    names.join(" or ")
}

/// What a listener shakes hands with.
#[derive(Debug)]
pub(crate) struct TlsSettings {
    pub(crate) config: Arc<ServerConfig>,
    /// The files it was made of.
    pub(crate) files: [PathBuf; 2],
    /// The certificate's file, as the bundle names it.
    pub(crate) name: String,
    /// When the certificate expires, in seconds since 1970.
    pub(crate) not_after: Option<i64>,
    http2: bool,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Loads a certificate and its key. `before` are the settings of the last load.
pub(crate) fn load(
    certificate: &str,
    key: &str,
    http2: bool,
    directories: &[PathBuf],
    before: &[Arc<TlsSettings>],
) -> Result<Arc<TlsSettings>, CertificateError> {
    let files = [find(certificate, directories)?, find(key, directories)?];
    let [certificate_path, key_path] = &files;
    let chain = read_chain(certificate_path)?;
    let key = read_key(key_path)?;
    let same = before
        .iter()
        .find(|it| it.files == files && it.http2 == http2 && it.chain == chain && it.key == key);
    if let Some(same) = same {
        return Ok(Arc::clone(same));
    }

    let unusable = |error: rustls::Error| CertificateError::Unusable {
        certificate: certificate_path.clone(),
        reason: error.to_string(),
    };
    let signing_key = any_supported_type(&key).map_err(|_| CertificateError::UnknownKey {
        path: key_path.clone(),
    })?;
    let certified = CertifiedKey::new(chain.clone(), signing_key);
    certified.keys_match().map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => CertificateError::Mismatch {
            certificate: certificate_path.clone(),
            key: key_path.clone(),
        },
        error => unusable(error),
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unusable)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.ticketer = Ticketer::new().map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if http2 {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    Ok(Arc::new(TlsSettings {
        config: Arc::new(config),
        name: certificate.to_owned(),
        not_after: chain.first().and_then(|leaf| not_after(leaf)),
        files,
        http2,
        chain,
        key,
    }))
}

/// The first directory that has the file; an absolute path stands for itself.
fn find(file: &str, directories: &[PathBuf]) -> Result<PathBuf, CertificateError> {
    let mut paths = directories.iter().map(|directory| directory.join(file));
    paths
        .find(|path| path.exists())
        .ok_or_else(|| CertificateError::NotFound {
            file: file.to_owned(),
            directories: directories.to_vec(),
        })
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    std::fs::read(path).map_err(|source| CertificateError::Read {
        path: path.to_owned(),
        source,
    })
}

fn damaged(path: &Path, error: &pem::Error) -> CertificateError {
    CertificateError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| damaged(path, &error))?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate {
            path: path.to_owned(),
        });
    }
    Ok(chain)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => CertificateError::NoKey {
            path: path.to_owned(),
        },
        error => damaged(path, &error),
    })
}

/// When a certificate expires, in seconds since 1970 (RFC 5280 §4.1.2.5); none where it cannot be read.
fn not_after(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use std::fs;
    use tempfile::TempDir;

    fn certificate(directory: &TempDir, name: &str) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["shop.example".to_owned()]).unwrap();
        params.not_after = date_time_ymd(2031, 3, 1);
        let certificate = params.self_signed(&key).unwrap();
        let path = |kind| directory.path().join(format!("{name}.{kind}"));
        fs::write(path("crt"), certificate.pem()).unwrap();
        fs::write(path("key"), key.serialize_pem()).unwrap();
    }

    fn load_from(
        directories: &[&TempDir],
        files: (&str, &str),
        before: &[Arc<TlsSettings>],
    ) -> Result<Arc<TlsSettings>, String> {
        let directories: Vec<PathBuf> = directories.iter().map(|it| it.path().to_owned()).collect();
        load(files.0, files.1, true, &directories, before).map_err(|error| error.to_string())
    }

    #[test]
    fn loads_and_keeps_what_did_not_change() {
        let directory = tempfile::tempdir().unwrap();
        certificate(&directory, "a");
        let first = load_from(&[&directory], ("a.crt", "a.key"), &[]).unwrap();
        assert_eq!(first.not_after, Some(1_930_089_600));
        let again = load_from(&[&directory], ("a.crt", "a.key"), &[Arc::clone(&first)]).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        certificate(&directory, "a");
        let renewed = load_from(&[&directory], ("a.crt", "a.key"), &[Arc::clone(&first)]).unwrap();
        assert!(!Arc::ptr_eq(&first, &renewed));
    }

    #[test]
    fn directories_are_searched_in_order() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        certificate(&second, "a");
        let found = load_from(&[&first, &second], ("a.crt", "a.key"), &[]).unwrap();
        assert_eq!(found.files[0], second.path().join("a.crt"));
        certificate(&first, "a");
        let found = load_from(&[&first, &second], ("a.crt", "a.key"), &[]).unwrap();
        assert_eq!(found.files[0], first.path().join("a.crt"));
    }

    #[test]
    fn says_what_is_wrong() {
        let directory = tempfile::tempdir().unwrap();
        certificate(&directory, "a");
        certificate(&directory, "b");
        fs::write(directory.path().join("empty"), "").unwrap();
        let torn = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        fs::write(directory.path().join("torn"), torn).unwrap();
        let wrong = |files| load_from(&[&directory], files, &[]).unwrap_err();
        let at = |name: &str| directory.path().join(name).display().to_string();

        let mismatch = wrong(("a.crt", "b.key"));
        let sentence = format!(
            "the key {} does not belong to the certificate {}",
            at("b.key"),
            at("a.crt")
        );
        assert_eq!(mismatch, sentence);
        assert!(wrong(("no.crt", "a.key")).starts_with("no.crt is not in "));
        assert_eq!(
            wrong(("a.key", "a.key")),
            format!("{} holds no certificate", at("a.key"))
        );
        assert!(
            wrong(("a.crt", "a.crt")).starts_with(&format!("{} holds no private key", at("a.crt")))
        );
        assert!(
            wrong(("a.crt", "empty")).starts_with(&format!("{} holds no private key", at("empty")))
        );
        assert!(wrong(("torn", "a.key")).starts_with(&format!("{} is damaged", at("torn"))));
    }

    #[test]
    fn walks_no_further_than_the_der_goes() {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let der = certificate.der().to_vec();
        assert!(not_after(&der).is_some());
        for length in 0..der.len() {
            assert_eq!(not_after(&der[..length]), None);
        }
    }
}

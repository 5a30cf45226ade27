//! Certificates that lie beside the policy: whether they can be read, for how long they are valid, whether they name
//! the hosts that are served with them.
//!
//! The files belong to the node, where a policy may be compiled that does not have them: what is not there is not
//! looked at, and a host is only missed where all certificates that it may be shown were read. Keys are left
//! alone; `meshd` refuses one that does not belong to its certificate.

use crate::files;
use crate::model::{Certificate, Gateway, HostBlock, ListenerKind, Mesh};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::HostPattern;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::time::ASN1Time;

/// The days that should be left: who renews at all renews earlier.
const SOON: i64 = 14;
const DAY: i64 = 24 * 60 * 60;
/// What no file of certificates comes to, in bytes: one has some 2 KiB.
const LARGEST: u64 = 1 << 20;

/// What is found about the certificates of a mesh whose files are relative to `root`.
pub(crate) fn findings(mesh: &Mesh, root: &Path) -> Vec<Diagnostic> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    findings_at(mesh, root, now.map_or(0, |now| now.as_secs().cast_signed()))
}

fn findings_at(mesh: &Mesh, root: &Path, now: i64) -> Vec<Diagnostic> {
    let mut files = Files {
        root,
        now,
        read: BTreeMap::new(),
        found: Vec::new(),
    };
    for gateway in &mesh.gateways {
        files.of_gateway(gateway);
    }
    files.found.extend(shared(mesh));
    files.found
}

/// What a file of certificates says.
#[derive(Clone, Debug)]
struct Chain {
    /// The hosts that its first certificate is for.
    names: Vec<String>,
    /// When each one begins and ceases to be valid, in seconds since 1970.
    validity: Vec<(i64, i64)>,
}

struct Files<'f> {
    root: &'f Path,
    now: i64,
    /// The files that were read; none for what is not there, or no good.
    read: BTreeMap<String, Option<Chain>>,
    found: Vec<Diagnostic>,
}

impl Files<'_> {
    fn of_gateway(&mut self, gateway: &Gateway) {
        let mut of_listeners: Vec<&Certificate> = Vec::new();
        for listener in &gateway.listeners {
            let ListenerKind::Https {
                certificates,
                client_ca,
                ..
            } = &listener.kind
            else {
                continue;
            };
            of_listeners.extend(certificates);
            if let Some(said) = client_ca {
                self.read(&said.value.file, said.span().unwrap_or(listener.span));
            }
        }
        let serves_tls = !of_listeners.is_empty();
        for certificate in &of_listeners {
            self.read(&certificate.certificate, certificate.span);
        }
        for host in gateway.hosts.iter().filter(|_| serves_tls) {
            let own: Vec<&Certificate> = host.certificates.iter().collect();
            for certificate in &own {
                self.read(&certificate.certificate, certificate.span);
            }
            let shown = if own.is_empty() { &of_listeners } else { &own };
            self.misses(host, shown);
        }
        let over_http2 = gateway
            .listeners
            .iter()
            .any(|listener| matches!(listener.kind, ListenerKind::Https { http2: true, .. }));
        for host in gateway.hosts.iter().filter(|_| over_http2) {
            self.found.extend(self.also_names(gateway, host));
        }
    }

    /// A block whose own certificate names the host of another one that is served with others: asked for that on the
    /// same connection, the gateway answers 421 (RFC 9110 §15.5.20), and the client has to come again.
    fn also_names(&self, gateway: &Gateway, host: &HostBlock) -> Option<Diagnostic> {
        let files = |host: &HostBlock| -> BTreeSet<String> {
            let files = host.certificates.iter();
            files.map(|it| it.certificate.clone()).collect()
        };
        host.certificates.iter().find_map(|certificate| {
            let chain = self.read.get(&certificate.certificate)?.as_ref()?;
            let names: Vec<&str> = chain.names.iter().map(String::as_str).collect();
            let others = gateway.hosts.iter();
            let mut others = others.filter(|other| files(other) != files(host));
            let (other, pattern) = others.find_map(|other| {
                let mut patterns = other.patterns.iter();
                let exact = |it: &&HostPattern| matches!(it, HostPattern::Exact(_));
                let named = patterns.find(|it| exact(it) && is_named(it, &names))?;
                Some((other, named))
            })?;
            let own = host.patterns.first()?;
            let message = format!("this certificate is for `{pattern}` as well, which is served with another");
            Some(
                Diagnostic::new(Code::CertCoalescingHazard, message)
                    .primary(certificate.span, "")
                    .secondary(other.span, "clients may ask for this on the same connection")
                    .note(format!(
                        "for example: a browser at https://{own} that goes on to https://{pattern} is answered 421, and has to connect again"
                    ))
                    .help("let each certificate be for its own hosts only, or both hosts be served with the same one"),
            )
        })
    }

    /// Reads a file once, and reports what is wrong with it.
    fn read(&mut self, file: &str, span: Span) {
        if self.read.contains_key(file) {
            return;
        }
        let bytes = files::read(&self.root.join(file), LARGEST);
        let chain = bytes.ok().map(|bytes| read(&bytes));
        let chain = match chain.transpose() {
            Ok(chain) => chain,
            Err(why) => {
                let message = format!("`{file}` cannot be used as a certificate: {why}");
                self.found.push(
                    Diagnostic::new(Code::CertInvalid, message)
                        .primary(span, "")
                        .help("it must hold certificates as PEM, the server's own first"),
                );
                None
            }
        };
        if let Some(chain) = &chain {
            self.found.extend(expiring(chain, span, self.now));
        }
        self.read.insert(file.to_owned(), chain);
    }

    /// The hosts of a block that none of the certificates names that clients are shown.
    fn misses(&mut self, host: &HostBlock, shown: &[&Certificate]) {
        let chains = shown.iter().map(|certificate| {
            let chain = self.read.get(&certificate.certificate)?;
            chain.as_ref()
        });
        let Some(chains) = chains.collect::<Option<Vec<&Chain>>>() else {
            return; // one is not here, and may name it
        };
        let names: Vec<&str> = chains
            .iter()
            .flat_map(|chain| chain.names.iter().map(String::as_str))
            .collect();
        let (Some(first), Some(pattern)) = (
            shown.first(),
            host.patterns.iter().find(|it| !is_named(it, &names)),
        ) else {
            return;
        };
        let of = match names.as_slice() {
            [] => "nothing".to_owned(),
            names => names.join(", "),
        };
        let message = format!("no certificate here names `{pattern}`");
        let example = match pattern {
            HostPattern::Suffix(suffix) => format!("a.{suffix}"),
            other => other.to_string(),
        };
        self.found.push(
            Diagnostic::new(Code::CertMissesHost, message)
                .primary(host.span, "clients leave before they send a request")
                .secondary(first.span, format!("this is for {of}"))
                .note(format!(
                    "for example: curl https://{example}/  → no alternative certificate subject name matches"
                ))
                .help("name a certificate that is for it: `certificate` in the host, or another one at the listener"),
        );
    }
}

/// What is wrong with a file in which something is not as it should be: where, says nobody anything.
const DAMAGED: &str = "it is damaged";

/// Reads PEM.
fn read(bytes: &[u8]) -> Result<Chain, &'static str> {
    let mut chain = Chain {
        names: Vec::new(),
        validity: Vec::new(),
    };
    for pem in Pem::iter_from_buffer(bytes) {
        let pem = pem.map_err(|_| DAMAGED)?;
        if pem.label != "CERTIFICATE" {
            continue;
        }
        let certificate = pem.parse_x509().map_err(|_| DAMAGED)?;
        let names = certificate.subject_alternative_name();
        let names = names.map_err(|_| DAMAGED)?;
        let names = names.iter().flat_map(|names| &names.value.general_names);
        if chain.validity.is_empty() {
            chain.names.extend(names.filter_map(|name| match name {
                GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
                _ => None,
            }));
        }
        let validity = certificate.validity();
        let times = [validity.not_before, validity.not_after].map(|time| time.timestamp());
        chain.validity.push((times[0], times[1]));
    }
    if chain.validity.is_empty() {
        return Err("it holds none");
    }
    Ok(chain)
}

/// A chain of which a certificate is not valid, or not for long.
fn expiring(chain: &Chain, span: Span, now: i64) -> Option<Diagnostic> {
    let (place, &(begins, ends)) = (1..)
        .zip(&chain.validity)
        .find(|(_, (begins, ends))| now < *begins || *ends < now + SOON * DAY)?;
    let message = if now < begins {
        format!("this certificate is not valid before {}", day(begins))
    } else if ends < now {
        format!("this certificate has not been valid since {}", day(ends))
    } else {
        format!("this certificate is valid until {} only", day(ends))
    };
    let diagnostic = Diagnostic::new(Code::CertExpiring, message).primary(span, "");
    let diagnostic = match place {
        1 => diagnostic,
        place => diagnostic.note(format!("it is number {place} in the file")),
    };
    let note =
        "meshd takes a new one as soon as its files change, and shows the date in its metrics";
    Some(
        diagnostic
            .note(note)
            .help("renew it: what clients refuse is refused for every host here"),
    )
}

/// A day, as people write it.
fn day(seconds: i64) -> String {
    let time = ASN1Time::from_timestamp(seconds);
    time.map_or_else(
        |_| format!("{seconds} s"),
        |time| time.to_datetime().date().to_string(),
    )
}

/// Whether certificates are for the hosts of a pattern (RFC 9525 §6.3: a `*` stands for one label).
fn is_named(pattern: &HostPattern, names: &[&str]) -> bool {
    match pattern {
        HostPattern::Any => true,
        HostPattern::Suffix(suffix) => names
            .iter()
            .any(|name| name.strip_prefix("*.") == Some(suffix)),
        HostPattern::Exact(host) => {
            let parent = host.split_once('.').map(|(_, parent)| parent);
            names.iter().any(|name| match name.strip_prefix("*.") {
                Some(suffix) => parent == Some(suffix),
                None => *name == host,
            })
        }
    }
}

/// Gateways that show the same certificate over HTTP/2 for different hosts: a client that came for one may ask for
/// the other on the same connection (RFC 9113 §9.1.1), where it is not served.
fn shared(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut owners: BTreeMap<(&str, u16), Vec<(&Gateway, &Certificate)>> = BTreeMap::new();
    for gateway in &mesh.gateways {
        for listener in &gateway.listeners {
            let ListenerKind::Https {
                http2: true,
                certificates,
                ..
            } = &listener.kind
            else {
                continue;
            };
            let of_hosts = gateway.hosts.iter().flat_map(|host| &host.certificates);
            for certificate in certificates.iter().chain(of_hosts) {
                let owners = owners.entry((&certificate.certificate, listener.port));
                let owners = owners.or_default();
                if owners
                    .iter()
                    .all(|(known, _)| !std::ptr::eq(*known, gateway))
                {
                    owners.push((gateway, certificate));
                }
            }
        }
    }
    let mut found = Vec::new();
    for ((_, port), owners) in &owners {
        for pair in owners.windows(2) {
            let [(first, own), (second, other)] = pair else {
                continue;
            };
            found.extend(coalesced(*port, (first, own), (second, other)));
        }
    }
    found
}

fn coalesced(
    port: u16,
    (first, own): (&Gateway, &Certificate),
    (second, other): (&Gateway, &Certificate),
) -> Option<Diagnostic> {
    let hosts = |gateway: &Gateway| -> BTreeSet<String> {
        let patterns = gateway.hosts.iter().flat_map(|host| &host.patterns);
        let named = patterns.filter(|it| !matches!(it, HostPattern::Any));
        named.map(ToString::to_string).collect()
    };
    let (here, there) = (hosts(first), hosts(second));
    let ours = here.difference(&there).next()?;
    let theirs = there.difference(&here).next()?;
    let message = format!(
        "a client of `{}` may ask for hosts of `{}` on the same connection",
        first.qualified_name(),
        second.qualified_name()
    );
    Some(
        Diagnostic::new(Code::CertCoalescingHazard, message)
            .primary(other.span, format!("the certificate of `{}` …", second.qualified_name()))
            .secondary(own.span, format!("… is the one of `{}`, too", first.qualified_name()))
            .note(format!(
                "for example: a browser at https://{ours} that finds https://{theirs} at the same address, port {port}, asks `{}` for it",
                first.qualified_name()
            ))
            .help("give each gateway a certificate of its own, serve the hosts by one gateway, or answer `host * { otherwise -> respond 421 }`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        let names = ["shop.example", "*.api.example"];
        let is = |host: &str| is_named(&HostPattern::parse(host).expect("it is one"), &names);
        assert!(is("shop.example"));
        assert!(is("a.api.example"));
        assert!(is("*.api.example"));
        assert!(!is("api.example"));
        assert!(!is("a.b.api.example"));
        assert!(!is("*.shop.example"));
        assert!(is("*"));
    }

    #[test]
    fn who_renews_at_all_hears_nothing() {
        let span = Span::new(mesh_lang::source::FileId(0), 0, 1);
        let chain = Chain {
            names: Vec::new(),
            validity: vec![(0, 100 * DAY)],
        };
        let said = |now: i64| expiring(&chain, span, now).map(|it| it.message);
        assert_eq!(said(85 * DAY), None);
        let soon = "this certificate is valid until 1970-04-11 only";
        assert_eq!(said(87 * DAY).as_deref(), Some(soon));
        let past = "this certificate has not been valid since 1970-04-11";
        assert_eq!(said(101 * DAY).as_deref(), Some(past));
        let early = "this certificate is not valid before 1970-01-01";
        assert_eq!(said(-DAY).as_deref(), Some(early));
    }
}

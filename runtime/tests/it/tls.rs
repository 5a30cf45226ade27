//! TLS at the edge: certificates, protocols, and what happens when they change.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_bundle::format::FieldKind;
use meshd::{NodeOptions, ProcessOptions, Source};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::client::{Whole, http2_over, request2, whole};
use crate::support::mesh::{Mesh, on, otherwise};
use crate::support::scene::{HTTP, HTTPS, Scene, gateway_options};
use crate::support::upstream::Upstream;
use crate::support::{block_on, until};

/// A directory with `tls.crt` and `tls.key` for these names.
pub fn certificate(names: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    write_certificate(&directory, "tls", names);
    directory
}

/// Writes a new certificate, signed by itself; returns it.
fn write_certificate(directory: &TempDir, name: &str, names: &[&str]) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let certificate = CertificateParams::new(names)
        .unwrap()
        .self_signed(&key)
        .unwrap();
    fs::write(
        directory.path().join(format!("{name}.key")),
        key.serialize_pem(),
    )
    .unwrap();
    fs::write(
        directory.path().join(format!("{name}.crt")),
        certificate.pem(),
    )
    .unwrap();
    certificate.der().to_vec()
}

fn der(directory: &TempDir, name: &str) -> CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject;
    CertificateDer::from_pem_file(directory.path().join(format!("{name}.crt"))).unwrap()
}

fn client(trusted: &CertificateDer<'static>, alpn: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|it| it.as_bytes().to_vec()).collect();
    Arc::new(config)
}

async fn connect(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("shop.example").unwrap();
    TlsConnector::from(Arc::clone(config))
        .connect(name, stream)
        .await
}

async fn get(stream: &mut TlsStream<tokio::net::TcpStream>, target: &str) -> String {
    let request = format!("GET {target} HTTP/1.1\r\nhost: shop.example\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).await.unwrap();
        assert!(read > 0, "it ended early");
        text.extend_from_slice(&bytes[..read]);
        if text.ends_with(b"\n") && !text.ends_with(b"\r\n") {
            return String::from_utf8(text).unwrap();
        }
    }
}

fn shop(upstream: &Upstream) -> Mesh {
    let address = upstream.address;
    Mesh::new()
        .service("s", |s| s.at("", address))
        .gateway("edge", |g| {
            let arms = vec![
                on(&["/scheme"])
                    .when(FieldKind::Scheme, "", "https")
                    .respond(200, Some("https\n")),
                on(&["/port"])
                    .when(FieldKind::Port, "", "443")
                    .respond(200, Some("443\n")),
                otherwise().to("s"),
            ];
            g.http(HTTP)
                .https(HTTPS, "tls.crt", "tls.key")
                .host(&["shop.example"], arms)
        })
}

fn options(files: &TempDir) -> NodeOptions {
    NodeOptions {
        files: vec![files.path().to_owned()],
        ..gateway_options()
    }
}

#[test]
fn both_protocols_over_tls() {
    let files = certificate(&["shop.example"]);
    let upstream = Upstream::start("s");
    let scene = Scene::start(shop(&upstream).bundle(), "gateway/edge", options(&files));
    let trusted = der(&files, "tls");
    block_on(async {
        let mut http1 = connect(scene.https(), &client(&trusted, &["http/1.1"]))
            .await
            .unwrap();
        assert_eq!(http1.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        for _ in 0..3 {
            assert!(get(&mut http1, "/x").await.ends_with("s\n"));
        }
        assert!(get(&mut http1, "/scheme").await.ends_with("https\n"));
        assert!(get(&mut http1, "/port").await.ends_with("443\n"));
        let plain = connect(scene.https(), &client(&trusted, &[]))
            .await
            .unwrap();
        assert_eq!(plain.get_ref().1.alpn_protocol(), None);
        let http2 = connect(scene.https(), &client(&trusted, &["h2", "http/1.1"]))
            .await
            .unwrap();
        assert_eq!(http2.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let mut http2 = http2_over::<_, Whole>(http2).await;
        let request = request2("shop.example", "/scheme")
            .body(Whole::default())
            .unwrap();
        assert_eq!(
            whole(http2.send_request(request).await.unwrap())
                .await
                .text(),
            "https\n"
        );
    });
    assert_eq!(
        upstream.last().header("x-forwarded-proto").as_deref(),
        Some("https")
    );
    let not_after = scene.metric("mesh_certificate_not_after_seconds").unwrap();
    assert!(not_after > 1.8e9, "{not_after}");
}

#[test]
fn sessions_are_resumed() {
    let files = certificate(&["shop.example"]);
    let upstream = Upstream::start("s");
    let scene = Scene::start(shop(&upstream).bundle(), "gateway/edge", options(&files));
    block_on(async {
        let config = client(&der(&files, "tls"), &["http/1.1"]);
        let mut first = connect(scene.https(), &config).await.unwrap();
        get(&mut first, "/x").await;
        let mut second = connect(scene.https(), &config).await.unwrap();
        get(&mut second, "/x").await;
        let kind = second.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(rustls::HandshakeKind::Resumed));
        // A reload that leaves the certificate alone leaves the sessions alone.
        scene.reload(&shop(&upstream).gateway("other", |g| g));
        let third = connect(scene.https(), &config).await.unwrap();
        assert_eq!(
            third.get_ref().1.handshake_kind(),
            Some(rustls::HandshakeKind::Resumed)
        );
    });
}

#[test]
fn what_is_no_handshake_is_dropped() {
    let files = certificate(&["shop.example"]);
    let upstream = Upstream::start("s");
    let scene = Scene::start(shop(&upstream).bundle(), "gateway/edge", options(&files));
    let mut plain = crate::support::client::Http1::connect(scene.https());
    plain.send("GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n");
    until("it ends", || {
        let mut sink = [0; 64];
        matches!(
            std::io::Read::read(&mut plain.stream, &mut sink),
            Ok(0) | Err(_)
        )
    });
    block_on(async {
        let stranger = client(&der(&certificate(&["shop.example"]), "tls"), &[]);
        assert!(connect(scene.https(), &stranger).await.is_err());
        let known = client(&der(&files, "tls"), &[]);
        assert!(connect(scene.https(), &known).await.is_ok());
    });
}

#[test]
fn new_handshakes_see_the_new_certificate_and_old_connections_go_on() {
    let files = certificate(&["shop.example"]);
    let upstream = Upstream::start("s");
    let bundle = files.path().join("shop.bundle");
    fs::write(&bundle, shop(&upstream).bytes()).unwrap();
    let source = Source::open(&bundle).unwrap();
    let process = ProcessOptions {
        follow: Some(source.clone()),
        ..ProcessOptions::default()
    };
    let nodes = vec![("gateway/edge", options(&files))];
    let scene = Scene::start_all(Arc::clone(source.bundle()), nodes, process);
    let old = der(&files, "tls");
    let count = |result: &str| scene.reloads(result);
    block_on(async {
        let mut before = connect(scene.https(), &client(&old, &[])).await.unwrap();
        get(&mut before, "/x").await;

        // The certificate first, its key later: between them they do not match, and that is no
        // failure yet.
        write_certificate(&files, "new", &["shop.example"]);
        fs::rename(files.path().join("new.crt"), files.path().join("tls.crt")).unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!((count("applied"), count("rejected")), (0, 0));
        assert!(connect(scene.https(), &client(&old, &[])).await.is_ok());
        fs::rename(files.path().join("new.key"), files.path().join("tls.key")).unwrap();
        while count("applied") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let new = der(&files, "tls");
        assert!(connect(scene.https(), &client(&new, &[])).await.is_ok());
        assert!(connect(scene.https(), &client(&old, &[])).await.is_err());
        get(&mut before, "/x").await;

        // One that never gets its key is a failure, and changes nothing.
        write_certificate(&files, "stray", &["shop.example"]);
        fs::rename(files.path().join("stray.crt"), files.path().join("tls.crt")).unwrap();
        while count("rejected") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let status = scene.status();
        let sentence = status["last_reload"]["sentence"].as_str().unwrap();
        assert!(
            sentence.contains("does not belong to the certificate"),
            "{sentence}"
        );
        assert!(connect(scene.https(), &client(&new, &[])).await.is_ok());
        get(&mut before, "/x").await;
    });
}

#[test]
fn a_listener_may_change_its_protocol() {
    let files = certificate(&["shop.example"]);
    let says = |text| vec![otherwise().respond(200, Some(text))];
    let plain = Mesh::new().gateway("edge", |g| {
        g.http(HTTP).host(&["shop.example"], says("plain\n"))
    });
    let secret = Mesh::new().gateway("edge", |g| {
        g.https(HTTP, "tls.crt", "tls.key")
            .host(&["shop.example"], says("secret\n"))
    });
    let scene = Scene::start(plain.bundle(), "gateway/edge", options(&files));
    let mut old = crate::support::client::Http1::connect(scene.http());
    assert_eq!(old.get("shop.example", "/").text(), "plain\n");
    scene.reload(&secret);
    assert!(
        old.is_closed(),
        "nothing goes on in the clear that is to be secret"
    );
    block_on(async {
        let config = client(&der(&files, "tls"), &[]);
        let mut stream = connect(scene.http(), &config).await.unwrap();
        assert!(get(&mut stream, "/").await.ends_with("secret\n"));
    });
}

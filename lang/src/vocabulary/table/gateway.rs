//! The statements of `gateway` and of its blocks.

use crate::vocabulary::Kind::{
    Count, File, Host, HostName, Name, Network, PathPattern, PathPrefix, PathTemplate, Port,
    Scheme, Size,
};
use crate::vocabulary::Shape::{Arrow, List, OneOf, Optional, Value, Word};
use crate::vocabulary::{Place, Statement};

const GATEWAY: &[Place] = &[Place::Gateway];
const LISTEN: &[Place] = &[Place::Listen];
const HOST: &[Place] = &[Place::Host];
const REDIRECT: &[Place] = &[Place::Redirect];
const HEADER_LIMITS: &[Place] = &[Place::HeaderLimits];

pub(super) const STATEMENTS: &[Statement] = &[
    Statement::new("listen", GATEWAY)
        .args(&[Value(Port), OneOf(&[Word("http"), Word("https")])])
        .may_have(Place::Listen)
        .repeats()
        .doc(
            "a port for HTTP, with or without TLS",
            "listen 443 https { certificate \"tls/shop.crt\" key \"tls/shop.key\"; http2 }",
        ),
    Statement::new("listen", GATEWAY)
        .args(&[Value(Port), Word("tcp"), Arrow])
        .repeats()
        .doc(
            "a port whose connections all go to one service",
            "listen 5432 tcp -> ledger-db",
        ),
    Statement::new("listen", GATEWAY)
        .args(&[Value(Port), Word("tls"), Word("passthrough")])
        .has(Place::Passthrough)
        .repeats()
        .doc(
            "a port whose TLS connections go on as they are, by the name they ask for",
            "listen 8443 tls passthrough { sni db.example -> ledger-db }",
        ),
    Statement::new("sni", &[Place::Passthrough])
        .args(&[List(&Value(Host)), Arrow])
        .repeats()
        .doc(
            "where connections that ask for these names go",
            "sni db.example -> ledger-db",
        ),
    Statement::new("redirect", LISTEN)
        .args(&[Word("https")])
        .doc(
            "that every request is sent to the same URL with `https`",
            "redirect https",
        ),
    Statement::new("certificate", &[Place::Listen, Place::Host])
        .args(&[Value(File), Word("key"), Value(File)])
        .repeats()
        .doc(
            "the files of a certificate and its key",
            "certificate \"tls/shop.crt\" key \"tls/shop.key\"",
        ),
    Statement::new("http2", LISTEN).doc("that clients may speak HTTP/2", "http2"),
    Statement::new("client-ca", LISTEN)
        .args(&[Value(File), Optional(&[Word("optional")])])
        .doc(
            "the file of the authorities that client certificates come from; all clients need one unless `optional`",
            "client-ca \"tls/partners.pem\" optional",
        ),
    Statement::new("trusted-proxies", GATEWAY)
        .args(&[OneOf(&[Word("none"), List(&Value(Network))])])
        .doc(
            "whose `x-forwarded-for` is believed",
            "trusted-proxies 10.0.0.0/8",
        ),
    Statement::new("header-limits", GATEWAY)
        .has(Place::HeaderLimits)
        .doc(
            "how many and how large the headers of a request may be",
            "header-limits { count 100; total 64KiB }",
        ),
    Statement::new("count", HEADER_LIMITS)
        .args(&[Value(Count)])
        .default("100")
        .doc("how many headers", "count 100"),
    Statement::new("total", HEADER_LIMITS)
        .args(&[Value(Size)])
        .default("60KiB")
        .doc("how large they are together", "total 64KiB"),
    Statement::new("host", GATEWAY)
        .args(&[List(&Value(Host))])
        .has(Place::Host)
        .repeats()
        .doc(
            "the arms and statements of one host or of several",
            "host shop.example, www.shop.example { otherwise -> shop }",
        ),
    Statement::new("open", HOST)
        .args(&[
            List(&Value(PathPattern)),
            Word("to"),
            Word("namespace"),
            Value(Name),
        ])
        .repeats()
        .doc(
            "the paths for which a namespace may add arms with `routes`",
            "open /reviews/** to namespace reviews-team",
        ),
    Statement::new("scheme", REDIRECT)
        .args(&[Value(Scheme)])
        .doc("the scheme to go on with", "scheme https"),
    Statement::new("host", REDIRECT)
        .args(&[Value(HostName)])
        .doc("the host to go on with", "host shop.example"),
    Statement::new("port", REDIRECT)
        .args(&[Value(Port)])
        .doc("the port to go on with", "port 8443"),
    Statement::new("path", REDIRECT)
        .args(&[Value(PathTemplate)])
        .doc("the path to go on with", "path \"/products/{id}\""),
    Statement::new("prefix", REDIRECT)
        .args(&[Value(PathPrefix)])
        .doc(
            "what stands in place of the path before the arm's last `/**`",
            "prefix \"/new\"",
        ),
];

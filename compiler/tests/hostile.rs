//! Bundles that somebody damaged or made up: opening says no or the bundle is safe to use, and nothing
//! panics or goes on for ever.

#![allow(clippy::unwrap_used)]

use mesh_bundle::decide::{ClaimValue, Plain, holds, judge};
use mesh_bundle::format::{Action, Bundle, HEADER_LENGTH, Header, Id, OpenError, content_hash};
use mesh_bundle::path::{EncodedSlash, NormalPath};
use mesh_bundle::{host, needs, route, template};
use meshc::compile::{Selection, check};
use meshc::project::Project;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use zerocopy::FromBytes as _;

const POLICY: &str = include_str!("policies/everything.mesh");

fn policy() -> Vec<u8> {
    let mut checked = check(
        Project::of_texts([("t.mesh", POLICY)]),
        &Selection::default(),
    );
    let planned = checked.plan();
    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
    planned.unwrap().bytes
}

/// Puts the right hash into a changed bundle, so that what is checked behind it is reached.
fn rehash(bytes: &mut [u8]) {
    let hashed = bytes.len();
    let hash = content_hash(bytes, hashed);
    bytes[HEADER_LENGTH - 32..HEADER_LENGTH].copy_from_slice(&hash);
}

/// Asks a bundle everything that can be asked.
fn use_it(bundle: &Bundle) {
    let mut number = 0u32;
    let mut draw = || {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        number
    };
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/a/7"),
        ("POST", "/files/x.json"),
        ("GET", "/v1/x/y"),
        ("POST", "/x/y/info"),
    ] {
        let path = NormalPath::parse(path, EncodedSlash::Reject).unwrap();
        let request = Plain {
            scheme: "https",
            port: 8443,
            query: Some("page=8"),
            headers: vec![("x-a", "1"), ("cookie", "u=abc")],
            source: Some("default/edge"),
            client_ip: IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3)),
            client_cert_sans: Some(vec!["a.example", "b.example"]),
            tokens: vec![(
                0,
                vec![
                    ("sub", ClaimValue::Scalar("a b")),
                    ("groups", ClaimValue::List(vec!["qa"])),
                ],
            )],
            keys: vec![(0, "acme")],
            ..Plain::new(method, "www.shop.example", path)
        };
        for table in (0..bundle.tables().len() as u32).map(Id::new) {
            let _ = judge(bundle, table, &request);
            let _ = holds(bundle, table, &request);
        }
        use_templates(bundle, &request.path);
        for gateway in (0..bundle.gateways().len() as u32).map(Id::new) {
            let _ = needs::unmet(bundle, needs::Node::Gateway(gateway), |_| false);
        }
        for service in (0..bundle.services().len() as u32).map(Id::new) {
            let _ = needs::unmet(bundle, needs::Node::Sidecar(service), |_| false);
        }
        for gateway in 0..bundle.gateways().len() as u32 {
            if let Some(block) = host::host_block(bundle, Id::new(gateway), request.host) {
                let _ =
                    route::at_gateway(bundle, block, &request, |_| Ok(request.clone()), &mut draw);
            }
        }
        for caller in 0..bundle.services().len() as u32 {
            for callee in 0..bundle.services().len() as u32 {
                let (caller, callee) = (Id::new(caller), Id::new(callee));
                let _ = route::at_sidecar(bundle, caller, callee, &request, &mut draw);
            }
        }
    }
}

/// Fills in whatever is filled in.
fn use_templates(bundle: &Bundle, path: &NormalPath<'_>) {
    let mut text = String::new();
    for arm in bundle.arms() {
        let rewrite = arm
            .policy
            .some()
            .map(|policy| bundle.policy(policy).rewrite);
        if let Some(rewrite) = rewrite.and_then(Id::some) {
            let template = bundle.rewrite(rewrite).path;
            template::fill(bundle, template, arm.captures, path, &mut text);
        }
        if let Action::Redirect(redirect) = arm.action() {
            let template = bundle.redirect(redirect).path;
            template::fill(bundle, template, arm.captures, path, &mut text);
        }
    }
}

#[test]
fn the_same_policy_gives_the_same_bytes() {
    assert_eq!(policy(), policy());
}

#[test]
fn a_whole_bundle_opens_and_answers() {
    let bundle = Bundle::open(policy()).unwrap();
    use_it(&bundle);
    assert_eq!(bundle.str(bundle.mesh().name), "t");
}

#[test]
fn cut_anywhere_it_does_not_open() {
    let bytes = policy();
    for length in 0..bytes.len() {
        let error = Bundle::open(bytes[..length].to_vec()).unwrap_err();
        assert!(error.may_be_unfinished(), "{length}: {error}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(
        Bundle::open(longer).unwrap_err(),
        OpenError::TooLong { more: 1 }
    );
}

#[test]
fn any_flipped_bit_is_noticed() {
    let bytes = policy();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(Bundle::open(damaged).is_err(), "byte {at}");
    }
}

#[test]
fn a_made_up_bundle_with_the_right_hash_is_refused_or_harmless() {
    let bytes = policy();
    let mut opened = 0;
    for (turn, at) in (HEADER_LENGTH..bytes.len()).step_by(5).enumerate() {
        let mut damaged = bytes.clone();
        damaged[at] ^= [0x01, 0x80, 0xff][turn % 3];
        rehash(&mut damaged);
        if let Ok(bundle) = Bundle::open(damaged) {
            use_it(&bundle);
            opened += 1;
        }
    }
    // Names, numbers and padding may well change; what refers to something may not.
    assert!(opened > 100, "{opened}");
}

#[test]
fn words_of_all_ones_are_refused_or_harmless() {
    let bytes = policy();
    for at in (HEADER_LENGTH..bytes.len() - 4).step_by(12) {
        let mut damaged = bytes.clone();
        damaged[at..at + 4].fill(0xff);
        rehash(&mut damaged);
        if let Ok(bundle) = Bundle::open(damaged) {
            use_it(&bundle);
        }
    }
}

#[test]
fn what_is_no_bundle_says_so() {
    let sentence = |bytes: &[u8]| Bundle::open(bytes.to_vec()).unwrap_err().to_string();
    assert_eq!(sentence(b""), "is empty");
    assert_eq!(
        sentence(b"#!/bin/sh\n"),
        "is no bundle: it does not begin with `MESHBNDL`"
    );
    let mut newer = policy();
    newer[8] = 9;
    assert_eq!(
        sentence(&newer),
        "is of format 9.0, and this build reads 1.x"
    );
    let (header, _) = Header::read_from_prefix(&newer).unwrap();
    assert_eq!(header.major.get(), 9);
    let mut cut = policy();
    let whole = cut.len();
    cut.truncate(whole - 1);
    assert_eq!(
        sentence(&cut),
        format!("is damaged: {} of its {whole} bytes are there", whole - 1)
    );
}

#[test]
fn the_example_compiles() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/bookinfo");
    let mut checked = check(Project::load(&path).unwrap(), &Selection::default());
    let bundle = Bundle::open(checked.plan().unwrap().bytes).unwrap();
    assert_eq!(checked.diagnostics, []);
    use_it(&bundle);
}

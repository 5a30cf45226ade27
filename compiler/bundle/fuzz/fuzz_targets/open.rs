//! Any bytes are refused or are a bundle that can be asked anything. The hash is put right first, so
//! that what is checked behind it is reached. Seed it with real bundles.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_bundle::decide::{ClaimValue, Plain, holds, judge};
use mesh_bundle::format::{Bundle, HEADER_LENGTH, Id, content_hash};
use mesh_bundle::path::{EncodedSlash, NormalPath};
use mesh_bundle::{host, route};

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    if bytes.len() >= HEADER_LENGTH {
        let length = (bytes.len() as u64).to_le_bytes();
        bytes[16..24].copy_from_slice(&length);
        bytes[24..32].copy_from_slice(&length);
        let hash = content_hash(&bytes, bytes.len());
        bytes[HEADER_LENGTH - 32..HEADER_LENGTH].copy_from_slice(&hash);
    }
    let Ok(bundle) = Bundle::open(bytes) else {
        return;
    };
    let mut number = 0u32;
    let mut draw = || {
        number = number.wrapping_add(0x9e37_79b9);
        number
    };
    for path in ["/", "/a/b", "/v1/x.json"] {
        let Ok(path) = NormalPath::parse(path, EncodedSlash::Reject) else {
            return;
        };
        let request = Plain {
            scheme: "https",
            port: 443,
            query: Some("a=1"),
            headers: vec![("x-a", "1"), ("cookie", "u=a")],
            source: Some("default/edge"),
            client_cert_sans: Some(vec!["a.example", "b.example"]),
            tokens: vec![(0, vec![("sub", ClaimValue::Scalar("a b")), ("groups", ClaimValue::List(vec!["qa"]))])],
            keys: vec![(0, "acme")],
            ..Plain::new("GET", "shop.example", path)
        };
        for table in (0..bundle.tables().len() as u32).map(Id::new).take(8) {
            let _ = judge(&bundle, table, &request);
            let _ = holds(&bundle, table, &request);
        }
        for gateway in (0..bundle.gateways().len() as u32).take(4) {
            if let Some(block) = host::host_block(&bundle, Id::new(gateway), request.host) {
                let _ = route::at_gateway(&bundle, block, &request, |_| Ok(request.clone()), &mut draw);
            }
        }
        for service in (0..bundle.services().len() as u32).take(4) {
            let _ = route::at_sidecar(&bundle, Id::new(0), Id::new(service), &request, &mut draw);
        }
    }
});

//! What clients send: paths, hosts, queries, cookies. A normal form is its own normal form.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_bundle::classify::bounds::decimal;
use mesh_bundle::decide::{cookie, query_parameter};
use mesh_bundle::host::normalise;
use mesh_bundle::path::{EncodedSlash, NormalPath};

fuzz_target!(|bytes: &[u8]| {
    let _ = cookie(bytes, "session");
    let _ = decimal(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = query_parameter(text, "page");
    if let Ok(host) = normalise(text) {
        assert_eq!(normalise(&host).as_deref(), Ok(&*host));
    }
    if let Ok(path) = NormalPath::parse(text, EncodedSlash::Keep) {
        let again = NormalPath::parse(path.as_str(), EncodedSlash::Keep);
        assert_eq!(again.as_ref().map(NormalPath::as_str), Ok(path.as_str()));
        assert!(!path.as_str().contains("//"));
        assert!(path.segments().all(|segment| segment != "." && segment != ".."));
    }
});

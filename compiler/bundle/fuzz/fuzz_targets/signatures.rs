//! Whatever stands behind the content of a bundle is refused, or is signatures that nobody trusted has made.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_bundle::format::{HEADER_LENGTH, Sealed, seal};
use mesh_bundle::signature::{Moment, PublicKey, Trust};
use std::sync::LazyLock;

/// A content of which nothing but the header is looked at.
static CONTENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut content = vec![0; HEADER_LENGTH];
    content[..8].copy_from_slice(b"MESHBNDL");
    content[8] = 1;
    seal(&mut content);
    content
});

/// The key of RFC 8410 §10.1.
static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    Trust {
        keys: PublicKey::all_from_pem(key).expect("it is a key"),
        mesh: None,
    }
});

fuzz_target!(|bytes: &[u8]| {
    let mut file = CONTENT.clone();
    file.extend_from_slice(bytes);
    let total = (file.len() as u64).to_le_bytes();
    file[24..32].copy_from_slice(&total);
    let Ok(sealed) = Sealed::read(file) else {
        return;
    };
    assert!(TRUST.judge(&sealed, Moment::now(), None).is_err());
});

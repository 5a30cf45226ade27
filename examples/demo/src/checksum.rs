//! The checksum of bodies: FNV-1a of 64 bits, which is a line in any language and takes bytes as
//! they come.

use std::fmt;

/// FNV-1a, 64 bits, over bytes that arrive in pieces. Printed as 16 hexadecimal digits.
///
/// ```
/// # use mesh_demo::Checksum;
/// let mut pieces = Checksum::new();
/// pieces.update(b"foo");
/// pieces.update(b"bar");
/// assert_eq!(pieces, Checksum::of(b"foobar"));
/// assert_eq!(pieces.to_string(), "85944171f73967e8");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum(u64);

impl Checksum {
    /// The checksum of no bytes.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// The checksum of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut checksum = Self::new();
        checksum.update(bytes);
        checksum
    }

    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

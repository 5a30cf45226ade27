//! Header and table of contents, and the hash that names a bundle.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The first eight bytes.
pub const MAGIC: [u8; 8] = *b"MESHBNDL";
/// Changes when an older reader would misread a newer bundle.
pub const MAJOR: u16 = 1;
/// Changes when something is added that an older reader may skip.
pub const MINOR: u16 = 0;
/// Bytes before the table of contents.
pub const HEADER_LENGTH: usize = size_of::<Header>();
/// Where sections may start.
pub(super) const ALIGNMENT: usize = 64;
/// Entries a table of contents may have.
pub(super) const MAX_SECTIONS: usize = 256;

/// The first 64 bytes of a bundle.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`MAJOR`].
    pub major: U16,
    /// [`MINOR`].
    pub minor: U16,
    /// Entries in the table of contents.
    pub section_count: U32,
    /// Bytes of the whole file.
    pub total_length: U64,
    /// Bytes that the hash covers, from the start of the file; what follows are signatures.
    pub hashed_length: U64,
    /// BLAKE3 of the covered bytes with this field left out.
    pub hash: [u8; 32],
}

/// One entry of the table of contents.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TocEntry {
    /// A section's number.
    pub section: U32,
    /// Which form of the section this is; 0 so far for all.
    pub version: U16,
    /// Bit 0: a reader that does not know this section must refuse the bundle.
    pub flags: U16,
    /// Where it starts, from the start of the file.
    pub offset: U64,
    /// Its bytes.
    pub length: U64,
    /// Bytes per record.
    pub stride: U32,
    /// Its records; `count × stride = length`.
    pub count: U32,
}

/// Bit 0 of [`TocEntry::flags`].
pub(super) const MUST_UNDERSTAND: u16 = 1;

/// The hash that a bundle of these bytes must carry, and by which it is named.
pub fn content_hash(bytes: &[u8], hashed_length: usize) -> [u8; 32] {
    let before = HEADER_LENGTH - 32;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..before]);
    hasher.update(&bytes[HEADER_LENGTH..hashed_length]);
    *hasher.finalize().as_bytes()
}

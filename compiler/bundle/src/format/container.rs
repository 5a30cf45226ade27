//! Header and table of contents, the hash that names a bundle, and what stands behind it.
//!
//! ```text
//! 0        64                     64-byte boundaries           content length          total length
//! │ Header │ TocEntry × n │ zeros │ section │ zeros │ section │ signatures, if there are any │
//! └───────────────────────── content: what the hash names ─────┘
//! ```

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
/// Sections start at multiples of this.
pub const ALIGNMENT: usize = 64;
/// Entries that a table of contents may have.
pub const MAX_SECTIONS: usize = 256;

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
    /// Bytes of the content, from the start of the file to the end of the last section.
    pub content_length: U64,
    /// Bytes of the file. Not hashed: signing a bundle does not make it another one.
    pub total_length: U64,
    /// BLAKE3 of the content, without this field and the one before it.
    pub hash: [u8; 32],
}

/// Bytes of the header that the hash covers.
const HASHED_HEADER: usize = HEADER_LENGTH - size_of::<u64>() - 32;

/// One entry of the table of contents. Entries stand in the order of section numbers, and so do the
/// sections.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TocEntry {
    /// A section's number.
    pub section: U32,
    /// [`TocEntry::MUST_UNDERSTAND`], or nothing.
    pub flags: U32,
    /// Where it starts, from the start of the file: the first multiple of [`ALIGNMENT`] behind what stands
    /// before it.
    pub offset: U32,
    /// Bytes per record.
    pub stride: U32,
    /// Its records, at least one.
    pub count: U32,
}

impl TocEntry {
    /// In `flags`: a reader that does not know this section must refuse the bundle.
    pub const MUST_UNDERSTAND: u32 = 1;

    /// Bytes of the section.
    pub fn length(&self) -> u64 {
        u64::from(self.stride.get()) * u64::from(self.count.get())
    }
}

/// The hash that a bundle of this content carries, and by which it is named.
pub fn content_hash(content: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&content[..HASHED_HEADER]);
    hasher.update(&content[HEADER_LENGTH..]);
    *hasher.finalize().as_bytes()
}

/// Writes lengths and hash of a content anew, whatever else it holds: how a bundle is finished, and how
/// tests and fuzzers get behind the hash with what they made up. Whatever is shorter than a header stays.
pub fn seal(content: &mut [u8]) {
    let length = U64::new(content.len() as u64);
    let Ok((header, _)) = Header::mut_from_prefix(content) else {
        return;
    };
    header.content_length = length;
    header.total_length = length;
    let hash = content_hash(content);
    content[HEADER_LENGTH - hash.len()..HEADER_LENGTH].copy_from_slice(&hash);
}

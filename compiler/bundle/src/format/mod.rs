//! The container: header, table of contents, sections of fixed-stride little-endian records.
//!
//! The compiler fills a [`Draft`]; [`Draft::finish`] lays it out and hashes it. A reader hands the
//! bytes to [`Bundle::open`], which checks, in this order: magic and version, lengths, the BLAKE3
//! hash, the form of signatures, the table of contents, and then every index, offset, enumeration and
//! ordering inside the sections. After that no access can be out of bounds and no evaluation can fail to
//! end. Whoever wants to know first who signed a bundle takes the same way in two steps, by [`Sealed`].
//!
//! `FORMAT.md` beside this crate is the format in words: what is written where, how it may change, what
//! opening checks and what that costs. Its tables are made from [`layout`].

mod container;
mod draft;
pub mod layout;
mod open;
mod record;
mod section;
mod signatures;
mod validate;

pub use container::{
    ALIGNMENT, HEADER_LENGTH, Header, MAGIC, MAJOR, MAX_SECTIONS, MINOR, TocEntry, content_hash,
    seal,
};
pub use draft::{Draft, extend};
pub use open::{Bundle, BundleId, MAX_LENGTH, OpenError, Sealed};
pub use record::*;
pub use section::Section;
pub use signatures::{
    MAX_MESH_NAME, MAX_SIGNATURES, Signature, Signatures, SignaturesHeader, attach,
};

/// Parts that a template may have.
pub const MAX_TEMPLATE_PARTS: usize = 64;
/// Requests that a bundle may be held against: nodes serve nothing new meanwhile.
pub const MAX_SAMPLES: usize = 64;
/// What one of them may carry, and where it may arrive.
pub const MAX_SAMPLE_PARTS: usize = 256;

//! The container: header, table of contents, sections of fixed-stride little-endian records.
//!
//! ```text
//! 0        64                      64-byte boundaries                          total length
//! │ Header │ TocEntry × n │ pad │ section │ pad │ section │ … │ section │
//! ```
//!
//! The compiler fills a [`Draft`]; [`Draft::finish`] lays it out and hashes it. A reader hands the
//! bytes to [`Bundle::open`], which checks, in this order: magic and version, lengths, the BLAKE3
//! hash, the table of contents, and then every index, offset, enumeration and ordering inside the
//! sections. After that no access can be out of bounds and no evaluation can fail to end.
//!
//! Evolution: a reader takes its own major version and any minor. Unknown sections are skipped
//! unless their entry is marked must-understand. Records may grow at their end: a reader takes the
//! prefix that it knows.

mod container;
mod draft;
mod open;
mod record;
mod section;
mod validate;

pub use container::{HEADER_LENGTH, Header, MAGIC, MAJOR, MINOR, TocEntry, content_hash};
pub use draft::{Draft, extend};
pub use open::{Bundle, BundleId, MAX_LENGTH, OpenError};
pub use record::*;
pub use section::Section;

/// Parts that a template may have.
pub const MAX_TEMPLATE_PARTS: usize = 64;

//! Opening: bytes become a [`Bundle`], or a sentence says why not.

use super::container::{
    HEADER_LENGTH, Header, MAGIC, MAJOR, MAX_SECTIONS, MUST_UNDERSTAND, TocEntry,
};
use super::section::for_each_section;
use super::{Section, content_hash, record::*, validate};
use std::fmt;
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// The largest bundle that is read, in bytes: 256 MiB.
pub const MAX_LENGTH: usize = 256 << 20;

/// Why bytes are no bundle that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Nothing at all.
    #[error("is empty")]
    Empty,
    /// Other bytes.
    #[error("is no bundle: it does not begin with `MESHBNDL`")]
    NotABundle,
    /// A format that this build does not read.
    #[error("is of format {major}.{minor}, and this build reads {MAJOR}.x")]
    OtherVersion {
        /// Its major version.
        major: u16,
        /// Its minor version.
        minor: u16,
    },
    /// The file ends before it should.
    #[error("is damaged: {have} of its {need} bytes are there")]
    Truncated {
        /// What the header says, or the header itself needs.
        need: u64,
        /// What there is.
        have: u64,
    },
    /// The file goes on after its end.
    #[error("is damaged: {more} bytes follow its end")]
    TooLong {
        /// How many.
        more: u64,
    },
    /// Over [`MAX_LENGTH`].
    #[error("has {0} bytes; at most {MAX_LENGTH} are read")]
    TooLarge(u64),
    /// The content is not what the hash says.
    #[error("is damaged: its content does not match its hash")]
    Hash,
    /// A section that must be understood and is not.
    #[error("holds section {0}, which this build does not know and must understand: it is newer")]
    UnknownSection(u32),
    /// A section is not where or how it should be, although the hash is right.
    #[error("is damaged: section {section} {what}")]
    Section {
        /// Its name.
        section: &'static str,
        /// What is wrong.
        what: String,
    },
}

impl OpenError {
    /// Whether the file may merely not be written to its end yet.
    pub fn may_be_unfinished(&self) -> bool {
        matches!(
            self,
            Self::Empty | Self::Truncated { .. } | Self::Hash | Self::NotABundle
        )
    }
}

/// The content hash that names a bundle.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BundleId(pub [u8; 32]);

impl fmt::Display for BundleId {
    /// `b3:` and the first 12 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("b3:")?;
        self.0[..6]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a section's records are.
#[derive(Clone, Debug)]
enum Records {
    /// In the file.
    Here(std::ops::Range<usize>),
    /// Copied out, because the file's records are longer than those that this build knows.
    Copied(Vec<u8>),
}

/// An opened bundle. Everything in it has been checked: ids lie within their sections, offsets point
/// backwards, strings are what they are used for.
#[derive(Clone, Debug)]
pub struct Bundle {
    bytes: Vec<u8>,
    id: BundleId,
    sections: [Records; Section::ALL.len()],
}

impl Bundle {
    /// Opens a bundle, checking all of it.
    pub fn open(bytes: Vec<u8>) -> Result<Self, OpenError> {
        let header = check_header(&bytes)?;
        let sections = check_toc(&bytes, header.section_count.get() as usize)?;
        let bundle = Self {
            id: BundleId(header.hash),
            sections,
            bytes,
        };
        validate::validate(&bundle)?;
        Ok(bundle)
    }

    /// Its name.
    pub fn id(&self) -> BundleId {
        self.id
    }

    /// The file as it was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[inline]
    pub(super) fn section_bytes(&self, section: Section) -> &[u8] {
        match &self.sections[section as usize] {
            Records::Here(range) => &self.bytes[range.clone()],
            Records::Copied(bytes) => bytes,
        }
    }

    /// The records of a section. Its length was checked to be a multiple of the record's.
    #[inline]
    fn records<R: FromBytes + Immutable + KnownLayout + Unaligned>(
        &self,
        section: Section,
    ) -> &[R] {
        <[R]>::ref_from_bytes(self.section_bytes(section)).unwrap_or(&[])
    }
}

macro_rules! readers {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $record:ty, $all:ident, $one:ident;)*) => {
        impl Bundle { $(
            $(#[$doc])*
            #[inline]
            pub fn $all(&self) -> &[$record] {
                self.records(Section::$variant)
            }

            $(#[$doc])*
            #[inline]
            pub fn $one(&self, id: Id<$record>) -> &$record {
                &self.$all()[id.index()]
            }
        )* }
    };
}
for_each_section!(readers);

impl Bundle {
    /// What holds for the whole mesh.
    #[inline]
    pub fn mesh(&self) -> &Mesh {
        &self.records::<Mesh>(Section::Mesh)[0]
    }

    /// How many strings there are.
    pub fn string_count(&self) -> usize {
        self.string_offsets().len().saturating_sub(1)
    }

    #[inline]
    pub(super) fn string_offsets(&self) -> &[U32] {
        self.records(Section::StringOffsets)
    }

    /// The bytes of a string.
    #[inline]
    pub fn str_bytes(&self, id: StrId) -> &[u8] {
        let offsets = self.string_offsets();
        let start = offsets[id.index()].get() as usize;
        let end = offsets[id.index() + 1].get() as usize;
        &self.section_bytes(Section::StringBytes)[start..end]
    }

    /// A string. Ids that are used as text were checked to be UTF-8.
    #[inline]
    pub fn str(&self, id: StrId) -> &str {
        std::str::from_utf8(self.str_bytes(id)).unwrap_or_default()
    }

    /// A string, or `None` for no string.
    pub fn opt_str(&self, id: StrId) -> Option<&str> {
        id.some().map(|id| self.str(id))
    }

    /// `file:line`, or `None` for what nobody wrote.
    pub fn place(&self, location: Location) -> Option<String> {
        let file = self.opt_str(location.file)?;
        Some(format!("{file}:{}", location.line.get()))
    }

    /// `name`, or `namespace/name` outside of `default`.
    pub fn qualified(&self, namespace: StrId, name: StrId) -> String {
        match self.str(namespace) {
            "default" => self.str(name).to_owned(),
            namespace => format!("{namespace}/{}", self.str(name)),
        }
    }
}

fn check_header(bytes: &[u8]) -> Result<Header, OpenError> {
    let have = bytes.len() as u64;
    if bytes.is_empty() {
        return Err(OpenError::Empty);
    }
    if !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) {
        return Err(OpenError::NotABundle);
    }
    let need = HEADER_LENGTH as u64;
    let (header, _) =
        Header::read_from_prefix(bytes).map_err(|_| OpenError::Truncated { need, have })?;
    if header.major.get() != MAJOR {
        return Err(OpenError::OtherVersion {
            major: header.major.get(),
            minor: header.minor.get(),
        });
    }
    let need = header.total_length.get();
    if need > MAX_LENGTH as u64 {
        return Err(OpenError::TooLarge(need));
    }
    match have.cmp(&need) {
        std::cmp::Ordering::Less => return Err(OpenError::Truncated { need, have }),
        std::cmp::Ordering::Greater => return Err(OpenError::TooLong { more: have - need }),
        std::cmp::Ordering::Equal => {}
    }
    let hashed = header.hashed_length.get();
    if hashed < HEADER_LENGTH as u64
        || hashed > have
        || content_hash(bytes, hashed as usize) != header.hash
    {
        return Err(OpenError::Hash);
    }
    Ok(header)
}

/// What is wrong with a section.
pub(super) fn wrong(section: Section, what: impl Into<String>) -> OpenError {
    OpenError::Section {
        section: section.name(),
        what: what.into(),
    }
}

fn check_toc(bytes: &[u8], count: usize) -> Result<[Records; Section::ALL.len()], OpenError> {
    let wrong_toc = |what: &str| OpenError::Section {
        section: "TOC",
        what: what.to_owned(),
    };
    let end = HEADER_LENGTH + count.min(MAX_SECTIONS + 1) * size_of::<TocEntry>();
    if count > MAX_SECTIONS {
        return Err(wrong_toc("lists more sections than a bundle may have"));
    }
    let toc = bytes
        .get(HEADER_LENGTH..end)
        .and_then(|bytes| <[TocEntry]>::ref_from_bytes(bytes).ok())
        .ok_or_else(|| wrong_toc("ends past the file"))?;

    let mut sections = [const { Records::Here(0..0) }; Section::ALL.len()];
    let mut free = end as u64;
    for entry in toc {
        let (offset, length) = (entry.offset.get(), entry.length.get());
        let known = Section::from_number(entry.section.get());
        let name = known.map_or("of a later format", Section::name);
        let problem = |what: String| OpenError::Section {
            section: name,
            what,
        };
        let section_end = offset
            .checked_add(length)
            .filter(|&end| end <= bytes.len() as u64);
        let Some(section_end) = section_end else {
            let past = u128::from(offset) + u128::from(length) - bytes.len() as u128;
            return Err(problem(format!("ends {past} bytes past the file")));
        };
        if offset < free {
            return Err(problem("overlaps what stands before it".to_owned()));
        }
        free = section_end;
        let (stride, count) = (u64::from(entry.stride.get()), u64::from(entry.count.get()));
        if stride.checked_mul(count) != Some(length) {
            return Err(problem("is not as long as its records".to_owned()));
        }
        let Some(section) = known else {
            if entry.flags.get() & MUST_UNDERSTAND != 0 {
                return Err(OpenError::UnknownSection(entry.section.get()));
            }
            continue;
        };
        if entry.version.get() != 0 {
            return Err(OpenError::UnknownSection(entry.section.get()));
        }
        let slot = &mut sections[section as usize];
        if !matches!(slot, Records::Here(range) if range.end == 0) {
            return Err(problem("is listed twice".to_owned()));
        }
        let range = offset as usize..section_end as usize;
        let known_stride = section.record_length();
        *slot = match (stride as usize).cmp(&known_stride) {
            std::cmp::Ordering::Equal => Records::Here(range),
            std::cmp::Ordering::Greater => {
                let records = bytes[range].chunks_exact(stride as usize);
                let prefixes = records.flat_map(|record| &record[..known_stride]);
                Records::Copied(prefixes.copied().collect())
            }
            std::cmp::Ordering::Less => {
                return Err(problem("has records that are too short".to_owned()));
            }
        };
    }
    Ok(sections)
}

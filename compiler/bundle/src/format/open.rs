//! Opening: bytes become a [`Bundle`], or a sentence says why not.
//!
//! In two steps, so that signatures can be judged in between, before anything else in the file is looked
//! at: [`Sealed::read`] finds the file whole and undamaged, [`Sealed::open`] finds it sound.

use super::container::{
    ALIGNMENT, HEADER_LENGTH, Header, MAGIC, MAJOR, MAX_SECTIONS, TocEntry, content_hash,
};
use super::section::for_each_section;
use super::signatures::{self, Signatures};
use super::{Section, record::*, validate};
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
    /// What stands behind the content is not what it should be.
    #[error("is damaged: what stands behind its content {0}")]
    Signatures(&'static str),
    /// The signatures are about a bundle of another mesh.
    #[error("is of mesh {mesh}, and signed as one of mesh {signed}")]
    SignedAsOther {
        /// Whose it is.
        mesh: String,
        /// Whose the signatures say it is.
        signed: String,
    },
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
            Self::Empty
                | Self::Truncated { .. }
                | Self::Hash
                | Self::Signatures(_)
                | Self::NotABundle
        )
    }
}

/// The content hash that names a bundle.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BundleId(pub [u8; 32]);

impl BundleId {
    /// `b3:` and all 64 hexadecimal digits.
    pub fn in_full(&self) -> String {
        format!("b3:{}", blake3::Hash::from_bytes(self.0).to_hex())
    }

    /// From what [`BundleId::in_full`] writes.
    pub fn from_full(text: &str) -> Option<Self> {
        let hash = blake3::Hash::from_hex(text.strip_prefix("b3:")?).ok()?;
        Some(Self(*hash.as_bytes()))
    }
}

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
    /// Copied out, because the file's records are longer or shorter than those that this build knows.
    Copied(Vec<u8>),
}

/// A bundle that is whole and undamaged. What it holds has not been looked at.
#[derive(Clone, Debug)]
pub struct Sealed {
    bytes: Vec<u8>,
    header: Header,
}

impl Sealed {
    /// Takes bytes for a bundle, if their lengths and hash are right.
    pub fn read(bytes: Vec<u8>) -> Result<Self, OpenError> {
        let header = check_header(&bytes)?;
        let content = header.content_length.get() as usize;
        signatures::check(&bytes[content..]).map_err(OpenError::Signatures)?;
        Ok(Self { bytes, header })
    }

    /// Its name.
    pub fn id(&self) -> BundleId {
        BundleId(self.header.hash)
    }

    /// What stands behind its content, if it is signed.
    pub fn signatures(&self) -> Option<Signatures<'_>> {
        let content = self.header.content_length.get() as usize;
        Signatures::read(&self.bytes[content..])
    }

    /// Opens the bundle, checking all of it.
    pub fn open(self) -> Result<Bundle, OpenError> {
        let content = &self.bytes[..self.header.content_length.get() as usize];
        let sections = check_toc(content, self.header.section_count.get() as usize)?;
        let bundle = Bundle {
            header: self.header,
            sections,
            bytes: self.bytes,
        };
        validate::validate(&bundle)?;
        let mesh = bundle.str(bundle.mesh().name);
        if let Some(signatures) = bundle.signatures()
            && signatures.mesh() != mesh
        {
            return Err(OpenError::SignedAsOther {
                mesh: mesh.to_owned(),
                signed: signatures.mesh().to_owned(),
            });
        }
        Ok(bundle)
    }
}

/// An opened bundle. Everything in it has been checked: ids lie within their sections, offsets point
/// backwards, strings are what they are used for.
#[derive(Clone, Debug)]
pub struct Bundle {
    bytes: Vec<u8>,
    header: Header,
    sections: [Records; Section::ALL.len()],
}

impl Bundle {
    /// Opens a bundle, checking all of it but who signed it.
    pub fn open(bytes: Vec<u8>) -> Result<Self, OpenError> {
        Sealed::read(bytes)?.open()
    }

    /// Its name.
    pub fn id(&self) -> BundleId {
        BundleId(self.header.hash)
    }

    /// The version of its format, major and minor.
    pub fn format(&self) -> (u16, u16) {
        (self.header.major.get(), self.header.minor.get())
    }

    /// The file as it was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The content, without signatures.
    pub fn content(&self) -> &[u8] {
        &self.bytes[..self.header.content_length.get() as usize]
    }

    /// What stands behind its content, if it is signed. Who signed it has not been checked.
    pub fn signatures(&self) -> Option<Signatures<'_>> {
        Signatures::read(&self.bytes[self.content().len()..])
    }

    /// The table of contents, sections that this build does not know included.
    pub fn contents(&self) -> &[TocEntry] {
        let count = self.header.section_count.get() as usize;
        let end = HEADER_LENGTH + count * size_of::<TocEntry>();
        <[TocEntry]>::ref_from_bytes(&self.bytes[HEADER_LENGTH..end]).unwrap_or(&[])
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
    let content = header.content_length.get();
    let is_content = (HEADER_LENGTH as u64..=have).contains(&content);
    if !is_content || content_hash(&bytes[..content as usize]) != header.hash {
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

fn check_toc(content: &[u8], count: usize) -> Result<[Records; Section::ALL.len()], OpenError> {
    let wrong_toc = |what: &str| OpenError::Section {
        section: "TOC",
        what: what.to_owned(),
    };
    if count > MAX_SECTIONS {
        return Err(wrong_toc("lists more sections than a bundle may have"));
    }
    let end = HEADER_LENGTH + count * size_of::<TocEntry>();
    let toc = content
        .get(HEADER_LENGTH..end)
        .and_then(|bytes| <[TocEntry]>::ref_from_bytes(bytes).ok())
        .ok_or_else(|| wrong_toc("ends past the file"))?;
    if !toc.is_sorted_by(|a, b| a.section.get() < b.section.get()) {
        return Err(wrong_toc("is not in the order of sections"));
    }

    let mut sections = [const { Records::Here(0..0) }; Section::ALL.len()];
    let mut free = end;
    for entry in toc {
        let known = Section::from_number(entry.section.get());
        let name = known.map_or("of a later format", Section::name);
        let problem = |what: String| OpenError::Section {
            section: name,
            what,
        };
        if entry.flags.get() & !TocEntry::MUST_UNDERSTAND != 0 {
            return Err(problem("has flags not known here".to_owned()));
        }
        if known.is_none() && entry.flags.get() != 0 {
            return Err(OpenError::UnknownSection(entry.section.get()));
        }
        if entry.length() == 0 {
            return Err(problem("is listed and empty".to_owned()));
        }
        let offset = u64::from(entry.offset.get());
        if offset != free.next_multiple_of(ALIGNMENT) as u64 {
            return Err(problem("is not where it should be".to_owned()));
        }
        let past = (offset + entry.length()).saturating_sub(content.len() as u64);
        if past > 0 {
            return Err(problem(format!("ends {past} bytes past the file")));
        }
        let offset = offset as usize;
        if content[free..offset].iter().any(|&byte| byte != 0) {
            return Err(problem("has something before it".to_owned()));
        }
        free = offset + entry.length() as usize;
        if let Some(section) = known {
            let records = fit(
                content,
                offset..free,
                entry.stride.get() as usize,
                section.first_record_length(),
                section.record_length(),
            );
            let short = || problem("has records that are too short".to_owned());
            sections[section as usize] = records.ok_or_else(short)?;
        }
    }
    if free != content.len() {
        return Err(wrong_toc("does not list all of the file"));
    }
    Ok(sections)
}

/// The records of a section as this build knows them: of longer ones their beginnings, shorter ones filled
/// up with zeros; none if they are shorter than the first version's.
fn fit(
    content: &[u8],
    section: std::ops::Range<usize>,
    stride: usize,
    first: usize,
    known: usize,
) -> Option<Records> {
    if stride == known {
        return Some(Records::Here(section));
    }
    if stride < first {
        return None;
    }
    let records = content[section].chunks_exact(stride);
    let mut fitted = Vec::with_capacity(records.len() * known);
    for record in records {
        fitted.extend_from_slice(&record[..stride.min(known)]);
        fitted.resize(fitted.len() + known.saturating_sub(stride), 0);
    }
    Some(Records::Copied(fitted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(stride: usize, first: usize, known: usize) -> Option<Vec<u8>> {
        match fit(b"-abcabc", 1..7, stride, first, known)? {
            Records::Here(range) => Some(b"-abcabc"[range].to_vec()),
            Records::Copied(bytes) => Some(bytes),
        }
    }

    #[test]
    fn records_of_other_minor_versions_are_cut_or_filled_up() {
        assert_eq!(fitted(3, 2, 3).as_deref(), Some(&b"abcabc"[..]));
        assert_eq!(fitted(3, 2, 2).as_deref(), Some(&b"abab"[..]));
        assert_eq!(fitted(3, 2, 5).as_deref(), Some(&b"abc\0\0abc\0\0"[..]));
        assert_eq!(fitted(3, 4, 5), None);
    }
}

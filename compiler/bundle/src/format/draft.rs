//! What the compiler fills, and how it becomes bytes.
//!
//! Nothing here depends on time, place or the order of a hash map: the same draft gives the same
//! bytes.

use super::container::{ALIGNMENT, HEADER_LENGTH, Header, MAGIC, MAJOR, MINOR, TocEntry, seal};
use super::section::for_each_section;
use super::{Section, StrId, record::*};
use std::collections::HashMap;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{Immutable, IntoBytes};

macro_rules! draft {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $record:ty, $all:ident, $one:ident;)*) => {
        /// The sections of a bundle to be.
        #[derive(Debug, Default)]
        pub struct Draft {
            strings: HashMap<Box<[u8]>, StrId>,
            string_offsets: Vec<U32>,
            string_bytes: Vec<u8>,
            /// What holds for the whole mesh.
            pub mesh: Mesh,
            $($(#[$doc])* pub $all: Vec<$record>,)*
        }

        impl Draft {
            /// A section's bytes and its stride.
            fn section(&self, section: Section) -> (&[u8], usize) {
                fn records<R: IntoBytes + Immutable>(records: &[R]) -> (&[u8], usize) {
                    (records.as_bytes(), size_of::<R>())
                }
                match section {
                    Section::Mesh => records(std::slice::from_ref(&self.mesh)),
                    Section::StringOffsets => records(&self.string_offsets),
                    Section::StringBytes => records(&self.string_bytes),
                    $(Section::$variant => records(&self.$all),)*
                }
            }
        }
    };
}
for_each_section!(draft);

/// Appends records and says which they are.
pub fn extend<R>(section: &mut Vec<R>, records: impl IntoIterator<Item = R>) -> Run<R> {
    let start = section.len();
    section.extend(records);
    Run::new(start as u32, (section.len() - start) as u32)
}

impl Draft {
    /// Puts a string into the pool, once.
    pub fn string(&mut self, text: &str) -> StrId {
        self.bytes(text.as_bytes())
    }

    /// Puts bytes into the pool, once.
    pub fn bytes(&mut self, bytes: &[u8]) -> StrId {
        if let Some(&id) = self.strings.get(bytes) {
            return id;
        }
        let id = StrId::new(self.string_offsets.len() as u32);
        self.string_offsets
            .push(U32::new(self.string_bytes.len() as u32));
        self.string_bytes.extend_from_slice(bytes);
        self.strings.insert(bytes.into(), id);
        id
    }

    /// The bytes of a string in the pool.
    pub fn text(&self, id: StrId) -> &[u8] {
        let start = self.string_offsets[id.index()].get() as usize;
        let end = self
            .string_offsets
            .get(id.index() + 1)
            .map_or(self.string_bytes.len(), |offset| offset.get() as usize);
        &self.string_bytes[start..end]
    }

    /// Lays everything out and hashes it.
    pub fn finish(mut self) -> Vec<u8> {
        self.string_offsets
            .push(U32::new(self.string_bytes.len() as u32));
        let sections = Section::ALL
            .iter()
            .map(|&section| (section, self.section(section)));
        let sections: Vec<_> = sections
            .filter(|(_, (bytes, _))| !bytes.is_empty())
            .collect();

        let mut at = HEADER_LENGTH + sections.len() * size_of::<TocEntry>();
        let mut toc = Vec::with_capacity(sections.len());
        for (section, (bytes, stride)) in &sections {
            at = at.next_multiple_of(ALIGNMENT);
            toc.push(TocEntry {
                section: U32::new(section.number()),
                flags: U32::new(section.flags()),
                offset: U32::new(at as u32),
                stride: U32::new(*stride as u32),
                count: U32::new((bytes.len() / stride) as u32),
            });
            at += bytes.len();
        }

        let header = Header {
            magic: MAGIC,
            major: U16::new(MAJOR),
            minor: U16::new(MINOR),
            section_count: U32::new(sections.len() as u32),
            content_length: U64::ZERO,
            total_length: U64::ZERO,
            hash: [0; 32],
        };
        let mut content = Vec::with_capacity(at);
        content.extend_from_slice(header.as_bytes());
        content.extend_from_slice(toc.as_bytes());
        for (entry, (_, (bytes, _))) in toc.iter().zip(&sections) {
            content.resize(entry.offset.get() as usize, 0);
            content.extend_from_slice(bytes);
        }
        seal(&mut content);
        content
    }
}

//! What the compiler fills, and how it becomes bytes.
//!
//! Nothing here depends on time, place or the order of a hash map: the same draft gives the same
//! bytes.

use super::container::{ALIGNMENT, HEADER_LENGTH, Header, MAGIC, MAJOR, MINOR, TocEntry};
use super::{Section, StrId, content_hash, record::*};
use std::collections::HashMap;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{Immutable, IntoBytes};

/// The sections of a bundle to be.
#[derive(Debug, Default)]
pub struct Draft {
    strings: HashMap<Box<[u8]>, StrId>,
    string_offsets: Vec<U32>,
    string_bytes: Vec<u8>,
    /// What holds for the whole mesh.
    pub mesh: Vec<Mesh>,
    /// How it came to be.
    pub provenance: Vec<Provenance>,
    /// Gateways.
    pub gateways: Vec<Gateway>,
    /// Listeners, gateway by gateway.
    pub listeners: Vec<Listener>,
    /// Host blocks, gateway by gateway.
    pub host_blocks: Vec<HostBlock>,
    /// The host index.
    pub host_index: Vec<HostSlot>,
    /// Trusted proxies.
    pub cidrs: Vec<Cidr>,
    /// Services.
    pub services: Vec<Service>,
    /// Versions, service by service.
    pub versions: Vec<Version>,
    /// Endpoints, service by service and version by version.
    pub endpoints: Vec<Endpoint>,
    /// Calls, service by service, ordered by target.
    pub calls: Vec<Call>,
    /// Timeouts by level.
    pub timeouts: Vec<Timeouts>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Arms, table by table.
    pub arms: Vec<Arm>,
    /// Shares of splits.
    pub shares: Vec<Share>,
    /// Redirects.
    pub redirects: Vec<Redirect>,
    /// Facets, table by table.
    pub facets: Vec<Facet>,
    /// Slots of literals.
    pub literals: Vec<Literal>,
    /// Byte automata.
    pub automata: Vec<Automaton>,
    /// Their transitions.
    pub transitions: Vec<U32>,
    /// Bounds.
    pub bounds: Vec<Bound>,
    /// Path automata.
    pub path_automata: Vec<PathAutomaton>,
    /// Their states.
    pub path_states: Vec<PathState>,
    /// Their edges.
    pub path_edges: Vec<PathEdge>,
    /// Their partial segments.
    pub path_partials: Vec<U32>,
    /// Roots of path classes.
    pub path_classes: Vec<PathClass>,
    /// Diagrams.
    pub code: Vec<U32>,
}

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
                version: U16::ZERO,
                flags: U16::ZERO,
                offset: U64::new(at as u64),
                length: U64::new(bytes.len() as u64),
                stride: U32::new(*stride as u32),
                count: U32::new((bytes.len() / stride) as u32),
            });
            at += bytes.len();
        }

        let mut header = Header {
            magic: MAGIC,
            major: U16::new(MAJOR),
            minor: U16::new(MINOR),
            section_count: U32::new(sections.len() as u32),
            total_length: U64::new(at as u64),
            hashed_length: U64::new(at as u64),
            hash: [0; 32],
        };
        let mut file = Vec::with_capacity(at);
        file.extend_from_slice(header.as_bytes());
        file.extend_from_slice(toc.as_bytes());
        for (entry, (_, (bytes, _))) in toc.iter().zip(&sections) {
            file.resize(entry.offset.get() as usize, 0);
            file.extend_from_slice(bytes);
        }
        header.hash = content_hash(&file, at);
        file[..HEADER_LENGTH].copy_from_slice(header.as_bytes());
        file
    }

    /// A section's bytes and its stride.
    fn section(&self, section: Section) -> (&[u8], usize) {
        fn records<R: IntoBytes + Immutable>(records: &[R]) -> (&[u8], usize) {
            (records.as_bytes(), size_of::<R>())
        }
        match section {
            Section::Mesh => records(&self.mesh),
            Section::StringOffsets => records(&self.string_offsets),
            Section::StringBytes => records(&self.string_bytes),
            Section::Provenance => records(&self.provenance),
            Section::Gateways => records(&self.gateways),
            Section::Listeners => records(&self.listeners),
            Section::HostBlocks => records(&self.host_blocks),
            Section::HostIndex => records(&self.host_index),
            Section::Cidrs => records(&self.cidrs),
            Section::Services => records(&self.services),
            Section::Versions => records(&self.versions),
            Section::Endpoints => records(&self.endpoints),
            Section::Calls => records(&self.calls),
            Section::Timeouts => records(&self.timeouts),
            Section::Tables => records(&self.tables),
            Section::Arms => records(&self.arms),
            Section::Shares => records(&self.shares),
            Section::Redirects => records(&self.redirects),
            Section::Facets => records(&self.facets),
            Section::Literals => records(&self.literals),
            Section::Automata => records(&self.automata),
            Section::Transitions => records(&self.transitions),
            Section::Bounds => records(&self.bounds),
            Section::PathAutomata => records(&self.path_automata),
            Section::PathStates => records(&self.path_states),
            Section::PathEdges => records(&self.path_edges),
            Section::PathPartials => records(&self.path_partials),
            Section::PathClasses => records(&self.path_classes),
            Section::Code => records(&self.code),
        }
    }
}

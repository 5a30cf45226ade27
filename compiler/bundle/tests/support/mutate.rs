// Bundles that are wrong in one place and right in form: what a mutator that knows the format makes of a bundle.
// Ordinary tests and fuzzers include this file.

use mesh_bundle::format::layout::FieldType;
use mesh_bundle::format::{ALIGNMENT, HEADER_LENGTH, Section, TocEntry, seal};
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes as _, IntoBytes as _};

/// A bundle taken apart: its header, and its sections with their entries.
struct Parts {
    header: Vec<u8>,
    sections: Vec<(TocEntry, Vec<u8>)>,
}

impl Parts {
    /// Of whatever looks like a bundle.
    fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_LENGTH)?.to_vec();
        let count = u32::from_le_bytes(header[12..16].try_into().ok()?) as usize;
        let toc = bytes.get(HEADER_LENGTH..)?;
        let toc = toc.get(..count.checked_mul(size_of::<TocEntry>())?)?;
        let toc = <[TocEntry]>::ref_from_bytes(toc).ok()?;
        let section = |entry: &TocEntry| {
            let start = entry.offset.get() as usize;
            let end = start.checked_add(usize::try_from(entry.length()).ok()?)?;
            Some((*entry, bytes.get(start..end)?.to_vec()))
        };
        let sections = toc.iter().map(section).collect::<Option<Vec<_>>>()?;
        Some(Self { header, sections })
    }

    /// Put together again, each section where it belongs, with the right hash.
    fn write(mut self) -> Vec<u8> {
        let mut end = HEADER_LENGTH + self.sections.len() * size_of::<TocEntry>();
        for (entry, bytes) in &mut self.sections {
            let offset = end.next_multiple_of(ALIGNMENT);
            entry.offset = U32::new(offset as u32);
            end = offset + bytes.len();
        }
        let mut file = self.header;
        file[12..16].copy_from_slice(&(self.sections.len() as u32).to_le_bytes());
        for (entry, _) in &self.sections {
            file.extend_from_slice(entry.as_bytes());
        }
        for (entry, bytes) in &self.sections {
            file.resize(entry.offset.get() as usize, 0);
            file.extend_from_slice(bytes);
        }
        seal(&mut file);
        file
    }

    /// How many records a section has.
    fn count(&self, section: Section) -> u32 {
        let mut entries = self.sections.iter();
        let found = entries.find(|(entry, _)| entry.section.get() == section.number());
        found.map_or(0, |(entry, _)| entry.count.get())
    }
}

/// Changes one thing of a bundle; `random` says which, and how. `None` where there is nothing to change.
pub fn mutate(bytes: &[u8], random: &mut impl FnMut() -> u32) -> Option<Vec<u8>> {
    let mut parts = Parts::read(bytes)?;
    let below = |random: &mut dyn FnMut() -> u32, limit: usize| random() as usize % limit.max(1);
    let at = below(random, parts.sections.len());
    let (entry, _) = parts.sections.get(at)?;
    let stride = entry.stride.get() as usize;
    let count = entry.count.get() as usize;
    let number = entry.section.get();
    let record = below(random, count) * stride;
    match random() % 16 {
        // A section without its last record, or without any.
        0 if count > 1 => {
            let (entry, bytes) = &mut parts.sections[at];
            entry.count = U32::new(count as u32 - 1);
            bytes.truncate((count - 1) * stride);
        }
        0 => drop(parts.sections.remove(at)),
        // A record twice, in place of another or at the end.
        1 => {
            let copy = parts.sections[at].1.get(record..record + stride)?.to_vec();
            let to = below(random, count) * stride;
            parts.sections[at]
                .1
                .get_mut(to..to + stride)?
                .copy_from_slice(&copy);
        }
        2 => {
            let (entry, bytes) = &mut parts.sections[at];
            let copy = bytes.get(record..record + stride)?.to_vec();
            bytes.extend_from_slice(&copy);
            entry.count = U32::new((count as u32).wrapping_add(1));
        }
        // Two records that change places.
        3 => {
            let other = below(random, count) * stride;
            let bytes = &mut parts.sections[at].1;
            if bytes.len() < record.max(other) + stride {
                return None;
            }
            (0..stride).for_each(|byte| bytes.swap(record + byte, other + byte));
        }
        // Another stride, for the same bytes.
        4 if count.is_multiple_of(2) => {
            let (entry, _) = &mut parts.sections[at];
            entry.stride = U32::new((stride as u32).wrapping_mul(2));
            entry.count = U32::new(count as u32 / 2);
        }
        // A section that nobody knows.
        5 => {
            let mut entry = parts.sections.last()?.0;
            entry.section = U32::new(entry.section.get().saturating_add(1 + random() % 100));
            entry.flags = U32::new(random() % 3);
            (entry.stride, entry.count) = (U32::new(1), U32::new(8));
            parts.sections.push((entry, vec![7; 8]));
        }
        // A field.
        _ => {
            let section = Section::from_number(number)?;
            let fields = section.fields();
            if fields.is_empty() {
                let byte = parts.sections[at].1.get_mut(record)?;
                *byte ^= 1 << (random() % 8);
            } else {
                let field = fields[below(random, fields.len())];
                let limit = match field.kind {
                    FieldType::String => parts.count(Section::StringOffsets),
                    FieldType::Id(Some(of))
                    | FieldType::Run(Some(of))
                    | FieldType::Choice(Some(of)) => parts.count(of),
                    _ => 256,
                };
                let start = record + field.offset;
                let bytes = parts.sections[at].1.get_mut(start..start + field.length)?;
                change(bytes, limit, random);
            }
        }
    }
    Some(parts.write())
}

/// Gives a field another value, often one that is just right or just wrong.
fn change(field: &mut [u8], limit: u32, random: &mut impl FnMut() -> u32) {
    // Runs, settings and choices are several words.
    let words = field.len() / 4;
    let field = match words {
        0 | 1 => field,
        words => {
            let word = random() as usize % words;
            &mut field[word * 4..word * 4 + 4]
        }
    };
    let mut old = [0; 4];
    old[..field.len().min(4)].copy_from_slice(&field[..field.len().min(4)]);
    let old = u32::from_le_bytes(old);
    let new = match random() % 10 {
        0 => 0,
        1 => u32::MAX,
        2 => u32::MAX - 1,
        3 => limit,
        4 => limit.wrapping_sub(1),
        5 => old.wrapping_add(1),
        6 => old.wrapping_sub(1),
        7 => old ^ (1 << (random() % 32)),
        8 => random(),
        _ => random() % limit.max(1),
    };
    let length = field.len().min(4);
    field[..length].copy_from_slice(&new.to_le_bytes()[..length]);
}

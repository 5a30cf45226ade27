//! What opening checks inside the sections, so that reading afterwards cannot fail.
//!
//! One linear pass: every id lies in its section, every enumeration is known, every bit has a meaning, every
//! run that is walked starts where the one before it ended and the last ends with its section (so that
//! nothing is walked twice and nothing is left out), every edge of a diagram leads backwards, and no way
//! through a diagram asks more often than there are facets.

mod classifiers;
mod credentials;
mod diagrams;
mod gateways;
mod mesh;
mod policies;
mod samples;
mod services;
mod tables;

use super::open::wrong;
use super::{Bundle, MAX_TEMPLATE_PARTS, OpenError, Section, record::*};
use crate::route::WHOLE;
use zerocopy::{Immutable, IntoBytes};

type Checked = Result<(), OpenError>;

/// Probes that a hash table may need.
const MAX_PROBE: u32 = 64;

pub(super) fn validate(bundle: &Bundle) -> Checked {
    if bundle.section_bytes(Section::Mesh).len() != size_of::<Mesh>() {
        return Err(wrong(Section::Mesh, "does not hold one record"));
    }
    check_strings(bundle)?;
    let mut check = Checker {
        bundle,
        text: vec![false; bundle.string_count()],
    };
    check.mesh()?;
    check.provenance()?;
    check.needs()?;
    check.credentials()?;
    check.policies()?;
    check.spreads()?;
    check.gateways()?;
    check.host_index()?;
    check.services()?;
    check.samples()?;
    check.redirects()?;
    check.classifiers()?;
    check.authzs()?;
    check.tables()
}

fn check_strings(bundle: &Bundle) -> Checked {
    let offsets = bundle.string_offsets();
    let length = bundle.section_bytes(Section::StringBytes).len();
    let sorted = offsets.is_sorted_by_key(|offset| offset.get());
    let first = offsets.first().map_or(0, |offset| offset.get());
    let last = offsets.last().map_or(0, |offset| offset.get());
    if !sorted || first != 0 || last as usize != length {
        return Err(wrong(Section::StringOffsets, "does not tile the strings"));
    }
    Ok(())
}

struct Checker<'b> {
    bundle: &'b Bundle,
    /// Strings found to be UTF-8.
    text: Vec<bool>,
}

/// Where the next run of a section must start.
#[derive(Default)]
struct Tiling(usize);

impl Tiling {
    fn next<R>(&mut self, run: Run<R>, records: &[R], section: Section) -> Checked {
        if run.is_empty() {
            return run_within(run, records, section); // nothing, wherever that would start
        }
        if run.start() != self.0 || run.range().end > records.len() {
            return Err(wrong(section, "has a run that is out of place"));
        }
        self.0 = run.range().end;
        Ok(())
    }

    /// After the last run nothing may be left: nobody would have looked at it.
    fn end<R>(&self, records: &[R], section: Section) -> Checked {
        ensure(
            self.0 == records.len(),
            section,
            "has records that are nobody's",
        )
    }
}

fn within<R>(id: Id<R>, records: &[R], section: Section) -> Checked {
    if id.index() < records.len() {
        Ok(())
    } else {
        Err(wrong(section, format!("has no record {}", id.index())))
    }
}

fn opt_within<R>(id: Id<R>, records: &[R], section: Section) -> Checked {
    id.some().map_or(Ok(()), |id| within(id, records, section))
}

fn run_within<R>(run: Run<R>, records: &[R], section: Section) -> Checked {
    if run.range().end <= records.len() {
        Ok(())
    } else {
        Err(wrong(section, "has a run past its end"))
    }
}

/// A template is looked through for each arm that it stands in: it is short.
fn template_within(run: Run<TemplatePart>, bundle: &Bundle) -> Checked {
    run_within(run, bundle.template_parts(), Section::TemplateParts)?;
    let short = run.len() <= MAX_TEMPLATE_PARTS;
    ensure(
        short,
        Section::TemplateParts,
        "has a template that is too long",
    )
}

fn ensure(holds: bool, section: Section, what: &'static str) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(wrong(section, what))
    }
}

/// A value that a level says or does not say, or says `off`, is among these.
fn said(setting: Setting, fits: impl Fn(u32) -> bool, section: Section) -> Checked {
    ensure(
        setting.get().is_none_or(fits),
        section,
        "has a value out of range",
    )
}

/// What is wrong with bytes that are there and mean nothing.
const SPARE: &str = "has something where nothing is due";

/// Whether an empty slot is the one that there is: nothing hides in it.
fn is_empty<R: IntoBytes + Immutable>(slot: &R, empty: &R) -> bool {
    slot.as_bytes() == empty.as_bytes()
}

fn is_flag(value: u32) -> bool {
    value <= 1
}

fn is_share(value: u32) -> bool {
    value <= WHOLE
}

/// Whether text may stand in a header of a response: visible ASCII.
fn is_header_safe(text: &str) -> bool {
    text.bytes().all(|byte| (0x21..0x7f).contains(&byte))
}

/// RFC 9110 §5.5: no control characters but the tab.
fn is_header_value(text: &str) -> bool {
    text.chars().all(|char| char == '\t' || !char.is_control())
}

/// RFC 9110 §5.6.2, lower case.
fn is_lower_token(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_digit() || byte.is_ascii_lowercase() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    !text.is_empty() && text.bytes().all(allowed)
}

impl<'b> Checker<'b> {
    fn text(&mut self, id: StrId, section: Section) -> Result<&'b str, OpenError> {
        let Some(known) = self.text.get_mut(id.index()) else {
            return Err(wrong(section, "names a string that is not there"));
        };
        if !*known {
            let bytes = self.bundle.str_bytes(id);
            if std::str::from_utf8(bytes).is_err() {
                return Err(wrong(section, "names a string that is no text"));
            }
            *known = true;
        }
        Ok(self.bundle.str(id))
    }

    fn opt_text(&mut self, id: StrId, section: Section) -> Result<Option<&'b str>, OpenError> {
        id.some().map(|id| self.text(id, section)).transpose()
    }

    fn bytes(&self, id: StrId, section: Section) -> Checked {
        let known = id.index() < self.text.len();
        ensure(known, section, "names a string that is not there")
    }

    fn location(&mut self, location: Location, section: Section) -> Checked {
        self.opt_text(location.file, section).map(drop)
    }

    fn opt_policy(&self, id: Id<Policy>) -> Checked {
        opt_within(id, self.bundle.policies(), Section::Policies)
    }

    fn setting(&mut self, setting: Setting, section: Section) -> Checked {
        self.location(setting.location, section)
    }

    fn settings<const N: usize>(&mut self, all: [Setting; N], section: Section) -> Checked {
        all.into_iter()
            .try_for_each(|setting| self.setting(setting, section))
    }

    fn choice<R>(&mut self, choice: Choice<R>, records: &[R], section: Section) -> Checked {
        self.location(choice.location, section)?;
        match choice.chosen() {
            Chosen::NotSaid | Chosen::Off => Ok(()),
            Chosen::On(id) => within(id, records, section),
        }
    }

    fn provider(&self, kind: u8, provider: u32, section: Section) -> Checked {
        let count = match kind {
            0 => self.bundle.jwts().len(),
            1 => self.bundle.keys().len(),
            _ => return Err(wrong(section, "names a credential not known here")),
        };
        ensure(
            (provider as usize) < count,
            section,
            "names a credential that is not there",
        )
    }
}

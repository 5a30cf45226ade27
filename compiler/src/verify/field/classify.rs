//! The classes of values, as the decision code will find them.

use super::{Chosen, Classifier, Facet, Fields, Of, Value, Word};
use crate::plan::formula::ClassSet;
use crate::verify::classes::{self, has};
use crate::verify::domain::Domain;
use mesh_bundle::classify::{ABSENT, FIRST, OTHER, bounds};
use mesh_bundle::format::FieldKind;
use std::rc::Rc;

impl Fields {
    /// A value with all its classes.
    pub(super) fn chosen(&self, group: usize, value: Value) -> Rc<Chosen> {
        let facets = self.groups[group].facets.iter();
        let classes = facets.map(|&facet| self.class(&self.facets[facet as usize], &value));
        let classes = classes.collect();
        Rc::new(Chosen { value, classes })
    }

    /// A text with all its classes.
    pub(super) fn word(&self, group: usize, part: usize, text: &[u8]) -> Word {
        let facets = self.groups[group].parts[part].facets.iter();
        let classes = facets.map(|&facet| self.class_of_text(&self.facets[facet as usize], text));
        Word {
            classes: classes.collect(),
            text: text.into(),
        }
    }

    /// The class of a value in a facet of its group.
    fn class(&self, facet: &Facet, value: &Value) -> u32 {
        match value {
            Value::Absent => ABSENT,
            Value::Text(text) => self.class_of_text(facet, text),
            Value::Caller(caller) if facet.field == FieldKind::SourceNamespace => {
                match caller.split_once('/') {
                    Some((namespace, _)) => self.class_of_text(facet, namespace.as_bytes()),
                    None => ABSENT,
                }
            }
            Value::Caller(caller) => self.class_of_text(facet, caller.as_bytes()),
            Value::Door(door) if facet.field == FieldKind::Port => {
                class_of_number(facet, door.port.into())
            }
            Value::Door(door) => self.class_of_text(facet, door.scheme().as_bytes()),
            Value::Address(number) => class_of_number(facet, *number),
            Value::List(members) => class_of_list(facet, members),
            Value::Token(claims) => match &facet.claim {
                None => self.class_of_text(facet, b""),
                Some(claim) => {
                    let found = claims.iter().find(|(known, _)| known == claim);
                    found.map_or(ABSENT, |(_, value)| self.class(facet, value))
                }
            },
        }
    }

    pub(super) fn class_of_text(&self, facet: &Facet, text: &[u8]) -> u32 {
        let yes = |is| if is { FIRST } else { OTHER };
        match &facet.classifier {
            Classifier::Literals(values) => values
                .binary_search_by(|value| value.as_bytes().cmp(text))
                .map_or(OTHER, |index| FIRST + index as u32),
            Classifier::Language(language) => yes(language.accepts(text)),
            Classifier::Decimal(_) => {
                bounds::decimal(text).map_or(OTHER, |number| class_of_number(facet, number))
            }
            Classifier::Bounds(_) => class_of_number(facet, segments(text).count() as u128),
            Classifier::Tail => self
                .tails
                .as_ref()
                .map_or(OTHER, |tails| tails.segments.class(segments(text).rev())),
            Classifier::Member(member, _) => {
                let mut members = text.split(|byte| *byte == b' ');
                yes(members.any(|one| one == member.as_bytes()))
            }
        }
    }

    /// The classes that text, or its absence, can have in a facet.
    pub(super) fn classes_of_text(&self, of: &Of, domain: Domain, facet: &Facet) -> ClassSet {
        let never = match of {
            Of::Cookie(name) => !is_cookie_name(name),
            Of::Certificate => !self.world.certificates,
            _ => false,
        };
        if never {
            return classes::only(vec![ABSENT]);
        }
        let absent = domain.is_optional().then_some(ABSENT);
        match &facet.classifier {
            Classifier::Literals(values) => {
                let numbered = (FIRST..).zip(values);
                let without = numbered.filter(|(_, value)| !domain.has(value.as_bytes()));
                let missing = absent.is_none().then_some(ABSENT);
                let without = without.map(|(class, _)| class);
                classes::all_but(missing.into_iter().chain(without).collect())
            }
            Classifier::Language(_) | Classifier::Member(..) => {
                let named = [Some(OTHER), absent, Some(FIRST)];
                classes::only(named.into_iter().flatten().collect())
            }
            Classifier::Decimal(bounds) => {
                let numbers = (FIRST..).zip(bounds).map(|(class, _)| class);
                let named = [Some(OTHER), absent].into_iter().flatten();
                classes::only(named.chain(numbers).collect())
            }
            // Only the number of segments is both: there is at least one.
            Classifier::Bounds(bounds) => {
                let ends = bounds.iter().skip(1).map(Some).chain([None]);
                let some = (FIRST..).zip(ends);
                let some = some.filter(|(_, end)| end.is_none_or(|end| *end > 1));
                classes::only(some.map(|(class, _)| class).collect())
            }
            Classifier::Tail => match &self.tails {
                Some(tails) => tails.segments.all(),
                None => classes::only(Vec::new()),
            },
        }
    }

    /// Whether a text has these classes.
    pub(super) fn text_fits(&self, text: &[u8], asked: super::Asked<'_>) -> bool {
        asked.iter().all(|(facet, set)| {
            let facet = &self.facets[*facet as usize];
            has(set, self.class_of_text(facet, text))
        })
    }
}

/// A list has members; of the names of a certificate each is text, too.
fn class_of_list(facet: &Facet, members: &[Box<[u8]>]) -> u32 {
    let any = match &facet.classifier {
        Classifier::Member(wanted, _) => {
            members.iter().any(|member| **member == *wanted.as_bytes())
        }
        Classifier::Language(language) if facet.field == FieldKind::ClientCertSan => {
            members.iter().any(|member| language.accepts(member))
        }
        _ => false,
    };
    if any { FIRST } else { OTHER }
}

/// The class of a number: that of the last bound at or below it.
fn class_of_number(facet: &Facet, number: u128) -> u32 {
    let (Classifier::Bounds(bounds) | Classifier::Decimal(bounds)) = &facet.classifier else {
        return OTHER;
    };
    match bounds.partition_point(|bound| *bound <= number) as u32 {
        0 => OTHER,
        above => FIRST + above - 1,
    }
}

/// The segments of a path.
pub(super) fn segments(path: &[u8]) -> std::str::Split<'_, char> {
    let path = std::str::from_utf8(path).unwrap_or_default();
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// Whether a pair in a `Cookie` header can have this name.
fn is_cookie_name(name: &str) -> bool {
    let carried = |byte: u8| byte == b'\t' || (b' '..0x7f).contains(&byte) || byte >= 0x80;
    name.bytes().all(|byte| carried(byte) && byte != b';') && !name.starts_with([' ', '\t'])
}

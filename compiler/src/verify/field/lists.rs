//! Lists of texts: the names of a certificate, the claims of a token.

use super::text::taken;
use super::{Asked, Classifier, Effort, Fields, Taken, Value};
use crate::plan::formula::ClassSet;
use crate::verify::budget::Budget;
use crate::verify::classes::{self, has};
use crate::verify::domain::Domain;
use crate::verify::readers::{Language, NoneOf};
use crate::verify::word::Reader;
use mesh_bundle::classify::{ABSENT, FIRST, OTHER};
use mesh_bundle::format::FieldKind;

/// The texts that have a member: words between single spaces. None where that makes no automaton.
pub(super) fn texts_with(member: &str) -> Option<Language> {
    if member.contains(' ') {
        return Language::of(r"[^\x00-\xff]"); // none has
    }
    let member = regex_syntax::escape(member);
    Language::of(&format!(r"(?s-u)(.* )?{member}( .*)?"))
}

impl Fields {
    /// The names of a client's certificate with these classes.
    pub(super) fn certificate(
        &self,
        group: usize,
        asked: Asked<'_>,
        effort: Effort,
        budget: &mut Budget,
    ) -> Taken<Value> {
        // Where all may be absent, that was tried before. A name for each that is wanted: one that has none of
        // what is not wanted, so that all of them can stand together.
        let mut wanted: Vec<u32> = Vec::new();
        let mut unwanted: Vec<(u32, ClassSet)> = Vec::new();
        for (facet, set) in asked {
            match (has(set, OTHER), has(set, FIRST)) {
                (true, true) => {}
                (true, false) => unwanted.push((*facet, classes::only(vec![OTHER]))),
                (false, true) => wanted.push(*facet),
                (false, false) => return Taken::Nothing,
            }
        }
        let mut names: Vec<Box<[u8]>> = Vec::new();
        for facet in wanted {
            let mut one = unwanted.clone();
            one.push((facet, classes::only(vec![FIRST])));
            one.sort_unstable_by_key(|(facet, _)| *facet);
            match self.name_in_certificate(group, &one, effort, budget) {
                Taken::Value(name) if names.contains(&name) => {}
                Taken::Value(name) => names.push(name),
                Taken::Nothing => return Taken::Nothing,
                Taken::GaveUp => return Taken::GaveUp,
            }
        }
        Taken::Value(Value::List(names))
    }

    /// A single name with these classes. As a member a name is the whole of it, spaces or not.
    fn name_in_certificate(
        &self,
        group: usize,
        asked: Asked<'_>,
        effort: Effort,
        budget: &mut Budget,
    ) -> Taken<Box<[u8]>> {
        let mut shapes = Vec::new();
        let mut is: Option<Box<[u8]>> = None;
        let mut is_not: Vec<Box<[u8]>> = Vec::new();
        for (facet, set) in asked {
            match &self.facets[*facet as usize].classifier {
                Classifier::Member(member, _) if has(set, FIRST) => {
                    is = Some(member.as_bytes().into());
                }
                Classifier::Member(member, _) => is_not.push(member.as_bytes().into()),
                _ => shapes.push((*facet, set.clone())),
            }
        }
        if let Some(name) = is {
            let fits = !is_not.contains(&name) && self.text_fits(&name, &shapes);
            return if fits {
                Taken::Value(name)
            } else {
                Taken::Nothing
            };
        }
        let mut seeds = self.seeds(group, 0).iter().map(|seed| &seed.text);
        let seed = seeds.find(|text| !is_not.contains(text) && self.text_fits(text, &shapes));
        if let Some(seed) = seed {
            return Taken::Value(seed.clone());
        }
        if effort == Effort::Guess {
            return Taken::GaveUp;
        }
        is_not.sort();
        let mut none_of = NoneOf::new(is_not.iter().map(|name| &**name).collect());
        let readers: &mut [&mut dyn Reader] = &mut [&mut none_of];
        taken(self.search(Domain::Characters, &shapes, readers, budget))
    }

    /// A token with claims of these classes.
    pub(super) fn token(
        &mut self,
        group: usize,
        asked: Asked<'_>,
        effort: Effort,
        budget: &mut Budget,
    ) -> Taken<Value> {
        let mut claims = Vec::new();
        for part in 0..self.groups[group].parts.len() {
            let facets = &self.groups[group].parts[part].facets;
            let own = asked.iter().filter(|(facet, _)| facets.contains(facet));
            let own: Vec<(u32, ClassSet)> = own.cloned().collect();
            if own.iter().all(|(_, set)| has(set, ABSENT)) {
                continue;
            }
            let name = self.groups[group].parts[part].claim.clone();
            let name = name.unwrap_or_default();
            match self.claim(group, part, &own, effort, budget) {
                Taken::Value(value) => claims.push((name, value)),
                Taken::Nothing => return Taken::Nothing,
                Taken::GaveUp => return Taken::GaveUp,
            }
        }
        // All that is left to ask is whether there is a token.
        let is_there = asked.iter().all(|(facet, set)| {
            let facet = &self.facets[*facet as usize];
            facet.field != FieldKind::Jwt || has(set, self.class_of_text(facet, b""))
        });
        if is_there {
            Taken::Value(Value::Token(claims))
        } else {
            Taken::Nothing
        }
    }

    /// A claim that is there, with these classes: a list if members are asked for, else a text.
    fn claim(
        &mut self,
        group: usize,
        part: usize,
        asked: Asked<'_>,
        effort: Effort,
        budget: &mut Budget,
    ) -> Taken<Value> {
        let asks_member = asked.iter().any(|(facet, set)| {
            let facet = &self.facets[*facet as usize];
            matches!(facet.classifier, Classifier::Member(..)) && !has(set, OTHER)
        });
        if asks_member && let Some(list) = self.list(asked) {
            return Taken::Value(list);
        }
        match self.text(group, part, asked, effort, budget) {
            Taken::Value(text) => Taken::Value(Value::Text(text)),
            other => match self.list(asked) {
                Some(list) => Taken::Value(list),
                None => other.map(Value::Text),
            },
        }
    }

    /// A list of the members that are asked for, if a list may be: it has no text to compare.
    fn list(&self, asked: Asked<'_>) -> Option<Value> {
        let mut members: Vec<Box<[u8]>> = Vec::new();
        for (facet, set) in asked {
            match &self.facets[*facet as usize].classifier {
                _ if has(set, OTHER) => {}
                Classifier::Member(member, _) if has(set, FIRST) => {
                    members.push(member.as_bytes().into());
                }
                _ => return None,
            }
        }
        Some(Value::List(members))
    }
}

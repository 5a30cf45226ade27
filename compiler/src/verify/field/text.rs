//! Texts: literals of the policy, words that read well, the product of the automata.

use super::{Asked, Classifier, Effort, Fields, Taken, Word};
use crate::verify::budget::Budget;
use crate::verify::classes::{self, has};
use crate::verify::domain::Domain;
use crate::verify::readers::{InLanguage, NoneOf, Sized};
use crate::verify::word::{self, Found, Reader};
use mesh_bundle::classify::{FIRST, OTHER};
use std::collections::BTreeSet;

/// Literals that are tried before a search.
const LITERALS: usize = 64;
/// Steps to look for a word that a pattern takes, to try it first.
const SEED_STEPS: u64 = 2_000;

impl Fields {
    /// A text of a part of a group with these classes.
    pub(super) fn text(
        &mut self,
        group: usize,
        part: usize,
        asked: Asked<'_>,
        effort: Effort,
        budget: &mut Budget,
    ) -> Taken<Box<[u8]>> {
        // Literals that are asked for are all that can be.
        let mut excluded: Vec<&[u8]> = Vec::new();
        for (facet, set) in asked {
            let Classifier::Literals(values) = &self.facets[*facet as usize].classifier else {
                continue;
            };
            let literal = |class: &u32| values.get(class.checked_sub(FIRST)? as usize);
            let mut named = set.named.iter().filter_map(literal).map(String::as_bytes);
            if set.others {
                excluded = named.collect();
                continue;
            }
            let fit = named.find(|text| self.text_fits(text, asked));
            return fit.map_or(Taken::Nothing, |text| Taken::Value(text.into()));
        }
        let facets = &self.groups[group].parts[part].facets;
        let place = |facet: u32| facets.iter().position(|known| *known == facet);
        let places: Vec<Option<usize>> = asked.iter().map(|(facet, _)| place(*facet)).collect();
        let fits = |word: &&Word| {
            let mut asked = asked.iter().zip(&places);
            asked.all(|((_, set), place)| place.is_some_and(|at| has(set, word.classes[at])))
        };
        if let Some(word) = self.seeds(group, part).iter().find(fits) {
            return Taken::Value(word.text.clone());
        }

        let key = (asked.to_vec(), Vec::new());
        if let Some(known) = self.searched.get(&key) {
            return known.clone();
        }
        if effort == Effort::Guess {
            return Taken::GaveUp;
        }
        let domain = self.groups[group].parts[part].domain;
        let mut none_of = NoneOf::new(excluded);
        let taken = taken(self.search(domain, asked, &mut [&mut none_of], budget));
        self.searched.insert(key, taken.clone());
        taken
    }

    /// Searches for a word of the domain that `more` readers accept, and has what is asked of languages, members
    /// and numbers.
    pub(super) fn search(
        &self,
        domain: Domain,
        asked: Asked<'_>,
        more: &mut [&mut dyn Reader],
        budget: &mut Budget,
    ) -> Found {
        let mut domain_reader = domain.language().map(|language| InLanguage {
            language,
            wanted: true,
        });
        let mut languages = Vec::new();
        let mut sizes = Vec::new();
        for (facet, set) in asked {
            let language = match &self.facets[*facet as usize].classifier {
                Classifier::Language(language) => language,
                Classifier::Member(_, Some(texts)) => texts,
                Classifier::Member(_, None) => return Found::GaveUp,
                Classifier::Decimal(bounds) => {
                    sizes.push(Sized::new(bounds, set));
                    continue;
                }
                Classifier::Literals(_) | Classifier::Bounds(_) | Classifier::Tail => continue,
            };
            match (has(set, OTHER), has(set, FIRST)) {
                (true, true) => {}
                (false, false) => return Found::Nothing, // only absence is left
                (_, wanted) => languages.push(InLanguage { language, wanted }),
            }
        }
        let mut readers: Vec<&mut dyn Reader> = Vec::new();
        readers.extend(domain_reader.iter_mut().map(|it| it as &mut dyn Reader));
        readers.extend(languages.iter_mut().map(|it| it as &mut dyn Reader));
        readers.extend(sizes.iter_mut().map(|it| it as &mut dyn Reader));
        for reader in more {
            readers.push(&mut **reader);
        }
        let longest = domain.longest();
        word::search(&mut readers, longest, |word| domain.fits(word), budget)
    }

    /// Words to try before a search: literals, what the policy's patterns and numbers bring up, what reads well.
    pub(super) fn seeds(&self, group: usize, part: usize) -> &[Word] {
        let it = &self.groups[group].parts[part];
        it.seeds.get_or_init(|| {
            let mut words: Vec<Vec<u8>> = Vec::new();
            let mut literals: Vec<Vec<u8>> = Vec::new();
            for &facet in &it.facets {
                match &self.facets[facet as usize].classifier {
                    Classifier::Language(_) => {
                        let mut budget = Budget::new(SEED_STEPS, SEED_STEPS);
                        let asked = [(facet, classes::only(vec![FIRST]))];
                        let found = self.search(it.domain, &asked, &mut [], &mut budget);
                        if let Found::Word(word) = found {
                            words.push(word);
                        }
                    }
                    Classifier::Decimal(bounds) => {
                        let bounds = bounds.iter().filter_map(|bound| u64::try_from(*bound).ok());
                        let bounds = bounds.map(|bound| (bound ^ 1 << 63).cast_signed());
                        let bounds = bounds.filter(|bound| *bound != i64::MIN);
                        let near = bounds.flat_map(|bound| [bound, bound.saturating_sub(1)]);
                        words.extend(near.map(|number| number.to_string().into_bytes()));
                    }
                    Classifier::Literals(values) => {
                        let first = values.iter().take(LITERALS);
                        literals.extend(first.map(|value| value.clone().into_bytes()));
                    }
                    Classifier::Member(member, _) => words.push(member.clone().into_bytes()),
                    Classifier::Bounds(_) | Classifier::Tail => {}
                }
            }
            let usual = it.domain.usual().iter();
            let usual = usual.map(|word| word.as_bytes().to_vec());
            let all = if it.domain == Domain::Method {
                usual.chain(literals).chain(words).collect()
            } else {
                [literals, words, usual.collect()].concat()
            };
            let mut known = BTreeSet::new();
            all.into_iter()
                .filter(|word| it.domain.has(word))
                .map(|word| self.word(group, part, &word))
                .filter(|word| known.insert(word.classes.clone()))
                .collect()
        })
    }
}

pub(super) fn taken(found: Found) -> Taken<Box<[u8]>> {
    match found {
        Found::Word(word) => Taken::Value(word.into()),
        Found::Nothing => Taken::Nothing,
        Found::GaveUp => Taken::GaveUp,
    }
}

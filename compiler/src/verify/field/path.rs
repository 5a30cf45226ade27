//! Paths: of certain classes, with certain tails, lengths and texts.

use super::classify::segments;
use super::text::taken;
use super::{Asked, Cell, Classifier, Effort, Fields, Taken, Value};
use crate::verify::budget::Budget;
use crate::verify::domain::Domain;
use crate::verify::path_readers::{OfClass, OfLength, OfTail};
use crate::verify::word::{Found, Reader, Remembering};

/// Classes whose shortest paths are looked at before a search.
const CANDIDATES: usize = 16;
/// Of so many of these, and with so many tails, is it tried whether they go together.
const TAILS: usize = 4;
/// Cells of more classes are not remembered with what was found in them.
const REMEMBERED: usize = 4;

impl Fields {
    /// A path of a cell with these classes.
    pub(super) fn path(
        &mut self,
        asked: Asked<'_>,
        cell: &Cell,
        effort: Effort,
        budget: &mut Budget,
    ) -> Taken {
        self.path_text(asked, cell, effort, budget)
            .map(|path| self.chosen(self.path_group as usize, Value::Text(path)))
    }

    fn path_text(
        &mut self,
        asked: Asked<'_>,
        cell: &Cell,
        effort: Effort,
        budget: &mut Budget,
    ) -> Taken<Box<[u8]>> {
        let candidates = self.paths(cell);
        let fits = |path: &&String| self.text_fits(path.as_bytes(), asked);
        if let Some(path) = candidates.iter().find(fits) {
            return Taken::Value(path.as_bytes().into());
        }
        if cell
            .single()
            .is_some_and(|class| self.segments.is_single(class))
        {
            return Taken::Nothing;
        }
        let tailed = self.with_tails(&candidates, asked);
        let mut tailed = tailed.iter().filter(fits).map(String::as_bytes);
        if let Some(path) = tailed.find(|path| self.is_in(path, cell)) {
            return Taken::Value(path.into());
        }
        if !self.groups[self.path_group as usize].parts.is_empty() {
            let seeds = self.seeds(self.path_group as usize, 0).iter();
            let mut seeds = seeds.map(|seed| &*seed.text);
            let seed = seeds.find(|seed| self.text_fits(seed, asked) && self.is_in(seed, cell));
            if let Some(seed) = seed {
                return Taken::Value(seed.into());
            }
        }
        if effort == Effort::Guess {
            return Taken::GaveUp;
        }
        // Most often it does not matter which of the tables' patterns take the path.
        let any = Cell {
            classes: Vec::new(),
        };
        match self.searched_path(asked, &any, budget) {
            Taken::Value(path) if self.is_in(&path, cell) => Taken::Value(path),
            Taken::Nothing => Taken::Nothing,
            Taken::Value(_) | Taken::GaveUp => self.searched_path(asked, cell, budget),
        }
    }

    /// Whether a path is of one of a cell's classes.
    fn is_in(&self, path: &[u8], cell: &Cell) -> bool {
        let class = self.segments.class(segments(path));
        cell.classes.binary_search(&class).is_ok()
    }

    /// The shortest paths of some of a cell's classes, those that read best first.
    pub(super) fn paths(&self, cell: &Cell) -> Vec<String> {
        let classes = cell.classes.iter().take(CANDIDATES);
        let mut paths: Vec<String> = classes
            .filter_map(|&class| self.segments.shortest(class))
            .map(|segments| format!("/{}", segments.join("/")))
            .collect();
        paths.sort_by_key(String::len);
        paths
    }

    /// Some paths with the tails that are asked behind them.
    fn with_tails(&self, paths: &[String], asked: Asked<'_>) -> Vec<String> {
        let Some(tails) = &self.tails else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (facet, set) in asked {
            if !matches!(self.facets[*facet as usize].classifier, Classifier::Tail) {
                continue;
            }
            let shortest = |class: &u32| tails.segments.shortest(*class);
            for tail in set.named.iter().filter_map(shortest).take(TAILS) {
                let tail = tail.join("/");
                let heads = paths.iter().take(TAILS);
                let heads = heads.map(|path| path.trim_end_matches('/'));
                all.extend(heads.map(|head| format!("{head}/{tail}")));
            }
        }
        all
    }

    /// Searches for a path of a cell, or, where that has no classes, of any.
    fn searched_path(
        &mut self,
        asked: Asked<'_>,
        cell: &Cell,
        budget: &mut Budget,
    ) -> Taken<Box<[u8]>> {
        let remember = cell.classes.len() <= REMEMBERED;
        let key = (asked.to_vec(), cell.classes.clone());
        if remember && let Some(known) = self.searched.get(&key) {
            return known.clone();
        }
        let taken = taken(self.search_path(asked, cell, budget));
        if remember {
            self.searched.insert(key, taken.clone());
        }
        taken
    }

    fn search_path(&self, asked: Asked<'_>, cell: &Cell, budget: &mut Budget) -> Found {
        let mut readers: Vec<Box<dyn Reader + '_>> = Vec::new();
        let classes = cell.classes.len();
        if classes > 0 && classes < self.segments.all().named.len() {
            let wanted = |class: u32| cell.classes.binary_search(&class).is_ok();
            let of_class = OfClass::new(&self.segments, wanted);
            readers.push(Box::new(Remembering::new(of_class)));
        }
        for (facet, set) in asked {
            match &self.facets[*facet as usize].classifier {
                Classifier::Tail => {
                    let Some(tails) = &self.tails else { continue };
                    let accepts = &tails.segments.accepts;
                    match OfTail::new(&tails.patterns, accepts, set) {
                        Some(tail) => readers.push(Box::new(Remembering::new(tail))),
                        None => return Found::GaveUp,
                    }
                }
                Classifier::Bounds(bounds) => readers.push(Box::new(OfLength::new(bounds, set))),
                _ => {}
            }
        }
        let mut readers: Vec<&mut dyn Reader> = readers
            .iter_mut()
            .map(|reader| &mut **reader as &mut dyn Reader)
            .collect();
        let domain = Domain::Path(self.world.encoded_slash);
        self.search(domain, asked, &mut readers, budget)
    }
}

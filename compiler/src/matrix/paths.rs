//! The paths that the rules of a service do not tell apart.
//!
//! Patterns whose `**` is final, if they have one, make an automaton whose classes are sets of patterns: most that there
//! are. Other patterns split these further, one after the other. Which of all that have paths at all the verifier says.

use crate::access::Questions;
use crate::plan::formula::FormulaId;
use crate::plan::path::{self, Direction, Pattern};
use crate::verify::Verdict;
use mesh_lang::value::{PathPattern, Segment};
use std::collections::{BTreeMap, BTreeSet};

/// Paths that rules do not tell apart.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// The conditions that hold, and those that fail.
    holds: Vec<usize>,
    fails: Vec<usize>,
    /// The patterns that take them.
    takes: Vec<usize>,
    /// The patterns that take some of them, where there was too much to tell apart.
    open: Vec<usize>,
}

/// All classes of paths that there are, and the patterns that they are made of.
pub(super) struct Paths {
    pub(super) classes: Vec<Path>,
    patterns: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

/// With so many classes patterns in whose middle there is a `**` do not tell paths apart any further: the cells say on
/// what they depend.
const MOST: usize = 512;

impl Paths {
    /// The classes of these patterns; the condition that a path is one of the first is `first`, the others follow.
    pub(super) fn of(patterns: &[PathPattern], first: usize, questions: &mut Questions) -> Self {
        let all: Vec<usize> = (0..patterns.len()).collect();
        let (anchored, mut others): (Vec<usize>, Vec<usize>) = all
            .into_iter()
            .partition(|number| is_anchored(&patterns[*number]));
        let mut classes = by_automaton(patterns, &anchored, first).unwrap_or_else(|| {
            // Too entangled for one: one after the other, then.
            others.splice(0..0, anchored);
            vec![Path {
                holds: Vec::new(),
                fails: Vec::new(),
                takes: Vec::new(),
                open: Vec::new(),
            }]
        });
        classes.retain(|class| class.is_there(questions));
        for pattern in others {
            classes = split(classes, pattern, first + pattern, questions);
        }
        // Those that nothing takes come last.
        classes.sort_by_key(|class| class.takes.is_empty());
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let numbers = patterns.iter().cloned().zip(0..);
        Self {
            classes,
            numbers: numbers.collect(),
            patterns,
        }
    }
}

/// Whether what follows `**` is nothing.
fn is_anchored(pattern: &PathPattern) -> bool {
    let segments = pattern.segments();
    let rest = segments
        .iter()
        .position(|it| matches!(it, Segment::Rest { .. }));
    rest.is_none_or(|rest| rest + 1 == segments.len())
}

/// Classes of some patterns, of which some may have no path.
fn by_automaton(patterns: &[PathPattern], some: &[usize], first: usize) -> Option<Vec<Path>> {
    let asked = some.iter().map(|number| {
        let segments = patterns[*number].segments();
        segments.iter().map(Into::into).collect::<Pattern>()
    });
    let asked: Vec<Pattern> = asked.collect();
    let built = path::build(&asked, Direction::Forward).ok()?;
    let sets: BTreeSet<Vec<u32>> = built.accepts.into_iter().chain([Vec::new()]).collect();
    // For each pattern the sets that it is in.
    let mut within: Vec<Vec<&Vec<u32>>> = vec![Vec::new(); some.len()];
    for set in &sets {
        for pattern in set {
            within[*pattern as usize].push(set);
        }
    }
    let classes = sets.iter().map(|set| {
        // Of the others only those need to fail that take some paths which all of its own take.
        let rarest = set
            .iter()
            .min_by_key(|pattern| within[**pattern as usize].len());
        let mut fails: BTreeSet<u32> = match rarest {
            None => (0..some.len() as u32).collect(),
            Some(rarest) => {
                let beside = within[*rarest as usize].iter();
                let beside = beside.filter(|other| set.iter().all(|it| other.contains(it)));
                beside.flat_map(|other| other.iter().copied()).collect()
            }
        };
        fails.retain(|pattern| !set.contains(pattern));
        let number = |pattern: &u32| some[*pattern as usize];
        Path {
            holds: set.iter().map(|it| first + number(it)).collect(),
            fails: fails.iter().map(|it| first + number(it)).collect(),
            takes: set.iter().map(number).collect(),
            open: Vec::new(),
        }
    });
    Some(classes.collect())
}

/// Classes by whether one more pattern takes their paths.
fn split(
    classes: Vec<Path>,
    pattern: usize,
    condition: usize,
    questions: &mut Questions,
) -> Vec<Path> {
    let mut finer = Vec::new();
    for mut class in classes {
        if finer.len() >= MOST {
            class.open.push(pattern);
            finer.push(class);
            continue;
        }
        let mut taken = class.clone();
        taken.holds.push(condition);
        taken.takes.push(pattern);
        let mut left = class;
        left.fails.push(condition);
        match (taken.is_there(questions), left.is_there(questions)) {
            (true, true) => finer.extend([taken, left]),
            (false, _) => finer.push(left),
            (true, false) => finer.push(taken),
        }
    }
    finer
}

impl Path {
    /// Whether there are such paths. What cannot be decided is kept: its cells say so.
    fn is_there(&self, questions: &mut Questions) -> bool {
        let mut holds = Vec::new();
        let mut fails = Vec::new();
        self.ask(questions, &mut holds, &mut fails);
        !matches!(questions.some(&holds, &fails), Verdict::No)
    }

    /// Whether a rule that names these patterns may be about some of them; one that names none is about all.
    pub(super) fn may_be(&self, paths: &Paths, named: &[PathPattern]) -> bool {
        let takes = |pattern: &PathPattern| {
            let number = paths.numbers.get(&pattern.to_string());
            number.is_none_or(|number| self.takes.contains(number) || self.open.contains(number))
        };
        named.is_empty() || named.iter().any(takes)
    }

    pub(super) fn ask(
        &self,
        questions: &Questions,
        holds: &mut Vec<FormulaId>,
        fails: &mut Vec<FormulaId>,
    ) {
        holds.extend(self.holds.iter().map(|it| questions.condition(*it)));
        fails.extend(self.fails.iter().map(|it| questions.condition(*it)));
    }
}

/// Paths that all of some patterns take and none of others.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    /// None: any path.
    takes: Vec<usize>,
    except: Vec<usize>,
}

impl Paths {
    /// Of the patterns that a rule names those that take some paths of a class and not all of them.
    pub(super) fn open(&self, class: &Path, named: &[PathPattern]) -> Vec<String> {
        let named = named.iter().map(ToString::to_string);
        let is_open = |pattern: &String| {
            let number = self.numbers.get(pattern);
            number.is_some_and(|number| class.open.contains(number))
        };
        named.filter(is_open).collect()
    }

    /// Some classes of paths: `/items/**`, `/a/** but /a/b`, `any`, `any but /items/**`.
    pub(super) fn names(&self, some: &[usize]) -> String {
        let patterns = |all: &[usize], between: &str| {
            let all: Vec<&str> = all.iter().map(|it| self.patterns[*it].as_str()).collect();
            all.join(between)
        };
        let terms = self.terms(some).into_iter().map(|term| {
            let takes = match term.takes.as_slice() {
                [] => "any".to_owned(),
                takes => patterns(takes, " and "),
            };
            match term.except.as_slice() {
                [] => takes,
                except => format!("{takes} but {}", patterns(except, ", ")),
            }
        });
        let terms: Vec<String> = terms.collect();
        terms.join("; ")
    }

    /// Terms that together have exactly these classes.
    fn terms(&self, some: &[usize]) -> Vec<Term> {
        // What no pattern takes comes first, since much else is said by it.
        let mut left: Vec<usize> = some.to_vec();
        left.sort_by_key(|class| !self.classes[*class].takes.is_empty());
        let mut terms = Vec::new();
        while let Some(&class) = left.first() {
            let term = self.term(class, some);
            left.retain(|class| !self.is_of(&term, *class));
            terms.push(term);
        }
        terms
    }

    /// A term that has a class, and none but these.
    fn term(&self, class: usize, some: &[usize]) -> Term {
        let own = &self.classes[class].takes;
        let count = |pattern: usize| self.having(&[pattern]).count();
        // The widest pattern of which all is among these says it best.
        let whole = own.iter().copied();
        let whole = whole.filter(|it| self.having(&[*it]).all(|class| some.contains(&class)));
        if let Some(pattern) = whole.max_by_key(|pattern| count(*pattern)) {
            return Term {
                takes: vec![pattern],
                except: Vec::new(),
            };
        }
        // Of its own patterns those that others do not imply.
        let mut takes = own.clone();
        takes.sort_by_key(|pattern| count(*pattern));
        for pattern in own {
            let without: Vec<usize> = takes.iter().copied().filter(|it| it != pattern).collect();
            if self.having(&without).count() == self.having(own).count() {
                takes = without;
            }
        }
        let mut term = Term {
            takes,
            except: Vec::new(),
        };
        // What is not among these has another pattern, since it is not the class.
        while let Some(other) =
            (0..self.classes.len()).find(|other| self.is_of(&term, *other) && !some.contains(other))
        {
            let others = self.classes[other].takes.iter().copied();
            let others = others.filter(|pattern| !own.contains(pattern));
            match others.max_by_key(|pattern| count(*pattern)) {
                Some(pattern) => term.except.push(pattern),
                None => break, // classes that could not be told apart any further
            }
        }
        term
    }

    /// The classes that all of some patterns take.
    fn having(&self, patterns: &[usize]) -> impl Iterator<Item = usize> {
        let classes = self.classes.iter().enumerate();
        classes
            .filter(|(_, class)| patterns.iter().all(|it| class.takes.contains(it)))
            .map(|(index, _)| index)
    }

    fn is_of(&self, term: &Term, class: usize) -> bool {
        let takes = &self.classes[class].takes;
        term.takes.iter().all(|it| takes.contains(it))
            && !term.except.iter().any(|it| takes.contains(it))
    }
}

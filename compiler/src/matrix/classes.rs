//! Methods and paths, as far as the rules of a service tell them apart.

use crate::access::{Questions, Rules, test};
use crate::model::Mesh;
use crate::model::condition::{Condition, Field, Predicate};
use crate::plan::formula::FormulaId;
use crate::verify::Verdict;
use mesh_lang::value::PathPattern;

/// What rules ask of methods and paths.
pub(super) struct Classes {
    /// The tests by which classes are asked for: of methods, then of path patterns.
    pub(super) conditions: Vec<Condition>,
    /// Classes of methods, those that nobody names last.
    pub(super) methods: Vec<Methods>,
    patterns: Vec<PathPattern>,
    first_pattern: usize,
}

/// Methods that rules do not tell apart.
pub(super) struct Methods {
    /// Those that are named; none: all others.
    pub(super) names: Vec<String>,
    /// The test that it is one of them; of the others all tests, which fail.
    tests: Vec<usize>,
}

/// Paths that rules do not tell apart.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// The conditions that hold, and those that fail.
    holds: Vec<usize>,
    fails: Vec<usize>,
    /// The patterns that take them.
    takes: Vec<usize>,
}

/// All classes of paths that there are, and the patterns that they are made of.
pub(super) struct Paths {
    pub(super) classes: Vec<Path>,
    patterns: Vec<String>,
}

/// With so many classes paths are not told apart any further: whatever is beyond comes together, and the cells say on
/// what they depend.
const MOST: usize = 512;

impl Classes {
    pub(super) fn of(mesh: &Mesh, rules: &Rules<'_>) -> Self {
        let mut patterns: Vec<PathPattern> = Vec::new();
        // For each method the rules and tests that name it.
        let mut named: Vec<(String, Vec<usize>)> = Vec::new();
        let mut next = 0;
        let mut name = |methods: &[String]| {
            for method in methods {
                match named.iter_mut().find(|(known, _)| known == method) {
                    Some((_, by)) => by.push(next),
                    None => named.push((method.clone(), vec![next])),
                }
            }
            next += 1;
        };
        let mut add = |all: &[PathPattern]| {
            for pattern in all {
                let text = pattern.to_string();
                if patterns.iter().all(|known| known.to_string() != text) {
                    patterns.push(pattern.clone());
                }
            }
        };
        for row in rules.matches() {
            name(row.methods);
            add(row.paths);
        }
        for asked in rules.tests() {
            match (&asked.field, &asked.predicate) {
                (Field::Method, Predicate::OneOf(methods)) => name(methods),
                (Field::Path, Predicate::Paths(paths)) => add(paths),
                _ => {}
            }
        }
        let mut groups: Vec<(Vec<usize>, Vec<String>)> = Vec::new();
        for (method, by) in named {
            match groups.iter_mut().find(|(known, _)| *known == by) {
                Some((_, names)) => names.push(method),
                None => groups.push((by, vec![method])),
            }
        }
        let mut conditions = Vec::new();
        let mut methods = Vec::new();
        for (_, names) in groups {
            methods.push(Methods {
                tests: vec![conditions.len()],
                names: names.clone(),
            });
            conditions.push(test(Field::Method, Predicate::OneOf(names), mesh.span));
        }
        methods.push(Methods {
            names: Vec::new(),
            tests: (0..conditions.len()).collect(),
        });
        let first_pattern = conditions.len();
        conditions.extend(patterns.iter().map(|pattern| {
            let pattern = vec![pattern.clone()];
            test(Field::Path, Predicate::Paths(pattern), mesh.span)
        }));
        Self {
            conditions,
            methods,
            patterns,
            first_pattern,
        }
    }

    /// The classes of paths that have paths: for one pattern after the other those that it takes and those that it
    /// does not, as far as there are any.
    pub(super) fn paths(&self, questions: &mut Questions) -> Paths {
        let mut classes = vec![Path {
            holds: Vec::new(),
            fails: Vec::new(),
            takes: Vec::new(),
        }];
        for pattern in 0..self.patterns.len() {
            let condition = self.first_pattern + pattern;
            let mut finer = Vec::new();
            for class in classes {
                let mut taken = class.clone();
                taken.holds.push(condition);
                taken.takes.push(pattern);
                let mut left = class.clone();
                left.fails.push(condition);
                // What cannot be decided is kept: its cells say so.
                let is_there = |path: &Path, questions: &mut Questions| {
                    let mut holds = Vec::new();
                    let mut fails = Vec::new();
                    path.ask(questions, &mut holds, &mut fails);
                    !matches!(questions.some(&holds, &fails), Verdict::No)
                };
                if finer.len() >= MOST {
                    finer.push(class);
                    continue;
                }
                match (is_there(&taken, questions), is_there(&left, questions)) {
                    (true, true) => finer.extend([taken, left]),
                    (false, _) => finer.push(left),
                    (true, false) => finer.push(taken),
                }
            }
            classes = finer;
        }
        // Those that nothing takes come last.
        classes.sort_by_key(|class| class.takes.is_empty());
        Paths {
            classes,
            patterns: self.patterns.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Methods {
    pub(super) fn ask(
        &self,
        questions: &Questions,
        holds: &mut Vec<FormulaId>,
        fails: &mut Vec<FormulaId>,
    ) {
        let tests = self.tests.iter().map(|test| questions.condition(*test));
        if self.names.is_empty() {
            fails.extend(tests);
        } else {
            holds.extend(tests);
        }
    }
}

impl Path {
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

/// Some classes of methods: `GET, HEAD`, `any`, `any but GET`.
pub(super) fn method_names(all: &[Methods], some: &[usize]) -> String {
    let names = |wanted: &dyn Fn(usize) -> bool| {
        let classes = all.iter().enumerate().filter(|(index, _)| wanted(*index));
        let names = classes.flat_map(|(_, methods)| &methods.names);
        names.cloned().collect::<Vec<_>>().join(", ")
    };
    if some.len() == all.len() {
        "any".to_owned()
    } else if some.iter().any(|class| all[*class].names.is_empty()) {
        format!("any but {}", names(&|class| !some.contains(&class)))
    } else {
        names(&|class| some.contains(&class))
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

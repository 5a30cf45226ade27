//! What the rules of a service ask of methods and paths, and the methods that they do not tell apart.

use super::paths::Paths;
use crate::access::{Questions, Rules};
use crate::model::Mesh;
use crate::model::condition::{Condition, Field, Predicate, test};
use crate::plan::formula::FormulaId;
use mesh_lang::value::PathPattern;
use std::collections::BTreeSet;

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
        let mut known = BTreeSet::new();
        let mut add = |all: &[PathPattern]| {
            let new = all.iter().filter(|it| known.insert(it.to_string()));
            patterns.extend(new.cloned());
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

    /// The classes of paths.
    pub(super) fn paths(&self, questions: &mut Questions) -> Paths {
        Paths::of(&self.patterns, self.first_pattern, questions)
    }
}

impl Methods {
    /// Whether a rule that names these methods may be about some of them; one that names none is about all.
    pub(super) fn may_be(&self, named: &[String]) -> bool {
        named.is_empty() || self.names.iter().any(|name| named.contains(name))
    }

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

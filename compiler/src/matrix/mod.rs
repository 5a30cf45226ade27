//! The matrix of a mesh: who may do what, by which rule.
//!
//! ```text
//! service ─▶ rules ─▶ callers × methods × paths that they tell apart
//!                        └─ for each: all that may become of such a request ─▶ merged ─▶ table, csv, json, html
//! ```
//!
//! Cells are not sampled. Callers, methods and paths are put into classes that no rule tells apart, and for each
//! combination the verifier is asked, of each rule, whether it decides some such request. Where one outcome is left the
//! cell is that; where several are, they differ by something else in the request, and the cell says by what.

mod classes;
mod csv;
mod html;
mod json;
mod table;

pub use csv::csv;
pub use html::html;
pub use json::json;
pub use table::table;

use self::classes::{Classes, Methods, Paths};
use crate::access::{Caller, CallerClass, Outcome, Questions, Rules, Seen, callers, world};
use crate::model::said::Origin;
use crate::model::{Mesh, ServiceId};
use crate::plan::formula::FormulaId;
use crate::spell::{Place, told};
use crate::verify::Request;
use mesh_lang::source::Sources;
use serde::Serialize;
use std::collections::BTreeMap;

/// Who may do what in a mesh.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matrix {
    /// The name of the mesh.
    pub mesh: String,
    /// Its services and externals, in the order of the source.
    pub services: Vec<Column>,
}

/// Who may do what of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Its name.
    pub service: String,
    /// `file:line`.
    pub place: String,
    /// Callers that may do the same, together.
    pub callers: Vec<Row>,
}

/// What some callers may do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The callers: `anonymous`, gateways, services.
    pub callers: Vec<String>,
    /// Whether they are all the services and gateways that no rule names.
    pub others: bool,
    /// Those that say whom they call, and not this service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_called_by: Vec<String>,
    /// What becomes of their requests; together all of them.
    pub cells: Vec<Cell>,
}

/// What becomes of requests of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Their methods: `GET, HEAD`, `any`, `any but GET`.
    pub methods: String,
    /// Their paths: `/items/**`, `any`, `any but /items/**`.
    pub paths: String,
    /// Whether it is about all requests that no other cell of these callers is about, and of them only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub otherwise: bool,
    /// Whether they are let in.
    pub decision: Decision,
    /// Who decides, in the order in which they do; several where it depends on more.
    pub because: Vec<Because>,
    /// One of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// Whether requests are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// All of them.
    Allow,
    /// None of them.
    Deny,
    /// Some of them.
    Depends,
    /// It was not found out.
    NotDecided,
}

/// One who decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Because {
    /// Whether it lets in.
    pub allows: bool,
    /// The rule, or what else it is.
    pub rule: String,
    /// Where that is written; nobody says so where it is the edition.
    pub place: String,
    /// What more must hold of a request for it to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// Which part of the matrix is wanted; all where nothing is named.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// A service.
    pub to: Option<String>,
    /// A caller.
    pub from: Option<String>,
}

/// The matrix of a mesh without errors.
pub fn of(mesh: &Mesh, sources: &Sources, wanted: &Wanted) -> Result<Matrix, String> {
    let to = wanted.to.as_deref();
    let services = (0..).map(ServiceId).zip(&mesh.services);
    let services = services.filter(|(_, it)| to.is_none_or(|name| it.qualified_name() == name));
    let services: Vec<ServiceId> = services.map(|(id, _)| id).collect();
    if let (Some(name), []) = (to, services.as_slice()) {
        return Err(format!("no service is called `{name}`"));
    }
    if let Some(name) = &wanted.from
        && !Caller::all(mesh).any(|caller| caller.name(mesh) == *name)
    {
        return Err(format!(
            "nobody who calls is called `{name}`; it is a service, a gateway or `anonymous`"
        ));
    }
    let columns = services.into_iter().map(|id| {
        let writer = Writer {
            mesh,
            sources,
            id,
            rules: Rules::of_service(mesh, id),
        };
        writer.column(wanted.from.as_deref())
    });
    Ok(Matrix {
        mesh: mesh.name.clone(),
        services: columns.collect(),
    })
}

struct Writer<'w> {
    mesh: &'w Mesh,
    sources: &'w Sources,
    id: ServiceId,
    rules: Rules<'w>,
}

impl Writer<'_> {
    fn column(&self, from: Option<&str>) -> Column {
        let mesh = self.mesh;
        let callers = callers(mesh, self.id, &self.rules);
        let wanted = |class: &CallerClass| {
            let mut members = class.members.iter();
            from.is_none_or(|name| members.any(|caller| caller.name(mesh) == name))
        };
        let callers: Vec<CallerClass> = callers.into_iter().filter(wanted).collect();
        let classes = Classes::of(mesh, &self.rules);
        let mut conditions = classes.conditions.clone();
        conditions.extend(callers.iter().map(|class| class.condition.clone()));
        let world = world(mesh, self.id);
        let questions = Questions::new(mesh, &self.rules, world, &conditions);
        let mut rows: Vec<Row> = Vec::new();
        match questions {
            Ok(mut questions) => {
                let paths = classes.paths(&mut questions);
                for (index, class) in callers.iter().enumerate() {
                    let own = questions.condition(classes.conditions.len() + index);
                    let cells = self.cells(class, own, &mut questions, &classes, &paths);
                    self.row(class, cells, from, &mut rows);
                }
            }
            // Whoever compiles it says what is wrong with it.
            Err(_) => {
                for class in &callers {
                    let cell = not_decided("its rules are too entangled for one table");
                    self.row(class, vec![cell], from, &mut rows);
                }
            }
        }
        let service = &mesh[self.id];
        Column {
            service: service.qualified_name(),
            place: told(Origin::Written(service.span), self.sources),
            callers: rows,
        }
    }

    /// Adds callers to those that may do the same.
    fn row(&self, class: &CallerClass, cells: Vec<Cell>, from: Option<&str>, rows: &mut Vec<Row>) {
        let mesh = self.mesh;
        let members = class.members.iter();
        let members = members.filter(|it| from.is_none_or(|name| it.name(mesh) == name));
        let members: Vec<Caller> = members.copied().collect();
        let names: Vec<String> = members.iter().map(|it| it.name(mesh)).collect();
        let silent = members.iter().filter(|caller| match caller {
            Caller::Service(id) => mesh[*id]
                .calls
                .as_ref()
                .is_some_and(|calls| calls.iter().all(|call| call.target != self.id)),
            Caller::Anonymous | Caller::Gateway(_) => false,
        });
        let silent: Vec<String> = silent.map(|caller| caller.name(mesh)).collect();
        let others = class.others && from.is_none();
        let same = |row: &&mut Row| {
            row.others == others
                && row.cells.len() == cells.len()
                && row.cells.iter().zip(&cells).all(|(a, b)| a.is_like(b))
        };
        match rows.iter_mut().find(same) {
            Some(row) => {
                row.callers.extend(names);
                row.not_called_by.extend(silent);
            }
            None => rows.push(Row {
                callers: names,
                others,
                not_called_by: silent,
                cells,
            }),
        }
    }

    /// What becomes of the requests of some callers.
    fn cells(
        &self,
        class: &CallerClass,
        from: FormulaId,
        questions: &mut Questions,
        classes: &Classes,
        paths: &Paths,
    ) -> Vec<Cell> {
        let always = |allows, rule: &str, origin| Cell {
            otherwise: false,
            methods: "any".to_owned(),
            paths: "any".to_owned(),
            decision: if allows {
                Decision::Allow
            } else {
                Decision::Deny
            },
            because: vec![Because {
                allows,
                rule: rule.to_owned(),
                place: told(origin, self.sources),
                when: None,
            }],
            example: None,
        };
        let mesh = self.mesh;
        match class.seen {
            Seen::Refused => {
                let mtls = mesh.mtls_of(&mesh[self.id]);
                return vec![always(false, "mtls strict", mtls.origin)];
            }
            Seen::Unguarded => {
                let service = &mesh[self.id];
                let none = service.sidecar_none.or(mesh.sidecar_none);
                let origin = none.map_or(Origin::Written(service.span), |said| said.origin);
                let rule = if service.external {
                    "external: outside of the mesh"
                } else {
                    "sidecar none: nothing stands before it"
                };
                return vec![always(true, rule, origin)];
            }
            Seen::Known | Seen::Anonymous => {}
        }
        let mut decided = Vec::new();
        for methods in &classes.methods {
            let mut column = Vec::new();
            for path in &paths.classes {
                let mut holds = vec![from];
                let mut fails = Vec::new();
                methods.ask(questions, &mut holds, &mut fails);
                path.ask(questions, &mut holds, &mut fails);
                column.push(self.decided(&questions.outcomes(&holds, &fails)));
            }
            decided.push(column);
        }
        merged(&decided, &classes.methods, paths)
    }

    /// A cell of its own, its kind of requests left out.
    fn decided(&self, outcomes: &[(Outcome, Option<Box<Request>>)]) -> Cell {
        let example = outcomes.iter().find_map(|(_, request)| request.as_ref());
        // Who sends it is told beside it.
        let example = example.map(|request| Request {
            source: None,
            ..(**request).clone()
        });
        let example = example.map(|request| request.to_string());
        let several = outcomes.len() > 1;
        let because: Vec<Because> = outcomes
            .iter()
            .map(|(outcome, _)| self.because(outcome, several))
            .collect();
        let unsure = outcomes
            .iter()
            .any(|(outcome, _)| matches!(outcome, Outcome::NotDecided(_)));
        let allowed = because.iter().filter(|it| it.allows).count();
        Cell {
            otherwise: false,
            methods: "any".to_owned(),
            paths: "any".to_owned(),
            decision: match allowed {
                _ if unsure => Decision::NotDecided,
                0 => Decision::Deny,
                all if all == because.len() => Decision::Allow,
                _ => Decision::Depends,
            },
            because,
            example,
        }
    }

    fn because(&self, outcome: &Outcome, several: bool) -> Because {
        let place = Place::of_service(self.mesh, self.id);
        let said = |origin| told(origin, self.sources);
        match outcome {
            Outcome::Rule(number) => {
                let rule = &self.rules.all[*number as usize];
                let asked = rule.condition.as_ref().filter(|_| several);
                let mut text = place.rule(rule);
                if let (true, Some(external)) = (rule.allows, self.rules.external) {
                    text = format!("{text}, then {} is asked", external.value.url);
                }
                Because {
                    allows: rule.allows,
                    rule: text,
                    place: said(Origin::Written(rule.span)),
                    when: asked.map(|condition| place.condition(condition)),
                }
            }
            Outcome::NoRule => Because {
                allows: false,
                rule: NO_RULE.to_owned(),
                place: said(self.rules.closed),
                when: None,
            },
            Outcome::Without(number) => {
                let required = self.rules.requires[*number];
                let credential = place.credential(required.value.credential);
                let condition = required.value.condition.as_ref();
                Because {
                    allows: false,
                    rule: format!("require {credential}"),
                    place: said(required.origin),
                    when: Some(match condition {
                        None => format!("it has no {credential}"),
                        Some(condition) => {
                            let condition = place.condition(condition);
                            format!("{condition} and it has no {credential}")
                        }
                    }),
                }
            }
            Outcome::NotDecided(reason) => Because {
                allows: false,
                rule: format!("not decided, because {reason}"),
                place: String::new(),
                when: None,
            },
        }
    }
}

/// What decides where no rule does.
const NO_RULE: &str = "no rule allows it";

fn not_decided(why: &str) -> Cell {
    Cell {
        otherwise: false,
        methods: "any".to_owned(),
        paths: "any".to_owned(),
        decision: Decision::NotDecided,
        because: vec![Because {
            allows: false,
            rule: format!("not decided, because {why}"),
            place: String::new(),
            when: None,
        }],
        example: None,
    }
}

/// Cells of methods and paths that come to the same, in as few as two ways to put them together find: methods that
/// have the same paths, or paths that have the same methods. What no rule allows is one cell, and the last.
fn merged(decided: &[Vec<Cell>], methods: &[Methods], paths: &Paths) -> Vec<Cell> {
    // What may become of requests, and the pairs of methods and paths of which it does.
    let mut ends: Vec<(&Cell, Vec<(usize, usize)>)> = Vec::new();
    for path in 0..paths.classes.len() {
        for (method, column) in decided.iter().enumerate() {
            let cell = &column[path];
            // There are no such requests.
            if cell.because.is_empty() {
                continue;
            }
            match ends.iter_mut().find(|(known, _)| known.is_same(cell)) {
                Some((_, pairs)) => pairs.push((method, path)),
                None => ends.push((cell, vec![(method, path)])),
            }
        }
    }
    let is_last = |cell: &Cell| matches!(cell.because.as_slice(), [one] if one.is_no_rule());
    ends.sort_by_key(|(cell, _)| (is_last(cell), cell.decision == Decision::Deny));
    let several = ends.len() > 1;
    let mut cells = Vec::new();
    for (cell, pairs) in ends {
        if several && is_last(cell) {
            cells.push(Cell {
                otherwise: true,
                ..cell.clone()
            });
            continue;
        }
        let swapped: Vec<(usize, usize)> = pairs.iter().map(|(a, b)| (*b, *a)).collect();
        let by_method = rectangles(&pairs);
        let by_path = rectangles(&swapped);
        let all: Vec<(Vec<usize>, Vec<usize>)> = if by_path.len() < by_method.len() {
            by_path
                .into_iter()
                .map(|(paths, methods)| (methods, paths))
                .collect()
        } else {
            by_method
        };
        for (some_methods, some_paths) in all {
            cells.push(Cell {
                methods: classes::method_names(methods, &some_methods),
                paths: paths.names(&some_paths),
                example: decided[some_methods[0]][some_paths[0]].example.clone(),
                ..cell.clone()
            });
        }
    }
    cells
}

/// Pairs as products of sets: the first of each pair that have the same seconds, together.
fn rectangles(pairs: &[(usize, usize)]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut by_first: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (first, second) in pairs {
        by_first.entry(*first).or_default().push(*second);
    }
    let mut all: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    for (first, seconds) in by_first {
        match all.iter_mut().find(|(_, known)| *known == seconds) {
            Some((firsts, _)) => firsts.push(first),
            None => all.push((vec![first], seconds)),
        }
    }
    all
}

impl Cell {
    fn methods_in_words(&self) -> &str {
        if self.otherwise {
            "otherwise"
        } else {
            &self.methods
        }
    }

    fn paths_in_words(&self) -> &str {
        if self.otherwise {
            "otherwise"
        } else {
            &self.paths
        }
    }

    /// Whether the same becomes of its requests, by the same rules.
    fn is_same(&self, other: &Self) -> bool {
        self.decision == other.decision && self.because == other.because
    }

    /// Whether it says the same, its example aside.
    fn is_like(&self, other: &Self) -> bool {
        self.is_same(other) && self.methods == other.methods && self.paths == other.paths
    }
}

impl Decision {
    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Depends => "depends",
            Self::NotDecided => "not decided",
        }
    }
}

impl Because {
    fn is_no_rule(&self) -> bool {
        self.rule == NO_RULE
    }

    /// `allow storefront to GET /items/** (shop.mesh:13)`; with more that must hold: `allow when … (shop.mesh:13)`.
    pub fn told(&self) -> String {
        let text = match &self.when {
            Some(when) => {
                let verb = if self.allows { "allow" } else { "deny" };
                format!("{verb} when {when}")
            }
            None => self.rule.clone(),
        };
        if self.place.is_empty() {
            text
        } else {
            format!("{text} ({})", self.place)
        }
    }
}

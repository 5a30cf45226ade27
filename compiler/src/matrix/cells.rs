//! What becomes of the requests to one service or host, caller by caller.

use super::classes::Classes;
use super::merge::merged;
use super::paths::{Path, Paths};
use super::{Because, Cell, Column, Decision, Row};
use crate::access::{Caller, CallerClass, Outcome, Questions, Rules, Seen, callers, world};
use crate::model::said::Origin;
use crate::model::{Gateway, HostBlock, Mesh, ServiceId};
use crate::plan::formula::FormulaId;
use crate::spell::{Place, told};
use crate::verify::{Request, World};
use mesh_lang::source::{Sources, Span};

/// What is to be told of one service or host.
pub(super) struct Writer<'w> {
    mesh: &'w Mesh,
    sources: &'w Sources,
    owner: Owner<'w>,
    rules: Rules<'w>,
}

/// Whose rules they are.
pub(super) enum Owner<'w> {
    /// A service's.
    Service(ServiceId),
    /// A host's, with the requests that come to it.
    Host(&'w Gateway, &'w HostBlock, World),
}

impl<'w> Writer<'w> {
    pub(super) fn new(mesh: &'w Mesh, sources: &'w Sources, owner: Owner<'w>) -> Self {
        let rules = match owner {
            Owner::Service(id) => Rules::of_service(mesh, id),
            Owner::Host(gateway, host, _) => Rules::of_host(mesh, gateway, host),
        };
        Self {
            mesh,
            sources,
            owner,
            rules,
        }
    }

    /// Who asks the rules, and what requests there are.
    fn callers(&self) -> (Vec<CallerClass>, World) {
        match &self.owner {
            Owner::Service(id) => (callers(self.mesh, *id, &self.rules), world(self.mesh, *id)),
            Owner::Host(_, _, world) => (vec![CallerClass::clients(self.mesh)], world.clone()),
        }
    }

    /// Its name, and where it is written.
    fn name(&self) -> (String, Span) {
        match self.owner {
            Owner::Service(id) => (self.mesh[id].qualified_name(), self.mesh[id].span),
            Owner::Host(gateway, host, _) => {
                let hosts: Vec<String> = host.patterns.iter().map(ToString::to_string).collect();
                let name = format!("{} {}", gateway.qualified_name(), hosts.join(", "));
                (name, host.span)
            }
        }
    }

    /// Where its rules are understood.
    fn place(&self) -> Place<'_> {
        match self.owner {
            Owner::Service(id) => Place::of_service(self.mesh, id),
            Owner::Host(gateway, ..) => Place::inside(self.mesh, &gateway.namespace),
        }
    }

    /// Whether a caller says whom it calls, and not this.
    fn is_silent(&self, caller: Caller) -> bool {
        match (caller, &self.owner) {
            (Caller::Service(caller), Owner::Service(own)) => {
                let calls = self.mesh[caller].calls.as_ref();
                calls.is_some_and(|calls| calls.iter().all(|call| call.target != *own))
            }
            _ => false,
        }
    }

    pub(super) fn column(&self, from: Option<&str>) -> Column {
        let mesh = self.mesh;
        let (callers, world) = self.callers();
        let wanted = |class: &CallerClass| {
            let mut members = class.members.iter();
            from.is_none_or(|name| members.any(|caller| caller.name(mesh) == name))
        };
        let callers: Vec<CallerClass> = callers.into_iter().filter(wanted).collect();
        let classes = Classes::of(mesh, &self.rules);
        let mut conditions = classes.conditions.clone();
        conditions.extend(callers.iter().map(|class| class.condition.clone()));
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
        let (service, span) = self.name();
        Column {
            service,
            place: told(Origin::Written(span), self.sources),
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
        let silent = members.iter().filter(|caller| self.is_silent(**caller));
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
                let mtls = match self.owner {
                    Owner::Service(id) => mesh.mtls_of(&mesh[id]),
                    Owner::Host(..) => mesh.mtls,
                };
                return vec![always(false, "mtls strict", mtls.origin)];
            }
            Seen::Unguarded => {
                let Owner::Service(id) = self.owner else {
                    return Vec::new();
                };
                let service = &mesh[id];
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
        let from_class = self.rules.about(mesh, class);
        let mut decided = Vec::new();
        for methods in &classes.methods {
            let mut column = Vec::new();
            for path in &paths.classes {
                let mut holds = vec![from];
                let mut fails = Vec::new();
                methods.ask(questions, &mut holds, &mut fails);
                path.ask(questions, &mut holds, &mut fails);
                // Most rules are about something else, as is plain to see.
                let rules = from_class.iter().copied().filter(|number| {
                    let rule = &self.rules.all[*number as usize];
                    methods.may_be(self.rules.methods(*number)) && path.may_be(paths, &rule.paths)
                });
                let rules: Vec<u32> = rules.collect();
                let outcomes = questions.outcomes(&rules, &holds, &fails);
                column.push(self.decided(&outcomes, paths, path));
            }
            decided.push(column);
        }
        merged(&decided, &classes.methods, paths)
    }

    /// A cell of its own, its kind of requests left out.
    fn decided(
        &self,
        outcomes: &[(Outcome, Option<Box<Request>>)],
        paths: &Paths,
        path: &Path,
    ) -> Cell {
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
            .map(|(outcome, _)| {
                let because = self.because(outcome, several);
                match outcome {
                    Outcome::Rule(rule) => self.on_paths(because, *rule, paths, path),
                    _ => because,
                }
            })
            .collect();
        let unsure = outcomes
            .iter()
            .any(|(outcome, _)| matches!(outcome, Outcome::NotDecided(..)));
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

    /// What a rule is about besides, where its paths were not told apart from others.
    fn on_paths(&self, because: Because, rule: u32, paths: &Paths, path: &Path) -> Because {
        let open = paths.open(path, &self.rules.all[rule as usize].paths);
        if open.is_empty() {
            return because;
        }
        let on = format!("path in [{}]", open.join(", "));
        let when = match because.when {
            Some(when) => format!("{on} and ({when})"),
            None => on,
        };
        Because {
            when: Some(when),
            ..because
        }
    }

    fn because(&self, outcome: &Outcome, several: bool) -> Because {
        let place = self.place();
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
            Outcome::NotDecided(rule, reason) => {
                let rule = rule.map(|number| &self.rules.all[number as usize]);
                let text = rule.map_or_else(String::new, |rule| {
                    format!(" whether some meet `{}`", place.rule(rule))
                });
                Because {
                    allows: false,
                    rule: format!("not decided{text}, because {reason}"),
                    place: rule.map_or_else(String::new, |rule| said(Origin::Written(rule.span))),
                    when: None,
                }
            }
        }
    }
}

/// What decides where no rule does.
pub(super) const NO_RULE: &str = "no rule allows it";

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

//! The tables of a way in one space, so that one question is about all of them.

use super::Credentials;
use super::chains::Chain;
use super::weakest::{self, fewest};
use crate::access::{Caller, Rules, Seen, is_met, seen};
use crate::model::condition::{Condition, Field, Predicate, Test, test};
use crate::model::policy::Require;
use crate::model::said::Said;
use crate::model::{Gateway, HostBlock, Mesh, ServiceId, Table};
use crate::plan::formula::FormulaId;
use crate::plan::table::Match;
use crate::verify::tables::Subject;
use crate::verify::{Budget, Door, End, Question, Reason, Request, Space, TableId, World};
use mesh_lang::value::{HostPattern, PathPattern};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Whose tables are in a space.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// A gateway and its host.
    pub(super) host: Option<(u32, usize)>,
    /// Routes, and the service whose rules are asked last, with who calls.
    pub(super) services: Option<(Caller, Vec<ServiceId>, ServiceId)>,
}

/// Tables in one space.
pub(super) struct Joint {
    space: Space,
    /// The credentials that there are, and the formula that each is there.
    credentials: Vec<(Credentials, FormulaId)>,
    host: Option<HostTables>,
    /// One for each route.
    routes: Vec<TableId>,
    /// The rules of the service; none where all are let in.
    rules: Option<TableId>,
    /// What the service requires.
    met: Vec<FormulaId>,
}

/// The tables of a host.
struct HostTables {
    arms: TableId,
    /// None where all are let in; else with those that let in.
    rules: Option<(TableId, Vec<u32>)>,
    /// What is required on the way through each arm.
    met: Vec<Vec<FormulaId>>,
}

/// A request that takes a way, and the rule of the service that lets it in.
pub(super) struct Taken {
    pub(super) credentials: BTreeSet<Credentials>,
    pub(super) request: Request,
    pub(super) unsure: Option<Reason>,
    pub(super) rule: Option<u32>,
}

/// Tables and conditions that come into a space.
#[derive(Default)]
struct Parts {
    tables: Vec<Rows>,
    conditions: Vec<Condition>,
}

impl Parts {
    fn table(&mut self, rows: Rows) -> TableId {
        self.tables.push(rows);
        TableId(self.tables.len() - 1)
    }

    fn conditions(&mut self, more: impl IntoIterator<Item = Condition>) -> Range<usize> {
        let first = self.conditions.len();
        self.conditions.extend(more);
        first..self.conditions.len()
    }
}

/// What a host brings: its tables, and for each arm the conditions that hold on the way through it.
type OfHost = (TableId, Option<(TableId, Vec<u32>)>, Vec<Range<usize>>);

impl Joint {
    /// All tables of a way in one space; none if they make none. `subject` is the host as the verifier has it.
    pub(super) fn new(
        mesh: &Mesh,
        key: &Key,
        subject: Option<&Subject<'_>>,
        rules: &[Rules<'_>],
    ) -> Option<Self> {
        let mut parts = Parts::default();
        let credentials = weakest::all(mesh);
        for (_, condition) in &credentials {
            parts.conditions([condition.clone()]);
        }
        let host = key.host.map(|(gateway, host)| {
            let gateway = &mesh.gateways[gateway as usize];
            (gateway, &gateway.hosts[host])
        });
        let host_tables: Option<OfHost> = host.map(|(gateway, block)| {
            let rules = Rules::of_host(mesh, gateway, block);
            let arms = parts.table(Rows::of_table(&block.table, true));
            let guard = (!rules.unguarded).then(|| {
                let table = parts.table(Rows::of_rules(&rules, true));
                (table, rules.allowing().collect())
            });
            let met = through_arms(mesh, gateway, block).map(|requires| {
                let requires = requires.into_iter();
                parts.conditions(requires.map(|it| without_source(&is_met(it, mesh.span))))
            });
            (arms, guard, met.collect())
        });
        let called = key.services.as_ref().map(|(_, _, service)| *service);
        let mut world = subject.map_or_else(|| some_world(mesh, called), |it| it.world.clone());
        let mut routes = Vec::new();
        let mut guard = None;
        let mut met = 0..0;
        if let Some((caller, on_way, service)) = &key.services {
            let identity = caller.identity(mesh);
            let known = seen(mesh, *service, identity.is_some()) == Seen::Known;
            let names = identity.into_iter().map(|(name, _)| name);
            world.callers = Arc::new(names.collect());
            world.anonymous = false;
            for route in on_way {
                let table = mesh[*route].route.as_ref()?;
                routes.push(parts.table(Rows::of_table(table, false)));
            }
            let rules = &rules[service.index()];
            guard = (!rules.unguarded).then(|| parts.table(Rows::of_rules(rules, !known)));
            let requires = rules.requires.iter().map(|it| is_met(it, mesh.span));
            met = parts.conditions(requires.map(|condition| {
                if known {
                    condition
                } else {
                    without_source(&condition)
                }
            }));
        }
        let region = host.filter(|_| parts.ask_host());
        let region = region.and_then(|(gateway, block)| belongs(gateway, block));
        let region = parts.conditions(region);

        let matches: Vec<Vec<Match<'_>>> = parts.tables.iter().map(Rows::matches).collect();
        let matches: Vec<&[Match<'_>]> = matches.iter().map(Vec::as_slice).collect();
        let asked: Vec<&Condition> = parts.conditions.iter().collect();
        let space = Space::new(world, &matches, &asked).ok()?;
        let formulas = |range: Range<usize>| {
            range
                .map(|index| space.condition(index))
                .collect::<Vec<_>>()
        };
        let host = host_tables.map(|(arms, rules, met)| HostTables {
            arms,
            rules,
            met: met.into_iter().map(formulas).collect(),
        });
        let credentials = credentials.into_iter().enumerate();
        Some(Self {
            credentials: credentials
                .map(|(index, (it, _))| (it, space.condition(index)))
                .collect(),
            host,
            routes,
            rules: guard,
            met: [formulas(met), formulas(region)].concat(),
            space,
        })
    }

    /// The request that brings the fewest credentials, of those that end at these arms and this rule.
    pub(super) fn fewest(
        &mut self,
        arm: Option<u32>,
        chain: &Chain,
        rule: Option<u32>,
        budget: &mut Budget,
    ) -> Result<Option<Taken>, Reason> {
        let mut ends = Vec::new();
        let mut holds = self.met.clone();
        let mut guard = None;
        if let (Some(host), Some(arm)) = (&self.host, arm) {
            ends.push(End {
                table: host.arms,
                arm: Some(arm),
            });
            holds.extend(&host.met[arm as usize]);
            guard.clone_from(&host.rules);
        }
        for (table, (_, arm)) in self.routes.iter().zip(&chain.routes) {
            ends.push(End {
                table: *table,
                arm: *arm,
            });
        }
        ends.extend(self.rules.map(|table| End { table, arm: rule }));
        // A host's own rules let in by any that allows; the first with a request will do.
        let guards: Vec<Option<End>> = match guard {
            Some((table, allowing)) => allowing
                .into_iter()
                .map(|rule| {
                    Some(End {
                        table,
                        arm: Some(rule),
                    })
                })
                .collect(),
            None => vec![None],
        };
        let all: Vec<Credentials> = self.credentials.iter().map(|(it, _)| *it).collect();
        let mut unsure = None;
        let mut best: Option<Taken> = None;
        for guard in guards {
            let ends: Vec<End> = ends.iter().copied().chain(guard).collect();
            let found = fewest(&all, |allowed| {
                let others = self.credentials.iter();
                let others = others.filter(|(it, _)| !allowed.contains(it));
                let fails: Vec<FormulaId> = others.map(|(_, formula)| *formula).collect();
                let question = Question {
                    ends: &ends,
                    holds: &holds,
                    fails: &fails,
                };
                self.space.ask(question, budget)
            });
            match found {
                Ok(Some((credentials, request, reason))) => {
                    unsure = unsure.or(reason);
                    if best
                        .as_ref()
                        .is_none_or(|it| credentials.len() < it.credentials.len())
                    {
                        best = Some(Taken {
                            credentials,
                            request,
                            unsure: None,
                            rule,
                        });
                    }
                }
                Ok(None) => {}
                Err(reason) => unsure = Some(reason),
            }
        }
        match best {
            Some(taken) => Ok(Some(Taken { unsure, ..taken })),
            None => unsure.map_or(Ok(None), Err),
        }
    }
}

/// The arms of a table, their conditions as they are asked here.
struct Rows {
    rows: Vec<(Vec<String>, Vec<PathPattern>, Option<Condition>)>,
}

impl Rows {
    fn of_table(table: &Table, anonymous: bool) -> Self {
        let arms = table.arms.iter().zip(table.methods());
        let rows = arms.map(|(arm, methods)| {
            let condition = arm.condition.clone();
            (methods, arm.paths.clone(), condition)
        });
        Self {
            rows: rows.collect(),
        }
        .seen(anonymous)
    }

    fn of_rules(rules: &Rules<'_>, anonymous: bool) -> Self {
        let rows = rules.matches().into_iter().map(|row| {
            (
                row.methods.to_vec(),
                row.paths.to_vec(),
                row.condition.cloned(),
            )
        });
        Self {
            rows: rows.collect(),
        }
        .seen(anonymous)
    }

    fn seen(mut self, anonymous: bool) -> Self {
        if anonymous {
            for (_, _, condition) in &mut self.rows {
                *condition = condition.as_ref().map(without_source);
            }
        }
        self
    }

    fn matches(&self) -> Vec<Match<'_>> {
        let rows = self.rows.iter();
        rows.map(|(methods, paths, condition)| Match {
            methods,
            paths,
            condition: condition.as_ref(),
        })
        .collect()
    }
}

/// A condition where nobody is known: a test of the source is false.
fn without_source(condition: &Condition) -> Condition {
    let all = |parts: &[Condition]| parts.iter().map(without_source).collect();
    match condition {
        Condition::And(parts) => Condition::And(all(parts)),
        Condition::Or(parts) => Condition::Or(all(parts)),
        Condition::Not(part) => Condition::Not(Box::new(without_source(part))),
        Condition::Test(Test {
            field: Field::Source | Field::SourceNamespace,
            ..
        }) => Condition::Or(Vec::new()),
        Condition::Test(_) => condition.clone(),
    }
}

/// For each arm of a host what is required on the way through it.
fn through_arms<'m>(
    mesh: &'m Mesh,
    gateway: &'m Gateway,
    host: &'m HostBlock,
) -> impl Iterator<Item = Vec<&'m Said<Require>>> {
    host.table.arms.iter().map(move |arm| {
        let levels = [&mesh.defaults, &gateway.policy, &host.policy, &arm.policy];
        levels
            .into_iter()
            .flat_map(|level| &level.requires)
            .collect()
    })
}

/// Requests of which nothing is known but what the mesh says, to a service.
fn some_world(mesh: &Mesh, service: Option<ServiceId>) -> World {
    World {
        host: service.map_or_else(String::new, |id| mesh[id].name.clone()),
        encoded_slash: mesh.encoded_slash.value,
        tokens: mesh.jwts.iter().map(|jwt| jwt.name.clone()).collect(),
        keys: mesh.keys.iter().map(|keys| keys.name.clone()).collect(),
        doors: vec![Door {
            https: false,
            port: 80,
        }],
        ..World::default()
    }
}

impl Parts {
    /// Whether something asks for hosts.
    fn ask_host(&self) -> bool {
        let rows = self.tables.iter().flat_map(|table| &table.rows);
        let conditions = rows.filter_map(|(_, _, condition)| condition.as_ref());
        let mut tests = conditions
            .chain(&self.conditions)
            .flat_map(Condition::tests);
        tests.any(|test| test.field == Field::Host)
    }
}

/// "The host belongs to this block": one of its patterns takes it, and no closer one of another block.
fn belongs(gateway: &Gateway, block: &HostBlock) -> Option<Condition> {
    let closeness = |pattern: &HostPattern| match pattern {
        HostPattern::Any => 0,
        HostPattern::Suffix(suffix) => 1 + suffix.len(),
        HostPattern::Exact(_) => usize::MAX,
    };
    let is_one_of =
        |patterns: Vec<HostPattern>| test(Field::Host, Predicate::Hosts(patterns), block.span);
    let others = gateway.hosts.iter().filter(|it| !std::ptr::eq(*it, block));
    let others: Vec<&HostPattern> = others.flat_map(|it| &it.patterns).collect();
    let own = block.patterns.iter().map(|pattern| {
        let closer = others
            .iter()
            .filter(|it| closeness(it) > closeness(pattern));
        let closer = closer.map(|it| (*it).clone()).collect();
        Condition::And(vec![
            is_one_of(vec![pattern.clone()]),
            Condition::Not(Box::new(is_one_of(closer))),
        ])
    });
    (!block.patterns.is_empty()).then(|| Condition::Or(own.collect()))
}

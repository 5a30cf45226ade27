//! Statements that change nothing where they stand: a `sticky` without a split, a `hedge` of what is never sent twice,
//! a share of nothing.

use crate::lines;
use crate::model::said::{Origin, Said, Switch};
use crate::model::{Action, Arm, Mesh, Service, ServiceId, Target};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::source::Span;
use mesh_lang::tree::{Node, Tree};
use mesh_lang::value::Percent;
use mesh_lang::view::{Block, Item, ItemKind, Setting, Statement, Value};
use std::collections::HashSet;

/// Methods of requests that may be sent again (RFC 9110, section 9.2.2).
const IDEMPOTENT: &[&str] = &["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for arm in super::arms(mesh) {
        found.extend(keeps_nothing(mesh, arm));
        found.extend(never_hedged(arm));
    }
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        found.extend(never_drawn(mesh, id, service));
    }
    found
}

/// Where a value that is on is written, and not brought in by a policy, which others may use.
fn written<T>(said: &Said<Switch<T>>) -> Option<Span> {
    match said.origin {
        Origin::Written(span) => said.value.on().map(|_| span),
        Origin::Edition | Origin::Used { .. } => None,
    }
}

/// A `sticky` of an arm that leads to one place.
fn keeps_nothing(mesh: &Mesh, arm: &Arm) -> Option<Diagnostic> {
    let span = arm.policy.sticky.as_ref().and_then(written)?;
    let Action::Forward(target) = &arm.action else {
        return None;
    };
    if holds_split(mesh, &arm.action) {
        return None;
    }
    let target = mesh[target.service()].qualified_name();
    let message = "there is no split for this to keep to";
    Some(
        Diagnostic::new(Code::PolicyIneffective, message)
            .primary(span, "")
            .secondary(arm.span, format!("all of these go to `{target}`"))
            .help("remove it; which endpoint is chosen is for `balance hash by …` of the service"),
    )
}

/// Whether something is drawn on the way of an action, through the routes of services.
fn holds_split(mesh: &Mesh, action: &Action) -> bool {
    let mut seen = HashSet::new();
    let mut next = vec![action];
    while let Some(action) = next.pop() {
        match action {
            Action::Split(_) => return true,
            Action::Forward(Target::Service(service)) if seen.insert(*service) => {
                let arms = mesh[*service].route.iter().flat_map(|table| &table.arms);
                next.extend(arms.map(|arm| &arm.action));
            }
            Action::Forward(_) | Action::Redirect(_) | Action::Respond { .. } => {}
        }
    }
    false
}

/// A `sticky` of a service that no split leads through or to.
fn never_drawn(mesh: &Mesh, id: ServiceId, service: &Service) -> Option<Diagnostic> {
    let span = service.policy.sticky.as_ref().and_then(written)?;
    if holds_split(mesh, &Action::Forward(Target::Service(id))) {
        return None;
    }
    // One that leads here may be kept by what is said here.
    let leads_here = |arm: &Arm| {
        let shares = matches!(arm.action, Action::Split(_));
        let mut targets = arm.action.targets().into_iter();
        shares && targets.any(|target| target.service() == id)
    };
    if super::arms(mesh).any(leads_here) {
        return None;
    }
    let name = service.qualified_name();
    let message = "there is no split for this to keep to";
    Some(
        Diagnostic::new(Code::PolicyIneffective, message)
            .primary(span, "")
            .secondary(
                service.span,
                format!("no split leads to `{name}`, and its route has none"),
            )
            .help("remove it; which endpoint is chosen is for `balance hash by …`"),
    )
}

/// A `hedge` of an arm whose requests are never sent twice.
fn never_hedged(arm: &Arm) -> Option<Diagnostic> {
    let span = arm.policy.hedge.as_ref().and_then(written)?;
    let first = arm.methods.first()?;
    if arm
        .methods
        .iter()
        .any(|method| IDEMPOTENT.contains(&method.as_str()))
    {
        return None;
    }
    let message = "no request of this arm is ever sent a second time";
    Some(
        Diagnostic::new(Code::PolicyIneffective, message)
            .primary(
                span,
                "this starts a second try of requests that may be repeated",
            )
            .secondary(arm.span, "takes only such as may not")
            .note(format!(
                "for example: a `{first}` has one try, however long that takes"
            ))
            .help("remove it, or say it on arms that read"),
    )
}

/// Shares of nothing that are written out. One that an environment sets is there to be set.
pub fn shares(trees: &[Tree]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut set = None;
    for tree in trees {
        let statements = tree.root().descendants().filter_map(Statement::cast);
        for setting in statements.filter_map(Statement::setting) {
            let Some(what) = share_of_nothing(setting) else {
                continue;
            };
            let set = set.get_or_insert_with(|| set_by_environments(trees));
            let key = (owner(tree, setting.node()), setting.keyword().text);
            if !set.contains(&key) {
                let word = setting.keyword().text;
                let message = format!("`{word}` of 0 % {what}");
                found.push(
                    Diagnostic::new(Code::PolicyIneffective, message)
                        .primary(setting.head_span(), "0 of all requests")
                        .note("a share that is to be raised one day is a parameter, which is not told")
                        .fix(Fix::guess("remove it", lines::removal(setting.node()), "")),
                );
            }
        }
    }
    found
}

/// What a setting with a share of nothing does not do.
fn share_of_nothing(setting: Setting<'_>) -> Option<&'static str> {
    let what = match setting.keyword().text {
        "mirror" => "copies nothing",
        "fault" => "never happens",
        "tracing" => "traces nothing",
        _ => return None,
    };
    let Some(Value::Word(share)) = setting.values().next() else {
        return None;
    };
    let share = Percent::parse(share.text).ok()?;
    (share.millionths() == 0).then_some(what)
}

/// The name of the item that a node stands in.
fn owner<'t>(tree: &'t Tree, node: Node<'t>) -> &'t str {
    let around = tree.path_to(node.span().start);
    let items = around.into_iter().rev().filter_map(Statement::cast);
    let mut blocks = items.filter_map(|statement| match statement {
        Statement::Item(Item::Block(block)) => block.name(),
        _ => None,
    });
    blocks.next().map_or("", |name| name.text)
}

/// What environments set: the item, and the last word of the path.
fn set_by_environments(trees: &[Tree]) -> HashSet<(&str, &str)> {
    let items = trees.iter().flat_map(Tree::items);
    let environments = items.filter_map(|item| match item {
        Item::Block(block) if block.kind() == ItemKind::Env => block.block(),
        _ => None,
    });
    let statements = environments.flat_map(Block::statements);
    let paths = statements.filter_map(|statement| match statement {
        Statement::Set(set) => set.path().map(|path| path.text),
        _ => None,
    });
    paths
        .filter_map(|path| {
            let path = path.rsplit_once('/').map_or(path, |(_, path)| path);
            Some((path.split('.').next()?, path.rsplit('.').next()?))
        })
        .collect()
}

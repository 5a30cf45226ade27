//! Who lets a request in, as conditions: the rules of a service or a host, and what they require.

use super::seen::{all, not};
use crate::model::authz::{Authz, Rule, in_order};
use crate::model::condition::{Condition, Field, Predicate, holds, test};
use crate::model::policy::Require;
use crate::model::said::Said;
use crate::model::{Mesh, Service};
use crate::plan::{match_of, rule_methods};
use mesh_lang::source::Span;
use mesh_lang::value::PathPattern;

/// "The caller is one of these", each `namespace/name`.
pub(super) fn is_one_of(callers: Vec<String>, span: Span) -> Condition {
    test(Field::Source, Predicate::OneOf(callers), span)
}

/// "Nobody proved who calls."
pub(super) fn is_nameless(span: Span) -> Condition {
    not(test(Field::Source, Predicate::Present, span))
}

/// What is asked of methods and paths, where any are named.
pub(in crate::verify) fn names(
    methods: &[String],
    paths: &[PathPattern],
    span: Span,
) -> Vec<Condition> {
    let mut parts = Vec::new();
    if !methods.is_empty() {
        parts.push(test(
            Field::Method,
            Predicate::OneOf(methods.to_vec()),
            span,
        ));
    }
    if !paths.is_empty() {
        parts.push(test(Field::Path, Predicate::Paths(paths.to_vec()), span));
    }
    parts
}

/// "The rules of the service let it in", and what its own block requires.
pub(super) fn of_service(mesh: &Mesh, service: &Service) -> Condition {
    let denies = mesh.namespace(&service.namespace);
    let denies = denies.map_or(&[][..], |namespace| &namespace.denies);
    let own = service
        .authz
        .as_ref()
        .and_then(|authz| authz.rules.as_deref());
    let rules: Vec<&Rule> = in_order(denies, own.unwrap_or_default()).collect();
    let open = own.is_none() && mesh.open_by_default.value;
    let requires = [&service.policy, &mesh.defaults];
    let requires = requires.iter().flat_map(|level| &level.requires);
    all(vec![let_in(mesh, &rules, open), held(requires, mesh.span)])
}

/// "The rules of the host let it in."
pub(in crate::verify) fn of_host(mesh: &Mesh, authz: Option<&Authz>) -> Condition {
    match authz.and_then(|authz| authz.rules.as_ref()) {
        Some(own) => {
            let rules: Vec<&Rule> = in_order(&[], own).collect();
            let_in(mesh, &rules, false)
        }
        None => all(Vec::new()),
    }
}

/// "One of the rules allows it, and none denies it"; or only that, where everybody is let in.
fn let_in(mesh: &Mesh, rules: &[&Rule], open: bool) -> Condition {
    let methods = rule_methods(rules);
    let (mut allowed, mut denied) = (Vec::new(), Vec::new());
    for (rule, methods) in rules.iter().zip(&methods) {
        let mut parts = names(methods, &rule.paths, rule.span);
        parts.extend(match_of(mesh, rule));
        let side = if rule.allows {
            &mut allowed
        } else {
            &mut denied
        };
        side.push(all(parts));
    }
    let refused = not(Condition::Or(denied));
    if open {
        refused
    } else {
        all(vec![Condition::Or(allowed), refused])
    }
}

/// "All that is required is there."
pub(in crate::verify) fn held<'r>(
    requires: impl IntoIterator<Item = &'r Said<Require>>,
    span: Span,
) -> Condition {
    let each = requires.into_iter().map(|said| {
        let there = holds(said.value.credential, said.span().unwrap_or(span));
        match &said.value.condition {
            Some(condition) => Condition::Or(vec![not(condition.clone()), there]),
            None => there,
        }
    });
    all(each.collect())
}

//! Why earlier arms did not take a request.
//!
//! Each part of their matches is put before the decision code by itself, as a table of one arm: what is told is
//! what was decided, not a second opinion.

use super::written::{Owner, Written, WrittenArm};
use crate::model::Arm;
use crate::model::condition::{Condition, Test};
use crate::plan::formula::{FieldName, field_name};
use crate::plan::table::Match;
use crate::spell::Place;
use crate::verify::decider::lone_table;
use mesh_bundle::decide::{Field, Plain, RequestView as _, Value, decide};
use mesh_bundle::format::{FieldKind, Id};
use serde::Serialize;

/// An arm that stands before the one that took a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// `file:line`.
    pub place: String,
    /// Its match.
    pub text: String,
    /// Why it did not take the request.
    pub because: String,
}

/// How many arms are told, of each table.
const TOLD: usize = 8;

/// The arms before `taken` that have the request's path but not the request, and how many others there are.
pub fn passed_over(
    written: &Written<'_>,
    taken: &WrittenArm<'_>,
    request: &Plain<'_>,
) -> (Vec<PassedOver>, usize) {
    let place = match taken.owner {
        Owner::Host(gateway, _) => Place::inside(written.mesh, &gateway.namespace),
        Owner::Service(id, _) => Place::of_service(written.mesh, id),
    };
    let methods = taken.table.methods();
    let mut close = Vec::new();
    let earlier = taken.table.arms.iter().zip(&methods).take(taken.index);
    for (arm, methods) in earlier {
        let on_path = Match {
            methods: &[],
            paths: &arm.paths,
            condition: None,
        };
        if close.len() == TOLD || !holds(&on_path, request) {
            continue;
        }
        close.push(PassedOver {
            place: written.sources.place(arm.span),
            text: place.head(arm),
            because: because(&place, arm, methods, request),
        });
    }
    let others = taken.index - close.len();
    (close, others)
}

fn because(place: &Place<'_>, arm: &Arm, methods: &[String], request: &Plain<'_>) -> String {
    let by_method = Match {
        methods,
        paths: &[],
        condition: None,
    };
    if !holds(&by_method, request) {
        return format!("the method is {}", request.method);
    }
    match &arm.condition {
        Some(condition) => {
            let failing = failing(condition, request);
            let found = found(failing, request);
            if std::ptr::eq(failing, condition) {
                found // the whole of it stands in the arm's text
            } else {
                format!("{}: {found}", place.condition(failing))
            }
        }
        None => "it matches, and a later one was taken".to_owned(), // never: proved before
    }
}

/// Whether a match holds of a request, as the decision code finds.
fn holds(asked: &Match<'_>, request: &Plain<'_>) -> bool {
    lone_table(&[*asked]).is_ok_and(|bundle| decide(&bundle, Id::new(0), request).is_some())
}

fn is_so(condition: &Condition, request: &Plain<'_>) -> bool {
    let alone = Match {
        methods: &[],
        paths: &[],
        condition: Some(condition),
    };
    holds(&alone, request)
}

/// The smallest part of a condition that fails because of one thing.
fn failing<'c>(condition: &'c Condition, request: &Plain<'_>) -> &'c Condition {
    match condition {
        Condition::And(parts) => match parts.iter().find(|part| !is_so(part, request)) {
            Some(part) => failing(part, request),
            None => condition,
        },
        Condition::Or(parts) if parts.len() == 1 => failing(&parts[0], request),
        _ => condition,
    }
}

/// What a condition found in place of what it asks for.
fn found(condition: &Condition, request: &Plain<'_>) -> String {
    let inner = match condition {
        Condition::Not(inner) => inner,
        condition => condition,
    };
    let value = match inner {
        Condition::Test(test) => value(test, request),
        _ => None,
    };
    value.map_or_else(
        || "that is not so".to_owned(),
        |value| format!("it is {value}"),
    )
}

/// The value that a test found.
fn value(test: &Test, request: &Plain<'_>) -> Option<String> {
    let FieldName {
        kind,
        provider,
        name,
    } = field_name(&test.field);
    match kind {
        FieldKind::PathText => return Some(request.path.as_str().to_owned()),
        FieldKind::SourceIp => return Some(request.source_ip.to_string()),
        FieldKind::ClientIp => return Some(request.client_ip.to_string()),
        _ => {}
    }
    let asked = Field::new(kind, provider, name.as_deref().unwrap_or_default())?;
    Some(match request.field(asked, Id::NONE) {
        Value::Absent => "absent".to_owned(),
        Value::Text(text) => format!("{:?}", String::from_utf8_lossy(&text)),
        Value::Number(number) => number.to_string(),
        Value::List(members) => {
            let members = members
                .iter()
                .map(|text| format!("{:?}", String::from_utf8_lossy(text)));
            format!("[{}]", members.collect::<Vec<_>>().join(", "))
        }
    })
}

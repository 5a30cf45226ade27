//! What an arm does with a request, part by part, as text that can be compared between two meshes.

use crate::model::policy::{PathRewrite, Policy};
use crate::model::{Action, Arm, Mesh, RedirectPath, RedirectTo, Target};
use crate::report::count;
use crate::spell::Place;
use mesh_lang::value::{PathPattern, Segment};

/// What an arm does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Where it sends requests, or how it answers.
    pub(super) action: String,
    /// The services and versions that it sends requests to, in alphabetical order.
    pub(super) targets: Vec<String>,
    /// What it makes of requests and responses.
    pub(super) headers: Vec<String>,
    /// How hard it tries.
    pub(super) reliability: Vec<String>,
}

impl Outcome {
    /// No arm takes the request.
    pub(super) fn nothing() -> Self {
        Self {
            action: "404".to_owned(),
            targets: Vec::new(),
            headers: Vec::new(),
            reliability: Vec::new(),
        }
    }

    /// What an arm does, with the policy that is in force for it.
    pub(super) fn of(mesh: &Mesh, arm: &Arm, policy: &Policy, own: Option<&str>) -> Self {
        let action = &arm.action;
        // Names from the top: those of two meshes are the same where they mean the same.
        let place = Place::top(mesh);
        let name = |target: &Target| match (target, &own) {
            (Target::Own(_), Some(own)) => (*own).to_owned(),
            (target, _) => place.target(*target),
        };
        let mut targets: Vec<String> = action.targets().iter().map(name).collect();
        let text = match action {
            Action::Forward(target) => name(target),
            action => placed(place.action(action), arm, pointed(action)),
        };
        targets.sort();
        targets.dedup();
        let mut outcome = Self {
            action: text,
            targets,
            ..Self::nothing()
        };
        for line in place.policy(policy) {
            let text = line.flat();
            let word = text.split(' ').next().unwrap_or_default();
            let into = match word {
                // Compared by themselves: what is required by its requests, what is accepted as a statement.
                "require" | "accept" => continue,
                "rewrite" => {
                    let path = policy.rewrite.path.as_ref().map(|said| &said.value);
                    let is_path = !text.starts_with("rewrite host");
                    let made = path.filter(|_| is_path).map(rewritten);
                    outcome.headers.push(placed(text, arm, made));
                    continue;
                }
                "request-header" | "response-header" | "cors" | "sticky" => &mut outcome.headers,
                _ => &mut outcome.reliability,
            };
            into.push(text);
        }
        if outcome.targets.is_empty() {
            // What answers by itself tries nothing.
            outcome
                .reliability
                .retain(|text| text.starts_with("rate-limit"));
        }
        outcome
    }
}

/// What of a path goes into another one.
enum Made<'m> {
    /// All but what stands before the final `/**`.
    Behind,
    /// The captures that this names.
    Captures(&'m PathPattern),
}

fn rewritten(rewrite: &PathRewrite) -> Made<'_> {
    match rewrite {
        PathRewrite::Prefix(_) => Made::Behind,
        PathRewrite::Template(path) => Made::Captures(path),
    }
}

fn pointed(action: &Action) -> Option<Made<'_>> {
    let Action::Redirect(redirect) = action else {
        return None;
    };
    match &redirect.to {
        RedirectTo::Url(_) => None,
        RedirectTo::Parts { path, .. } => match path {
            RedirectPath::Keep => None,
            RedirectPath::Whole(path) => Some(Made::Captures(path)),
            RedirectPath::Prefix(_) => Some(Made::Behind),
        },
    }
}

/// The words with the parts of the path that they take over: the same ones mean something else behind another pattern,
/// and others the same. `rewrite prefix "/new" (for 2 segments)`, `rewrite path "/{segment 3}"`.
fn placed(text: String, arm: &Arm, made: Option<Made<'_>>) -> String {
    let Some(made) = made else {
        return text;
    };
    let of = |pattern: &PathPattern| match &made {
        Made::Behind => format!(
            "{text} (for {})",
            count(pattern.segments().len() - 1, "segment")
        ),
        Made::Captures(path) => path.names().fold(text.clone(), |text, name| {
            let part = format!("{{{}}}", captured(pattern, name));
            text.replace(&format!("{{{name}}}"), &part)
                .replace(&format!("{{{name}**}}"), &part)
        }),
    };
    let mut parts: Vec<String> = arm.paths.iter().map(of).collect();
    parts.dedup();
    match parts.as_slice() {
        [] => text,
        [one] => one.clone(),
        _ => {
            let each = arm.paths.iter().zip(arm.paths.iter().map(of));
            let mut each: Vec<String> = each
                .map(|(pattern, part)| format!("{pattern}: {part}"))
                .collect();
            each.sort();
            each.join("; ")
        }
    }
}

/// Which part of the paths that a pattern takes a capture is.
fn captured(pattern: &PathPattern, wanted: &str) -> String {
    let segments = pattern.segments();
    let rest = segments
        .iter()
        .position(|it| matches!(it, Segment::Rest { .. }));
    // Behind a `**` segments are counted from the end.
    let place = |index: usize| match rest {
        Some(rest) if index > rest => format!("segment {} from the end", segments.len() - index),
        _ => format!("segment {}", index + 1),
    };
    let found = segments.iter().enumerate().find_map(|(index, segment)| {
        let is = |name: &Option<String>| name.as_deref() == Some(wanted);
        match segment {
            Segment::Any { name } if is(name) => Some(place(index)),
            Segment::Partial {
                prefix,
                name,
                suffix,
            } if name == wanted => Some(format!("{} but `{prefix}` and `{suffix}`", place(index))),
            Segment::Rest { name } if is(name) => Some(match segments.len() - index - 1 {
                0 => format!("all from {}", place(index)),
                behind => format!("all from {} but the last {behind}", place(index)),
            }),
            _ => None,
        }
    });
    // What no pattern captures is no template that compiles.
    found.unwrap_or_else(|| wanted.to_owned())
}

/// `timeout 3s → 10s`, `+ retry 2 on 5xx`: what is otherwise between two lists of statements.
pub(super) fn difference(old: &[String], new: &[String]) -> Vec<String> {
    let mut gone: Vec<&String> = old.iter().filter(|it| !new.contains(it)).collect();
    let mut differences = Vec::new();
    for text in new.iter().filter(|it| !old.contains(it)) {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let before = gone
            .iter()
            .position(|it| it.split(' ').next() == Some(word));
        differences.push(match before {
            Some(before) => format!("{} → {rest}", gone.remove(before)),
            None => format!("+ {text}"),
        });
    }
    differences.extend(gone.into_iter().map(|text| format!("- {text}")));
    differences
}

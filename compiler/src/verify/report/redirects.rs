//! Redirects that lead to where they were asked.
//!
//! Where a redirect points is, part by part, what it says or what the request has. A request that has all of it
//! already is pointed to itself. So the question is whether such a request ends with the arm; whoever is found is
//! sent on a few times, as a client would be, and each time put before the code that decides.

use super::Writer;
use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::model::{Action, Arm, Redirect, RedirectPath, RedirectTo};
use crate::verify::reach::Proof;
use crate::verify::tables::{Place, belongs};
use crate::verify::{Budget, Door, Request, Verdict};
use mesh_bundle::NormalPath;
use mesh_bundle::format::Bundle;
use mesh_bundle::path::EncodedSlash;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::{HostPattern, PathPattern, Port, Scheme, Url};

/// Times that a client is sent on.
const TIMES: usize = 4;

/// Where a redirect points; what is not said is as in the request.
#[derive(Debug, Default)]
struct There {
    https: Option<bool>,
    host: Option<String>,
    port: Option<u16>,
    path: Path,
}

#[derive(Debug, Default)]
enum Path {
    #[default]
    Keep,
    Whole(PathPattern),
    /// In place of so many segments.
    Prefix(PathPattern, usize),
}

impl Writer<'_> {
    /// The redirects of a table that lead around.
    pub(super) fn circles(&self, bundle: &Bundle) -> Vec<Diagnostic> {
        let arms = (0u32..).zip(&self.subject.table.arms);
        let places = arms.filter_map(|(index, arm)| Some((index, arm, there(arm)?)));
        let places: Vec<(u32, &Arm, There)> = places.collect();
        if places.is_empty() {
            return Vec::new();
        }
        // Who is pointed to another host meets another table; at which host a service is asked is not known.
        let Place::Host(gateway, block) = self.subject.place else {
            return Vec::new();
        };
        let own = belongs(gateway, block);
        let there = places
            .iter()
            .map(|(_, arm, there)| Condition::And(vec![own.clone(), there.condition(arm.span)]));
        let conditions: Vec<Condition> = there.collect();
        let mut found = Vec::new();
        let ask = |proof: &mut Proof<'_>, formulas: &[_]| {
            for ((index, arm, there), formula) in places.iter().zip(formulas) {
                let Verdict::Yes(request) = proof.ending(Some(*index), &[*formula], &[]) else {
                    continue;
                };
                let mut next = (*request).clone();
                let comes_back = (0..TIMES).all(|_| {
                    there
                        .apply(&mut next, self.mesh.encoded_slash.value)
                        .is_some()
                        && (proof.decide)(&next) == Some(*index)
                });
                if comes_back {
                    found.push(circle(arm, &request));
                }
            }
        };
        // A table that makes none was reported.
        let mut budget = Budget::USUAL;
        let _ = self
            .subject
            .prove(Some(bundle), &conditions, &mut budget, ask);
        found
    }
}

fn circle(arm: &Arm, request: &Request) -> Diagnostic {
    let message = "this redirect leads to where it was asked";
    Diagnostic::new(Code::RedirectLoop, message)
        .primary(arm.span, "")
        .note(format!(
            "for example: {request}  → the same, again and again"
        ))
        .help("take out what is there already: `when scheme == http`, or another path or host")
}

/// Where the redirect of an arm points, if it can be said part by part.
fn there(arm: &Arm) -> Option<There> {
    let Action::Redirect(Redirect { to, .. }) = &arm.action else {
        return None;
    };
    match to {
        RedirectTo::Url(url) => {
            let url = Url::parse(url).ok()?;
            let (path, _) = url
                .path_and_query
                .split_once('?')
                .unwrap_or((&url.path_and_query, ""));
            let https = url.scheme == Scheme::Https;
            Some(There {
                https: Some(https),
                host: Some(url.host.to_string()),
                port: Some(url.port.map_or(usual_port(https), Port::number)),
                path: Path::Whole(PathPattern::parse(path).ok()?),
            })
        }
        RedirectTo::Parts {
            scheme,
            host,
            port,
            path,
        } => Some(There {
            https: scheme.as_ref().map(|scheme| scheme == "https"),
            host: host.clone(),
            port: *port,
            path: match path {
                RedirectPath::Keep => Path::Keep,
                // What captures make of a path is not followed.
                RedirectPath::Whole(path) if path.names().next().is_some() => return None,
                RedirectPath::Whole(path) => Path::Whole(path.clone()),
                RedirectPath::Prefix(prefix) => {
                    let prefix = prefix.trim_end_matches('/');
                    let below = PathPattern::parse(&format!("{prefix}/**")).ok()?;
                    let before = arm.paths.iter().map(|path| path.segments().len() - 1);
                    let mut before: Vec<usize> = before.collect();
                    before.dedup();
                    match *before {
                        [one] => Path::Prefix(below, one),
                        _ => return None,
                    }
                }
            },
        }),
    }
}

fn usual_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

impl There {
    /// "The request has all of it."
    fn condition(&self, span: Span) -> Condition {
        let test = |field, predicate| {
            Condition::Test(Test {
                field,
                predicate,
                span,
            })
        };
        let mut all = Vec::new();
        if let Some(https) = self.https {
            let scheme = if https { "https" } else { "http" };
            all.push(test(
                Field::Scheme,
                Predicate::OneOf(vec![scheme.to_owned()]),
            ));
        }
        if let Some(host) = &self.host {
            let host = HostPattern::Exact(host.clone());
            all.push(test(Field::Host, Predicate::Hosts(vec![host])));
        }
        if let Some(port) = self.port {
            all.push(test(Field::Port, Predicate::OneOf(vec![port.to_string()])));
        }
        match &self.path {
            Path::Keep => {}
            Path::Whole(path) | Path::Prefix(path, _) => {
                all.push(test(Field::Path, Predicate::Paths(vec![path.clone()])));
            }
        }
        Condition::And(all)
    }

    /// Makes the request that a client sends next. None where its path would be none.
    fn apply(&self, request: &mut Request, slash: EncodedSlash) -> Option<()> {
        let https = self.https.unwrap_or(request.door.https);
        let kept = if https == request.door.https {
            request.door.port
        } else {
            usual_port(https)
        };
        request.door = Door {
            https,
            port: self.port.unwrap_or(kept),
        };
        if let Some(host) = &self.host {
            request.host.clone_from(host);
        }
        let path = match &self.path {
            Path::Keep => return Some(()),
            Path::Whole(path) => path.to_string(),
            Path::Prefix(below, segments) => {
                let prefix = below.to_string();
                let prefix = prefix.strip_suffix("/**")?;
                let path = format!("{prefix}{}", request.path.after(*segments));
                if path.is_empty() {
                    "/".to_owned()
                } else {
                    path
                }
            }
        };
        request.path = NormalPath::parse(&path, slash).ok()?.into_owned();
        Some(())
    }
}

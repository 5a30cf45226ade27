//! Small meshes made at random, all of whose requests over tiny alphabets are sent.

use super::Claims;
use crate::model::proof::{Claim, ClaimKind, Reaches, Sender};
use crate::model::{GatewayId, ServiceId, Target};
use crate::plan::table::Match;
use crate::reference::first_match;
use crate::verify::assert::leads_to;
use mesh_bundle::format::{Bundle, Id};
use mesh_bundle::journey::{self, Entry, Journey, Request, Step};
use mesh_lang::view::Verb;
use proptest::prelude::*;
use proptest::sample::select;

const METHODS: &[&str] = &["GET", "HEAD", "POST", "DELETE"];
const SEGMENTS: &[&str] = &["a", "b", "c"];
const HEADERS: &[Option<&str>] = &[None, Some("1"), Some("2")];

fn pattern() -> impl Strategy<Value = &'static str> {
    select(vec![
        "/a", "/b", "/a/**", "/b/**", "/**", "/a/*", "/*/b", "/a/b", "/", "/a/", "/**/b", "/{n}/b",
        "/a/{n}", "/{n}/**", "/a/{n**}", "/{n**}",
    ])
}

fn method() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", "GET", "POST", "GET, POST", "HEAD"])
}

fn condition() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "",
        " when header.x == \"1\"",
        " when header.x absent",
        " when header.x != \"1\"",
        " when jwt.j",
        " when jwt.j absent or header.x == \"2\"",
    ])
}

fn statement() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "",
        " { rewrite prefix \"/\" }",
        " { rewrite prefix \"/b\" }",
        " { rewrite path \"/a/b\" }",
        " { rewrite path \"/b/{n}\" }",
        " { rewrite path \"/{n}\"; request-header set x \"2\" }",
        " { rewrite path \"/a/{n**}\" }",
        " { rewrite path \"/{n**}\" }",
        " { request-header set x \"1\" }",
        " { request-header remove x }",
        " { require jwt j }",
        " { require jwt j when header.x == \"1\"; rewrite prefix \"/a\" }",
    ])
}

/// Whether an arm may say a statement: it has what is filled in or replaced.
fn fits(path: &str, action: &str, statement: &str) -> bool {
    let prefix = !statement.contains("prefix") || path.ends_with("/**");
    let mut captures = ["{n}", "{n**}"].into_iter();
    let captures = captures.all(|name| !statement.contains(name) || path.contains(name));
    action != "respond 404" && prefix && captures
}

fn arm() -> impl Strategy<Value = String> {
    let action = select(vec![
        "s0",
        "s1",
        "s2",
        "respond 404",
        "split 50% s0, 50% s2",
        "s0.v1",
    ]);
    (method(), pattern(), condition(), action, statement()).prop_map(
        |(method, path, condition, action, statement)| {
            let statement = if fits(path, action, statement) {
                statement
            } else {
                ""
            };
            format!("{method} {path}{condition} -> {action}{statement}")
        },
    )
}

fn route_arm() -> impl Strategy<Value = String> {
    let statement = select(vec![
        "",
        "",
        " { rewrite prefix \"/c\" }",
        " { rewrite path \"/b/{n}\" }",
        " { rewrite path \"/{n**}\" }",
        " { request-header set x \"2\" }",
    ]);
    let action = select(vec!["s1", "v1", "self", "respond 404"]);
    (method(), pattern(), condition(), action, statement).prop_map(
        |(method, path, condition, action, statement)| {
            let statement = if fits(path, action, statement) {
                statement
            } else {
                ""
            };
            format!("{method} {path}{condition} -> {action}{statement}")
        },
    )
}

fn rule() -> impl Strategy<Value = String> {
    let verb = select(vec!["allow", "allow", "allow", "deny"]);
    let who = select(vec!["edge", "s0", "any service", "anyone", "edge, s2"]);
    let some = (verb, who.clone(), method(), pattern(), condition()).prop_map(
        |(verb, who, method, path, condition)| {
            format!("{verb} {who} to {method} {path}{condition}")
        },
    );
    let all = who.prop_map(|who| format!("allow {who}"));
    prop_oneof![3 => some, 1 => all]
}

fn claim() -> impl Strategy<Value = String> {
    let verb = select(vec!["never", "never", "only", "always"]);
    let who = select(vec!["internet", "edge", "s0", "any service", "s1"]);
    let target = select(vec!["s0", "s1", "s2", "s0.v1"]);
    (
        verb,
        who,
        target,
        method(),
        prop::option::of(pattern()),
        condition(),
    )
        .prop_map(|(verb, who, target, method, path, condition)| {
            let path = path.unwrap_or_default();
            format!("{verb} {who} reaches {target} {method} {path}{condition}")
        })
}

fn mesh() -> impl Strategy<Value = String> {
    let arms = |least| prop::collection::vec(arm(), least..4);
    let rules = || prop::collection::vec(rule(), 1..4);
    let route = prop::collection::vec(route_arm(), 1..3);
    let statement = select(vec![
        "",
        "",
        "require jwt j unless path in [/a/**]",
        "request-header remove x",
    ]);
    let mtls = select(vec!["strict", "permissive", "off"]);
    let claims = prop::collection::vec(claim(), 6..8);
    (
        (arms(1), arms(0), statement, mtls),
        route,
        (rules(), rules(), rules()),
        claims,
    )
        .prop_map(|((first, second, statement, mtls), route, rules, claims)| {
            let lines = |all: &[String]| all.join("\n");
            // What an arm takes is likely to arrive.
            let own = first.iter().chain(&second).filter_map(|arm| {
                let (takes, does) = arm.split_once(" -> ")?;
                let to = does
                    .split(' ')
                    .next()
                    .filter(|to| to.starts_with('s') && *to != "split")?;
                let to = if claims.len() % 2 == 0 { to } else { "s1" };
                Some(format!("always internet reaches {to} {takes}"))
            });
            let claims: Vec<String> = claims.iter().cloned().chain(own).collect();
            let asserts = claims.iter().enumerate();
            let asserts = asserts.map(|(index, claim)| format!("assert \"{index}\" {{ {claim} }}"));
            // A mesh whose services verify nobody has no rules that name them.
            let (r1, r2) = (lines(&rules.1), lines(&rules.2));
            let anyone = |rules: String| match mtls {
                "off" => rules
                    .replace("allow edge, s2", "allow anyone")
                    .replace("deny edge, s2", "deny anyone")
                    .replace("w edge", "w anyone")
                    .replace("w s0", "w anyone")
                    .replace("w any service", "w anyone")
                    .replace("y edge", "y anyone")
                    .replace("y s0", "y anyone")
                    .replace("y any service", "y anyone"),
                _ => rules,
            };
            format!(
                "mesh t {{ mtls {mtls} }}
jwt j {{ issuer \"https://auth.example\"; audiences \"t\"; jwks file \"j.json\" }}
gateway edge {{
  listen 80 http
  host a.example {{
    accept jwt j
    {statement}
    {}
  }}
  host b.example {{
    accept jwt j
    {}
    otherwise -> respond 404
  }}
}}
service s0 {{
  calls s1
  endpoints 127.0.0.1:1
  version v1 {{ endpoints 127.0.0.1:2 }}
  route {{
    {}
  }}
  authz {{
    {}
  }}
}}
service s1 {{ calls none; endpoints 127.0.0.1:3; authz {{
    {}
}} }}
service s2 {{ endpoints 127.0.0.1:4; authz {{
    {}
}} }}
{}",
                lines(&first),
                lines(&second),
                lines(&route),
                anyone(lines(&rules.0)),
                anyone(r1),
                anyone(r2),
                asserts.collect::<Vec<_>>().join("\n")
            )
        })
}

/// All requests, but for who sends them.
fn requests() -> Vec<Request> {
    let mut paths = vec!["/".to_owned()];
    let mut last = vec![String::new()];
    for _ in 0..3 {
        let longer = last.iter().flat_map(|path| {
            let next = SEGMENTS.iter();
            next.map(move |segment| format!("{path}/{segment}"))
        });
        last = longer.collect();
        paths.extend(last.iter().cloned());
        paths.extend(last.iter().map(|path| format!("{path}/")));
    }
    let mut all = Vec::new();
    for path in &paths {
        for method in METHODS {
            for header in HEADERS {
                for token in [false, true] {
                    let mut request = Request::new(method, "", path);
                    let header = header.map(|value| ("x".to_owned(), value.to_owned()));
                    request.headers.extend(header);
                    if token {
                        request.tokens.push((0, Vec::new()));
                    }
                    all.push(request);
                }
            }
        }
    }
    all
}

/// A claim, as the reference interpreter asks it.
struct Asked<'m> {
    methods: Vec<String>,
    claim: &'m Reaches,
}

impl<'m> Asked<'m> {
    fn new(claim: &'m Reaches) -> Self {
        let mut methods = claim.methods.clone();
        if methods.iter().any(|it| it == "GET") && !methods.iter().any(|it| it == "HEAD") {
            methods.push("HEAD".to_owned());
        }
        Self { methods, claim }
    }

    fn holds(&self, bundle: &Bundle, request: &Request) -> bool {
        let asked = Match {
            methods: &self.methods,
            paths: &self.claim.paths,
            condition: self.claim.condition.as_ref(),
        };
        let path = request.normal_path(bundle).unwrap();
        first_match(&[asked], &request.plain(&path)).is_some()
    }
}

/// Whether one of the ways of a request ends at a target, or all of them do.
fn ends(bundle: &Bundle, journey: &Journey, target: Target) -> Vec<bool> {
    let version = match target {
        Target::Version(service, version) => {
            let first = bundle.service(Id::new(service.0)).versions.start() as u32;
            Some(first + version)
        }
        _ => None,
    };
    let at = |branch: &journey::Branch| {
        branch.end.arrival().is_some_and(|(service, arrived)| {
            service.index() as u32 == target.service().0
                && version.is_none_or(|wanted| {
                    arrived.some().is_some_and(|it| it.index() as u32 == wanted)
                })
        })
    };
    journey.branches.iter().map(at).collect()
}

fn arrived(bundle: &Bundle, entry: Entry, request: &Request, branch: &journey::Branch) -> Request {
    let mut steps = branch.steps.iter().rev();
    let forwarded = steps.find_map(|step| match step {
        Step::Forwarded(request) => Some((**request).clone()),
        _ => None,
    });
    forwarded.unwrap_or_else(|| journey::entered(bundle, entry, request))
}

/// Whether a request shows that a claim does not hold.
fn is_broken(claims: &Claims, claim: &Reaches, all: &[Request]) -> Option<Request> {
    let (bundle, mesh) = (&claims.bundle, claims.checked.mesh.as_ref().unwrap());
    let asked = Asked::new(claim);
    let to = claim.target.service();
    let services = || {
        (0..mesh.services.len() as u32)
            .map(ServiceId)
            .filter(|id| *id != to)
    };
    let names = |sender: &Sender| claim.who.contains(sender);
    let is_named =
        |id: ServiceId| names(&Sender::Service(id)) || id != to && names(&Sender::AnyService);
    let edge_is_named = names(&Sender::Internet) || names(&Sender::Gateway(GatewayId(0)));
    let edge = || {
        ["a.example", "b.example"].into_iter().flat_map(|host| {
            all.iter().map(move |request| Request {
                host: host.to_owned(),
                ..request.clone()
            })
        })
    };
    let entry = journey::entrance(bundle, "http", "a.example", None).unwrap();
    if claim.verb == Verb::Always {
        let leads = |host: &str| {
            let mut blocks = mesh.gateways[0].hosts.iter();
            let block = blocks
                .find(|it| it.patterns[0].to_string() == host)
                .unwrap();
            let mut targets = block.table.arms.iter().flat_map(|arm| arm.action.targets());
            targets.any(|target| {
                let through = leads_to(mesh, target);
                through.contains(&to)
            })
        };
        let (a, b) = (leads("a.example"), leads("b.example"));
        let mut from_edge = edge().filter(|request| {
            edge_is_named
                && (if request.host == "a.example" { a } else { b })
                && asked.holds(bundle, request)
                && ends(bundle, &journey::of(bundle, entry, request), claim.target).contains(&false)
        });
        if let Some(request) = from_edge.next() {
            return Some(request);
        }
        for id in services().chain([to]).filter(|id| is_named(*id)) {
            let caller = &mesh[id];
            let calls = caller.calls.as_ref();
            if !calls.is_none_or(|calls| calls.iter().any(|call| call.target == to)) {
                continue;
            }
            let entry = Entry::Sidecar(Id::new(id.0));
            let found = all.iter().find(|request| {
                let request = Request {
                    host: mesh[to].name.clone(),
                    ..(*request).clone()
                };
                let sent = journey::entered(bundle, entry, &request);
                asked.holds(bundle, &sent)
                    && ends(bundle, &journey::of(bundle, entry, &request), claim.target)
                        .contains(&false)
            });
            if let Some(request) = found {
                return Some(request.clone());
            }
        }
        return None;
    }
    let is_barred = |named: bool| named == (claim.verb == Verb::Never);
    let mut barred: Vec<Sends> = Vec::new();
    barred.extend(is_barred(edge_is_named).then_some(Sends::Edge));
    let senders = services().chain([to]).filter(|id| {
        let named = is_named(*id);
        is_barred(named) && (*id != to || named)
    });
    barred.extend(senders.map(Sends::Service));
    barred.extend((claim.verb == Verb::Only).then_some(Sends::Nobody));
    let through = Through { claims, all };
    let mut each = barred.iter();
    let direct = each.find_map(|sends| through.gets(*sends, claim.target, Some(&asked)));
    if direct.is_some() || !claim.transitively {
        return direct;
    }
    // Whoever is reached goes on to whom they call.
    let mut reached = barred.clone();
    let mut next = 0;
    while let Some(&sends) = reached.get(next) {
        next += 1;
        for id in through.hops(sends) {
            let is_start = barred.contains(&sends);
            if id == to && !is_start {
                let found = through.gets(sends, claim.target, Some(&asked));
                if found.is_some() {
                    return found;
                }
            }
            let is_new = id != to && !reached.contains(&Sends::Service(id));
            if is_new && through.gets(sends, Target::Service(id), None).is_some() {
                reached.push(Sends::Service(id));
            }
        }
    }
    None
}

/// Who sends.
#[derive(Clone, Copy, PartialEq)]
enum Sends {
    Edge,
    Service(ServiceId),
    /// Somebody without identity.
    Nobody,
}

/// What gets through, by trying.
struct Through<'t> {
    claims: &'t Claims,
    all: &'t [Request],
}

impl Through<'_> {
    /// To whom somebody may send.
    fn hops(&self, sends: Sends) -> Vec<ServiceId> {
        let mesh = self.claims.checked.mesh.as_ref().unwrap();
        let everybody = || (0..mesh.services.len() as u32).map(ServiceId);
        let targets: Vec<Target> = match sends {
            Sends::Edge => {
                let arms = mesh.gateways[0]
                    .hosts
                    .iter()
                    .flat_map(|host| &host.table.arms);
                arms.flat_map(|arm| arm.action.targets()).collect()
            }
            Sends::Service(id) => match &mesh[id].calls {
                Some(calls) => calls
                    .iter()
                    .map(|call| Target::Service(call.target))
                    .collect(),
                None => everybody()
                    .filter(|it| *it != id)
                    .map(Target::Service)
                    .collect(),
            },
            Sends::Nobody => everybody().map(Target::Service).collect(),
        };
        let all = targets
            .into_iter()
            .flat_map(|target| leads_to(mesh, target));
        all.collect()
    }

    /// A request that gets through to a target, and of which a claim speaks.
    fn gets(&self, sends: Sends, target: Target, asked: Option<&Asked<'_>>) -> Option<Request> {
        let (claims, bundle) = (self.claims, &self.claims.bundle);
        let mesh = claims.checked.mesh.as_ref().unwrap();
        let to = target.service();
        let is_meant = |request: Request| {
            asked.is_none_or(|asked| asked.holds(bundle, &nameless(claims, to, request)))
        };
        if sends == Sends::Edge {
            let entry = journey::entrance(bundle, "http", "a.example", None).unwrap();
            let mut requests = ["a.example", "b.example"].into_iter().flat_map(|host| {
                self.all.iter().map(move |request| Request {
                    host: host.to_owned(),
                    ..request.clone()
                })
            });
            return requests.find(|request| {
                let journey = journey::of(bundle, entry, request);
                // Whoever goes to all endpoints may go to those of a version.
                let at_service = ends(bundle, &journey, Target::Service(to));
                let at_target = ends(bundle, &journey, target);
                let mut each = journey
                    .branches
                    .iter()
                    .zip(at_service.iter().zip(&at_target));
                each.any(|(branch, (service, target))| {
                    let all_endpoints = branch
                        .end
                        .arrival()
                        .is_some_and(|(_, it)| it.some().is_none());
                    (*target || *service && all_endpoints)
                        && is_meant(arrived(bundle, entry, request, branch))
                })
            });
        }
        let mut sources = Vec::new();
        if let Sends::Service(id) = sends {
            sources.push(Some(format!("default/{}", mesh[id].name)));
        }
        // Who has an identity need not show it.
        if mesh.mtls_of(&mesh[to]).value != crate::model::Mtls::Strict {
            sources.push(None);
        }
        let mut requests = sources.iter().flat_map(|source| {
            self.all.iter().map(|request| Request {
                source: source.clone(),
                host: mesh[to].name.clone(),
                ..request.clone()
            })
        });
        requests.find(|request| {
            journey::admitted(bundle, Id::new(to.0), request).is_ok() && is_meant(request.clone())
        })
    }
}

/// A request as a service sees it.
fn nameless(claims: &Claims, to: ServiceId, mut request: Request) -> Request {
    let mesh = claims.checked.mesh.as_ref().unwrap();
    if mesh.mtls_of(&mesh[to]).value == crate::model::Mtls::Off {
        request.source = None;
    }
    request
}

fn reaches(claim: &Claim) -> &Reaches {
    match &claim.kind {
        ClaimKind::Reaches(reaches) => reaches,
        ClaimKind::EveryRoute(_) => panic!("not made here"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A claim holds if and only if no request of all shows that it does not.
    #[test]
    fn what_is_proved_no_request_breaks(text in mesh()) {
        let claims = Claims::of(&text);
        let all = requests();
        let mesh = claims.checked.mesh.as_ref().unwrap();
        let each = mesh.assertions.iter().flat_map(|it| &it.claims);
        for (claim, outcome) in each.zip(claims.outcomes()) {
            let written = claims.checked.sources.text(claim.span);
            let broken = is_broken(&claims, reaches(claim), &all);
            match outcome {
                "fails" => prop_assert!(broken.is_some(), "{written}\n{}\n{text}", claims.notes()),
                "holds" | "vacuous" => prop_assert!(broken.is_none(), "{written}: {broken:?}\n{text}"),
                other => prop_assert!(false, "{written}: {other}\n{}\n{text}", claims.notes()),
            }
        }
    }
}

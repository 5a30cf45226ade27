//! Whole meshes at random: what the interpreter says becomes of requests is what their bundles decide.

use super::{ALL, Fate, From, fates};
use crate::compile::{Selection, check};
use crate::model::ServiceId;
use crate::project::Project;
use mesh_bundle::Bundle;
use mesh_bundle::format::Id;
use mesh_bundle::journey::{self, End, Entry, Held, Request};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn pick(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts.to_vec()).prop_map(str::to_owned)
}

fn condition() -> impl Strategy<Value = String> {
    pick(&[
        "header.h == \"1\"",
        "header.h != \"1\"",
        "header.h present",
        "query.q == \"1\" or cookie.c == \"1\"",
        "not query.q present",
        "jwt.corp.sub == \"s\"",
        "path == /a/** and method == GET",
        "source.ip in [10.0.0.0/8]",
    ])
}

/// A path, and blocks that go with it.
fn path() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        Just(("/", "")),
        Just(("/a", "{ rewrite path \"/b\" }")),
        Just(("/a/**", "{ rewrite prefix \"/b\" }")),
        Just((
            "/a/**",
            "{ rewrite prefix \"/\"; request-header set h \"1\" }"
        )),
        Just(("/{x}", "{ rewrite path \"/a/{x}\" }")),
        Just((
            "/b/{x}/**",
            "{ rewrite path \"/{x}\"; request-header add h \"2\" }"
        )),
        Just(("/b/{rest**}", "{ rewrite path \"/a{rest**}\" }")),
        Just(("/a/x{x}", "{ rewrite path \"/{x}/a\" }")),
        Just(("/a, /b/**", "{ request-header remove h }")),
        Just(("/**", "{ request-header off; rewrite off }")),
        Just(("/**", "{ cors off }")),
        Just(("/a/**", "{ cors { origins \"*\" }; rewrite prefix \"/b\" }")),
    ]
    .prop_map(|(path, block)| (path.to_owned(), block.to_owned()))
}

/// An arm that goes on to these.
fn arm(targets: &'static [&'static str]) -> impl Strategy<Value = String> {
    let action = prop_oneof![
        6 => pick(targets),
        1 => (pick(targets), pick(targets))
            .prop_map(|(one, other)| if one == other { one } else { format!("split 30% {one}, 70% {other}") }),
        1 => pick(&["respond 403 \"no\"", "redirect 302 \"https://else.example/\""]),
    ];
    let method = pick(&["", "", "GET", "POST", "GET, HEAD"]);
    let when = prop::option::weighted(0.4, condition());
    (method, path(), when, action, any::<bool>()).prop_map(
        |(method, (path, block), when, action, with_block)| {
            let when = when.map_or(String::new(), |it| format!(" when {it}"));
            let answers = action.starts_with("respond") || action.starts_with("redirect");
            let block = if with_block && !answers {
                block
            } else {
                String::new()
            };
            format!("{method} {path}{when} -> {action} {block}\n")
        },
    )
}

fn arms(targets: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(arm(targets), 0..4).prop_map(|arms| arms.concat())
}

/// `authz { … }`, or nothing.
fn authz(who: &'static [&'static str]) -> impl Strategy<Value = String> {
    let what = pick(&["", "", " to GET", " to /a/**", " to POST /b/**, /"]);
    let when = prop::option::weighted(0.3, condition());
    let rule = (any::<bool>(), pick(who), what, when).prop_map(|(deny, who, what, when)| {
        let verb = if deny { "deny" } else { "allow" };
        let when = when.map_or(String::new(), |it| format!(" when {it}"));
        format!("{verb} {who}{what}{when}\n")
    });
    let rules = prop::collection::vec(rule, 1..4);
    prop::option::weighted(0.6, rules).prop_map(|rules| {
        rules.map_or(String::new(), |rules| {
            format!("authz {{\n{}}}\n", rules.concat())
        })
    })
}

const EVERYBODY: &[&str] = &["anyone", "any service", "edge", "one", "namespace default"];

fn level() -> impl Strategy<Value = String> {
    pick(&[
        "",
        "",
        "request-header set h \"1\"\n",
        "request-header remove h\n",
        "request-header off\n",
        "rewrite host \"else.example\"\n",
        "cors { origins \"https://a.example\" }\n",
        "cors off\n",
    ])
}

fn require() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("accept jwt corp\n".to_owned()),
        1 => Just("require jwt corp\n".to_owned()),
        2 => pick(&["path == /a/**", "method == POST", "header.h present"])
            .prop_map(|it| format!("accept jwt corp\nrequire jwt corp when {it}\n")),
    ]
}

prop_compose! {
    fn service(name: &'static str, targets: &'static [&'static str])(
        route in arms(targets),
        authz in authz(EVERYBODY),
        level in level(),
        mtls in pick(&["", "", "mtls permissive\n", "mtls off\n"]),
        calls in pick(&["", "", "calls none\n"]),
        require in pick(&["", "", "", "require jwt corp when path == /b/**\n"]),
    ) -> String {
        // Of services without a caller's identity no rule may name one.
        let authz = if mtls.contains("off") { String::new() } else { authz };
        let route = if route.is_empty() { route } else { format!("route {{\n{route}}}\n") };
        format!(
            "service {name} {{\nversion v {{ endpoints 127.0.0.1:1 }}\nversion w {{ endpoints 127.0.0.1:2 }}\n\
             {level}{mtls}{calls}{require}{route}{authz}}}\n"
        )
    }
}

prop_compose! {
    fn mesh()(
        open in any::<bool>(),
        defaults in level(),
        edge in level(),
        host in level(),
        require in require(),
        first in arms(&["one", "one.v", "two", "three"]),
        second in arms(&["two", "three.w"]),
        host_authz in authz(&["anyone"]),
        services in (
            service("one", &["v", "w", "self", "two", "three.v"]),
            service("two", &["v", "self", "three"]),
            service("three", &["v", "w", "self"]),
        ),
    ) -> String {
        let (one, two, three) = services;
        let open = if open { "authz open-by-default" } else { "" };
        let accept = "accept jwt corp\n";
        format!(
            "mesh t {{ {open}\ndefaults {{ {defaults} }}\n}}\n\
             jwt corp {{ issuer \"https://a.example/\"; audiences \"a\"; jwks file \"a.json\" }}\n\
             gateway edge {{\nlisten 8080 http\n{edge}\
             host shop.example {{\n{require}{host}{host_authz}{first}}}\n\
             host *.example {{\n{accept}{second}}}\n}}\n{one}{two}{three}"
        )
    }
}

prop_compose! {
    fn request()(
        method in pick(&["GET", "POST", "HEAD"]),
        host in pick(&["shop.example", "shop.example", "x.example", "other.test", "one", "two", "three"]),
        path in pick(&["/", "/a", "/a/b", "/a/x1", "/b/a/c", "/b", "/a/../b/c", "/c//d", "/%61", "/../x"]),
        headers in prop::sample::select(vec![vec![], vec!["1"], vec!["2"], vec!["1", "2"]]),
        query in prop::sample::select(vec![None, Some("q=1"), Some("q=1&q=2")]),
        cookie in prop::option::of(Just("c=1")),
        token in prop::option::of(pick(&["s", "t"])),
        near in any::<bool>(),
        preflight in prop::option::weighted(0.4, (
            pick(&["GET", "GET", "POST", "PUT"]),
            pick(&["https://a.example", "https://b.example"]),
        )),
    ) -> Request {
        let mut request = Request::new(&method, &host, &path);
        request.headers = headers.iter().map(|it| ("h".to_owned(), (*it).to_owned())).collect();
        request.headers.extend(cookie.map(|it| ("cookie".to_owned(), it.to_owned())));
        request.query = query.map(str::to_owned);
        request.tokens = token
            .map(|it| (0, vec![("sub".to_owned(), Held::Scalar(it))]))
            .into_iter()
            .collect();
        if let Some((method, origin)) = preflight {
            "OPTIONS".clone_into(&mut request.method);
            let announced = ("access-control-request-method".to_owned(), method);
            request.headers.extend([announced, ("origin".to_owned(), origin)]);
        }
        if near {
            request.source_ip = [10, 0, 0, 1].into();
        }
        request
    }
}

/// Fates by how much of the traffic meets each.
fn summed(fates: impl IntoIterator<Item = (Fate, u64)>) -> BTreeMap<Fate, u64> {
    let mut sums = BTreeMap::new();
    for (fate, share) in fates {
        *sums.entry(fate).or_default() += share;
    }
    sums
}

fn decided(bundle: &Bundle, entry: Entry, request: &Request) -> BTreeMap<Fate, u64> {
    let journey = journey::of(bundle, entry, request);
    summed(journey.branches.into_iter().map(|branch| {
        let fate = match branch.end {
            End::Arrived(to) => {
                let first = bundle.service(to.service).versions.start();
                let version = to.version.some().map(|it| (it.index() - first) as u32);
                Fate::Arrived(to.service.index() as u32, version)
            }
            End::Redirected { status: 308, .. } => Fate::Status(308, None),
            End::Redirected {
                status, location, ..
            } => Fate::Status(status, Some(location)),
            End::Preflight { headers, .. } => {
                let allowed = headers
                    .iter()
                    .any(|(name, _)| *name == "access-control-allow-origin");
                Fate::Preflight(allowed)
            }
            End::Answered { status, .. } => Fate::Status(status, None),
            End::Refused(refusal) => Fate::Status(refusal.status(), None),
            End::Egress => Fate::Egress,
        };
        (fate, u64::from(branch.share))
    }))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        max_global_rejects: 20_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn bundles_decide_as_the_mesh_is_read(
        text in mesh(),
        requests in prop::collection::vec(request(), 20),
    ) {
        let project = Project::of_texts([("t.mesh", text.as_str())]);
        let mut checked = check(project, &Selection::default());
        let planned = checked.lay_out();
        prop_assume!(planned.is_some());
        let bundle = Bundle::open(planned.unwrap().bytes).unwrap();
        let mesh = checked.mesh.as_ref().unwrap();
        for request in &requests {
            let gateway = Entry::Gateway(Id::new(0), Id::new(0));
            let services = (0..3).map(|id| (From::Service(ServiceId(id)), Entry::Sidecar(Id::new(id))));
            for (from, entry) in [(From::Gateway(0, 0), gateway)].into_iter().chain(services) {
                let read = summed(fates(mesh, from, request));
                prop_assert_eq!(read.values().sum::<u64>(), ALL);
                prop_assert_eq!(
                    &read, &decided(&bundle, entry, request),
                    "{:?} {:?}\n{}", from, request, text
                );
            }
        }
    }
}

//! A node decides the same from its slice as from the whole bundle.

#![allow(clippy::unwrap_used)]

mod support;

use mesh_bundle::format::{Bundle, Gateway, Id, Service, SliceOf};
use mesh_bundle::host::{self, Named};
use mesh_bundle::needs;
use meshc::compile::{Checked, Selection, check};
use meshc::project::Project;
use proptest::prelude::*;
use proptest::sample::select;
use std::path::Path;
use std::sync::LazyLock;
use support::decisions::{Asked, at_gateway, inbound, outbound};

/// A mesh as one bundle, and as one for each node.
struct Sliced {
    whole: Bundle,
    slices: Vec<(String, Bundle)>,
}

fn sliced(mut checked: Checked) -> Sliced {
    let planned = checked.lay_out();
    let planned = planned.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let whole = Bundle::open(planned.bytes).unwrap();
    let mesh = checked.mesh.as_ref().unwrap();
    let slices = checked.slices(mesh, whole.id()).map(|(name, planned)| {
        let bundle = Bundle::open(planned.unwrap().bytes);
        let bundle = bundle.unwrap_or_else(|error| panic!("{name} {error}"));
        (name.to_string(), bundle)
    });
    let slices = slices.collect();
    Sliced { whole, slices }
}

/// Services that list whom they call and some that do not, rules that name callers, routes that lead on.
const CLOSED: &str = r#"
mesh c { authz deny-by-default }
gateway edge {
  identity front
  listen 8080 http
  host shop.example {
    /cart/** -> cart { mirror 10% audit }
    otherwise -> shop
  }
}
gateway inner { listen 8081 http; host * { otherwise -> respond 204 } }
service shop {
  version v1 { endpoints 127.0.0.1:9001 }
  version v2 { endpoints 127.0.0.1:9002 }
  calls cart { timeout 2s }
  failover spare
  authz { allow edge, cart }
  route { when header.x-a == "1" -> v2; otherwise -> v1 }
}
service spare { endpoints 127.0.0.1:9003; authz { allow edge } }
service cart {
  endpoints 127.0.0.1:9004
  authz { allow shop, edge to GET, POST /a/**, /cart/**; deny anyone to /admin/** }
  route { POST /** -> ledger; otherwise -> self }
}
service ledger { identity books; endpoints 127.0.0.1:9005; authz { allow cart, shop when header.x-a == "2" } }
service audit { endpoints 127.0.0.1:9006; calls none; authz { allow any service } }
namespace n {
  authz { deny namespace default to /admin/** }
  export service x { endpoints 127.0.0.1:9007; mirror 5% audit; authz { allow namespace n; allow cart to /a/** } }
  service y { endpoints 127.0.0.1:9008; calls x; authz { allow x } }
}
"#;

/// `EGRESS` says whether unknown hosts are let through.
fn closed(egress: &str) -> Sliced {
    let text = CLOSED.replace(
        "deny-by-default",
        &format!("deny-by-default; egress {egress}"),
    );
    sliced(support::checked(&text))
}

static MESHES: LazyLock<Vec<Sliced>> = LazyLock::new(|| {
    let example = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../examples")
            .join(name);
        sliced(check(Project::load(&path).unwrap(), &Selection::default()))
    };
    let everything = sliced(support::checked(support::EVERYTHING));
    let mut meshes = vec![everything, closed("deny"), closed("allow")];
    meshes.extend(["bookinfo", "multi-tenant", "zero-trust"].map(example));
    meshes
});

fn find_gateway(bundle: &Bundle, namespace: &str, name: &str) -> Id<Gateway> {
    let is_it = |it: &Gateway| bundle.str(it.namespace) == namespace && bundle.str(it.name) == name;
    Id::new(bundle.gateways().iter().position(is_it).unwrap() as u32)
}

fn find_service(bundle: &Bundle, namespace: &str, name: &str) -> Id<Service> {
    let is_it = |it: &Service| bundle.str(it.namespace) == namespace && bundle.str(it.name) == name;
    Id::new(bundle.services().iter().position(is_it).unwrap() as u32)
}

/// What the node whose slice it is makes of a request, from the slice and from the whole.
fn compare(whole: &Bundle, slice: &Bundle, asked: &Asked, source: &str) {
    let mesh = slice.mesh();
    let (namespace, name) = (slice.str(mesh.slice_namespace), slice.str(mesh.slice_name));
    match SliceOf::from_code(mesh.slice) {
        Some(SliceOf::Gateway) => {
            let here = at_gateway(slice, find_gateway(slice, namespace, name), asked);
            let there = at_gateway(whole, find_gateway(whole, namespace, name), asked);
            assert_eq!(here, there, "gateway {name}: {asked:?}");
        }
        Some(SliceOf::Sidecar) => {
            let own = find_service(slice, namespace, name);
            let whole_own = find_service(whole, namespace, name);
            let (here, there) = (
                inbound(slice, own, source, asked),
                inbound(whole, whole_own, source, asked),
            );
            assert_eq!(here, there, "to {name} from {source}: {asked:?}");
            let (here, there) = (
                outbound(slice, own, asked),
                outbound(whole, whole_own, asked),
            );
            if here != there {
                assert_eq!(here, "refused", "{name}: {asked:?}: {there}");
                assert_no_rule_admits(whole, whole_own, asked);
            }
        }
        _ => panic!("no slice"),
    }
}

/// Where a slice refuses at once, the other sidecar would have refused.
fn assert_no_rule_admits(whole: &Bundle, caller: Id<Service>, asked: &Asked) {
    let record = whole.service(caller);
    let Named::Service(callee) = host::service(whole, record.namespace, &asked.host) else {
        panic!("{asked:?} is for nobody");
    };
    let source = format!("{}/{}", whole.str(record.namespace), whole.str(record.name));
    let verdict = inbound(whole, callee, &source, asked);
    assert!(
        !verdict.starts_with("allowed") && verdict != "open",
        "{asked:?}: {verdict}"
    );
}

fn asked() -> impl Strategy<Value = Asked> {
    let host = select(vec![
        "shop.example",
        "a.shop.example",
        "shop",
        "shop.default",
        "shop.internal",
        "cart",
        "ledger",
        "spare",
        "audit",
        "x",
        "x.n",
        "y.n",
        "ratings",
        "reviews",
        "mail",
        "unknown.example",
        "bookinfo.example",
        "details.default",
    ]);
    let segment = select(vec![
        "", "a", "b", "7", "x.json", "admin", "cart", "v1", "n", "x", "api", "old", "info",
        "reviews",
    ]);
    let path =
        proptest::collection::vec(segment, 1..5).prop_map(|parts| format!("/{}", parts.join("/")));
    let header = (
        select(vec!["x-a", "x-b", "x-team", "cookie", "end-user"]),
        select(vec!["1", "2", "qa", "u=abc", "c=d"]),
    );
    let headers = proptest::collection::vec(header, 0..3);
    let groups = proptest::option::of(Just(vec!["qa".to_owned()]));
    let method = select(vec!["GET", "POST", "HEAD", "DELETE"]);
    (
        method,
        host,
        path,
        headers,
        groups,
        any::<[u8; 4]>(),
        any::<u32>(),
    )
        .prop_map(
            |(method, host, path, headers, groups, client, draw)| Asked {
                method: method.to_owned(),
                headers: headers
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                client: client.into(),
                groups,
                draw,
                ..Asked::get(host, &path)
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slices_decide_as_the_whole_does(
        asked in asked(),
        source in select(vec!["default/edge", "default/shop", "default/cart", "n/x", "n/y", "default/productpage"]),
    ) {
        for mesh in MESHES.iter() {
            for (_, slice) in &mesh.slices {
                compare(&mesh.whole, slice, &asked, source);
            }
        }
    }
}

fn names(bundle: &Bundle) -> Vec<String> {
    let services = bundle.services().iter();
    services
        .map(|it| bundle.qualified(it.namespace, it.name))
        .collect()
}

fn slice<'s>(mesh: &'s Sliced, node: &str) -> &'s Bundle {
    let found = mesh.slices.iter().find(|(name, _)| name == node);
    &found.unwrap().1
}

#[test]
fn a_slice_holds_what_its_node_can_need() {
    let mesh = &MESHES[1];
    let nodes: Vec<&str> = mesh.slices.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        nodes,
        [
            "gateway/edge",
            "gateway/inner",
            "sidecar/shop",
            "sidecar/spare",
            "sidecar/cart",
            "sidecar/ledger",
            "sidecar/audit",
            "sidecar/n/x",
            "sidecar/n/y",
        ]
    );
    let held = |node| names(slice(mesh, node));
    // Its arms, what those lead to, fail over to and mirror to.
    assert_eq!(
        held("gateway/edge"),
        ["shop", "spare", "cart", "ledger", "audit"]
    );
    assert_eq!(held("gateway/inner"), [""; 0]);
    // What it lists, and where the route there leads.
    assert_eq!(held("sidecar/shop"), ["shop", "cart", "ledger"]);
    assert_eq!(held("sidecar/audit"), ["audit"]);
    // Whoever lists nobody may call all who may let it in.
    assert_eq!(held("sidecar/ledger"), ["ledger", "audit"]);
    assert_eq!(held("sidecar/n/y"), ["audit", "n/x", "n/y"]);
    // Gateways are nobody's business but their own.
    assert_eq!(slice(mesh, "sidecar/shop").gateways().len(), 0);
    assert_eq!(slice(mesh, "gateway/inner").gateways().len(), 1);
}

#[test]
fn rules_of_others_let_nobody_in() {
    let mesh = &MESHES[1];
    let slice = slice(mesh, "sidecar/shop");
    let cart = find_service(slice, "default", "cart");
    let verdict = inbound(slice, cart, "default/shop", &Asked::get("cart", "/a/1"));
    assert_eq!(verdict, "nobody may");
    let whole = find_service(&mesh.whole, "default", "cart");
    let verdict = inbound(
        &mesh.whole,
        whole,
        "default/shop",
        &Asked::get("cart", "/a/1"),
    );
    assert!(verdict.starts_with("allowed"), "{verdict}");
}

#[test]
fn a_service_that_may_not_be_called_is_no_unknown_host() {
    let mesh = &MESHES[2];
    let slice = slice(mesh, "sidecar/audit");
    let own = find_service(slice, "default", "audit");
    assert_eq!(outbound(slice, own, &Asked::get("ledger", "/")), "refused");
    assert_eq!(
        outbound(slice, own, &Asked::get("unknown.example", "/")),
        "let through"
    );
}

/// Rules name callers, callers prove identities: of who is not there those are kept that do not follow from names.
#[test]
fn identities_of_callers_are_known_in_a_slice() {
    let slice = slice(&MESHES[1], "sidecar/audit");
    assert_eq!(names(slice), ["audit"]);
    let bearers = slice.bearers().iter().map(|it| {
        let name = slice.qualified(it.namespace, it.name);
        (slice.str(it.identity), name)
    });
    let expected = [
        ("spiffe://c.local/ns/default/gw/front", "edge".to_owned()),
        ("spiffe://c.local/ns/default/svc/books", "ledger".to_owned()),
    ];
    assert_eq!(bearers.collect::<Vec<_>>(), expected);
    assert!(MESHES[1].whole.bearers().is_empty());
}

#[test]
fn a_slice_names_its_whole_and_asks_no_more_of_its_node() {
    for mesh in MESHES.iter() {
        for (name, slice) in &mesh.slices {
            let facts = slice.provenances().iter();
            let whole = facts
                .filter(|it| slice.str(it.key) == "whole")
                .map(|it| slice.str(it.value));
            assert_eq!(
                whole.collect::<Vec<_>>(),
                [mesh.whole.id().in_full()],
                "{name}"
            );
            let record = slice.mesh();
            let (namespace, own) = (
                slice.str(record.slice_namespace),
                slice.str(record.slice_name),
            );
            let node = |bundle: &Bundle| match SliceOf::from_code(record.slice) {
                Some(SliceOf::Gateway) => {
                    needs::Node::Gateway(find_gateway(bundle, namespace, own))
                }
                _ => needs::Node::Sidecar(find_service(bundle, namespace, own)),
            };
            let here = needs::unmet(slice, node(slice), |_| false);
            let there = needs::unmet(&mesh.whole, node(&mesh.whole), |_| false);
            assert!(
                here.iter().all(|need| there.contains(need)),
                "{name}: {here:?}"
            );
        }
    }
}

//! Changes of rules against trying everything: every request of a tiny alphabet, sent into both meshes.

use super::ends::Asks;
use super::tests::Made;
use super::*;
use crate::plan::table::Match;
use crate::reference::first_match;
use mesh_bundle::format::{Id, Listener};
use mesh_bundle::journey::{self, Entry, Journey, Step};
use mesh_lang::value::PathPattern;
use proptest::prelude::*;

/// A rule, as it is written and as it is tried here.
#[derive(Clone, Debug)]
struct Rule {
    allows: bool,
    /// `anyone`, or who calls.
    who: &'static str,
    method: Option<&'static str>,
    path: Option<&'static str>,
}

/// An arm of the host.
#[derive(Clone, Debug)]
struct Arm {
    method: Option<&'static str>,
    path: &'static str,
    does: &'static str,
}

/// A mesh.
#[derive(Clone, Debug)]
struct Shop {
    arms: Vec<Arm>,
    /// Tokens that the host asks for.
    requires: &'static str,
    /// Of the host; none: everybody.
    host: Option<Vec<Rule>>,
    cart: Vec<Rule>,
}

const PATTERNS: [&str; 6] = ["/", "/a", "/a/**", "/b", "/b/**", "/**"];
const PATHS: [&str; 7] = ["/", "/a", "/a/b", "/b", "/b/a", "/c", "/x/a"];
const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "PUT"];
/// Those that are named, and one that is not.
const SENT: [&str; 5] = ["GET", "HEAD", "POST", "PUT", "DELETE"];

impl Shop {
    fn text(&self) -> String {
        let rules = |rules: &[Rule]| {
            let lines = rules.iter().map(|rule| {
                let mut line = format!(
                    "{} {}",
                    if rule.allows { "allow" } else { "deny" },
                    rule.who
                );
                if rule.method.is_some() || rule.path.is_some() {
                    line.push_str(" to");
                }
                for word in rule.method.iter().chain(&rule.path) {
                    line.push(' ');
                    line.push_str(word);
                }
                line
            });
            format!("authz {{ {} }}", lines.collect::<Vec<_>>().join("; "))
        };
        let arms = self.arms.iter().map(|arm| {
            let method = arm.method.unwrap_or_default();
            format!("    {method} {} -> {}\n", arm.path, arm.does)
        });
        let arms: String = arms.collect();
        format!(
            "mesh shop {{ }}
jwt corp {{ issuer \"https://login.example/\"; audiences \"shop\"; jwks file \"jwks.json\" }}
gateway edge {{
  listen 8080 http
  host shop.example {{
    {}
    {}
{arms}  }}
}}
service cart {{ endpoints 127.0.0.1:9001; {} }}
service open {{ endpoints 127.0.0.1:9002; calls cart; authz {{ allow anyone }} }}
",
            self.requires,
            self.host.as_deref().map_or(String::new(), rules),
            rules(&self.cart),
        )
    }
}

/// Whether rules let a request in.
fn let_in(rules: &[Rule], request: &journey::Request, bundle: &Bundle) -> bool {
    let fits = |rule: &Rule, rules: &[Rule]| {
        let mut methods: Vec<String> = rule.method.iter().map(|&it| it.to_owned()).collect();
        let head_is_named = rules.iter().any(|rule| rule.method == Some("HEAD"));
        if rule.method == Some("GET") && !head_is_named {
            methods.push("HEAD".to_owned());
        }
        let paths: Vec<PathPattern> = rule
            .path
            .iter()
            .map(|text| PathPattern::parse(text).unwrap())
            .collect();
        let asks = Asks {
            methods,
            paths,
            condition: None,
        };
        let matches = [Match {
            methods: &asks.methods,
            paths: &asks.paths,
            condition: None,
        }];
        let who = request
            .source
            .as_deref()
            .and_then(|it| it.split('/').nth(1));
        let path = request.normal_path(bundle).unwrap();
        (rule.who == "anyone" || who == Some(rule.who))
            && first_match(&matches, &request.plain(&path)).is_some()
    };
    let any = |allows: bool| {
        rules
            .iter()
            .any(|rule| rule.allows == allows && fits(rule, rules))
    };
    any(true) && !any(false)
}

/// Everything that a client may send, or a service.
fn requests(source: Option<&str>) -> Vec<journey::Request> {
    let mut all = Vec::new();
    for method in SENT {
        for path in PATHS {
            for token in [false, true] {
                let mut request = journey::Request::new(method, "shop.example", path);
                request.source = source.map(str::to_owned);
                if token {
                    request.tokens.push((0, Vec::new()));
                }
                all.push(request);
            }
        }
    }
    all
}

/// One of the meshes.
struct Tried<'t> {
    shop: &'t Shop,
    made: &'t Made,
}

impl Tried<'_> {
    fn journey(&self, request: &journey::Request) -> Journey {
        let listener: Id<Listener> = Id::new(0);
        journey::of(
            &self.made.bundle,
            Entry::Gateway(Id::new(0), listener),
            request,
        )
    }

    /// At which service a request arrives.
    fn arrives(&self, request: &journey::Request) -> Option<usize> {
        let end = &self.journey(request).branches[0].end;
        end.arrival().map(|(service, _)| service.index())
    }

    /// As it is when it arrives.
    fn arrived(&self, request: &journey::Request) -> journey::Request {
        let journey = self.journey(request);
        let mut steps = journey.branches[0].steps.iter().rev();
        let last = steps.find_map(|step| match step {
            Step::Forwarded(request) => Some((**request).clone()),
            _ => None,
        });
        last.unwrap()
    }

    fn host_lets_in(&self, request: &journey::Request) -> bool {
        let rules = self.shop.host.as_ref();
        rules.is_none_or(|rules| let_in(rules, request, &self.made.bundle))
    }

    /// Whether some request gets to a service that the other's host refuses.
    fn gains_at_host(&self, other: &Tried<'_>) -> bool {
        requests(None).iter().any(|request| {
            !other.host_lets_in(request)
                && self.host_lets_in(request)
                && self.arrives(request).is_some()
        })
    }

    /// Whether some request gets to a service that gets to none in the other.
    fn gains(&self, other: &Tried<'_>) -> bool {
        requests(None)
            .iter()
            .any(|request| self.arrives(request).is_some() && other.arrives(request).is_none())
    }

    /// Whether some request ends otherwise.
    fn differs(&self, other: &Tried<'_>) -> bool {
        let end = |tried: &Tried<'_>, request| {
            let end = &tried.journey(request).branches[0].end;
            (end.arrival(), end.status())
        };
        requests(None)
            .iter()
            .any(|request| end(self, request) != end(other, request))
    }

    /// Whether some request gets into `cart` that the other's refuses.
    fn gains_at_cart(&self, other: &Tried<'_>) -> bool {
        let bundle = &self.made.bundle;
        let gains = |request: &journey::Request| {
            !let_in(&other.shop.cart, request, bundle) && let_in(&self.shop.cart, request, bundle)
        };
        let senders = ["default/open", "default/cart"];
        senders
            .iter()
            .any(|sender| requests(Some(sender)).iter().any(gains))
            || requests(None).iter().any(|request| {
                self.arrives(request) == Some(0)
                    && other.arrives(request) != Some(0)
                    && gains(&self.arrived(request))
            })
    }
}

fn rules(who: &'static [&'static str]) -> impl Strategy<Value = Vec<Rule>> {
    let rule = (
        prop::bool::weighted(0.7),
        prop::sample::select(who),
        prop::option::weighted(0.4, prop::sample::select(&METHODS[..])),
        prop::option::weighted(0.7, prop::sample::select(&PATTERNS[..])),
    );
    let rule = rule.prop_map(|(allows, who, method, path)| Rule {
        allows,
        who,
        method,
        path,
    });
    prop::collection::vec(rule, 1..4)
}

fn arms() -> impl Strategy<Value = Vec<Arm>> {
    let arm = (
        prop::option::weighted(0.3, prop::sample::select(&METHODS[..])),
        prop::sample::select(&PATTERNS[..]),
        prop::sample::select(vec![
            "cart",
            "cart",
            "cart { rewrite prefix /b }",
            "open",
            "respond 204",
            "cart { require jwt corp }",
        ]),
    );
    let arm = arm.prop_map(|(method, path, does)| Arm { method, path, does });
    prop::collection::vec(arm, 1..4)
}

fn shops() -> impl Strategy<Value = (Shop, Shop)> {
    let host = || prop::option::weighted(0.8, rules(&["anyone"]));
    let cart = || rules(&["anyone", "edge", "edge", "edge", "open"]);
    let requires = prop::sample::select(vec!["", "require jwt corp when path == /a/**"]);
    let shop = (arms(), requires, host(), cart());
    let requires = prop::sample::select(vec![
        "",
        "require jwt corp",
        "require jwt corp when path == /b/**",
    ]);
    let other = (
        prop::option::weighted(0.4, arms()),
        host(),
        cart(),
        prop::option::weighted(0.3, requires),
    );
    (shop, other, any::<[bool; 2]>()).prop_map(|(shop, other, same)| {
        let (arms, requires, host, cart) = shop;
        let old = Shop {
            arms,
            requires,
            host,
            cart,
        };
        let mut new = old.clone();
        new.arms = other.0.unwrap_or(new.arms);
        new.requires = other.3.unwrap_or(new.requires);
        new.host = if same[0] { new.host } else { other.1 };
        new.cart = if same[1] { new.cart } else { other.2 };
        (old, new)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Rules are told to let more or less through exactly where some request gets, or got, somewhere by them.
    #[test]
    fn rules_count_by_what_gets_through((old, new) in shops()) {
        let made = (Made::try_text(&old.text()), Made::try_text(&new.text()));
        let (Some(before), Some(after)) = made else {
            return Err(TestCaseError::reject("an arm that nothing reaches"));
        };
        let diff = diff(before.side(), after.side());
        let told = |kind: Kind, subject: &str| {
            let mut changes = diff.changes.iter();
            changes.any(|it| {
                it.kind == kind
                    && it.subjects.iter().any(|it| it == subject)
                    && (it.what.starts_with("refused by ") || it.what.starts_with("let in by "))
            })
        };
        let (was, is) = (Tried { shop: &old, made: &before }, Tried { shop: &new, made: &after });
        // Where the same rules see what other arms make of requests, it may not be known.
        let known = diff.undecided.is_empty();
        prop_assert!(known || format!("{:?}", old.arms) != format!("{:?}", new.arms), "{:?}", diff);
        let texts = format!("{}\n{}\n{:#?}", old.text(), new.text(), diff);
        let host = "edge shop.example";
        for (kind, expected, subject) in [
            (Kind::Widened, is.gains_at_host(&was), host),
            (Kind::Narrowed, was.gains_at_host(&is), host),
            (Kind::Widened, is.gains_at_cart(&was), "cart"),
            (Kind::Narrowed, was.gains_at_cart(&is), "cart"),
        ] {
            let told = told(kind, subject);
            prop_assert!(told == expected || !told && !known, "{kind:?} {subject} {expected}\n{texts}");
        }
        // What gets in by whatever is told, and nothing else.
        let any = |kind: Kind| diff.changes.iter().any(|it| it.kind == kind && it.subjects == [host]);
        for (kind, gains) in [(Kind::Widened, is.gains(&was)), (Kind::Narrowed, was.gains(&is))] {
            let told_of_cart = told(kind, "cart");
            // Where both send on to the same service, and one of them changes requests, the example has the say.
            let is_told = any(kind) || told_of_cart || !known;
            prop_assert!(is_told || !gains, "{kind:?} is missing\n{texts}");
            prop_assert!(!any(kind) || gains, "{kind:?} is not so\n{texts}");
        }
        let ends = [Kind::Rerouted, Kind::Answer];
        prop_assert!(!ends.into_iter().any(any) || is.differs(&was), "{texts}");
        // What is told to be answered otherwise is.
        for change in diff.changes.iter().filter(|it| it.kind == Kind::Answer) {
            let example = change.example.as_ref().unwrap();
            prop_assert!(example.was != example.is, "{texts}");
        }
    }
}

#[test]
fn rules_that_let_in_what_gets_nowhere_are_no_change() {
    let shop = |rules: &str| {
        format!(
            "mesh shop {{ }}
gateway edge {{ listen 8080 http; host shop.example {{ authz {{ {rules} }}; /a/** -> cart }} }}
service cart {{ endpoints 127.0.0.1:9001; authz {{ allow edge to GET }} }}
"
        )
    };
    let diff = |old: &str, new: &str| {
        let (old, new) = (Made::text(&shop(old)), Made::text(&shop(new)));
        super::diff(old.side(), new.side())
    };
    // No arm takes `/b`, and the service lets in no POST.
    assert_eq!(
        diff("allow anyone to GET /a/**", "allow anyone to GET /a/**, /b"),
        Diff::default()
    );
    assert_eq!(
        diff("allow anyone to GET", "allow anyone to GET, POST"),
        Diff::default()
    );
    let widened = diff("allow anyone to GET /a", "allow anyone to GET /a/**");
    assert_eq!(widened.changes.len(), 1);
    assert_eq!(widened.changes[0].kind, Kind::Widened);
    let end = widened.changes[0].example.as_ref().unwrap();
    assert_eq!(end.is.as_deref(), Some("cart"));
}

/// The changes between two hosts, in short.
fn between(old: &str, new: &str) -> Vec<String> {
    let shop = |arms: &str| {
        format!(
            "mesh shop {{ }}
gateway edge {{ listen 80 http; host shop.example {{ {arms} }} }}
service cart {{ endpoints 127.0.0.1:9001; authz {{ allow edge to GET }} }}
service stock {{ endpoints 127.0.0.1:9002; authz {{ allow edge to GET, POST }} }}
"
        )
    };
    let (old, new) = (Made::text(&shop(old)), Made::text(&shop(new)));
    let diff = super::diff(old.side(), new.side());
    assert_eq!(diff.undecided, Vec::<String>::new());
    let changes = diff.changes.iter().map(|it| {
        let example = it.example.as_ref().unwrap();
        format!("{}: {} ({})", it.kind.word(), it.what, example.request)
    });
    changes.collect()
}

#[test]
fn who_is_sent_elsewhere_may_get_in_there_and_not_here() {
    assert_eq!(
        between("/x/** -> cart", "/x/** -> stock"),
        [
            "widened: /x/**  cart → stock (POST http://shop.example/x)",
            "rerouted: /x/**  cart → stock (GET http://shop.example/x)",
        ]
    );
    assert_eq!(
        between("GET /x/** -> cart", "GET /x/** -> stock"),
        ["rerouted: GET /x/**  cart → stock (GET http://shop.example/x)"]
    );
}

#[test]
fn the_same_words_mean_something_else_behind_another_pattern() {
    assert_eq!(
        between(
            "/a/** -> cart { rewrite prefix \"/c\" }",
            "/a/b/** -> cart { rewrite prefix \"/c\" }; /a/** -> cart { rewrite prefix \"/c\" }"
        ),
        [
            "headers: rewrite prefix \"/c\" (for 1 segment) → prefix \"/c\" (for 2 segments) \
             (GET http://shop.example/a/b)"
        ]
    );
    assert_eq!(
        between(
            "/{a}/{b} -> cart { rewrite path \"/{a}\" }",
            "/{b}/{a} -> cart { rewrite path \"/{a}\" }"
        ),
        ["headers: rewrite path /{segment 1} → path /{segment 2} (GET http://shop.example/a/a)"]
    );
    let renamed = between(
        "/{a}/{b} -> cart { rewrite path \"/{a}\" }",
        "/{c}/{b} -> cart { rewrite path \"/{c}\" }",
    );
    assert_eq!(renamed, Vec::<String>::new());
}

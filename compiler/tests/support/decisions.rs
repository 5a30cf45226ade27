// What nodes decide about requests, in words: to hold bundles against each other.

use mesh_bundle::decide::{ClaimValue, Plain, Verdict, judge};
use mesh_bundle::format::{Authz, Bundle, Gateway, Id, Service};
use mesh_bundle::host::{self, Named};
use mesh_bundle::path::{EncodedSlash, NormalPath};
use mesh_bundle::policy::effective;
use mesh_bundle::route::{self, Outcome};
use std::fmt::Write as _;
use std::net::IpAddr;

/// A request of a test.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub host: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub client: IpAddr,
    /// Groups of a token, where there is one.
    pub groups: Option<Vec<String>>,
    /// What splits draw.
    pub draw: u32,
}

impl Asked {
    pub fn get(host: &str, path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: Vec::new(),
            client: [192, 0, 2, 7].into(),
            groups: None,
            draw: 0,
        }
    }

    /// As the decision code sees it, from a source.
    pub fn view<'p>(&'p self, source: Option<&'p str>) -> Option<Plain<'p>> {
        let path = NormalPath::parse(&self.path, EncodedSlash::Reject).ok()?;
        let headers = self.headers.iter();
        Some(Plain {
            scheme: "https",
            port: 8443,
            query: Some(&self.query)
                .filter(|query| !query.is_empty())
                .map(String::as_str),
            headers: headers
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            source,
            client_ip: self.client,
            tokens: self
                .groups
                .iter()
                .map(|groups| {
                    let groups = groups.iter().map(String::as_str).collect();
                    (0, vec![("groups", ClaimValue::List(groups))])
                })
                .collect(),
            ..Plain::new(&self.method, &self.host, path)
        })
    }
}

/// What a gateway makes of a request.
pub fn at_gateway(bundle: &Bundle, gateway: Id<Gateway>, asked: &Asked) -> String {
    let Some(request) = asked.view(None) else {
        return "bad path".to_owned();
    };
    let record = bundle.gateway(gateway);
    let source = format!(
        "{}/{}",
        bundle.str(record.namespace),
        bundle.str(record.name)
    );
    let Some(block) = host::host_block(bundle, gateway, &asked.host) else {
        return "no host".to_owned();
    };
    let as_caller = |_| {
        Ok(Plain {
            source: Some(&source),
            ..request.clone()
        })
    };
    let judged = verdict(bundle, bundle.host_block(block).authz, &request);
    let draw = &mut || asked.draw;
    let outcome = route::at_gateway(bundle, block, &request, as_caller, draw);
    format!("{judged}; {}", outcome_text(bundle, outcome))
}

/// What the sidecar of a service makes of a request of its application.
pub fn outbound(bundle: &Bundle, caller: Id<Service>, asked: &Asked) -> String {
    let record = bundle.service(caller);
    let source = format!(
        "{}/{}",
        bundle.str(record.namespace),
        bundle.str(record.name)
    );
    let Some(request) = asked.view(Some(&source)) else {
        return "bad path".to_owned();
    };
    let refused = if bundle.mesh().egress.is_set() {
        ("refused", "let through")
    } else {
        ("refused", "refused")
    };
    let callee = match host::service(bundle, record.namespace, &asked.host) {
        Named::Service(callee) => callee,
        Named::NotForThisNode => return refused.0.to_owned(),
        Named::Unknown => return refused.1.to_owned(),
    };
    let draw = &mut || asked.draw;
    match route::at_sidecar(bundle, caller, callee, &request, draw) {
        Some(outcome) => outcome_text(bundle, outcome),
        None => refused.0.to_owned(),
    }
}

/// What the sidecar of a service makes of a request to its application.
pub fn inbound(bundle: &Bundle, service: Id<Service>, source: &str, asked: &Asked) -> String {
    match asked.view(Some(source)) {
        Some(request) => verdict(bundle, bundle.service(service).authz, &request),
        None => "bad path".to_owned(),
    }
}

/// What rules say, with the place that says it.
pub fn verdict(bundle: &Bundle, authz: Id<Authz>, request: &Plain<'_>) -> String {
    let Some(authz) = authz.some() else {
        return "open".to_owned();
    };
    let authz = bundle.authz(authz);
    let Some(rules) = authz.rules.some() else {
        return "nobody may".to_owned();
    };
    match judge(bundle, rules, request) {
        Verdict::Repeated(_) => "repeated".to_owned(),
        Verdict::NoRule => "no rule allows".to_owned(),
        Verdict::Rule(rule) => {
            let rule = bundle.rule(rule);
            let says = if rule.allows == 1 {
                "allowed"
            } else {
                "denied"
            };
            format!(
                "{says} by {}",
                bundle.place(rule.location).unwrap_or_default()
            )
        }
    }
}

fn outcome_text(bundle: &Bundle, outcome: Outcome) -> String {
    let place = |location| {
        bundle
            .place(location)
            .unwrap_or_else(|| "nobody".to_owned())
    };
    match outcome {
        Outcome::NoArm => "no arm".to_owned(),
        Outcome::BadPath(_) => "bad path".to_owned(),
        Outcome::Respond { arm, status, body } => {
            let body = body.some().map_or(0, |body| bundle.str_bytes(body).len());
            format!(
                "{status} with {body} bytes by {}",
                place(bundle.arm(arm).location)
            )
        }
        Outcome::Redirect { arm, redirect } => {
            let status = bundle.redirect(redirect).status;
            format!("redirect {status} by {}", place(bundle.arm(arm).location))
        }
        Outcome::Forward(to) => {
            let service = bundle.service(to.service);
            let mut text = bundle.qualified(service.namespace, service.name);
            if let Some(version) = to.version.some() {
                let _ = write!(text, ".{}", bundle.str(bundle.version(version).name));
            }
            for arm in [to.gateway_arm, to.service_arm]
                .into_iter()
                .filter_map(Id::some)
            {
                let _ = write!(text, " by {}", place(bundle.arm(arm).location));
            }
            let endpoints = &bundle.endpoints()[to.endpoints(bundle).range()];
            for endpoint in endpoints {
                let _ = write!(text, " @{}", endpoint.sidecar());
            }
            let times = effective(bundle, &to.levels);
            let request = times.request.map_or(0, |time| time.as_millis());
            let connect = times.connect.map_or(0, |time| time.as_millis());
            let said = place(times.request_location);
            let _ = write!(text, ", {request} ms by {said}, {connect} ms to connect");
            text
        }
    }
}

/// Requests to a bundle's own hosts, and what each of its nodes makes of them.
pub fn decisions(bundle: &Bundle) -> String {
    let mut text = String::new();
    let mut all: Vec<Asked> = Vec::new();
    for host in [
        "shop.example",
        "www.shop.example",
        "shop",
        "shop.internal",
        "ratings",
        "x.n",
        "mail",
        "ledger",
    ] {
        for (method, path, query, header) in [
            ("GET", "/", "", ("x-team", "qa")),
            ("GET", "/a/7", "q=1", ("x-a", "1")),
            ("POST", "/files/x.json", "page=8", ("cookie", "u=abc")),
            ("GET", "/v1/x/y", "", ("x-a", "2")),
            ("GET", "/c/x/y/7.json", "", ("x-b", "1")),
            ("GET", "/d/x/y", "", ("x-b", "1")),
            ("DELETE", "/older/ones/7", "", ("x-b", "1")),
            ("POST", "/x/y/info", "", ("x-b", "1")),
            ("GET", "/admin/x", "", ("cookie", "c=d")),
            ("POST", "/n/x", "", ("x-b", "1")),
            ("GET", "/moved", "", ("x-b", "1")),
            ("GET", "/api/v2", "", ("x-a", "1")),
            ("PUT", "/plain", "", ("x-b", "1")),
        ] {
            let asked = Asked {
                method: method.to_owned(),
                query: query.to_owned(),
                headers: vec![(header.0.to_owned(), header.1.to_owned())],
                client: [10, 1, 2, 3].into(),
                draw: (all.len() as u32 * 70_001) % 1_000_000,
                groups: all.len().is_multiple_of(3).then(|| vec!["qa".to_owned()]),
                ..Asked::get(host, path)
            };
            all.push(asked);
        }
    }
    for asked in &all {
        let _ = writeln!(text, "{} {}{}", asked.method, asked.host, asked.path);
        for (index, gateway) in (0..).zip(bundle.gateways()) {
            let name = bundle.qualified(gateway.namespace, gateway.name);
            let decided = at_gateway(bundle, Id::new(index), asked);
            let _ = writeln!(text, "  gateway {name}: {decided}");
        }
        for (index, service) in (0..).zip(bundle.services()) {
            let name = bundle.qualified(service.namespace, service.name);
            let id = Id::new(index);
            let (out, inside) = (
                outbound(bundle, id, asked),
                inbound(bundle, id, "default/edge", asked),
            );
            let _ = writeln!(text, "  sidecar {name}: {out}; from edge {inside}");
        }
    }
    text
}

// What hostile bundles are put through, wherever they come from: ordinary tests and fuzzers include this file.

use mesh_bundle::decide::{ClaimValue, Plain, holds, judge};
use mesh_bundle::format::layout::FieldValue;
use mesh_bundle::format::{Action, Bundle, Id, Policy, Section, StrId};
use mesh_bundle::path::{EncodedSlash, NormalPath};
use mesh_bundle::policy::effective;
use mesh_bundle::route::Outcome;
use mesh_bundle::{host, needs, route, sample, template};
use std::net::{IpAddr, Ipv4Addr};

/// Tables, nodes and services that each request is tried at: those of a made-up bundle may be many.
const EACH: usize = 8;

/// Numbers that look random and are the same for the same bundle.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit.max(1)
    }

    fn pick<'p>(&mut self, from: &[&'p str]) -> &'p str {
        from[self.below(from.len())]
    }

    /// Some indices below a count.
    fn some(&mut self, count: usize) -> Vec<u32> {
        let wanted = count.min(EACH);
        (0..wanted).map(|_| self.below(count) as u32).collect()
    }

    /// A text of the bundle, which its tables are likely to know.
    fn text<'b>(&mut self, bundle: &'b Bundle) -> &'b str {
        match bundle.string_count() {
            0 => "",
            count => bundle.str(StrId::new(self.below(count) as u32)),
        }
    }

    fn path(&mut self, bundle: &Bundle) -> String {
        const SEGMENTS: &[&str] = &["", "a", "v1", "x.json", "admin", "7", "%C3%A9"];
        let mut path = String::new();
        for _ in 0..=self.below(5) {
            path.push('/');
            match self.below(2) {
                0 => path.push_str(self.pick(SEGMENTS)),
                _ => path.push_str(self.text(bundle).trim_matches('/')),
            }
        }
        path
    }
}

/// Asks a bundle what becomes of some requests, and looks at all that it holds.
pub fn exercise(bundle: &Bundle, requests: usize) {
    let seed = bundle.id().0.first_chunk().copied().unwrap_or_default();
    let mut numbers = Numbers(u64::from_le_bytes(seed));
    look_at_all(bundle);
    let _ = sample::check(bundle);
    for gateway in numbers.some(bundle.gateways().len()) {
        let _ = needs::unmet(bundle, needs::Node::Gateway(Id::new(gateway)), |_| false);
    }
    for service in numbers.some(bundle.services().len()) {
        let _ = needs::unmet(bundle, needs::Node::Sidecar(Id::new(service)), |_| false);
    }
    for _ in 0..requests {
        let path = numbers.path(bundle);
        let Ok(path) = NormalPath::parse(&path, EncodedSlash::Keep) else {
            continue;
        };
        let (name, value) = (numbers.text(bundle), numbers.text(bundle));
        let cookie = format!("{name}={value}; u=a");
        let query = format!("{name}={value}&a=1");
        let host = match numbers.below(2) {
            0 => numbers.pick(&["shop.example", "www.shop.example", "shop", "x.y"]),
            _ => numbers.text(bundle).trim_start_matches('.'),
        };
        let consumer = numbers.text(bundle);
        let request = Plain {
            scheme: numbers.pick(&["http", "https"]),
            port: numbers.next() as u16,
            query: Some(&query),
            headers: vec![(name, value), ("x-a", "1"), ("cookie", &cookie)],
            source: Some(numbers.pick(&["default/edge", "default/shop", "n/x"])),
            client_ip: IpAddr::V4(Ipv4Addr::from(numbers.next())),
            client_cert_sans: Some(vec!["a.example", value]),
            tokens: vec![(
                0,
                vec![
                    ("sub", ClaimValue::Scalar("a b")),
                    (name, ClaimValue::List(vec!["qa", value])),
                ],
            )],
            keys: vec![(0, consumer)],
            ..Plain::new(numbers.pick(&["GET", "POST", "HEAD", "X"]), host, path)
        };
        ask(bundle, &request, &mut numbers);
    }
}

fn ask(bundle: &Bundle, request: &Plain<'_>, numbers: &mut Numbers) {
    for table in numbers.some(bundle.tables().len()) {
        let table = Id::new(table);
        if bundle.table(table).arms.is_empty()
            && let mesh_bundle::decide::Verdict::Rule(rule) = judge(bundle, table, request)
        {
            let _ = bundle.place(bundle.rule(rule).location);
        }
        let _ = holds(bundle, table, request);
    }
    for gateway in numbers.some(bundle.gateways().len()) {
        if let Some(block) = host::host_block(bundle, Id::new(gateway), request.host) {
            let mut draw = || numbers.next();
            let as_caller = |_| Ok(request.clone());
            let outcome = route::at_gateway(bundle, block, request, as_caller, &mut draw);
            follow(bundle, outcome, request);
        }
    }
    for caller in numbers.some(bundle.services().len()) {
        let callee = numbers.below(bundle.services().len()) as u32;
        let (caller, callee) = (Id::new(caller), Id::new(callee));
        let mut draw = || numbers.next();
        let outcome = route::at_sidecar(bundle, caller, callee, request, &mut draw);
        if let Some(outcome) = outcome {
            follow(bundle, outcome, request);
        }
        let namespace = bundle.service(caller).namespace;
        let _ = host::service(bundle, namespace, request.host);
    }
}

/// Does with an outcome what a proxy would.
fn follow(bundle: &Bundle, outcome: Outcome, request: &Plain<'_>) {
    match outcome {
        Outcome::Respond { arm, body, .. } => {
            let _ = body.some().map(|body| bundle.str_bytes(body));
            let _ = bundle.place(bundle.arm(arm).location);
        }
        Outcome::Redirect { arm, redirect } => {
            let template = bundle.redirect(redirect).path;
            let mut text = String::new();
            let captures = bundle.arm(arm).captures;
            template::fill(bundle, template, captures, &request.path, &mut text);
        }
        Outcome::Forward(to) => {
            let _ = effective(bundle, &to.levels);
            let endpoints = &bundle.endpoints()[to.endpoints(bundle).range()];
            for endpoint in endpoints.iter().take(EACH) {
                let _ = (endpoint.application(), endpoint.sidecar());
                let _ = bundle.service(endpoint.service);
            }
            for arm in [to.gateway_arm, to.service_arm]
                .into_iter()
                .filter_map(Id::some)
            {
                rewrite(bundle, bundle.arm(arm).policy, arm, request);
            }
        }
        Outcome::NoArm | Outcome::BadPath(_) => {}
    }
}

fn rewrite(
    bundle: &Bundle,
    policy: Id<Policy>,
    arm: Id<mesh_bundle::format::Arm>,
    request: &Plain<'_>,
) {
    let rewrite = policy.some().map(|policy| bundle.policy(policy).rewrite);
    if let Some(rewrite) = rewrite.and_then(Id::some) {
        let template = bundle.rewrite(rewrite).path;
        let mut text = String::new();
        let captures = bundle.arm(arm).captures;
        template::fill(bundle, template, captures, &request.path, &mut text);
    }
}

/// Looks at every field of every record, as those do who print a bundle.
fn look_at_all(bundle: &Bundle) {
    for &section in Section::ALL {
        let mut index = 0;
        while let Some(values) = bundle.values(section, index) {
            index += 1;
            for value in values {
                match value {
                    FieldValue::String(Some(text)) => drop(bundle.str_bytes(text).len()),
                    FieldValue::Location(place)
                    | FieldValue::Setting(_, place)
                    | FieldValue::Choice(_, place) => drop(bundle.place(place)),
                    _ => {}
                }
            }
        }
    }
    for arm in bundle.arms() {
        if let Action::Split(shares) = arm.action() {
            let _ = &bundle.shares()[shares.range()];
        }
    }
}

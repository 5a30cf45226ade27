//! The whole way of a request, interpreted: from where it enters to what becomes of it.
//!
//! It reads the model and nothing that was made of it. Limits, faults and health are left aside.

use super::{first_match, holds, segments_match, takes};
use crate::model::authz::{Authz, Rule, Who};
use crate::model::condition::Field;
use crate::model::credential::Credential;
use crate::model::policy::{Cors, HeaderOperation, PathRewrite, Policy};
use crate::model::said::Many;
use crate::model::{
    Action, Arm, Gateway, HostBlock, ListenerKind, Mesh, Mtls, RedirectTo, Service, ServiceId,
    Table, Target,
};
use crate::plan::table::Match;
use mesh_bundle::decide::Plain;
use mesh_bundle::journey::Request;
use mesh_bundle::path::{EncodedSlash, NormalPath};
use mesh_lang::value::{HostPattern, PathPattern, Segment};
use std::collections::HashMap;

/// Where a request enters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    /// A gateway, at one of its listeners.
    Gateway(usize, usize),
    /// A service.
    Service(ServiceId),
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It is a preflight and answered as one: whether its origin is allowed.
    Preflight(bool),
    /// It arrives at a service, maybe at one of its versions.
    Arrived(u32, Option<u32>),
    /// It is answered, redirected or refused with this status; of a redirect to where, if that is a whole URL.
    Status(u16, Option<String>),
    /// It leaves the mesh.
    Egress,
}

/// All that may become of a request, each with its millionths.
pub(crate) fn fates(mesh: &Mesh, from: From, request: &Request) -> Vec<(Fate, u64)> {
    let mut fates = Vec::new();
    let reader = Reader { mesh };
    match from {
        From::Gateway(gateway, listener) => {
            reader.gateway(&mesh.gateways[gateway], listener, request, &mut fates);
        }
        From::Service(service) => reader.sidecar(service, request, &mut fates),
    }
    fates
}

#[cfg(test)]
mod tests;

type Fates = Vec<(Fate, u64)>;

const ALL: u64 = 1_000_000;

fn status(status: u16) -> Fate {
    Fate::Status(status, None)
}

/// An arm that took a request, with what its path captured.
struct Taken<'m> {
    arm: &'m Arm,
    pattern: Option<&'m PathPattern>,
}

struct Reader<'m> {
    mesh: &'m Mesh,
}

impl<'m> Reader<'m> {
    fn gateway(&self, gateway: &'m Gateway, listener: usize, request: &Request, fates: &mut Fates) {
        let mut request = request.clone();
        let listener = &gateway.listeners[listener];
        request.source = None;
        request.port = listener.port;
        let (scheme, redirects) = match &listener.kind {
            ListenerKind::Https { .. } => ("https", false),
            ListenerKind::Http { redirect, .. } => ("http", redirect.is_some()),
            ListenerKind::Tcp(_) | ListenerKind::Passthrough(_) => return,
        };
        scheme.clone_into(&mut request.scheme);
        let Some(path) = self.path(&request.path) else {
            return fates.push((status(400), ALL));
        };
        if redirects {
            return fates.push((status(308), ALL));
        }
        let Some(host) = block(gateway, &request.host) else {
            return fates.push((status(404), ALL));
        };
        let weaker = [&self.mesh.defaults, &gateway.policy, &host.policy];
        let sent = |taken: &Taken<'m>, request: &Request| {
            let levels = [&weaker[..], &[&taken.arm.policy]].concat();
            let mut sent = changed(&levels, Some(taken), request, &path);
            sent.source = Some(format!("{}/{}", gateway.namespace, gateway.name));
            sent
        };
        let way = Way {
            reader: self,
            calls: None,
            at_sidecar: false,
        };
        let mut share = ALL;
        if let Some((origin, announced)) = preflight(&request) {
            let taken = take(&host.table, &announced.plain(&path));
            let mut said = Vec::new();
            if let Some(taken) = taken {
                let announced = sent(&taken, &announced);
                let own = (&taken.arm.policy, weaker.as_slice());
                way.cors(&taken.arm.action, ALL, &announced, own, &[], &mut said);
            }
            share -= answered(origin, said, fates);
        }
        if share == 0 {
            return;
        }
        let plain = request.plain(&path);
        let Some(taken) = take(&host.table, &plain) else {
            return fates.push((status(404), share));
        };
        // The outermost first.
        let levels = [&weaker[..], &[&taken.arm.policy]].concat();
        if !levels
            .iter()
            .all(|level| has_what_is_required(level, &request, &plain))
        {
            return fates.push((status(401), share));
        }
        if let Some(refused) = host
            .authz
            .as_ref()
            .and_then(|it| refused(self.mesh, it, &[], &plain))
        {
            return fates.push((status(refused), share));
        }
        let sent = sent(&taken, &request);
        act(
            &taken.arm.action,
            share,
            fates,
            &mut |target, share, fates| {
                way.follow(target, share, &sent, &[], fates);
            },
        );
    }

    fn sidecar(&self, id: ServiceId, request: &Request, fates: &mut Fates) {
        let caller = &self.mesh[id];
        let nothing = Policy::default();
        let mut request = request.clone();
        request.source = Some(format!("{}/{}", caller.namespace, caller.name));
        if self.path(&request.path).is_none() {
            return fates.push((status(400), ALL));
        }
        let Some(callee) = self.named(&caller.namespace, &request.host) else {
            let fate = if self.mesh.egress.value {
                Fate::Egress
            } else {
                status(403)
            };
            return fates.push((fate, ALL));
        };
        let call = match &caller.calls {
            None => None,
            Some(calls) => match calls.iter().find(|call| call.target == callee) {
                Some(call) => Some(&call.policy),
                None => return fates.push((status(403), ALL)),
            },
        };
        let way = Way {
            reader: self,
            calls: call,
            at_sidecar: true,
        };
        let mut share = ALL;
        if let Some((origin, announced)) = preflight(&request) {
            let mut said = Vec::new();
            let weaker = [&self.mesh.defaults];
            let action = Action::Forward(Target::Service(callee));
            let own = (call.unwrap_or(&nothing), weaker.as_slice());
            way.cors(&action, ALL, &announced, own, &[], &mut said);
            share -= answered(origin, said, fates);
        }
        if share > 0 {
            way.follow(Target::Service(callee), share, &request, &[], fates);
        }
    }

    /// The service that a host means to a namespace: one of its own first, then one at top level; a service
    /// elsewhere by `name.namespace`.
    fn named(&self, namespace: &str, host: &str) -> Option<ServiceId> {
        let services = || (0u32..).zip(&self.mesh.services);
        let listed = services().find(|(_, it)| it.hosts.iter().any(|name| name == host));
        let within =
            |wanted: &str| services().find(|(_, it)| it.name == host && it.namespace == wanted);
        let found = listed
            .or_else(|| within(namespace))
            .or_else(|| within("default"));
        found.map(|(id, _)| ServiceId(id))
    }

    fn path<'p>(&self, raw: &'p str) -> Option<NormalPath<'p>> {
        let kept = self.mesh.encoded_slash.value == EncodedSlash::Keep;
        let slash = if kept {
            EncodedSlash::Keep
        } else {
            EncodedSlash::Reject
        };
        NormalPath::parse(raw, slash).ok()
    }
}

/// The origin that a preflight names, and the request that it announces.
fn preflight(request: &Request) -> Option<(&str, Request)> {
    let once = |name: &str| {
        let lines = request.headers.iter().filter(|(known, _)| known == name);
        let lines: Vec<&str> = lines.map(|(_, line)| line.as_str()).collect();
        match lines.as_slice() {
            [line] => Some(*line),
            _ => None,
        }
    };
    if request.method != "OPTIONS" {
        return None;
    }
    let (origin, method) = (once("origin")?, once("access-control-request-method")?);
    let announced = Request {
        method: method.to_owned(),
        ..request.clone()
    };
    Some((origin, announced))
}

/// Answers the shares of a preflight for which somebody says `cors`; how much that is.
fn answered(origin: &str, said: Vec<(Option<&Cors>, u64)>, fates: &mut Fates) -> u64 {
    let mut all = 0;
    for (cors, share) in said {
        if let Some(cors) = cors {
            let mut origins = cors.origins.iter();
            let allowed = origins.any(|it| it == "*" || it.eq_ignore_ascii_case(origin));
            fates.push((Fate::Preflight(allowed), share));
            all += share;
        }
    }
    all
}

/// What the strongest of some levels says that says anything, the outermost first.
fn strongest<'m>(levels: &[&'m Policy]) -> Option<&'m Cors> {
    let mut said = levels.iter().rev().filter_map(|level| level.cors.as_ref());
    said.next().and_then(|said| said.value.on())
}

/// Answers, or goes on to each target with its share.
fn act<'m>(
    action: &'m Action,
    share: u64,
    fates: &mut Fates,
    on: &mut dyn FnMut(Target, u64, &mut Fates),
) {
    match action {
        Action::Forward(target) => on(*target, share, fates),
        Action::Split(shares) => {
            for part in shares {
                on(part.target, share * u64::from(part.parts) / ALL, fates);
            }
        }
        Action::Redirect(redirect) => {
            let to = match &redirect.to {
                RedirectTo::Url(url) => Some(url.clone()),
                RedirectTo::Parts { .. } => None,
            };
            fates.push((Fate::Status(redirect.status, to), share));
        }
        Action::Respond { status, .. } => fates.push((Fate::Status(*status, None), share)),
    }
}

/// What levels, the outermost first, make of a request.
fn changed(
    levels: &[&Policy],
    taken: Option<&Taken<'_>>,
    request: &Request,
    path: &NormalPath<'_>,
) -> Request {
    let mut changed = request.clone();
    path.as_str().clone_into(&mut changed.path);
    let (mut new_path, mut new_host) = (None, None);
    let mut headers: Vec<&HeaderOperation> = Vec::new();
    for level in levels {
        if level.rewrite.off.is_some() {
            (new_path, new_host) = (None, None);
        }
        new_path = level.rewrite.path.as_ref().or(new_path);
        new_host = level.rewrite.host.as_ref().or(new_host);
        let Many { off, each } = &level.request_headers;
        if off.is_some() {
            headers.clear();
        }
        headers.extend(each.iter().map(|said| &said.value));
    }
    if let Some(rewrite) = new_path {
        let pattern = taken.and_then(|taken| taken.pattern);
        changed.path = rewritten(&rewrite.value, pattern, path);
    }
    if let Some(host) = new_host {
        changed.host.clone_from(&host.value);
    }
    for operation in headers {
        apply(operation, &mut changed);
    }
    changed
}

/// The way on from a proxy that calls.
struct Way<'w, 'm> {
    reader: &'w Reader<'m>,
    /// What the caller's `calls` says.
    calls: Option<&'m Policy>,
    at_sidecar: bool,
}

impl<'m> Way<'_, 'm> {
    fn follow(
        &self,
        target: Target,
        share: u64,
        request: &Request,
        before: &[(&'m Arm, Option<&'m PathPattern>)],
        fates: &mut Fates,
    ) {
        let mesh = self.reader.mesh;
        let service = &mesh[target.service()];
        let version = match target {
            Target::Version(_, version) => Some(version),
            Target::Own(_) | Target::Service(_) => None,
        };
        let Some(path) = self.reader.path(&request.path) else {
            return fates.push((status(400), share));
        };
        let route = service
            .route
            .as_ref()
            .filter(|_| matches!(target, Target::Service(_)));
        let taken = route.and_then(|table| take(table, &request.plain(&path)));
        let Some(taken) = taken else {
            let fate = self.arrive(target.service(), version, request, before);
            return fates.push((fate, share));
        };
        let mut arms = before.to_vec();
        arms.push((taken.arm, taken.pattern));
        act(
            &taken.arm.action,
            share,
            fates,
            &mut |target, share, fates| {
                self.follow(target, share, request, &arms, fates);
            },
        );
    }

    /// Which `cors` is in force for an announced request, for each share of it; nothing of what goes nowhere.
    /// `outer` is the strongest level, and the weakest, the outermost first.
    fn cors(
        &self,
        action: &'m Action,
        share: u64,
        request: &Request,
        outer: (&'m Policy, &[&'m Policy]),
        arms: &[&'m Arm],
        said: &mut Vec<(Option<&'m Cors>, u64)>,
    ) {
        let of = |service: Option<&'m Policy>, arms: &[&'m Arm]| {
            let mut levels = outer.1.to_vec();
            levels.extend(service);
            levels.extend(arms.iter().rev().map(|arm| &arm.policy));
            levels.push(outer.0);
            strongest(&levels)
        };
        let parts: Vec<(Target, u64)> = match action {
            Action::Forward(target) => vec![(*target, share)],
            Action::Split(shares) => shares
                .iter()
                .map(|part| (part.target, share * u64::from(part.parts) / ALL))
                .collect(),
            Action::Redirect(_) | Action::Respond { .. } => {
                return said.push((of(None, arms), share));
            }
        };
        let Some(path) = self.reader.path(&request.path) else {
            return;
        };
        for (target, share) in parts {
            let service = &self.reader.mesh[target.service()];
            let route = service
                .route
                .as_ref()
                .filter(|_| matches!(target, Target::Service(_)));
            match route.and_then(|table| take(table, &request.plain(&path))) {
                Some(taken) => {
                    let mut arms = arms.to_vec();
                    arms.push(taken.arm);
                    self.cors(&taken.arm.action, share, request, outer, &arms, said);
                }
                None => said.push((of(Some(&service.policy), arms), share)),
            }
        }
    }

    fn arrive(
        &self,
        id: ServiceId,
        version: Option<u32>,
        request: &Request,
        arms: &[(&'m Arm, Option<&'m PathPattern>)],
    ) -> Fate {
        let mesh = self.reader.mesh;
        let service = &mesh[id];
        let Some(path) = self.reader.path(&request.path) else {
            return status(400);
        };
        // The outermost first: of the arms the one that was met first is the strongest.
        let mut levels: Vec<&Policy> = Vec::new();
        if self.at_sidecar {
            levels.push(&mesh.defaults);
        }
        levels.push(&service.policy);
        levels.extend(arms.iter().rev().map(|(arm, _)| &arm.policy));
        levels.extend(self.calls);
        // Only arms rewrite with what their paths capture.
        let rewrites = arms
            .iter()
            .find(|(arm, _)| arm.policy.rewrite.path.is_some());
        let taken = rewrites.map(|(arm, pattern)| Taken {
            arm,
            pattern: *pattern,
        });
        let mut arrived = changed(&levels, taken.as_ref(), request, &path);
        let judged_here = !service.external && !mesh.without_sidecar(service);
        if judged_here && mesh.mtls_of(service).value == Mtls::Off {
            arrived.source = None;
        }
        let Some(path) = self.reader.path(&arrived.path) else {
            return status(400);
        };
        let plain = arrived.plain(&path);
        let required = [&mesh.defaults, &service.policy];
        if !required
            .iter()
            .all(|level| has_what_is_required(level, &arrived, &plain))
        {
            return status(401);
        }
        match judge(mesh, service, &plain) {
            Some(refused) => status(refused),
            None => Fate::Arrived(id.0, version),
        }
    }
}

/// The most specific block of a gateway that a host belongs to.
fn block<'m>(gateway: &'m Gateway, host: &str) -> Option<&'m HostBlock> {
    let rank = |pattern: &HostPattern| match pattern {
        HostPattern::Exact(name) => (name == host).then_some(usize::MAX),
        HostPattern::Suffix(suffix) => host
            .strip_suffix(suffix.as_str())
            .filter(|front| front.len() > 1 && front.ends_with('.'))
            .map(|_| 1 + suffix.len()),
        HostPattern::Any => Some(0),
    };
    let blocks = gateway.hosts.iter();
    let ranked =
        blocks.filter_map(|block| Some((block.patterns.iter().filter_map(rank).max()?, block)));
    ranked.max_by_key(|(rank, _)| *rank).map(|(_, block)| block)
}

fn take<'m>(table: &'m Table, plain: &Plain<'_>) -> Option<Taken<'m>> {
    let methods = table.methods();
    let matches: Vec<Match<'_>> = table
        .arms
        .iter()
        .zip(&methods)
        .map(|(arm, methods)| Match {
            methods,
            paths: &arm.paths,
            condition: arm.condition.as_ref(),
        })
        .collect();
    let arm = &table.arms[first_match(&matches, plain)?];
    let pattern = arm.paths.iter().find(|pattern| {
        let only = Match {
            methods: &[],
            paths: std::slice::from_ref(*pattern),
            condition: None,
        };
        takes(&only, plain)
    });
    Some(Taken { arm, pattern })
}

fn has_what_is_required(level: &Policy, request: &Request, plain: &Plain<'_>) -> bool {
    level.requires.iter().all(|said| {
        let require = &said.value;
        let applies = require.condition.as_ref().is_none_or(|it| holds(it, plain));
        let has = match require.credential {
            Credential::Jwt(jwt) => request.tokens.iter().any(|(known, _)| *known == jwt.0),
            Credential::Key(keys) => request.keys.iter().any(|(known, _)| *known == keys.0),
        };
        has || !applies
    })
}

/// The status with which a service refuses a request, if it does.
fn judge(mesh: &Mesh, service: &Service, plain: &Plain<'_>) -> Option<u16> {
    let denies = mesh.namespace(&service.namespace);
    let denies = denies.map_or(&[][..], |namespace| &namespace.denies);
    let rules = service.authz.as_ref().filter(|authz| authz.rules.is_some());
    match rules {
        Some(authz) => refused(mesh, authz, denies, plain),
        None if mesh.open_by_default.value => {
            if is_repeated(denies, plain) {
                Some(400)
            } else {
                denies
                    .iter()
                    .any(|rule| applies(mesh, denies, rule, plain))
                    .then_some(403)
            }
        }
        None => {
            if is_repeated(denies, plain) {
                Some(400)
            } else {
                Some(403)
            }
        }
    }
}

/// The status with which rules refuse a request, if they do; none where there are none.
fn refused(mesh: &Mesh, authz: &Authz, denies: &[Rule], plain: &Plain<'_>) -> Option<u16> {
    let own = authz.rules.as_ref()?;
    let all: Vec<Rule> = denies.iter().chain(own).cloned().collect();
    if is_repeated(&all, plain) {
        return Some(400);
    }
    let matching: Vec<&Rule> = all
        .iter()
        .filter(|rule| applies(mesh, &all, rule, plain))
        .collect();
    let denied = matching.iter().any(|rule| !rule.allows);
    let allowed = matching.iter().any(|rule| rule.allows);
    (denied || !allowed).then_some(403)
}

/// Whether a request has twice what some rule tests.
fn is_repeated(rules: &[Rule], plain: &Plain<'_>) -> bool {
    let conditions = rules.iter().filter_map(|rule| rule.condition.as_ref());
    conditions
        .flat_map(|condition| condition.tests())
        .any(|test| match &test.field {
            Field::Header(name) => {
                plain
                    .headers
                    .iter()
                    .filter(|(known, _)| known == name)
                    .count()
                    > 1
            }
            Field::Query(name) => plain.query.is_some_and(|query| {
                let pairs = query
                    .split('&')
                    .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                pairs.filter(|(key, _)| key == name).count() > 1
            }),
            Field::Cookie(name) => {
                let lines = plain.headers.iter().filter(|(known, _)| *known == "cookie");
                let pairs = lines.flat_map(|(_, line)| line.split(';'));
                let named =
                    pairs.filter(|pair| pair.trim().split('=').next() == Some(name.as_str()));
                named.count() > 1
            }
            _ => false,
        })
}

fn applies(mesh: &Mesh, all: &[Rule], rule: &Rule, plain: &Plain<'_>) -> bool {
    let head_is_named = all
        .iter()
        .any(|rule| rule.methods.iter().any(|it| it == "HEAD"));
    let method = rule.methods.is_empty()
        || rule.methods.iter().any(|it| it == plain.method)
        || plain.method == "HEAD" && !head_is_named && rule.methods.iter().any(|it| it == "GET");
    let asks = Match {
        methods: &[],
        paths: &rule.paths,
        condition: rule.condition.as_ref(),
    };
    method && takes(&asks, plain) && rule.who.iter().any(|who| is(mesh, who, plain.source))
}

fn is(mesh: &Mesh, who: &Who, source: Option<&str>) -> bool {
    let Some(source) = source else {
        return *who == Who::Anyone;
    };
    let named = |namespace: &str, name: &str| format!("{namespace}/{name}") == source;
    let mut gateways = mesh.gateways.iter();
    let is_gateway = gateways.any(|it| named(&it.namespace, &it.name));
    match who {
        Who::Anyone => true,
        Who::AnyService => !is_gateway,
        Who::Namespace(namespace) => {
            !is_gateway
                && source
                    .split_once('/')
                    .is_some_and(|(of, _)| of == namespace)
        }
        Who::Service(id) => named(&mesh[*id].namespace, &mesh[*id].name),
        Who::Gateway(id) => named(&mesh[*id].namespace, &mesh[*id].name),
    }
}

fn apply(operation: &HeaderOperation, request: &mut Request) {
    let headers = &mut request.headers;
    match operation {
        HeaderOperation::Set(name, value) => {
            headers.retain(|(known, _)| known != name);
            headers.push((name.clone(), value.clone()));
        }
        HeaderOperation::Add(name, value) => headers.push((name.clone(), value.clone())),
        HeaderOperation::Remove(name) => headers.retain(|(known, _)| known != name),
    }
}

/// The path that a rewrite makes of another.
fn rewritten(
    rewrite: &PathRewrite,
    pattern: Option<&PathPattern>,
    path: &NormalPath<'_>,
) -> String {
    let segments: Vec<&str> = path.as_str()[1..].split('/').collect();
    match rewrite {
        PathRewrite::Prefix(prefix) => {
            let before = pattern.map_or(0, |pattern| pattern.segments().len().saturating_sub(1));
            let rest = segments.iter().skip(before).flat_map(|it| ["/", *it]);
            let rest: String = rest.collect();
            let whole = if rest.is_empty() {
                prefix.clone()
            } else {
                format!("{}{rest}", prefix.trim_end_matches('/'))
            };
            if whole.starts_with('/') {
                whole
            } else {
                format!("/{whole}")
            }
        }
        PathRewrite::Template(template) => {
            let captured = pattern
                .and_then(|pattern| captures(pattern.segments(), &segments))
                .unwrap_or_default();
            let value = |name: Option<&str>| {
                captured
                    .get(name.unwrap_or_default())
                    .cloned()
                    .unwrap_or_default()
            };
            let parts = template.segments().iter().map(|segment| match segment {
                Segment::Literal(text) => format!("/{text}"),
                Segment::Any { .. } => format!("/{}", value(segment.name())),
                Segment::Partial { prefix, suffix, .. } => {
                    format!("/{prefix}{}{suffix}", value(segment.name()))
                }
                Segment::Rest { .. } => value(segment.name()),
            });
            let whole: String = parts.collect();
            if whole.is_empty() {
                "/".to_owned()
            } else {
                whole
            }
        }
    }
}

/// What a pattern captures of a path: of a `**` the segments that it spans, each with its `/`.
fn captures(pattern: &[Segment], segments: &[&str]) -> Option<HashMap<String, String>> {
    if !segments_match(pattern, segments) {
        return None;
    }
    let Some((one, after)) = pattern.split_first() else {
        return Some(HashMap::new());
    };
    let (value, rest) = match one {
        Segment::Literal(_) => (String::new(), &segments[1..]),
        Segment::Any { .. } => (segments[0].to_owned(), &segments[1..]),
        Segment::Partial { prefix, suffix, .. } => {
            let between = &segments[0][prefix.len()..segments[0].len() - suffix.len()];
            (between.to_owned(), &segments[1..])
        }
        Segment::Rest { .. } => {
            // What stands behind is as long as it is: only one split fits.
            let mut all = 0..=segments.len();
            let skipped = all.find(|at| segments_match(after, &segments[*at..]))?;
            let value = segments[..skipped].iter().map(|it| format!("/{it}"));
            (value.collect(), &segments[skipped..])
        }
    };
    let mut captured = captures(after, rest)?;
    captured.extend(one.name().map(|name| (name.to_owned(), value)));
    Some(captured)
}

//! Preflights: what a browser asks before it sends a request of another origin's page.
//!
//! ```text
//! OPTIONS, origin, access-control-request-method ─▶ Preflight
//!    the request that it announces ─ arm ─ routes, shares ─▶ levels ─▶ the strongest that says `cors` ─▶ 204
//! ```
//!
//! A preflight carries no credentials. So the proxy that would send the announced request on answers it, before tokens
//! are asked for and rules are: by the `cors` in force for that request, wherever it would go. Where none is in force
//! a preflight is a request like any other, as is every other `OPTIONS`.

use crate::decide::RequestView;
use crate::format::{
    Arm, Bundle, Chosen, Cors, HostBlock, Id, Location, Policy, Run, Service, Share, Table, Text,
};
use crate::path::PathError;
use crate::policy::Levels;
use crate::route::{self, Guide, Outcome};

/// The status of the answer to a preflight.
pub const STATUS: u16 = 204;

/// The header that names the origin.
pub const ORIGIN: &str = "origin";
/// The header that announces the method.
pub const METHOD: &str = "access-control-request-method";

/// What a preflight says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preflight<'r> {
    /// The origin of the page that wants to send.
    pub origin: &'r str,
    /// The method of the request that it announces.
    pub method: &'r str,
}

impl<'r> Preflight<'r> {
    /// What a request says, of which `header` reads those that come once; none if it is no preflight, or if nothing in
    /// the bundle answers any.
    pub fn of(
        bundle: &Bundle,
        method: &str,
        header: impl Fn(&'static str) -> Option<&'r str>,
    ) -> Option<Self> {
        if method != "OPTIONS" || bundle.corses().is_empty() {
            return None;
        }
        let method = header(METHOD)?;
        Some(Self {
            origin: header(ORIGIN)?,
            method,
        })
    }
}

/// The `cors` that answers a preflight.
#[derive(Clone, Copy, Debug)]
pub struct InForce {
    /// What it allows.
    pub cors: Id<Cors>,
    /// The statement.
    pub said: Location,
}

/// What answers a preflight at a host block of a gateway: the arguments are those of [`route::at_gateway`], of the
/// request that it announces.
pub fn at_gateway<R: RequestView, S: RequestView>(
    bundle: &Bundle,
    host: Id<HostBlock>,
    announced: &R,
    as_caller: impl FnOnce(Id<Arm>) -> Result<S, PathError>,
    guide: &mut impl Guide,
) -> Option<InForce> {
    let mut met = Met::new(bundle, guide);
    let outcome = route::at_gateway(bundle, host, announced, as_caller, &mut met);
    met.in_force(&outcome, bundle.host_block(host).policy)
}

/// The same at the sidecar of a service that calls another: the arguments are those of [`route::at_sidecar`].
pub fn at_sidecar(
    bundle: &Bundle,
    caller: Id<Service>,
    callee: Id<Service>,
    announced: &impl RequestView,
    guide: &mut impl Guide,
) -> Option<InForce> {
    let mut met = Met::new(bundle, guide);
    let calls = &bundle.calls()[bundle.service(caller).calls.range()];
    let call = calls.iter().find(|call| call.target == callee);
    met.levels.push(call.map_or(Id::NONE, |call| call.policy));
    let outcome = route::at_sidecar(bundle, caller, callee, announced, &mut met)?;
    met.in_force(&outcome, bundle.mesh().policy)
}

/// The levels of the arms that take the announced request, strongest first.
struct Met<'m, G> {
    bundle: &'m Bundle,
    guide: &'m mut G,
    levels: Levels,
}

impl<G: Guide> Guide for Met<'_, G> {
    fn draw(&mut self, bundle: &Bundle, shares: Run<Share>) -> u32 {
        self.guide.draw(bundle, shares)
    }

    fn took(&mut self, table: Id<Table>, arm: Id<Arm>) {
        self.levels.push(self.bundle.arm(arm).policy);
        self.guide.took(table, arm);
    }
}

impl<'m, G: Guide> Met<'m, G> {
    fn new(bundle: &'m Bundle, guide: &'m mut G) -> Self {
        Self {
            bundle,
            guide,
            levels: Levels::NONE,
        }
    }

    fn in_force(mut self, outcome: &Outcome, weakest: Id<Policy>) -> Option<InForce> {
        match outcome {
            Outcome::Forward(to) => self.levels.push(self.bundle.service(to.service).policy),
            Outcome::Respond { .. } | Outcome::Redirect { .. } => {}
            Outcome::NoArm | Outcome::BadPath(_) => return None,
        }
        self.levels.push(weakest);
        let said = self
            .levels
            .iter()
            .map(|level| self.bundle.policy(level).cors);
        let mut said = said.filter(|cors| !matches!(cors.chosen(), Chosen::NotSaid));
        let said = said.next()?;
        match said.chosen() {
            Chosen::On(cors) => Some(InForce {
                cors,
                said: said.location,
            }),
            Chosen::Off | Chosen::NotSaid => None,
        }
    }
}

/// Whether pages of an origin may call.
pub fn allows(bundle: &Bundle, cors: Id<Cors>, origin: &str) -> bool {
    let cors = bundle.cors(cors);
    let mut origins = bundle.texts()[cors.origins.range()].iter();
    origins.any(|it| {
        let known = bundle.str(it.text);
        known == "*" || known.eq_ignore_ascii_case(origin)
    })
}

/// The headers of the answer to a preflight: what is allowed, if anything is.
pub fn headers(
    bundle: &Bundle,
    cors: Id<Cors>,
    preflight: Preflight<'_>,
) -> Vec<(&'static str, String)> {
    let record = bundle.cors(cors);
    let list = |texts: Run<Text>| {
        let texts = bundle.texts()[texts.range()].iter();
        let texts: Vec<&str> = texts.map(|it| bundle.str(it.text)).collect();
        texts.join(", ")
    };
    let credentials = record.credentials != 0;
    // Fetch §3.2.5: with credentials `*` is no wildcard, and the origin itself is named.
    let any = list(record.origins) == "*" && !credentials;
    let mut headers = Vec::new();
    if !any {
        headers.push(("vary", ORIGIN.to_owned()));
    }
    if !allows(bundle, cors, preflight.origin) {
        return headers;
    }
    let origin = if any { "*" } else { preflight.origin };
    headers.push(("access-control-allow-origin", origin.to_owned()));
    headers.push(("access-control-allow-methods", list(record.methods)));
    if !record.headers.is_empty() {
        headers.push(("access-control-allow-headers", list(record.headers)));
    }
    if credentials {
        headers.push(("access-control-allow-credentials", "true".to_owned()));
    }
    if let Some(seconds) = record.max_age.get() {
        headers.push(("access-control-max-age", seconds.to_string()));
    }
    headers
}

//! Requests that a bundle carries with what is to come of them, so that whoever serves it can see that it does
//! what it was compiled to do.
//!
//! They are a sample of the mesh's tests. The compiler that wrote the bundle saw them pass; a node that sees
//! one fail decides otherwise than that compiler, and must not serve. A signature cannot tell.
//!
//! ```text
//! SAMPLES ─▶ Entry, Request, Expect ─ journey ─▶ as expected, or Failed
//! ```

use crate::format::{
    Bundle, Sample, SampleExpect, SampleFact, SampleFactKind, SampleTarget, Target,
    address_from_bytes,
};
use crate::journey::{self, Branch, End, Entry, Expect, Held, Request};

/// Ways that a sample may take: all of them are walked.
pub const MAX_BRANCHES: usize = 64;

/// A sample of which not that comes what is to come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("does not pass its own test “{title}”{}: {request} {outcome}", at(.place.as_ref()))]
pub struct Failed {
    /// What the test is called.
    pub title: String,
    /// `file:line` of the expectation.
    pub place: Option<String>,
    /// The request, in short.
    pub request: String,
    /// What becomes of it.
    pub outcome: String,
}

fn at(place: Option<&String>) -> String {
    place.map_or(String::new(), |place| format!(" ({place})"))
}

/// Holds a bundle against its samples, up to the first that fails; returns how many there are.
pub fn check(bundle: &Bundle) -> Result<usize, Failed> {
    for sample in bundle.samples() {
        try_one(bundle, sample)?;
    }
    Ok(bundle.samples().len())
}

/// Which samples of a bundle pass.
pub fn passed(bundle: &Bundle) -> Vec<bool> {
    let samples = bundle.samples().iter();
    samples
        .map(|sample| try_one(bundle, sample).is_ok())
        .collect()
}

fn try_one(bundle: &Bundle, sample: &Sample) -> Result<(), Failed> {
    let request = request(bundle, sample);
    let failed = |outcome: String| Failed {
        title: bundle.str(sample.title).to_owned(),
        place: bundle.place(sample.location),
        request: format!("{} {}{}", request.method, request.host, request.path),
        outcome,
    };
    let port = Some(sample.port.get()).filter(|port| *port != 0);
    let entry = match sample.from.some() {
        Some(service) => Some(Entry::Sidecar(service)),
        None => journey::entrance(bundle, &request.scheme, &request.host, port),
    };
    let entry = entry.ok_or_else(|| failed("meets no listener".to_owned()))?;
    let Some(journey) = journey::within(bundle, entry, &request, MAX_BRANCHES) else {
        return Err(failed(format!("has more than {MAX_BRANCHES} ways to take")));
    };
    if expect(bundle, sample).is_met(bundle, &journey) {
        return Ok(());
    }
    // Of several ways the one that most take is told.
    let most = journey.branches.iter().max_by_key(|branch| branch.share);
    Err(failed(
        most.map_or_else(String::new, |branch| outcome(bundle, branch)),
    ))
}

fn outcome(bundle: &Bundle, branch: &Branch) -> String {
    match &branch.end {
        End::Arrived(to) => {
            let service = bundle.service(to.service);
            let name = bundle.qualified(service.namespace, service.name);
            match to.version.some() {
                Some(version) => {
                    format!(
                        "arrives at {name}.{}",
                        bundle.str(bundle.version(version).name)
                    )
                }
                None => format!("arrives at {name}"),
            }
        }
        End::Redirected { location, .. } => format!("is redirected to {location}"),
        End::Answered { status, .. } => format!("is answered with {status}"),
        End::Preflight { .. } => "is answered as a preflight".to_owned(),
        End::Refused(refusal) => format!("is refused with {}", refusal.status()),
        End::Egress => "leaves the mesh".to_owned(),
    }
}

fn request(bundle: &Bundle, sample: &Sample) -> Request {
    let text = |id| bundle.str(id);
    let mut request = Request::new(text(sample.method), text(sample.host), text(sample.path));
    let (scheme, port) = match sample.https {
        0 => ("http", 80),
        _ => ("https", 443),
    };
    scheme.clone_into(&mut request.scheme);
    request.port = match sample.port.get() {
        0 => port,
        port => port,
    };
    request.query = bundle.opt_str(sample.query).map(str::to_owned);
    request.client_ip = address_from_bytes(sample.client);
    request.source_ip = request.client_ip;
    for fact in &bundle.sample_facts()[sample.facts.range()] {
        carry(bundle, &mut request, fact);
    }
    request
}

fn carry(bundle: &Bundle, request: &mut Request, fact: &SampleFact) {
    let text = |id| bundle.opt_str(id).unwrap_or_default().to_owned();
    let (name, value, provider) = (text(fact.name), text(fact.value), fact.provider.get());
    let claims = request.tokens.last_mut().map(|(_, claims)| claims);
    match SampleFactKind::from_code(fact.kind) {
        Some(SampleFactKind::Header) => request.headers.push((name, value)),
        Some(SampleFactKind::Token) => request.tokens.push((provider, Vec::new())),
        Some(SampleFactKind::Claim) => {
            if let Some(claims) = claims {
                claims.push((name, Held::Scalar(value)));
            }
        }
        Some(SampleFactKind::ClaimList) => {
            if let Some(claims) = claims {
                claims.push((name, Held::List(Vec::new())));
            }
        }
        Some(SampleFactKind::ClaimMember) => {
            if let Some((_, Held::List(members))) = claims.and_then(|claims| claims.last_mut()) {
                members.push(value);
            }
        }
        Some(SampleFactKind::Key) => request.keys.push((provider, value)),
        None => {}
    }
}

fn expect(bundle: &Bundle, sample: &Sample) -> Expect {
    let targets = &bundle.sample_targets()[sample.targets.range()];
    let target =
        |to: &SampleTarget| Target::from_words(to.service.index() as u32, to.version.get());
    let status = sample.status.get();
    match (SampleExpect::from_code(sample.expect), targets) {
        (Some(SampleExpect::Arrival), [to, ..]) => Expect::Arrival(target(to)),
        (Some(SampleExpect::Shares), targets) => Expect::Shares(
            targets
                .iter()
                .map(|to| (target(to), to.share.get()))
                .collect(),
        ),
        (Some(SampleExpect::Redirect), _) => Expect::Redirect {
            status,
            location: bundle.str(sample.text).to_owned(),
        },
        (Some(SampleExpect::Answer), _) => Expect::Answer {
            status,
            body: bundle.str_bytes(sample.text).to_vec(),
        },
        _ => Expect::Status(status),
    }
}

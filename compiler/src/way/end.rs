//! What becomes of a request, in a sentence.

use super::{destination, place};
use crate::spell::percent;
use mesh_bundle::Bundle;
use mesh_bundle::cors::STATUS as PREFLIGHT;
use mesh_bundle::decide::Verdict;
use mesh_bundle::format::{FieldKind, FieldRef, Id, Require};
use mesh_bundle::journey::{Branch, End, Refusal};
use mesh_lang::value::quote;

/// Bodies up to this length are shown.
const SHORT: usize = 40;

/// `arrives at reviews.v2`, `is refused with 403: …`.
pub fn end(bundle: &Bundle, end: &End) -> String {
    match end {
        End::Arrived(to) => {
            format!("arrives at {}", destination(bundle, to.service, to.version))
        }
        End::Answered { arm, status, body } => {
            let arm = place(bundle, bundle.arm(*arm).location);
            let body = body.some().map(|body| bundle.str_bytes(body));
            let body = body.and_then(|body| str::from_utf8(body).ok());
            match body.filter(|body| body.len() <= SHORT) {
                Some(body) => format!("is answered {status} {} ({arm})", quote(body)),
                None => format!("is answered {status} ({arm})"),
            }
        }
        End::Preflight { said, headers } => {
            let said = place(bundle, *said);
            let allowed = headers
                .iter()
                .filter_map(|(name, value)| Some((name.strip_prefix(ALLOW)?, value)));
            let allowed: Vec<String> = allowed
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            let what = match allowed.as_slice() {
                [] => "which does not allow its origin".to_owned(),
                allowed => allowed.join("; "),
            };
            format!("is answered {PREFLIGHT} by cors ({said}), {what}")
        }
        End::Redirected {
            arm,
            status,
            location,
        } => match arm.some() {
            Some(arm) => {
                let arm = place(bundle, bundle.arm(arm).location);
                format!("is redirected with {status} to {location} ({arm})")
            }
            None => format!("is redirected with {status} to {location} by the listener"),
        },
        End::Refused(refusal) => {
            let (status, why) = (refusal.status(), why(bundle, *refusal));
            format!("is refused with {status}: {why}")
        }
        End::Egress => "leaves the mesh".to_owned(),
    }
}

/// `reviews.v2`, `404`, `301 https://…`: where it ends, for lists.
pub fn in_short(bundle: &Bundle, end: &End) -> String {
    match end {
        End::Arrived(to) => destination(bundle, to.service, to.version),
        End::Redirected {
            status, location, ..
        } => format!("{status} {location}"),
        End::Answered { status, .. } => status.to_string(),
        End::Preflight { headers, .. } if allows(headers) => format!("{PREFLIGHT}, origin allowed"),
        End::Preflight { .. } => format!("{PREFLIGHT}, origin not allowed"),
        End::Refused(refusal) => refusal.status().to_string(),
        End::Egress => "outside the mesh".to_owned(),
    }
}

/// What the answer to a preflight names these by.
const ALLOW: &str = "access-control-";

/// Whether the answer to a preflight allows anything.
pub fn allows(headers: &[(&str, String)]) -> bool {
    headers.iter().any(|(name, _)| name.starts_with(ALLOW))
}

/// Why a request is refused.
fn why(bundle: &Bundle, refusal: Refusal) -> String {
    match refusal {
        Refusal::Path(error) => error.to_string(),
        Refusal::NoHost => "no gateway serves this host".to_owned(),
        Refusal::NoArm => "no arm takes it".to_owned(),
        Refusal::Unauthenticated(require) => {
            let require = bundle.require(require);
            let place = place(bundle, require.location);
            let what = credential(bundle, require);
            format!("it has no {what}, required at {place}")
        }
        Refusal::Forbidden(_, Verdict::Rule(rule)) => {
            let rule = bundle.rule(rule);
            let place = place(bundle, rule.location);
            format!("`{}` ({place})", bundle.str(rule.name))
        }
        Refusal::Forbidden(_, Verdict::Repeated(field)) => {
            format!("{} comes twice, and a rule tests it", single(bundle, field))
        }
        Refusal::Forbidden(authz, Verdict::NoRule) => {
            match bundle.place(bundle.authz(authz).location) {
                Some(place) => format!("no rule allows it ({place})"),
                None => "no rule allows it, and what has no rules is closed".to_owned(),
            }
        }
        Refusal::NotCalled(callee) => {
            let callee = destination(bundle, callee, Id::NONE);
            format!("`{callee}` is not among what its sender `calls`")
        }
        Refusal::NotForThisNode => "this slice does not hold where it goes".to_owned(),
        Refusal::Egress => "its host is unknown to the mesh, and nothing leaves it".to_owned(),
    }
}

/// "token of `corp`".
fn credential(bundle: &Bundle, require: &Require) -> String {
    let provider = require.provider.get() as usize;
    if require.kind == 0 {
        format!("token of `{}`", bundle.str(bundle.jwts()[provider].name))
    } else {
        format!("key of `{}`", bundle.str(bundle.keys()[provider].name))
    }
}

fn single(bundle: &Bundle, field: Id<FieldRef>) -> String {
    let field = bundle.field_ref(field);
    let name = bundle.opt_str(field.name).unwrap_or_default();
    match FieldKind::from_code(field.field) {
        Some(FieldKind::Query) => format!("the parameter `{name}`"),
        Some(FieldKind::Cookie) => format!("the cookie `{name}`"),
        _ => format!("the header `{name}`"),
    }
}

/// `90% reviews.v1, 10% reviews.v2`, the same ends put together; one end by itself.
pub fn ends(bundle: &Bundle, branches: &[Branch]) -> String {
    let mut ends: Vec<(String, u32)> = Vec::new();
    for branch in branches {
        let end = in_short(bundle, &branch.end);
        match ends.iter_mut().find(|(known, _)| *known == end) {
            Some((_, share)) => *share += branch.share,
            None => ends.push((end, branch.share)),
        }
    }
    match ends.as_slice() {
        [(end, _)] => end.clone(),
        several => {
            let parts = several.iter();
            let parts = parts.map(|(end, share)| format!("{} {end}", percent(*share)));
            parts.collect::<Vec<_>>().join(", ")
        }
    }
}

//! What is no matter of single requests: listeners, endpoints, who proves what to whom, who declares to call.

use super::{Change, Diff, Kind, Reload, Side};
use crate::spell::{Statement, statements};
use std::collections::{BTreeSet, HashSet};

/// What is compared request by request.
const BY_REQUEST: &[&str] = &[
    "timeout",
    "retry",
    "hedge",
    "sticky",
    "cors",
    "max-body",
    "buffer",
    "compress",
    "rewrite",
    "require",
    "rate-limit",
    "mirror",
    "fault",
    "request-header",
    "response-header",
    "authz",
    "host",
    "open",
];

/// What kind of change it is that a statement is otherwise; none for those that are compared request by request.
fn kind(statement: &Statement) -> Option<(Kind, Reload)> {
    let text = statement.text.as_str();
    let word = text.split([' ', ':']).next().unwrap_or_default();
    let is_rule = text.contains("allow ") || text.contains("deny ");
    let asks_others = text.starts_with("authz shadow") || text.starts_with("authz external");
    let by_request = BY_REQUEST.contains(&word) || text.contains(" -> ") || is_rule;
    if by_request && !asks_others && word != "egress" && word != "listen" {
        return None;
    }
    Some(match word {
        "endpoints" | "version" | "balance" | "limits" | "eject" | "health" | "failover"
        | "protocol" | "hosts" | "service" | "external" | "prefer" | "slow-start" => {
            (Kind::Endpoints, Reload::Hitless)
        }
        "listen" | "gateway" | "sidecar-port" => (Kind::Listeners, Reload::Drains),
        "trusted-proxies" | "header-limits" | "encoded-slash" => (Kind::Listeners, Reload::Hitless),
        "mtls" | "tls" | "sidecar" | "identity" | "trust-domain" | "certificate" => {
            (Kind::Identity, Reload::NewHandshakes)
        }
        "issuer" | "jwks" | "audiences" | "keys" | "jwt" | "file" => {
            (Kind::Identity, Reload::Hitless)
        }
        _ => (Kind::Other, Reload::Hitless),
    })
}

/// Compares the statements of two meshes.
pub(super) fn compare(old: Side<'_>, new: Side<'_>, diff: &mut Diff) {
    let domains = (&old.mesh.trust_domain.value, &new.mesh.trust_domain.value);
    let (old, new) = (statements(old.mesh), statements(new.mesh));
    let known: HashSet<&Statement> = new.iter().collect();
    let mut gone: Vec<&Statement> = old.iter().filter(|it| !known.contains(it)).collect();
    let known: HashSet<&Statement> = old.iter().collect();
    let items = |all: &[Statement]| -> BTreeSet<String> {
        all.iter()
            .filter_map(|it| item(&it.place))
            .map(str::to_owned)
            .collect()
    };
    let (before, after) = (items(&old), items(&new));
    for (sign, items) in [
        ("+", after.difference(&before)),
        ("-", before.difference(&after)),
    ] {
        for item in items {
            whole(sign, item, diff);
        }
    }
    let is_whole = |statement: &Statement| {
        item(&statement.place).is_some_and(|it| !(before.contains(it) && after.contains(it)))
    };
    gone.retain(|statement| !is_whole(statement));
    for statement in new.iter().filter(|it| !known.contains(it) && !is_whole(it)) {
        let same = |it: &&&Statement| it.place == statement.place && it.key == statement.key;
        let before = gone
            .iter()
            .position(|it| same(&it))
            .map(|index| gone.remove(index));
        // An identity that only follows the trust domain is no change of its own.
        let follows = |before: &Statement| {
            statement.key == "identity"
                && before.text.replacen(domains.0.as_str(), domains.1, 1) == statement.text
        };
        if !before.is_some_and(follows) {
            add(before, Some(statement), diff);
        }
    }
    for statement in gone {
        add(Some(statement), None, diff);
    }
}

/// The item that a place is in: `namespace shop, service cart` of what stands in a version of it.
fn item(place: &str) -> Option<&str> {
    let mut end = 0;
    for part in place.split(", ") {
        end += part.len();
        let word = part
            .strip_prefix("export ")
            .unwrap_or(part)
            .split(' ')
            .next();
        if matches!(
            word,
            Some("service" | "external" | "gateway" | "jwt" | "keys")
        ) {
            return Some(&place[..end]);
        }
        end += ", ".len();
    }
    None
}

/// An item that is there on one side only. Who gets into it is told with the rules.
fn whole(sign: &str, item: &str, diff: &mut Diff) {
    let name = item.rsplit(", ").next().unwrap_or(item);
    let (kind, reload) = match name.split(' ').find(|word| *word != "export") {
        Some("gateway") if sign == "-" => (Kind::Listeners, Reload::Drains),
        Some("gateway") => (Kind::Listeners, Reload::Hitless),
        Some("jwt" | "keys") => (Kind::Identity, Reload::Hitless),
        _ => (Kind::Endpoints, Reload::Hitless),
    };
    diff.add(Change {
        kind,
        subjects: vec![item.to_owned()],
        what: format!("{sign} {name}"),
        old: Vec::new(),
        new: Vec::new(),
        example: None,
        reload,
    });
}

fn add(old: Option<&Statement>, new: Option<&Statement>, diff: &mut Diff) {
    let Some(either) = new.or(old) else { return };
    let found = match either.key.as_str() {
        // What sidecars let out.
        "calls" | "egress" => Some((let_out(old, new), Reload::Hitless)),
        "mtls" => Some((let_in(new), Reload::NewHandshakes)),
        _ => kind(either),
    };
    let Some((kind, reload)) = found else { return };
    let reload = match (old, reload) {
        (None, Reload::Drains) => Reload::Hitless, // one more
        (_, reload) => reload,
    };
    let what = match (old, new) {
        (Some(old), Some(new)) => format!("{} → {}", old.text, new.text),
        (None, Some(new)) => format!("+ {}", new.text),
        (Some(old), None) => format!("- {}", old.text),
        (None, None) => return,
    };
    diff.add(Change {
        kind,
        subjects: vec![if either.place.is_empty() {
            "mesh".to_owned()
        } else {
            either.place.clone()
        }],
        what,
        old: Vec::new(),
        new: Vec::new(),
        example: None,
        reload,
    });
}

/// Whether a service may call more, or the mesh lets out more.
fn let_out(old: Option<&Statement>, new: Option<&Statement>) -> Kind {
    match (old, new) {
        (None, Some(new)) if new.text.starts_with("calls") && new.text != "calls none" => {
            Kind::Widened
        }
        (Some(old), None) if old.text == "calls none" => Kind::Widened,
        (_, Some(new)) if new.text == "egress allow" => Kind::Widened,
        (Some(old), Some(new))
            if old.text.starts_with("calls") && new.text.starts_with("calls") =>
        {
            Kind::Reliability
        }
        _ => Kind::Narrowed,
    }
}

/// Whether callers get in that do not prove who they are.
fn let_in(new: Option<&Statement>) -> Kind {
    if new.is_some_and(|it| it.text == "mtls strict") {
        Kind::Narrowed
    } else {
        Kind::Widened
    }
}

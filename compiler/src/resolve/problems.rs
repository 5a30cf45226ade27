//! What resolution reports, one small function each.

use crate::model::Share;
use mesh_bundle::route::{MAX_HOPS, WHOLE};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::source::Span;
use mesh_lang::value::{Percent, ValueError};
use mesh_lang::view::Text;

/// A value that its kind does not have.
pub(super) fn value(span: Span, error: &ValueError) -> Diagnostic {
    let diagnostic = Diagnostic::new(error.code, error.message.clone()).primary(span, "");
    match &error.suggestion {
        Some(suggestion) => {
            let title = format!("write `{}`", suggestion.text);
            let diagnostic = diagnostic.help(title.clone());
            diagnostic.fix(if suggestion.certain {
                Fix::safe(title, span, suggestion.text.clone())
            } else {
                Fix::guess(title, span, suggestion.text.clone())
            })
        }
        None => diagnostic,
    }
}

/// A value that is out of range, or does not go together with others.
pub(super) fn bad_value(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::BadValue, message).primary(span, "")
}

/// A statement of the language that this compiler does not act on.
pub(super) fn without_effect(span: Span, what: &str) -> Diagnostic {
    let message =
        format!("`{what}` would have no effect: this version of meshc does not act on it");
    Diagnostic::new(Code::WithoutEffect, message)
        .primary(span, "")
        .help("leave it out; a policy that is accepted is a policy that is carried out")
}

/// A name that nothing declares.
pub(super) fn unknown(span: Span, kind: &str, name: &str, near: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UnresolvedRef, format!("no {kind} is called `{name}`"))
        .primary(span, "");
    match near {
        Some(near) => diagnostic
            .help(format!("perhaps `{near}` is meant"))
            .fix(Fix::guess(format!("write `{near}`"), span, near)),
        None => diagnostic,
    }
}

/// A name that is declared twice.
pub(super) fn duplicate(name: Text<'_>, first: Span, scope: &str) -> Diagnostic {
    Diagnostic::new(
        Code::DuplicateDecl,
        format!("`{}` is declared twice", name.text),
    )
    .primary(name.span, "again here")
    .secondary(first, "declared here")
    .note(format!("names are unique among {scope}"))
    .help("rename one of them")
}

/// A service of another namespace that is not exported.
pub(super) fn private(target: Text<'_>, declared: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TenantEscape,
        format!("`{}` is private to its namespace", target.text),
    )
    .primary(target.span, "aimed at from outside")
    .secondary(declared, "declared without `export`")
    .help("whoever owns the namespace may open it with `export` before the declaration")
}

/// A gateway where a service is due.
pub(super) fn not_a_service(target: Text<'_>, declared: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadTarget,
        format!(
            "`{}` is a gateway; requests are sent to services",
            target.text
        ),
    )
    .primary(target.span, "")
    .secondary(declared, "declared here")
}

/// A version where a service is due.
pub(super) fn no_version_here(target: Text<'_>, service: &str) -> Diagnostic {
    Diagnostic::new(
        Code::BadTarget,
        format!(
            "`{}` names a version; whom one calls is a service",
            target.text
        ),
    )
    .primary(target.span, "")
    .help(format!("write `{service}`"))
    .fix(Fix::safe(
        format!("write `{service}`"),
        target.span,
        service,
    ))
}

/// `self` where there is no service.
pub(super) fn self_outside(target: Text<'_>) -> Diagnostic {
    Diagnostic::new(
        Code::BadTarget,
        "`self` is a service in its own `route`; here is none",
    )
    .primary(target.span, "")
    .help("name the service")
}

/// Shares that do not sum to the whole.
pub(super) fn shares(
    split: Span,
    sum: u64,
    parts: &[(Span, Share)],
    rest: Option<Span>,
) -> Diagnostic {
    let percent = |millionths: u64| {
        u32::try_from(millionths)
            .ok()
            .and_then(Percent::from_millionths)
            .map_or_else(
                || format!("{}%", millionths / 10_000),
                |percent| percent.to_string(),
            )
    };
    let message = match rest {
        Some(_) => format!("the shares beside `rest` sum to {}", percent(sum)),
        None => format!("the shares sum to {}, not to 100%", percent(sum)),
    };
    let mut diagnostic = Diagnostic::new(Code::WeightsNot100, message).primary(split, "");
    if rest.is_some() {
        return diagnostic.help("lower them until something is left");
    }
    // What the largest share would have to be.
    let largest = parts.iter().max_by_key(|(_, share)| share.parts);
    if let Some((span, share)) = largest {
        let others = sum - u64::from(share.parts);
        if let Some(left) = u64::from(WHOLE)
            .checked_sub(others)
            .filter(|left| *left > 0)
        {
            let title = format!("write `{}`, what the others leave", percent(left));
            diagnostic =
                diagnostic
                    .help(title.clone())
                    .fix(Fix::guess(title, *span, percent(left)));
        }
    }
    diagnostic
}

/// An arm that comes too late.
pub(super) fn shadowed(arm: Span, by: Span) -> Diagnostic {
    Diagnostic::new(Code::RouteShadowed, "this arm can never be taken")
        .primary(arm, "… would reach this arm")
        .secondary(by, "takes every request that …")
        .help("put it above, or remove it")
}

/// A host that two blocks of a gateway claim.
pub(super) fn host_twice(host: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::HostOwnedTwice,
        format!("two blocks of this gateway serve `{host}`"),
    )
    .primary(second, "again here")
    .secondary(first, "served here")
    .help("put all arms of a host into one block")
}

/// A port that two listeners of a gateway claim.
pub(super) fn port_twice(port: u16, second: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ListenerConflict,
        format!("two listeners of this gateway have port {port}"),
    )
    .primary(second, "again here")
    .secondary(first, "taken here")
}

/// A `client-ip` or `source.ip` at a gateway that does not say whom it believes.
pub(super) fn client_ip_untrusted(test: Span, gateway: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ClientIpUntrusted,
        "whose address this is depends on proxies in front, and the gateway does not say which it trusts",
    )
    .primary(test, "an address is tested here")
    .secondary(gateway, "this gateway has no `trusted-proxies`")
    .help("say `trusted-proxies none`, or name their networks: `trusted-proxies 10.0.0.0/8`")
}

/// Protection that the mesh asks for and this version does not provide.
pub(super) fn protection(mesh: Span, said: Option<Span>, what: &str, open: &str) -> Diagnostic {
    let message = match said {
        Some(_) => format!("this version of meshc cannot provide `{what}`"),
        None => format!("`{what}` is the default, and this version of meshc cannot provide it"),
    };
    Diagnostic::new(Code::ProtectionMissing, message)
        .primary(said.unwrap_or(mesh), "")
        .help(format!(
            "say `{open}` aloud, and keep the mesh where nobody else can reach it"
        ))
}

/// Services that send a request around in a circle.
pub(super) fn circle(way: &[String], spans: &[Span]) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(
        Code::SplitCycle,
        format!(
            "routes send a request around in a circle: {}",
            way.join(" -> ")
        ),
    );
    for (index, span) in spans.iter().enumerate() {
        diagnostic = if index == 0 {
            diagnostic.primary(*span, "")
        } else {
            diagnostic.secondary(*span, "")
        };
    }
    diagnostic.help("aim one of these arms at `self` or at a version")
}

/// More services in a row than a request may pass.
pub(super) fn too_many_hops(way: &[String], span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SplitCycle,
        format!(
            "a request passes at most {MAX_HOPS} services on its way: {}",
            way.join(" -> ")
        ),
    )
    .primary(span, "")
}

/// A service or version that requests arrive at and that has nowhere to send them.
pub(super) fn no_endpoints(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::NoEndpoints, format!("{what} has no endpoints"))
        .primary(span, "")
        .help("say where it listens: `endpoints 127.0.0.1:9080`")
}

//! What resolution reports, one small function each.

use crate::model::said::Said;
use crate::model::{Gateway, ListenerKind, Service, Share};
use mesh_bundle::route::{MAX_HOPS, WHOLE};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::source::Span;
use mesh_lang::value::{Host, HostPattern, Percent, Scheme, Url, ValueError};
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

/// Hosts of a gateway whose listeners take no requests.
pub(super) fn unreached_hosts(gateway: &Gateway) -> Option<Diagnostic> {
    let (first, others) = gateway.hosts.split_first()?;
    let message = format!(
        "no request ever comes to this host of `{}`",
        gateway.qualified_name()
    );
    let mut diagnostic =
        Diagnostic::new(Code::HostNotOnListener, message).primary(first.span, "nothing leads here");
    for host in others {
        diagnostic = diagnostic.secondary(host.span, "nor here");
    }
    for listener in &gateway.listeners {
        let text = match listener.kind {
            ListenerKind::Passthrough(_) => "connections go through this as they are",
            _ => "bytes go through this as they are",
        };
        diagnostic = diagnostic.secondary(listener.span, text);
    }
    let host = match first.patterns.first()? {
        HostPattern::Exact(host) => host.clone(),
        HostPattern::Suffix(suffix) => format!("www.{suffix}"),
        HostPattern::Any => "shop.example".to_owned(),
    };
    Some(
        diagnostic
            .note(format!("for example: GET http://{host}/ finds no listener"))
            .help("let it listen for requests: `listen 80 http`, or take the hosts away"),
    )
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

/// A service where a gateway is due.
pub(super) fn not_a_gateway(target: Text<'_>, declared: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadTarget,
        format!("`{}` is a service; a gateway is due here", target.text),
    )
    .primary(target.span, "")
    .secondary(declared, "declared here")
}

/// What an environment sets is not written.
pub(super) fn not_written(path: Text<'_>, word: &str, near: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::UnresolvedRef,
        format!("there is no `{word}` to set: an environment changes what is written"),
    )
    .primary(path.span, "");
    match near {
        Some(near) => diagnostic.help(format!("perhaps `{near}` is meant")),
        None => diagnostic.help("write the statement where it belongs, and set its value here"),
    }
}

/// A policy brings into a `route` what the target's own sidecar enforces before it.
pub(super) fn not_in_a_route(what: &str, written: Span, used: Span) -> Diagnostic {
    Diagnostic::new(
        Code::MisplacedStatement,
        format!("`{what}` is enforced before the `route` of a service, and cannot stand in it"),
    )
    .primary(used, "brought in here")
    .secondary(written, "")
    .help("use the policy in the block of the service")
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

/// A fragment of a host that opens nothing to its namespace.
pub(super) fn not_opened(host: Text<'_>, namespace: &str, block: Span) -> Diagnostic {
    let message = format!("`{}` opens nothing to namespace `{namespace}`", host.text);
    Diagnostic::new(Code::FragmentNotOpen, message)
        .primary(host.span, "")
        .secondary(
            block,
            "whoever owns this host says which paths others may take",
        )
        .help(format!(
            "add `open /… to namespace {namespace}` to the host"
        ))
}

/// A service that speaks HTTP behind a listener that passes bytes on.
pub(super) fn http_behind_tcp(listener: Span, service: &Service) -> Diagnostic {
    let message = format!(
        "connections here go on as bytes, and `{}` is declared to speak HTTP",
        service.name
    );
    Diagnostic::new(Code::ProtocolMismatch, message)
        .primary(listener, "")
        .secondary(service.protocol.span().unwrap_or(service.span), "")
        .help("say `protocol tcp` in the service, or give it arms of a `host`")
}

/// Requests that nobody but the application sees.
pub(super) fn http_within_tls(passthrough: Span, service: &Service) -> Diagnostic {
    let message = format!(
        "the application speaks TLS itself, and `{}` is declared to speak HTTP: no proxy sees its requests",
        service.name
    );
    Diagnostic::new(Code::ProtocolMismatch, message)
        .primary(passthrough, "")
        .secondary(service.protocol.span().unwrap_or(service.span), "")
        .help("say `protocol tcp`, or `tls verify NAME` so that the proxy speaks TLS")
}

/// Calls of gRPC for a service that they cannot be sent to: they take HTTP/2, and its trailers.
pub(super) fn grpc_over_http1(span: Span, service: &Service) -> Diagnostic {
    let name = &service.name;
    let message = format!("calls of gRPC go on from here, and `{name}` only speaks HTTP/1.1");
    Diagnostic::new(Code::ProtocolMismatch, message)
        .primary(span, "")
        .secondary(service.protocol.span().unwrap_or(service.span), "")
        .help("send them to a service of `protocol grpc`, or of `http2`")
}

/// Requests for a service of bytes.
pub(super) fn tcp_behind_http(span: Span, service: &Service) -> Diagnostic {
    let name = &service.name;
    let message = format!("requests go on from here, and `{name}` is declared to take bytes");
    Diagnostic::new(Code::ProtocolMismatch, message)
        .primary(span, "")
        .secondary(service.protocol.span().unwrap_or(service.span), "")
        .help(
            "declare what the service speaks, or lead connections to it: `listen 5432 tcp -> NAME`",
        )
}

/// Something about requests where there are only bytes.
pub(super) fn request_on_tcp(span: Span, what: &str, declared: Span) -> Diagnostic {
    let message = format!("{what} about requests, and on a `tcp` service there are only bytes");
    Diagnostic::new(Code::L7PolicyOnL4Port, message)
        .primary(span, "")
        .secondary(declared, "declared here")
        .help("leave it out, or declare what the service speaks")
}

/// A rule about requests where there are only bytes.
pub(super) fn rule_on_tcp(span: Span, declared: Span) -> Diagnostic {
    let message = "this rule is about requests, and on a `tcp` service there are only connections";
    Diagnostic::new(Code::AuthzL7OnL4, message)
        .primary(span, "")
        .secondary(declared, "declared here")
        .help("let it speak of callers alone")
}

/// A caller that nobody can verify.
pub(super) fn caller_unproved(rule: Span, why: &str, said: Option<Span>) -> Diagnostic {
    let message = format!("under `{why}` nobody can prove to be the caller that this names");
    let diagnostic = Diagnostic::new(Code::AuthzNeedsMtls, message).primary(rule, "");
    match said {
        Some(said) => diagnostic.secondary(said, "said here"),
        None => diagnostic,
    }
    .help("take that away, or let the rule say `anyone`")
}

/// A call of what cannot be addressed by host, without a local address.
pub(super) fn no_local_port(call: Span, callee: &Service) -> Diagnostic {
    let message = format!(
        "`{}` speaks `tcp`, where no host says whom a connection is for",
        callee.name
    );
    Diagnostic::new(Code::BadArguments, message)
        .primary(call, "")
        .secondary(callee.protocol.span().unwrap_or(callee.span), "")
        .help(format!(
            "say at which local address the application finds it: `calls {} on 127.0.0.1:5432`",
            callee.name
        ))
}

/// A call with a local address of what is addressed by host.
pub(super) fn needless_local_port(call: Span, callee: &Service) -> Diagnostic {
    let message = format!(
        "`{}` is called by its host; a local address is for what speaks `tcp`",
        callee.name
    );
    Diagnostic::new(Code::BadArguments, message)
        .primary(call, "")
        .help("leave `on …` out")
}

/// A test of a token or key that nothing asks for.
pub(super) fn claim_without_provider(test: Span, credential: &str, host: Span) -> Diagnostic {
    let message = format!("nothing here asks for `{credential}`, so that it is never there");
    Diagnostic::new(Code::ClaimWithoutProvider, message)
        .primary(test, "")
        .secondary(host, "in this host")
        .help(format!(
            "say `accept {credential}` in the host, or `require {credential}` where it must be there"
        ))
}

/// Keys of tokens that come in the clear.
pub(super) fn keys_in_the_clear(span: Span, url: &Url) -> Diagnostic {
    let message = "whoever sits on the way to these keys can put others in their place";
    let secure = Url {
        scheme: Scheme::Https,
        ..url.clone()
    };
    let title = format!("write `{secure}`");
    Diagnostic::new(Code::JwksOrigin, message)
        .primary(span, "they come without TLS")
        .help(format!("{title}, or keep the keys in a file: `jwks file`"))
        .fix(Fix::guess(title, span, format!("\"{secure}\"")))
}

/// Keys of tokens from an address that is another's on every machine.
pub(super) fn keys_of_nobody(span: Span, host: &Host) -> Diagnostic {
    let message = format!("`{host}` is another place on every machine, and nobody's to vouch for");
    Diagnostic::new(Code::JwksOrigin, message)
        .primary(span, "")
        .help("name the issuer's own host, whose certificate can be verified")
}

/// TLS around what is TLS already.
pub(super) fn tls_twice(listener: Span, service: &Service) -> Diagnostic {
    let name = &service.name;
    let message =
        format!("what comes in here is TLS already, and goes to `{name}` within TLS again");
    let verify = service.tls.as_ref().and_then(Said::span);
    Diagnostic::new(Code::TlsDouble, message)
        .primary(listener, "passes on the client's TLS")
        .secondary(verify.unwrap_or(service.span), "and the proxy speaks TLS here")
        .note(format!("for example: the client's hello arrives at `{name}` as the first bytes of a connection that is encrypted already"))
        .help("say `tls passthrough` there, or end the client's TLS here: `https`")
}

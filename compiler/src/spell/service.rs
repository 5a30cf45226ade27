//! Services, and what is outside the mesh.

use super::value::{address, list};
use super::{Line, Place};
use crate::model::said::Origin;
use crate::model::upstream::{Endpoint, Spread};
use crate::model::{Mtls, Service, ServiceId, Tls, Version};
use crate::verify::fleet::{self, Fleet};
use mesh_bundle::format::Protocol;

impl Place<'_> {
    /// A service or external, in whose block this is.
    pub(super) fn service_item(&self, id: ServiceId, fleet: &Fleet<'_>) -> Line {
        let service = &self.mesh[id];
        let export = if service.exported { "export " } else { "" };
        let kind = if service.external {
            "external"
        } else {
            "service"
        };
        let mut lines = self.calls_in_force(service);
        lines.extend(self.together(id, fleet));
        lines.extend(nature(service));
        lines.extend(service.versions.iter().map(|it| self.version(it)));
        lines.extend(self.endpoints(&service.endpoints));
        lines.extend(self.spread(&service.spread));
        lines.extend(
            service
                .failover
                .as_ref()
                .map(|it| Line::said(it, |target| format!("failover {}", self.target(*target)))),
        );
        lines.extend(self.policy(&service.policy));
        lines.extend(self.calls(service));
        if let Some(route) = &service.route {
            let arms = route.arms.iter().map(|arm| self.arm(arm)).collect();
            lines.push(Line::new("route").around(arms));
        }
        lines.extend(service.authz.iter().flat_map(|authz| self.authz(authz)));
        Line::new(format!("{export}{kind} {}", service.name))
            .at(service.span)
            .around(lines)
    }

    /// What comes of numbers that each proxy keeps for itself, or that are a share of the endpoints, in comments.
    pub(super) fn together(&self, id: ServiceId, fleet: &Fleet<'_>) -> Vec<Line> {
        let service = &self.mesh[id];
        let namespace = self.mesh.namespace(&service.namespace);
        let spread = &service.spread;
        let mut lines = Vec::new();
        let comment = |word: &str, told: Option<String>, origin: Origin| {
            let line = |told| Line::comment(&format!("{word}: {told}")).by(origin);
            told.map(line)
        };
        let limits = spread.limits.or_else(|| namespace?.limits);
        if let Some(limits) = limits
            && let Some(own) = limits.value.on()
            && !fleet::limits(own, 1).is_empty()
        {
            let proxies = fleet.of_limits(id);
            let told = proxies.told_of_some(|times| fleet::limits(own, times));
            lines.extend(comment("limits", told, limits.origin));
        }
        let wider = namespace.map(|it| it.rate_limits.clone());
        let rates = service.policy.rate_limits.clone();
        let rates = rates.over(wider.unwrap_or_default()).each;
        for rate in rates.iter().filter(|rate| rate.value.shared.is_none()) {
            let proxies = fleet.of_rates(id);
            let told = proxies.told_of_some(|times| fleet::rates(&rate.value, times));
            lines.extend(comment("rate-limit", told, rate.origin));
        }
        lines.extend(out_at_a_time(spread, service.endpoints.listed()));
        lines
    }

    fn version(&self, version: &Version) -> Line {
        let mut lines: Vec<Line> = self.endpoints(&version.endpoints).into_iter().collect();
        lines.extend(self.spread(&version.spread));
        lines.extend(out_at_a_time(&version.spread, version.endpoints.listed()));
        Line::new(format!("version {}", version.name))
            .at(version.span)
            .with(lines)
    }

    fn calls(&self, service: &Service) -> Vec<Line> {
        let Some(calls) = &service.calls else {
            return Vec::new();
        };
        if calls.is_empty() {
            return vec![Line::new("calls none").at(service.span)];
        }
        let line = |call: &crate::model::Call| {
            let mut text = format!("calls {}", self.service(call.target));
            if let Some(on) = call.on {
                text = format!("{text} on {}", address(on));
            }
            Line::new(text)
                .at(call.span)
                .perhaps_with(self.policy(&call.policy))
        };
        calls.iter().map(line).collect()
    }
}

/// How many of some endpoints may be ejected at a time.
fn out_at_a_time(spread: &Spread, endpoints: &[Endpoint]) -> Option<Line> {
    let said = spread.eject.as_ref()?;
    let eject = said.value.on().filter(|_| !endpoints.is_empty())?;
    let all = endpoints.len() as u32;
    let out = eject.may_be_out(all);
    let comment = Line::comment(&format!(
        "eject: at most {out} of {all} endpoints out at a time"
    ));
    Some(comment.by(said.origin))
}

/// What it speaks, who it is and how it is protected.
pub(super) fn nature(service: &Service) -> Vec<Line> {
    let mut lines = vec![Line::said(&service.protocol, |protocol| {
        format!("protocol {}", protocol_word(*protocol))
    })];
    if !service.external {
        lines.push(Line::new(format!("identity {}", service.identity)));
    }
    if !service.hosts.is_empty() {
        lines.push(Line::new(format!("hosts {}", list(&service.hosts))));
    }
    lines.extend(service.mtls.map(|it| mtls(&it)));
    lines.extend(service.sidecar_none.map(|it| sidecar_none(&it)));
    lines.extend(service.tls.as_ref().map(|it| {
        Line::said(it, |tls| match tls {
            Tls::Verify(name) => format!("tls verify {name}"),
            Tls::Passthrough => "tls passthrough".to_owned(),
        })
    }));
    lines
}

/// `mtls strict`.
pub(super) fn mtls(said: &crate::model::said::Said<Mtls>) -> Line {
    Line::said(said, |mtls| {
        let word = match mtls {
            Mtls::Strict => "strict",
            Mtls::Permissive => "permissive",
            Mtls::Off => "off",
        };
        format!("mtls {word}")
    })
}

/// `sidecar none`.
pub(super) fn sidecar_none(said: &crate::model::said::Said<()>) -> Line {
    Line::said(said, |()| "sidecar none".to_owned())
}

pub(crate) fn protocol_word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http => "http",
        Protocol::Http1 => "http1",
        Protocol::Http2 => "http2",
        Protocol::Grpc => "grpc",
        Protocol::Tcp => "tcp",
    }
}

//! Services, their endpoints, and how one is chosen.

use super::mesh::mtls;
use super::*;

impl Checker<'_> {
    pub(super) fn spreads(&mut self) -> Checked {
        let bundle = self.bundle;
        for spread in bundle.spreads() {
            let section = Section::Spreads;
            if let Some(code) = spread.algorithm.get() {
                let known = u8::try_from(code).ok().and_then(Algorithm::from_code);
                ensure(known.is_some(), section, "balances in a way not known here")?;
                let hashes = known == Some(Algorithm::Hash);
                ensure(
                    hashes == spread.hash.some().is_some(),
                    section,
                    "hashes no field",
                )?;
            }
            opt_within(spread.hash, bundle.field_refs(), Section::FieldRefs)?;
            let settings = [spread.algorithm, spread.slow_start, spread.prefer_zone];
            self.settings(settings, section)?;
            said(spread.prefer_zone, is_flag, section)?;
            self.choice(spread.limits, bundle.limits(), Section::Limits)?;
            self.choice(spread.eject, bundle.ejects(), Section::Ejects)?;
            self.choice(spread.health, bundle.healths(), Section::Healths)?;
        }
        for limits in bundle.limits() {
            let Limits {
                connections,
                pending,
                requests,
                per_connection,
            } = *limits;
            let all = [connections, pending, requests, per_connection];
            self.settings(all, Section::Limits)?;
        }
        for eject in bundle.ejects() {
            let all = [eject.every, eject.time, eject.at_most, eject.min_healthy];
            self.settings(all, Section::Ejects)?;
            for share in [eject.at_most, eject.min_healthy] {
                said(share, is_share, Section::Ejects)?;
            }
        }
        for health in bundle.healths() {
            let section = Section::Healths;
            self.text(health.method, section)?;
            let path = self.text(health.path, section)?;
            let sent = path.starts_with('/') && is_header_safe(path);
            ensure(sent, section, "asks for what is no path")?;
            let all = [
                health.every,
                health.timeout,
                health.healthy,
                health.unhealthy,
            ];
            self.settings(all, section)?;
            run_within(health.expect, bundle.status_ranges(), Section::StatusRanges)?;
            self.location(health.expect_location, section)?;
        }
        for source in bundle.endpoint_sources() {
            let section = Section::EndpointSources;
            let known = SourceKind::from_code(source.kind).is_some();
            ensure(known, section, "names endpoints in a way not known here")?;
            self.opt_text(source.text, section)?;
            self.opt_condition(source.filter)?;
            self.setting(source.every, section)?;
            self.location(source.location, section)?;
        }
        Ok(())
    }

    pub(super) fn services(&mut self) -> Checked {
        let bundle = self.bundle;
        let (mut endpoints, mut versions, mut calls) = <(Tiling, Tiling, Tiling)>::default();
        for (index, service) in bundle.services().iter().enumerate() {
            let section = Section::Services;
            self.text(service.name, section)?;
            self.text(service.namespace, section)?;
            self.location(service.location, section)?;
            self.text(service.identity, section)?;
            self.opt_text(service.tls_name, section)?;
            self.settings([service.mtls, service.tls], section)?;
            mtls(service.mtls, section)?;
            let known = Service::CALLS_LISTED
                | Service::EXTERNAL
                | Service::SIDECAR_NONE
                | Service::EXPORTED;
            ensure(
                service.flags & !known == 0,
                section,
                "has flags not known here",
            )?;
            if let Some(code) = service.tls.get() {
                let tls = u8::try_from(code).ok().and_then(UpstreamTls::from_code);
                let named = service.tls_name.some().is_some();
                ensure(
                    tls.is_some_and(|tls| (tls == UpstreamTls::Verify) == named),
                    section,
                    "has TLS not known here",
                )?;
            }
            self.opt_policy(service.policy)?;
            opt_within(service.spread, bundle.spreads(), Section::Spreads)?;
            opt_within(service.authz, bundle.authzs(), Section::Authzs)?;
            opt_within(
                service.source,
                bundle.endpoint_sources(),
                Section::EndpointSources,
            )?;
            if service.failover.some().is_some() {
                self.target(service.failover, service.failover_version.get())?;
            }
            let known = Protocol::from_code(service.protocol).is_some();
            ensure(known, section, "speaks a protocol not known here")?;
            service
                .route
                .some()
                .map_or(Ok(()), |route| self.arms_table(route))?;
            endpoints.next(service.endpoints, bundle.endpoints(), Section::Endpoints)?;
            versions.next(service.versions, bundle.versions(), Section::Versions)?;
            calls.next(service.calls, bundle.calls(), Section::Calls)?;

            let own = service.endpoints.range();
            for version in &bundle.versions()[service.versions.range()] {
                self.text(version.name, Section::Versions)?;
                self.location(version.location, Section::Versions)?;
                opt_within(version.spread, bundle.spreads(), Section::Spreads)?;
                opt_within(
                    version.source,
                    bundle.endpoint_sources(),
                    Section::EndpointSources,
                )?;
                run_within(version.endpoints, bundle.endpoints(), Section::Endpoints)?;
                let run = version.endpoints.range();
                let inside = run.is_empty() || run.start >= own.start && run.end <= own.end;
                ensure(
                    inside,
                    Section::Versions,
                    "has endpoints that are not its service's",
                )?;
            }
            for endpoint in &bundle.endpoints()[own] {
                let section = Section::Endpoints;
                self.location(endpoint.location, section)?;
                ensure(
                    endpoint.service.index() == index,
                    section,
                    "is not its service's",
                )?;
                let ports = endpoint.port.get() != 0 && endpoint.sidecar_port.get() != 0;
                ensure(
                    ports && endpoint.weight.get() > 0,
                    section,
                    "has a port or weight of 0",
                )?;
                let version = endpoint.version.some();
                let known = version
                    .is_none_or(|version| service.versions.range().contains(&version.index()));
                ensure(known, section, "has a version that is not its service's")?;
            }
            let calls = &bundle.calls()[service.calls.range()];
            let sorted = calls.is_sorted_by(|a, b| a.target < b.target);
            ensure(sorted, Section::Calls, "is not in order")?;
            for call in calls {
                within(call.target, bundle.services(), Section::Services)?;
                self.opt_policy(call.policy)?;
                self.location(call.location, Section::Calls)?;
            }
        }
        endpoints.end(bundle.endpoints(), Section::Endpoints)?;
        versions.end(bundle.versions(), Section::Versions)?;
        calls.end(bundle.calls(), Section::Calls)
    }

    pub(super) fn target(&self, service: Id<Service>, version: u32) -> Checked {
        within(service, self.bundle.services(), Section::Services)?;
        match Target::from_words(service.index() as u32, version) {
            Target::Version(service, version) => {
                let versions = self.bundle.service(service).versions.range();
                let known = versions.contains(&version.index());
                ensure(
                    known,
                    Section::Versions,
                    "is not the one of its target's service",
                )
            }
            Target::Service(_) | Target::Own(_) => Ok(()),
        }
    }

    pub(super) fn redirects(&mut self) -> Checked {
        for redirect in self.bundle.redirects() {
            let section = Section::Redirects;
            let status = matches!(redirect.status.get(), 301 | 302 | 303 | 307 | 308);
            ensure(status, section, "has a status that does not redirect")?;
            let scheme = self.opt_text(redirect.scheme, section)?;
            let known = scheme.is_none_or(|scheme| matches!(scheme, "http" | "https"));
            ensure(known, section, "has a scheme not known here")?;
            template_within(redirect.path, self.bundle)?;
            for part in [redirect.host, redirect.prefix, redirect.url] {
                let safe = self.opt_text(part, section)?.is_none_or(is_header_safe);
                ensure(safe, section, "has a part that no header can carry")?;
            }
        }
        Ok(())
    }
}

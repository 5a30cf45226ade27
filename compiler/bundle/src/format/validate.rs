//! What opening checks inside the sections, so that reading afterwards cannot fail.
//!
//! One linear pass: every id lies in its section, every enumeration is known, every run that a later
//! check walks starts where the one before it ended (so that nothing is walked twice), every edge of a
//! diagram leads backwards, and no way through a diagram asks more often than there are facets.

use super::open::wrong;
use super::{Bundle, MAX_TEMPLATE_PARTS, OpenError, Section, record::*};
use crate::decide::{Edge, Node, node, node_length, residual};
use crate::host::Scope;
use crate::route::WHOLE;
use zerocopy::little_endian::U32;

type Checked = Result<(), OpenError>;

/// Probes that a hash table may need.
const MAX_PROBE: u32 = 64;

pub(super) fn validate(bundle: &Bundle) -> Checked {
    if bundle.section_bytes(Section::Mesh).len() != size_of::<Mesh>() {
        return Err(wrong(Section::Mesh, "does not hold one record"));
    }
    check_strings(bundle)?;
    let mut check = Checker {
        bundle,
        text: vec![false; bundle.string_count()],
    };
    check.mesh()?;
    check.needs()?;
    check.credentials()?;
    check.policies()?;
    check.spreads()?;
    check.gateways()?;
    check.host_index()?;
    check.services()?;
    check.shares_and_redirects()?;
    check.classifiers()?;
    check.authzs()?;
    check.tables()
}

fn check_strings(bundle: &Bundle) -> Checked {
    let offsets = bundle.string_offsets();
    let length = bundle.section_bytes(Section::StringBytes).len();
    let sorted = offsets.is_sorted_by_key(|offset| offset.get());
    let first = offsets.first().map_or(0, |offset| offset.get());
    let last = offsets.last().map_or(0, |offset| offset.get());
    if !sorted || first != 0 || last as usize != length {
        return Err(wrong(Section::StringOffsets, "does not tile the strings"));
    }
    Ok(())
}

struct Checker<'b> {
    bundle: &'b Bundle,
    /// Strings found to be UTF-8.
    text: Vec<bool>,
}

/// Where the next run of a section must start.
#[derive(Default)]
struct Tiling(usize);

impl Tiling {
    fn next<R>(&mut self, run: Run<R>, records: &[R], section: Section) -> Checked {
        if run.is_empty() {
            return run_within(run, records, section); // nothing, wherever that would start
        }
        if run.start() != self.0 || run.range().end > records.len() {
            return Err(wrong(section, "has a run that is out of place"));
        }
        self.0 = run.range().end;
        Ok(())
    }
}

fn within<R>(id: Id<R>, records: &[R], section: Section) -> Checked {
    if id.index() < records.len() {
        Ok(())
    } else {
        Err(wrong(section, format!("has no record {}", id.index())))
    }
}

fn opt_within<R>(id: Id<R>, records: &[R], section: Section) -> Checked {
    id.some().map_or(Ok(()), |id| within(id, records, section))
}

fn run_within<R>(run: Run<R>, records: &[R], section: Section) -> Checked {
    if run.range().end <= records.len() {
        Ok(())
    } else {
        Err(wrong(section, "has a run past its end"))
    }
}

/// A template is looked through for each arm that it stands in: it is short.
fn template_within(run: Run<TemplatePart>, bundle: &Bundle) -> Checked {
    run_within(run, bundle.template_parts(), Section::TemplateParts)?;
    let short = run.len() <= MAX_TEMPLATE_PARTS;
    ensure(
        short,
        Section::TemplateParts,
        "has a template that is too long",
    )
}

fn ensure(holds: bool, section: Section, what: &'static str) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(wrong(section, what))
    }
}

/// Whether text may stand in a header of a response: visible ASCII.
fn is_header_safe(text: &str) -> bool {
    text.bytes().all(|byte| (0x21..0x7f).contains(&byte))
}

/// RFC 9110 §5.5: no control characters but the tab.
fn is_header_value(text: &str) -> bool {
    text.chars().all(|char| char == '\t' || !char.is_control())
}

/// RFC 9110 §5.6.2, lower case.
fn is_lower_token(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_digit() || byte.is_ascii_lowercase() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    !text.is_empty() && text.bytes().all(allowed)
}

impl<'b> Checker<'b> {
    fn text(&mut self, id: StrId, section: Section) -> Result<&'b str, OpenError> {
        let Some(known) = self.text.get_mut(id.index()) else {
            return Err(wrong(section, "names a string that is not there"));
        };
        if !*known {
            let bytes = self.bundle.str_bytes(id);
            if std::str::from_utf8(bytes).is_err() {
                return Err(wrong(section, "names a string that is no text"));
            }
            *known = true;
        }
        Ok(self.bundle.str(id))
    }

    fn opt_text(&mut self, id: StrId, section: Section) -> Result<Option<&'b str>, OpenError> {
        id.some().map(|id| self.text(id, section)).transpose()
    }

    fn bytes(&self, id: StrId, section: Section) -> Checked {
        let known = id.index() < self.text.len();
        ensure(known, section, "names a string that is not there")
    }

    fn location(&mut self, location: Location, section: Section) -> Checked {
        self.opt_text(location.file, section).map(drop)
    }

    fn opt_policy(&self, id: Id<Policy>) -> Checked {
        opt_within(id, self.bundle.policies(), Section::Policies)
    }

    fn opt_table(&self, id: Id<Table>) -> Checked {
        opt_within(id, self.bundle.tables(), Section::Tables)
    }

    fn setting(&mut self, setting: Setting, section: Section) -> Checked {
        self.location(setting.location, section)
    }

    fn settings<const N: usize>(&mut self, all: [Setting; N], section: Section) -> Checked {
        all.into_iter()
            .try_for_each(|setting| self.setting(setting, section))
    }

    fn choice<R>(&mut self, choice: Choice<R>, records: &[R], section: Section) -> Checked {
        self.location(choice.location, section)?;
        match choice.chosen() {
            Chosen::NotSaid | Chosen::Off => Ok(()),
            Chosen::On(id) => within(id, records, section),
        }
    }

    fn provider(&self, kind: u8, provider: u32, section: Section) -> Checked {
        let count = match kind {
            0 => self.bundle.jwts().len(),
            1 => self.bundle.keys().len(),
            _ => return Err(wrong(section, "names a credential not known here")),
        };
        ensure(
            (provider as usize) < count,
            section,
            "names a credential that is not there",
        )
    }

    fn mesh(&mut self) -> Checked {
        let mesh = self.bundle.mesh();
        let section = Section::Mesh;
        self.text(mesh.name, section)?;
        self.text(mesh.trust_domain, section)?;
        self.opt_text(mesh.tracing_url, section)?;
        let flags = [
            mesh.open_by_default,
            mesh.egress,
            mesh.access_log,
            mesh.encoded_slash,
        ];
        let is_flag = |setting: &Setting| setting.value.get() <= 1;
        ensure(
            flags.iter().all(is_flag),
            section,
            "has a flag that is neither 0 nor 1",
        )?;
        let mtls = u8::try_from(mesh.mtls.value.get()).ok();
        ensure(
            mtls.and_then(Mtls::from_code).is_some(),
            section,
            "has a mode of mTLS not known here",
        )?;
        self.settings(flags, section)?;
        let others = [mesh.edition, mesh.mtls, mesh.sidecar_port, mesh.tracing];
        self.settings(others, section)?;
        within(mesh.policy, self.bundle.policies(), Section::Policies)?;
        for fact in self.bundle.provenances() {
            self.text(fact.key, Section::Provenance)?;
            self.text(fact.value, Section::Provenance)?;
        }
        Ok(())
    }

    fn needs(&mut self) -> Checked {
        let section = Section::Needs;
        for need in self.bundle.needs() {
            self.location(need.location, section)?;
            let subject = need.subject.get() as usize;
            // A scope of a later format is everybody's.
            let known = match NeedScope::from_code(need.scope) {
                Some(NeedScope::Gateway) => subject < self.bundle.gateways().len(),
                Some(NeedScope::Sidecar | NeedScope::Caller) => {
                    subject < self.bundle.services().len()
                }
                Some(NeedScope::Everyone) | None => true,
            };
            ensure(known, section, "is of a node that is not there")?;
        }
        Ok(())
    }

    fn credentials(&mut self) -> Checked {
        let bundle = self.bundle;
        for text in bundle.texts() {
            self.text(text.text, Section::Texts)?;
        }
        for place in bundle.token_places() {
            let section = Section::TokenPlaces;
            let known = PlaceKind::from_code(place.kind).is_some();
            ensure(known, section, "is not known here")?;
            self.text(place.name, section)?;
            self.opt_text(place.prefix, section)?;
            self.location(place.location, section)?;
        }
        for jwt in bundle.jwts() {
            let section = Section::Jwts;
            for text in [jwt.name, jwt.namespace, jwt.issuer, jwt.jwks] {
                self.text(text, section)?;
            }
            ensure(
                jwt.jwks_kind <= 1,
                section,
                "has keys at a place not known here",
            )?;
            run_within(jwt.audiences, bundle.texts(), Section::Texts)?;
            run_within(jwt.places, bundle.token_places(), Section::TokenPlaces)?;
            self.setting(jwt.every, section)?;
            self.location(jwt.location, section)?;
        }
        for keys in bundle.keys() {
            let section = Section::Keys;
            for text in [keys.name, keys.namespace, keys.file] {
                self.text(text, section)?;
            }
            run_within(keys.places, bundle.token_places(), Section::TokenPlaces)?;
            self.location(keys.location, section)?;
        }
        for field in bundle.field_refs() {
            let section = Section::FieldRefs;
            let kind = FieldKind::from_code(field.field);
            let Some(kind) = kind else {
                return Err(wrong(section, "names a field not known here"));
            };
            let name = self.opt_text(field.name, section)?;
            self.field(kind, field.provider.get(), name, section)?;
        }
        Ok(())
    }

    /// A field has the name and the provider that its kind asks for.
    fn field(
        &self,
        kind: FieldKind,
        provider: u32,
        name: Option<&str>,
        section: Section,
    ) -> Checked {
        let named = match kind {
            FieldKind::Header => name.is_some_and(is_lower_token),
            FieldKind::Query | FieldKind::Cookie | FieldKind::Claim | FieldKind::Inventory => {
                name.is_some()
            }
            _ => true,
        };
        ensure(named, section, "has no name")?;
        match kind {
            FieldKind::Jwt | FieldKind::Claim => self.provider(0, provider, section),
            FieldKind::Key => self.provider(1, provider, section),
            _ => Ok(()),
        }
    }

    fn policies(&mut self) -> Checked {
        let bundle = self.bundle;
        for policy in bundle.policies() {
            let section = Section::Policies;
            let Policy {
                request,
                connect,
                idle,
                hedge,
                compress,
                ..
            } = *policy;
            self.settings([request, connect, idle, hedge, compress], section)?;
            for size in [policy.max_body, policy.buffer] {
                self.location(size.location, section)?;
            }
            self.choice(policy.retry, bundle.retries(), Section::Retries)?;
            self.choice(policy.cors, bundle.corses(), Section::Corses)?;
            self.choice(policy.sticky, bundle.field_refs(), Section::FieldRefs)?;
            opt_within(policy.rewrite, bundle.rewrites(), Section::Rewrites)?;
            run_within(
                policy.rate_limits,
                bundle.rate_limits(),
                Section::RateLimits,
            )?;
            run_within(policy.mirrors, bundle.mirrors(), Section::Mirrors)?;
            run_within(policy.faults, bundle.faults(), Section::Faults)?;
            let operations = bundle.header_operations();
            for run in [policy.request_headers, policy.response_headers] {
                run_within(run, operations, Section::HeaderOperations)?;
            }
            run_within(policy.requires, bundle.requires(), Section::Requires)?;
            run_within(policy.accepts, bundle.accepts(), Section::Accepts)?;
        }
        self.tries()?;
        self.heads()?;
        for require in bundle.requires() {
            let section = Section::Requires;
            self.provider(require.kind, require.provider.get(), section)?;
            self.opt_table(require.condition)?;
            self.location(require.location, section)?;
        }
        for accept in bundle.accepts() {
            let section = Section::Accepts;
            self.provider(accept.kind, accept.provider.get(), section)?;
            self.location(accept.location, section)?;
        }
        Ok(())
    }

    /// Retries, limits, copies and faults.
    fn tries(&mut self) -> Checked {
        let bundle = self.bundle;
        for range in bundle.status_ranges() {
            let ordered = range.low.get() <= range.high.get();
            ensure(ordered, Section::StatusRanges, "is not in order")?;
        }
        for retry in bundle.retries() {
            let section = Section::Retries;
            run_within(
                retry.statuses,
                bundle.status_ranges(),
                Section::StatusRanges,
            )?;
            let settings = [retry.per_try, retry.backoff, retry.budget, retry.any_method];
            self.settings(settings, section)?;
        }
        for limit in bundle.rate_limits() {
            let section = Section::RateLimits;
            let sound = limit.per.get() > 0 && Counter::from_code(limit.counter).is_some();
            ensure(sound, section, "counts in a way not known here")?;
            run_within(limit.fields, bundle.field_refs(), Section::FieldRefs)?;
            self.setting(limit.burst, section)?;
            self.location(limit.location, section)?;
        }
        for mirror in bundle.mirrors() {
            let section = Section::Mirrors;
            ensure(
                mirror.share.get() <= WHOLE,
                section,
                "is more than the whole",
            )?;
            self.target(mirror.service, mirror.version.get())?;
            self.setting(mirror.any_method, section)?;
            self.location(mirror.location, section)?;
        }
        for fault in bundle.faults() {
            let section = Section::Faults;
            ensure(
                fault.share.get() <= WHOLE,
                section,
                "is more than the whole",
            )?;
            let status = (200..600).contains(&fault.value.get());
            ensure(
                fault.kind == 0 || fault.kind == 1 && status,
                section,
                "does what is not known here",
            )?;
            self.location(fault.location, section)?;
        }
        Ok(())
    }

    /// What becomes of paths, hosts and headers.
    fn heads(&mut self) -> Checked {
        let bundle = self.bundle;
        for part in bundle.template_parts() {
            let section = Section::TemplateParts;
            let text = self.opt_text(part.text, section)?;
            let captures = part.capture.get() != TemplatePart::NO_CAPTURE;
            ensure(
                text.is_some() != captures && text.is_none_or(is_header_safe),
                section,
                "is neither a text nor a capture",
            )?;
        }
        for rewrite in bundle.rewrites() {
            let section = Section::Rewrites;
            template_within(rewrite.path, bundle)?;
            for part in [rewrite.prefix, rewrite.host] {
                let safe = self.opt_text(part, section)?.is_none_or(is_header_safe);
                ensure(safe, section, "has a part that no header can carry")?;
            }
            self.location(rewrite.path_location, section)?;
            self.location(rewrite.host_location, section)?;
        }
        for operation in bundle.header_operations() {
            let section = Section::HeaderOperations;
            let name = self.text(operation.name, section)?;
            ensure(is_lower_token(name), section, "names no header")?;
            let value = self.opt_text(operation.value, section)?;
            let fits = match HeaderOp::from_code(operation.kind) {
                Some(HeaderOp::Set | HeaderOp::Add) => value.is_some_and(is_header_value),
                Some(HeaderOp::Remove) => true,
                None => false,
            };
            ensure(fits, section, "does what is not known here")?;
            self.location(operation.location, section)?;
        }
        // How many texts before each place no header can carry.
        let mut unsafe_before = vec![0u32];
        for text in bundle.texts() {
            let last = unsafe_before[unsafe_before.len() - 1];
            unsafe_before.push(last + u32::from(!is_header_safe(bundle.str(text.text))));
        }
        for cors in bundle.corses() {
            let section = Section::Corses;
            for run in [cors.origins, cors.methods, cors.headers, cors.expose] {
                run_within(run, bundle.texts(), Section::Texts)?;
                let safe = unsafe_before[run.start()] == unsafe_before[run.range().end];
                ensure(safe, section, "has a part that no header can carry")?;
            }
            self.setting(cors.max_age, section)?;
            self.location(cors.methods_location, section)?;
        }
        Ok(())
    }

    fn spreads(&mut self) -> Checked {
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
        }
        for health in bundle.healths() {
            let section = Section::Healths;
            self.text(health.method, section)?;
            self.text(health.path, section)?;
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
            self.opt_table(source.filter)?;
            self.setting(source.every, section)?;
            self.location(source.location, section)?;
        }
        Ok(())
    }

    fn gateways(&mut self) -> Checked {
        let bundle = self.bundle;
        let (mut listeners, mut hosts, mut cidrs) = <(Tiling, Tiling, Tiling)>::default();
        for gateway in bundle.gateways() {
            let section = Section::Gateways;
            self.text(gateway.name, section)?;
            self.text(gateway.namespace, section)?;
            self.text(gateway.identity, section)?;
            self.location(gateway.location, section)?;
            self.setting(gateway.header_count, section)?;
            self.location(gateway.header_bytes.location, section)?;
            listeners.next(gateway.listeners, bundle.listeners(), Section::Listeners)?;
            hosts.next(gateway.hosts, bundle.host_blocks(), Section::HostBlocks)?;
            cidrs.next(gateway.trusted_proxies, bundle.cidrs(), Section::Cidrs)?;
        }
        for cidr in bundle.cidrs() {
            ensure(
                cidr.prefix <= 128,
                Section::Cidrs,
                "has a prefix over 128 bits",
            )?;
        }
        for listener in bundle.listeners() {
            self.listener(listener)?;
        }
        for certificate in bundle.certificates() {
            let section = Section::Certificates;
            self.text(certificate.certificate, section)?;
            self.text(certificate.key, section)?;
            self.location(certificate.location, section)?;
        }
        for name in bundle.passed_names() {
            self.text(name.pattern, Section::PassedNames)?;
            self.target(name.service, name.version.get())?;
        }
        for host in bundle.host_blocks() {
            self.text(host.name, Section::HostBlocks)?;
            self.location(host.location, Section::HostBlocks)?;
            within(host.table, bundle.tables(), Section::Tables)?;
            self.opt_policy(host.policy)?;
            opt_within(host.authz, bundle.authzs(), Section::Authzs)?;
            run_within(
                host.certificates,
                bundle.certificates(),
                Section::Certificates,
            )?;
        }
        Ok(())
    }

    fn listener(&mut self, listener: &Listener) -> Checked {
        let section = Section::Listeners;
        let bundle = self.bundle;
        self.location(listener.location, section)?;
        ensure(listener.port.get() != 0, section, "has port 0")?;
        self.opt_text(listener.client_ca, section)?;
        run_within(
            listener.certificates,
            bundle.certificates(),
            Section::Certificates,
        )?;
        run_within(listener.names, bundle.passed_names(), Section::PassedNames)?;
        let Some(protocol) = ListenerProtocol::from_code(listener.protocol) else {
            return Err(wrong(section, "speaks a protocol not known here"));
        };
        if protocol == ListenerProtocol::Tcp || listener.service.some().is_some() {
            self.target(listener.service, listener.version.get())?;
        }
        Ok(())
    }

    fn authzs(&mut self) -> Checked {
        let section = Section::Authzs;
        for authz in self.bundle.authzs() {
            self.opt_table(authz.rules)?;
            self.opt_table(authz.shadow)?;
            self.opt_text(authz.external, section)?;
            self.setting(authz.timeout, section)?;
            self.location(authz.location, section)?;
        }
        Ok(())
    }

    fn host_index(&mut self) -> Checked {
        let bundle = self.bundle;
        let slots = bundle.host_index();
        ensure(
            (slots.is_empty() || slots.len().is_power_of_two())
                && bundle.mesh().host_probe.get() <= MAX_PROBE,
            Section::HostIndex,
            "is no hash table",
        )?;
        for slot in slots {
            if slot.key.some().is_none() {
                continue;
            }
            self.text(slot.key, Section::HostIndex)?;
            let value = slot.value.get() as usize;
            let known = match Scope::gateway(slot.scope.get()) {
                Some(gateway) => bundle
                    .gateways()
                    .get(gateway)
                    .is_some_and(|gateway| gateway.hosts.range().contains(&value)),
                None => value < bundle.services().len(),
            };
            ensure(known, Section::HostIndex, "leads to what is not there")?;
        }
        Ok(())
    }

    fn services(&mut self) -> Checked {
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
            self.opt_table(service.route)?;
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
        Ok(())
    }

    fn target(&self, service: Id<Service>, version: u32) -> Checked {
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

    fn shares_and_redirects(&mut self) -> Checked {
        for share in self.bundle.shares() {
            self.target(share.service, share.version.get())?;
        }
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

    fn classifiers(&mut self) -> Checked {
        let bundle = self.bundle;
        let mut transitions = Tiling::default();
        for automaton in bundle.automata() {
            let section = Section::Automata;
            transitions.next(
                automaton.transitions,
                bundle.transitions(),
                Section::Transitions,
            )?;
            let stride = automaton.byte_class_count.get();
            let classes = automaton
                .byte_classes
                .iter()
                .all(|&class| u32::from(class) < stride);
            let words = &bundle.transitions()[automaton.transitions.range()];
            ensure(
                classes && words.len().is_multiple_of(stride.max(1) as usize),
                section,
                "has no byte classes",
            )?;
            let states = (words.len() / stride.max(1) as usize) as u32;
            let accepting = automaton.first_accepting.get();
            let sound = automaton.start.get() < states
                && (1..=states).contains(&accepting)
                && words.iter().all(|state| state.get() < states);
            ensure(sound, section, "leads to a state that is not there")?;
        }
        self.path_automata()?;

        let (mut literals, mut bounds) = <(Tiling, Tiling)>::default();
        for facet in bundle.facets() {
            self.facet(facet, &mut literals, &mut bounds)?;
        }
        for literal in bundle.literals() {
            if literal.class.get() != 0 {
                self.bytes(literal.value, Section::Literals)?;
            }
        }
        Ok(())
    }

    fn facet(&mut self, facet: &Facet, literals: &mut Tiling, bounds: &mut Tiling) -> Checked {
        let bundle = self.bundle;
        let section = Section::Facets;
        let unknown = || wrong(section, "asks for a field not known here");
        let field = FieldKind::from_code(facet.field).ok_or_else(unknown)?;
        let classifier = ClassifierKind::from_code(facet.classifier).ok_or_else(unknown)?;
        let name = self.opt_text(facet.name, section)?;
        self.field(field, facet.provider.get(), name, section)?;
        let number = matches!(
            field,
            FieldKind::Port | FieldKind::SourceIp | FieldKind::ClientIp | FieldKind::PathLength
        );
        let fits = match classifier {
            ClassifierKind::Bounds => number,
            ClassifierKind::Tail => field == FieldKind::PathTail,
            ClassifierKind::Member => {
                matches!(field, FieldKind::Claim | FieldKind::ClientCertSan)
            }
            ClassifierKind::Literals | ClassifierKind::Automaton | ClassifierKind::Decimal => {
                !number && field != FieldKind::PathTail
            }
        };
        ensure(
            fits,
            section,
            "has a classifier that does not fit its field",
        )?;
        let (start, count) = (facet.start.get(), facet.count.get());
        match classifier {
            ClassifierKind::Literals => {
                literals.next(Run::new(start, count), bundle.literals(), Section::Literals)?;
                let table = count == 0 || count.is_power_of_two();
                ensure(
                    table && facet.probe.get() <= MAX_PROBE,
                    Section::Literals,
                    "is no hash table",
                )
            }
            ClassifierKind::Automaton => {
                within(Id::new(start), bundle.automata(), Section::Automata)
            }
            ClassifierKind::Member => self.bytes(StrId::new(start), section),
            ClassifierKind::Tail => within(
                Id::new(start),
                bundle.path_automata(),
                Section::PathAutomata,
            ),
            ClassifierKind::Bounds | ClassifierKind::Decimal => {
                let run = Run::new(start, count);
                bounds.next(run, bundle.bounds(), Section::Bounds)?;
                let bounds = &bundle.bounds()[run.range()];
                let sorted = bounds.is_sorted_by(|a, b| a.low.get() < b.low.get());
                ensure(sorted, Section::Bounds, "is not in order")
            }
        }
    }

    fn path_automata(&mut self) -> Checked {
        let bundle = self.bundle;
        let (mut states, mut edges) = <(Tiling, Tiling)>::default();
        let mut partials = 0;
        for automaton in bundle.path_automata() {
            states.next(automaton.states, bundle.path_states(), Section::PathStates)?;
            edges.next(automaton.edges, bundle.path_edges(), Section::PathEdges)?;
            let slots = automaton.edges.len();
            let table = slots == 0 || slots.is_power_of_two();
            ensure(
                table && automaton.probe.get() <= MAX_PROBE,
                Section::PathEdges,
                "is no hash table",
            )?;
            let count = automaton.states.len() as u32;
            ensure(
                count > 0,
                Section::PathStates,
                "has an automaton without states",
            )?;
            let known = |next: u32| next & !PathState::FINAL < count;
            for state in &bundle.path_states()[automaton.states.range()] {
                let sound = known(state.other.get())
                    && known(state.empty.get())
                    && state.class.get() < automaton.class_count.get();
                ensure(
                    sound,
                    Section::PathStates,
                    "leads to a state that is not there",
                )?;
                if state.partials.get() != u32::MAX {
                    self.partials(state.partials.get(), &mut partials, known)?;
                }
            }
            for edge in &bundle.path_edges()[automaton.edges.range()] {
                self.path_edge(edge, count)?;
            }
        }
        Ok(())
    }

    fn path_edge(&self, edge: &PathEdge, states: u32) -> Checked {
        if edge.state.get() == PathEdge::EMPTY {
            return Ok(());
        }
        let section = Section::PathEdges;
        let sound = edge.state.get() < states && edge.next.get() & !PathState::FINAL < states;
        ensure(sound, section, "leads to a state that is not there")?;
        if edge.length == PathEdge::LONG {
            return self.bytes(crate::classify::path::long_segment(edge), section);
        }
        let fits = usize::from(edge.length) <= PathEdge::INLINE;
        ensure(fits, section, "has a segment that is too long")
    }

    /// Checks the partials at `at`, which must stand where those before them ended.
    fn partials(&self, at: u32, end: &mut usize, known: impl Fn(u32) -> bool) -> Checked {
        let section = Section::PathPartials;
        let words = self.bundle.path_partials();
        let cut_short = || wrong(section, "ends too early");
        ensure(
            at as usize == *end,
            section,
            "has partial segments out of place",
        )?;
        let word = |at: usize| words.get(at).map(|word| word.get()).ok_or_else(cut_short);
        let count = word(*end)? as usize;
        let possible = (1..=crate::classify::path::MAX_PARTIALS).contains(&count);
        ensure(possible, section, "has too many partial segments")?;
        let first = *end + 1;
        for at in first..first + 2 * count {
            self.bytes(StrId::new(word(at)?), section)?;
        }
        let masks = word(first + 2 * count)? as usize;
        let first = first + 2 * count + 1;
        let pairs = masks
            .checked_mul(2)
            .and_then(|length| words.get(first..first.checked_add(length)?))
            .ok_or_else(cut_short)?;
        let pairs = pairs.as_chunks::<2>().0;
        let sorted = pairs.is_sorted_by(|[a, _], [b, _]| a.get() < b.get());
        let sound = pairs.iter().all(|[_, next]| known(next.get()));
        ensure(
            sorted && sound,
            section,
            "leads to a state that is not there",
        )?;
        *end = first + 2 * masks;
        Ok(())
    }

    fn tables(&mut self) -> Checked {
        let bundle = self.bundle;
        let ascending = ascending_groups(bundle.shares());
        for arm in bundle.arms() {
            self.arm(arm, &ascending)?;
        }
        for rule in bundle.rules() {
            self.text(rule.name, Section::Rules)?;
            self.location(rule.location, Section::Rules)?;
        }
        for capture in bundle.captures() {
            let section = Section::Captures;
            self.text(capture.name, section)?;
            let known = CaptureKind::from_code(capture.kind).is_some();
            ensure(known, section, "captures in a way not known here")?;
        }
        let mut rules = Tiling::default();
        let mut tilings = <[Tiling; 4]>::default();
        for table in bundle.tables() {
            let [arms, facets, classes, code] = &mut tilings;
            arms.next(table.arms, bundle.arms(), Section::Arms)?;
            rules.next(table.rules, bundle.rules(), Section::Rules)?;
            run_within(table.single, bundle.field_refs(), Section::FieldRefs)?;
            ensure(
                table.arms.is_empty() || table.rules.is_empty(),
                Section::Tables,
                "has arms and rules",
            )?;
            facets.next(table.facets, bundle.facets(), Section::Facets)?;
            classes.next(table.classes, bundle.path_classes(), Section::PathClasses)?;
            code.next(table.code, bundle.code(), Section::Code)?;
            within(table.path, bundle.path_automata(), Section::PathAutomata)?;
            let automaton = bundle.path_automaton(table.path);
            let complete = automaton.class_count.get() as usize == table.classes.len();
            ensure(
                complete,
                Section::PathClasses,
                "does not have every path class",
            )?;
            let diagrams = Diagrams::check(bundle, table)?;
            for class in &bundle.path_classes()[table.classes.range()] {
                for root in [class.narrow, class.wide] {
                    diagrams.edge(Edge::from_word(root.get()), usize::MAX)?;
                }
            }
        }
        Ok(())
    }

    fn arm(&mut self, arm: &Arm, ascending: &[u32]) -> Checked {
        let section = Section::Arms;
        self.text(arm.name, section)?;
        self.location(arm.location, section)?;
        self.opt_policy(arm.policy)?;
        run_within(arm.captures, self.bundle.captures(), Section::Captures)?;
        self.arm_templates(arm)?;
        let (a, b) = (arm.a.get(), arm.b.get());
        match ArmAction::from_code(arm.action) {
            Some(ArmAction::Forward) => self.target(Id::new(a), b),
            Some(ArmAction::Split) => {
                let shares = self.bundle.shares();
                let run = Run::new(a, b);
                run_within(run, shares, Section::Shares)?;
                let whole = run.range().last().is_some_and(|last| {
                    shares[last].end.get() == WHOLE && ascending[last] as usize <= run.start()
                });
                ensure(whole, Section::Shares, "does not sum to the whole")
            }
            Some(ArmAction::Redirect) => {
                within(Id::new(a), self.bundle.redirects(), Section::Redirects)
            }
            Some(ArmAction::Respond) => {
                let status = (200..600).contains(&arm.status.get());
                ensure(status, section, "has a status that ends no exchange")?;
                StrId::new(a)
                    .some()
                    .map_or(Ok(()), |body| self.bytes(body, section))
            }
            None => Err(wrong(section, "has an action not known here")),
        }
    }
}

impl Checker<'_> {
    /// What an arm fills in, it captures.
    fn arm_templates(&self, arm: &Arm) -> Checked {
        let captures = arm.captures.len() as u32;
        let fills = |run: Run<TemplatePart>| {
            let parts = self.bundle.template_parts().get(run.range());
            parts.is_some_and(|parts| {
                parts.iter().all(|part| {
                    let capture = part.capture.get();
                    capture == TemplatePart::NO_CAPTURE || capture < captures
                })
            })
        };
        let rewrite = arm.policy.some().and_then(|policy| {
            let rewrite = self.bundle.policy(policy).rewrite.some()?;
            Some(self.bundle.rewrite(rewrite).path)
        });
        let redirect = match ArmAction::from_code(arm.action) {
            Some(ArmAction::Redirect) => {
                let redirect = self.bundle.redirects().get(arm.a.get() as usize);
                redirect.map(|redirect| redirect.path)
            }
            _ => None,
        };
        let sound = [rewrite, redirect].into_iter().flatten().all(fills);
        ensure(
            sound,
            Section::Captures,
            "has no capture that an arm fills in",
        )
    }
}

/// For each share, where the group of shares with ascending ends that it is in starts.
fn ascending_groups(shares: &[Share]) -> Vec<u32> {
    let mut start = 0;
    let mut last = 0;
    let groups = shares.iter().enumerate().map(|(index, share)| {
        if share.end.get() <= last {
            start = index as u32;
        }
        last = share.end.get();
        start
    });
    groups.collect()
}

/// The nodes of a table's code.
struct Diagrams<'b> {
    arms: u32,
    facets: usize,
    code: &'b [U32],
    /// By word: 0 where no node starts, else the most facets that a walk from it asks, plus one; and
    /// [`Diagrams::RESIDUAL`] where a walk may come to a residual list.
    nodes: Vec<u32>,
}

impl<'b> Diagrams<'b> {
    const RESIDUAL: u32 = 1 << 31;

    fn check(bundle: &'b Bundle, table: &Table) -> Result<Self, OpenError> {
        let code = &bundle.code()[table.code.range()];
        let mut it = Self {
            arms: table.arms.len().max(table.rules.len()) as u32,
            facets: table.facets.len(),
            code,
            nodes: vec![0; code.len()],
        };
        let mut at = 0;
        while at < code.len() {
            let length = node_length(code, at)
                .ok_or_else(|| wrong(Section::Code, format!("holds no node at word {at}")))?;
            it.nodes[at] = match node(code, at) {
                Node::Test(test) => {
                    ensure(
                        test.ends(),
                        Section::Code,
                        "has a node without an empty place",
                    )?;
                    it.asks(test.facet)?;
                    let mut most = 0;
                    let mut residual = 0;
                    for (_, edge) in test.edges() {
                        let below = it.edge(edge, at)?;
                        residual |= below & Self::RESIDUAL;
                        most = most.max(below & !Self::RESIDUAL);
                    }
                    let asked = most as usize <= it.facets;
                    ensure(
                        asked,
                        Section::Code,
                        "asks more often than there are facets",
                    )?;
                    (most.max(1) + 1) | residual
                }
                Node::Residual => it.residual(at)? | Self::RESIDUAL,
            };
            at += length;
        }
        Ok(it)
    }

    fn asks(&self, facet: u32) -> Checked {
        let known = (facet as usize) < self.facets;
        ensure(known, Section::Code, "asks a facet that is not there")
    }

    /// What [`Diagrams::nodes`] says of where an edge leads; it must lead to before `limit`.
    fn edge(&self, edge: Edge, limit: usize) -> Result<u32, OpenError> {
        match edge {
            Edge::Fall => Ok(0),
            Edge::Arm(arm) if arm < self.arms => Ok(0),
            Edge::Arm(arm) => Err(wrong(
                Section::Code,
                format!("leads to arm {arm}, which is not there"),
            )),
            Edge::Node(at) => match self.nodes.get(at as usize) {
                Some(&node) if node != 0 && (at as usize) < limit => Ok(node),
                _ => Err(wrong(
                    Section::Code,
                    format!("leads to word {at}, where no node stands"),
                )),
            },
        }
    }

    fn residual(&self, at: usize) -> Result<u32, OpenError> {
        let section = Section::Code;
        let list = residual(self.code, at);
        let body = list.body();
        let words = list.words();
        let row_inside = |row: usize| row >= body.start && row + words <= body.end;
        ensure(
            row_inside(list.live_row()),
            section,
            "has a row out of place",
        )?;
        let unused = words * 32 - list.arm_count();
        let live = words == 0 || u64::from(list.live(words - 1)) >> (32 - unused) == 0;
        ensure(live, section, "has a row with more arms than the list")?;
        for facet in list.facets() {
            self.asks(facet.facet)?;
            ensure(facet.is_sorted(), section, "has rows that are not in order")?;
            ensure(
                facet.rows().all(row_inside),
                section,
                "has a row out of place",
            )?;
        }
        let mut most = 1;
        for arm in 0..list.arm_count() {
            let below = self.edge(list.arm(arm), at)?;
            ensure(below & Self::RESIDUAL == 0, section, "nests residual lists")?;
            most = most.max(below);
        }
        Ok(most)
    }
}

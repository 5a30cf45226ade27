//! Gateways, their listeners and hosts, and the index of host names.

use super::*;
use crate::host::Scope;

impl Checker<'_> {
    pub(super) fn gateways(&mut self) -> Checked {
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
        listeners.end(bundle.listeners(), Section::Listeners)?;
        hosts.end(bundle.host_blocks(), Section::HostBlocks)?;
        cidrs.end(bundle.cidrs(), Section::Cidrs)?;
        for cidr in bundle.cidrs() {
            let section = Section::Cidrs;
            ensure(cidr.prefix <= 128, section, "has a prefix over 128 bits")?;
            let address = u128::from_be_bytes(cidr.address);
            let behind = address.checked_shl(cidr.prefix.into()).unwrap_or(0);
            ensure(behind == 0, section, "has an address behind its prefix")?;
        }
        let mut names = Tiling::default();
        for listener in bundle.listeners() {
            self.listener(listener)?;
            names.next(listener.names, bundle.passed_names(), Section::PassedNames)?;
        }
        names.end(bundle.passed_names(), Section::PassedNames)?;
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
            self.arms_table(host.table)?;
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
        let known = Listener::HTTP2 | Listener::REDIRECT_HTTPS | Listener::CLIENT_CA_OPTIONAL;
        ensure(
            listener.flags & !known == 0,
            section,
            "has flags not known here",
        )?;
        let Some(protocol) = ListenerProtocol::from_code(listener.protocol) else {
            return Err(wrong(section, "speaks a protocol not known here"));
        };
        if protocol == ListenerProtocol::Tcp || listener.service.some().is_some() {
            self.target(listener.service, listener.version.get())?;
        }
        Ok(())
    }

    pub(super) fn host_index(&mut self) -> Checked {
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
                ensure(is_empty(slot, &HostSlot::EMPTY), Section::HostIndex, SPARE)?;
                continue;
            }
            self.text(slot.key, Section::HostIndex)?;
            let value = slot.value.get() as usize;
            let known = match Scope::of_number(slot.scope.get()) {
                Scope::Gateway(gateway) => bundle
                    .gateways()
                    .get(gateway.index())
                    .is_some_and(|gateway| gateway.hosts.range().contains(&value)),
                Scope::Everywhere | Scope::Namespace(_) => {
                    slot.value.get() == HostSlot::NOBODY || value < bundle.services().len()
                }
            };
            ensure(known, Section::HostIndex, "leads to what is not there")?;
        }
        Ok(())
    }
}

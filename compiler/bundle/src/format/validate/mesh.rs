//! The mesh itself, where it comes from, and what it needs.

use super::*;

impl Checker<'_> {
    pub(super) fn mesh(&mut self) -> Checked {
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
        ensure(
            flags.iter().all(|setting| is_flag(setting.value.get()))
                && is_flag(mesh.tracing_zipkin.into()),
            section,
            "has a flag that is neither 0 nor 1",
        )?;
        mtls(mesh.mtls, section)?;
        let is_port = |port| (1..=u32::from(u16::MAX)).contains(&port);
        said(mesh.sidecar_port, is_port, section)?;
        said(mesh.tracing, is_share, section)?;
        self.settings(flags, section)?;
        let others = [mesh.edition, mesh.mtls, mesh.sidecar_port, mesh.tracing];
        self.settings(others, section)?;
        within(mesh.policy, self.bundle.policies(), Section::Policies)?;
        self.slice()
    }

    /// A slice is that of a gateway or service that it holds.
    fn slice(&mut self) -> Checked {
        let section = Section::Mesh;
        let bundle = self.bundle;
        let mesh = bundle.mesh();
        let Some(of) = SliceOf::from_code(mesh.slice) else {
            return Err(wrong(section, "is a slice of what is not known here"));
        };
        let names = (
            self.opt_text(mesh.slice_namespace, section)?,
            self.opt_text(mesh.slice_name, section)?,
        );
        let is_it = |namespace: StrId, name: StrId| {
            namespace == mesh.slice_namespace && name == mesh.slice_name
        };
        let holds = match (of, names) {
            (SliceOf::Everybody, (None, None)) => true,
            (SliceOf::Gateway, (Some(_), Some(_))) => {
                let mut gateways = bundle.gateways().iter();
                gateways.any(|gateway| is_it(gateway.namespace, gateway.name))
            }
            (SliceOf::Sidecar, (Some(_), Some(_))) => {
                let mut services = bundle.services().iter();
                services.any(|service| is_it(service.namespace, service.name))
            }
            _ => false,
        };
        ensure(holds, section, "is a slice of what is not there")?;
        for bearer in self.bundle.bearers() {
            for text in [bearer.identity, bearer.namespace, bearer.name] {
                self.text(text, Section::Bearers)?;
            }
        }
        Ok(())
    }

    /// How the bundle came to be.
    pub(super) fn provenance(&mut self) -> Checked {
        for fact in self.bundle.provenances() {
            self.text(fact.key, Section::Provenance)?;
            self.text(fact.value, Section::Provenance)?;
        }
        for check in self.bundle.checks() {
            let section = Section::Checks;
            let known = CheckKind::from_code(check.kind).is_some();
            ensure(known, section, "checks what is not known here")?;
            self.text(check.title, section)?;
            self.location(check.location, section)?;
        }
        for suppression in self.bundle.suppressions() {
            let section = Section::Suppressions;
            self.text(suppression.code, section)?;
            self.text(suppression.lint, section)?;
            self.opt_text(suppression.reason, section)?;
            self.location(suppression.location, section)?;
        }
        Ok(())
    }

    pub(super) fn needs(&mut self) -> Checked {
        let section = Section::Needs;
        for need in self.bundle.needs() {
            self.location(need.location, section)?;
            ensure(
                is_flag(need.protection.into()),
                section,
                "has a flag that is neither 0 nor 1",
            )?;
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
}

/// A mode of mTLS.
pub(super) fn mtls(setting: Setting, section: Section) -> Checked {
    let mode = u8::try_from(setting.value.get()).ok();
    ensure(
        mode.and_then(Mtls::from_code).is_some(),
        section,
        "has a mode of mTLS not known here",
    )
}

//! The `mesh` item.

use super::{Resolver, Room, Scope};
use crate::model::edition::EDITION;
use crate::model::policy::Policy;
use crate::model::said::{Said, Switch};
use crate::model::{Mesh, Tracing};
use mesh_bundle::path::EncodedSlash;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::value::Port;
use mesh_lang::view::{BlockItem, Setting};

impl<'t> Resolver<'t> {
    /// The mesh without its services, gateways and all that they are made of.
    pub(super) fn mesh_head(&mut self, items: &[BlockItem<'t>]) -> Option<Mesh> {
        let Some((&item, more)) = items.split_first() else {
            self.report(
                Diagnostic::new(Code::NoMesh, "there is no `mesh` item").help(
                    "give the mesh a name: `mesh shop { edition 2026; trust-domain shop.example }`",
                ),
            );
            return None;
        };
        let name = item.name()?;
        for again in more.iter().filter_map(|item| item.name()) {
            let diagnostic =
                Diagnostic::new(Code::DuplicateDecl, "there is one `mesh` item in a mesh")
                    .primary(again.span, "again here")
                    .secondary(name.span, "declared here");
            self.report(diagnostic);
        }
        let mut mesh = Mesh::new(name.text, name.span);
        for setting in Self::settings(item.block()) {
            self.mesh_setting(setting, &mut mesh);
        }
        self.trust_domain.clone_from(&mesh.trust_domain.value);
        Some(mesh)
    }

    /// `defaults`, which may name tokens and services: read once those are known.
    pub(super) fn defaults(&mut self, items: &[BlockItem<'t>]) -> Policy {
        let Some(item) = items.first() else {
            return Policy::default();
        };
        let Some(setting) = Self::setting(item.block(), "defaults") else {
            return Policy::default();
        };
        let scope = Scope {
            room: Room::Defaults,
            ..self.scope
        };
        self.in_scope(scope, |it| it.policy(setting.block()))
    }

    fn mesh_setting(&mut self, setting: Setting<'t>, mesh: &mut Mesh) {
        match setting.keyword().text {
            "edition" => mesh.edition = self.said(setting, EDITION),
            "trust-domain" => {
                let domain = self.args(setting).value();
                if let Some(domain) = domain.and_then(|domain| self.one_host(domain)) {
                    mesh.trust_domain = self.said(setting, domain);
                }
            }
            "mtls" => mesh.mtls = self.said(setting, self.mtls(setting)),
            "authz" => {
                let open = self.says(setting, "open-by-default");
                mesh.open_by_default = self.said(setting, open);
            }
            "egress" => mesh.egress = self.said(setting, self.says(setting, "allow")),
            "access-log" => mesh.access_log = self.said(setting, self.says(setting, "json")),
            "tracing" => {
                let tracing = self.tracing(setting);
                mesh.tracing = tracing.map_or(mesh.tracing.clone(), |it| self.said(setting, it));
            }
            "encoded-slash" => {
                let slash = if self.says(setting, "keep") {
                    EncodedSlash::Keep
                } else {
                    EncodedSlash::Reject
                };
                mesh.encoded_slash = self.said(setting, slash);
            }
            "sidecar-port" => {
                let port = self.one(setting, |it, value| it.read(value, Port::parse));
                if let Some(Said { value, origin }) = port {
                    let value = value.number();
                    mesh.sidecar_port = Said { value, origin };
                }
            }
            "sidecar" => mesh.sidecar_none = Some(self.said(setting, ())),
            _ => {}
        }
    }

    fn tracing(&mut self, setting: Setting<'t>) -> Option<Switch<Tracing>> {
        let mut args = self.args(setting);
        if args.word("off") {
            return Some(Switch::Off);
        }
        let share = args.value()?;
        let share = self.millionths(share)?;
        let zipkin = args.any_word()?.text == "zipkin";
        let url = args.value()?;
        let url = self.url(url)?;
        Some(Switch::On(Tracing { share, zipkin, url }))
    }
}

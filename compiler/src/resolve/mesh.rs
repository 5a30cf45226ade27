//! The `mesh` item.

use super::Resolver;
use super::problems;
use super::statement::{first_word, says};
use crate::model::timeouts::Timeouts;
use crate::model::{DEFAULT_SIDECAR_PORT, Mesh};
use mesh_bundle::path::EncodedSlash;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::value::Port;
use mesh_lang::view::{BlockItem, Setting};
use mesh_lang::vocabulary::Place;

/// The edition of this compiler.
const EDITION: u32 = 2026;

impl<'t> Resolver<'t> {
    /// The mesh without its services and gateways.
    pub(super) fn mesh_head(&mut self, items: &[BlockItem<'t>]) -> Option<Mesh> {
        let Some((&item, more)) = items.split_first() else {
            self.report(
                Diagnostic::new(Code::NoMesh, "there is no `mesh` item")
                    .help("give the mesh a name: `mesh shop { mtls off; authz open-by-default }`"),
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
        let mut mesh = Mesh {
            name: name.text.to_owned(),
            edition: EDITION,
            trust_domain: format!("{}.local", name.text),
            sidecar_port: DEFAULT_SIDECAR_PORT,
            encoded_slash: EncodedSlash::Reject,
            defaults: Timeouts::default(),
            params: Vec::new(),
            services: Vec::new(),
            gateways: Vec::new(),
        };
        let mut mtls = None;
        let mut authz = None;
        for setting in Self::settings(item.block()) {
            match setting.keyword().text {
                "mtls" => mtls = Some(setting),
                "authz" => authz = Some(setting),
                _ => self.mesh_setting(setting, &mut mesh),
            }
        }
        let closed = |setting: Option<Setting<'t>>, open: &str| {
            setting.is_none_or(|setting| !says(setting, open))
        };
        if closed(mtls, "off") {
            let what = mtls.and_then(first_word).map_or("strict", |mode| mode.text);
            let said = mtls.map(Setting::head_span);
            self.report(problems::protection(
                name.span,
                said,
                &format!("mtls {what}"),
                "mtls off",
            ));
        }
        if closed(authz, "open-by-default") {
            let said = authz.map(Setting::head_span);
            let open = "authz open-by-default";
            self.report(problems::protection(
                name.span,
                said,
                "authz deny-by-default",
                open,
            ));
        }
        Some(mesh)
    }

    fn mesh_setting(&mut self, setting: Setting<'t>, mesh: &mut Mesh) {
        match setting.keyword().text {
            "trust-domain" => {
                if let Some(domain) = first_word(setting) {
                    domain.text.clone_into(&mut mesh.trust_domain);
                }
            }
            "sidecar-port" => {
                let port = setting.values().next();
                if let Some(port) = port.and_then(|value| self.read(value, Port::parse)) {
                    mesh.sidecar_port = port.number();
                }
            }
            "encoded-slash" if says(setting, "keep") => mesh.encoded_slash = EncodedSlash::Keep,
            // What is said here is what there is; `lints` are read by `lint::levels`.
            "edition" | "encoded-slash" | "lints" => {}
            "egress" if says(setting, "deny") => {}
            "access-log" if says(setting, "json") => {}
            "tracing" if says(setting, "off") => {}
            "defaults" => {
                for inner in Self::settings(setting.block()) {
                    self.policy_setting(inner, Place::Defaults, &mut mesh.defaults);
                }
            }
            _ => self.other_setting(setting, Place::Mesh),
        }
    }
}

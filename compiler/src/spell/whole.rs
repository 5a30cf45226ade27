//! What holds for a service or an arm when all levels have spoken: one statement with everything in its block,
//! for editors to show.

use super::service::nature;
use super::{Line, Place};
use crate::model::policy::Policy;
use crate::model::{Arm, ServiceId};
use crate::verify::fleet::Fleet;
use mesh_lang::format::format;
use mesh_lang::parser::parse;
use mesh_lang::source::{FileId, Sources};

/// A statement as it stands in a file, with who said so behind each line.
pub(crate) fn text(line: &Line, sources: &Sources) -> String {
    let mut text = String::new();
    line.write(sources, &mut text);
    format(&parse(FileId(0), &text).tree)
}

impl Place<'_> {
    /// A service with all that holds for requests to it, unless an arm says otherwise: what it says, over the
    /// `defaults`. Its arms and rules are left aside.
    pub(crate) fn service_in_force(&self, id: ServiceId) -> Line {
        let service = &self.mesh[id];
        let kind = if service.external {
            "external"
        } else {
            "service"
        };
        let mut lines = nature(service);
        lines.extend(self.endpoints(&service.endpoints));
        lines.extend(self.spread(&service.spread));
        lines.extend(self.together(id, &Fleet::of(self.mesh)));
        let policy = service.policy.clone().over(self.mesh.defaults.clone());
        lines.extend(self.policy(&policy));
        Line::new(format!("{kind} {}", service.name))
            .at(service.span)
            .around(lines)
    }

    /// An arm with all that holds for the requests that take it, once for each service that it sends them to.
    /// `around` are the levels around it, strongest first, that are not the service's.
    pub(crate) fn arm_in_force(&self, around: &[&Policy], arm: &Arm) -> Vec<Line> {
        let mut services: Vec<ServiceId> = Vec::new();
        for target in arm.action.targets() {
            if !services.contains(&target.service()) {
                services.push(target.service());
            }
        }
        let services = services.into_iter();
        let lines = services.map(|id| {
            let outside = [&self.mesh[id].policy]
                .into_iter()
                .chain(around.iter().copied())
                .chain([&self.mesh.defaults]);
            let policy = outside.cloned().fold(arm.policy.clone(), Policy::over);
            Line::new(format!("{} -> {}", self.head(arm), self.service(id)))
                .with(self.policy(&policy))
        });
        lines.collect()
    }
}

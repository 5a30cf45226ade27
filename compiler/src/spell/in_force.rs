//! What holds for requests that levels further outside decide: told in comments, since it is said there. The
//! `defaults` hold everywhere else, and stand in the mesh.

use super::{Line, Place};
use crate::model::policy::Policy;
use crate::model::{Arm, Gateway, HostBlock, Service, ServiceId};

impl Place<'_> {
    /// For an arm of a gateway: the values that it does not set, and somebody else does.
    pub(super) fn in_force(&self, gateway: &Gateway, host: &HostBlock, arm: &Arm) -> Vec<Line> {
        let mut services: Vec<ServiceId> = Vec::new();
        for target in arm.action.targets() {
            if !services.contains(&target.service()) {
                services.push(target.service());
            }
        }
        let one = services.len() == 1;
        let mut lines = Vec::new();
        for id in services {
            let outside = [&self.mesh[id].policy, &host.policy, &gateway.policy];
            let head = if one {
                "in force besides".to_owned()
            } else {
                format!("in force besides, for {}", self.service(id))
            };
            lines.extend(self.besides(&head, &arm.policy, &outside, &self.mesh[id]));
        }
        lines
    }

    /// For the calls of a service: what the callees set, and the call does not.
    pub(super) fn calls_in_force(&self, service: &Service) -> Vec<Line> {
        let calls = service.calls.iter().flatten();
        let lines = calls.flat_map(|call| {
            let callee = &self.mesh[call.target];
            let head = format!("in force for calls of {}", self.service(call.target));
            self.besides(&head, &call.policy, &[&callee.policy], callee)
        });
        lines.collect()
    }

    /// A comment for each value that is said further outside, strongest level first.
    fn besides(
        &self,
        head: &str,
        own: &Policy,
        outside: &[&Policy],
        callee: &Service,
    ) -> Vec<Line> {
        let merged = outside.iter().copied().cloned().reduce(Policy::over);
        let said = merged.unwrap_or_default().singles(|word| !own.says(word));
        let arms = callee.route.iter().flat_map(|route| &route.arms);
        let unless = if arms.into_iter().any(|arm| !arm.policy.is_empty()) {
            ", unless an arm of its route says otherwise"
        } else {
            ""
        };
        let lines = self.policy(&said).into_iter();
        let comment = |line: Line| {
            let comment = Line::comment(&format!("{head}: {}{unless}", line.flat()));
            match line.first_origin() {
                Some(origin) => comment.by(origin),
                None => comment,
            }
        };
        lines.map(comment).collect()
    }
}

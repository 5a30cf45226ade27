//! Tables of arms.

use super::names::label;
use super::value::{list, path, percent, requests};
use super::{Line, Place};
use crate::model::{Action, Arm, Body, Redirect, RedirectPath, RedirectTo};
use mesh_lang::value::quote;

impl Place<'_> {
    /// An arm.
    pub(crate) fn arm(&self, arm: &Arm) -> Line {
        let head = self.head(arm);
        let mut block = match &arm.action {
            Action::Redirect(redirect) => redirect_parts(redirect),
            _ => Vec::new(),
        };
        block.extend(self.policy(&arm.policy));
        let text = format!("{}{head} -> {}", label(&arm.name), self.action(&arm.action));
        Line::new(text).at(arm.span).perhaps_with(block)
    }

    /// What an arm takes.
    pub(crate) fn head(&self, arm: &Arm) -> String {
        let spelled = |condition: &_| self.condition(condition);
        let head = requests(&arm.methods, &arm.paths, arm.condition.as_ref(), spelled);
        if head.is_empty() {
            "otherwise".to_owned()
        } else {
            head
        }
    }

    /// What an arm does.
    pub(crate) fn action(&self, action: &Action) -> String {
        match action {
            Action::Forward(target) => self.target(*target),
            Action::Split(shares) => {
                let shares = shares
                    .iter()
                    .map(|share| format!("{} {}", percent(share.parts), self.target(share.target)));
                format!("split {}", list(shares))
            }
            Action::Redirect(Redirect { status, to }) => match to {
                RedirectTo::Url(url) => format!("redirect {status} {}", quote(url)),
                RedirectTo::Parts { .. } => format!("redirect {status}"),
            },
            Action::Respond { status, body } => match body {
                None => format!("respond {status}"),
                Some(Body {
                    file: Some(file), ..
                }) => format!("respond {status} file {}", quote(file)),
                Some(Body { bytes, file: None }) => {
                    let text = String::from_utf8_lossy(bytes);
                    format!("respond {status} {}", quote(&text))
                }
            },
        }
    }
}

fn redirect_parts(redirect: &Redirect) -> Vec<Line> {
    let RedirectTo::Parts {
        scheme,
        host,
        port,
        path: to,
    } = &redirect.to
    else {
        return Vec::new();
    };
    let to = match to {
        RedirectPath::Keep => None,
        RedirectPath::Whole(template) => Some(format!("path {}", path(template))),
        RedirectPath::Prefix(prefix) => Some(format!("prefix {}", quote(prefix))),
    };
    let parts = [
        scheme.as_ref().map(|scheme| format!("scheme {scheme}")),
        host.as_ref().map(|host| format!("host {host}")),
        port.map(|port| format!("port {port}")),
        to,
    ];
    parts.into_iter().flatten().map(Line::new).collect()
}

//! What is forwarded in place of what came: path and host.

use crate::format::{Arm, Bundle, Id, Policy, Rewrite};
use crate::path::NormalPath;
use crate::{redirect, template};

/// What the levels of one proxy make of a request's path and host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// The path, if it changes. It need not be in normal form: whoever receives it normalises it.
    pub path: Option<String>,
    /// The host, if it changes.
    pub host: Option<String>,
}

/// A level, and the arm whose block it is, or none: captures are the arm's.
pub type Level = (Id<Policy>, Id<Arm>);

/// What levels make of a request, strongest first; each may say a part.
pub fn of_levels(bundle: &Bundle, levels: &[Level], path: &NormalPath<'_>) -> Rewritten {
    let mut rewritten = Rewritten::default();
    for (level, arm) in levels {
        let Some(level) = level.some() else { continue };
        let level = bundle.policy(level);
        if let Some(rewrite) = level.rewrite.some() {
            let rewrite = bundle.rewrite(rewrite);
            if rewritten.path.is_none() {
                let arm = arm.some().map(|arm| bundle.arm(arm));
                rewritten.path = new_path(bundle, rewrite, arm, path);
            }
            if rewritten.host.is_none() {
                rewritten.host = bundle.opt_str(rewrite.host).map(str::to_owned);
            }
        }
        if level.off & Policy::OFF_REWRITE != 0 {
            break;
        }
    }
    rewritten
}

fn new_path(
    bundle: &Bundle,
    rewrite: &Rewrite,
    arm: Option<&Arm>,
    path: &NormalPath<'_>,
) -> Option<String> {
    let none = Arm::default();
    let arm = arm.unwrap_or(&none);
    let mut new = String::new();
    if let Some(prefix) = bundle.opt_str(rewrite.prefix) {
        let before = usize::from(arm.prefix_segments);
        redirect::push_path(&mut new, prefix, path.after(before));
    } else if rewrite.path.is_empty() {
        return None;
    } else {
        template::fill(bundle, rewrite.path, arm.captures, path, &mut new);
    }
    Some(new)
}

//! What a reload changed, in the words of the policy: a line for each arm that is new, gone or different.

use crate::model::{Action, Arm, Mesh, RedirectTo, Table, Target};
use mesh_bundle::route::WHOLE;
use mesh_lang::value::Percent;
use std::fmt::Write as _;
use std::time::Duration;

/// Lines shown for one reload.
const SHOWN: usize = 5;

/// The lines about a reload.
pub(super) fn describe(old: &Mesh, new: &Mesh, took: Duration, dropped: u64) -> String {
    let mut changes = Vec::new();
    for (name, table) in tables(new) {
        let before = tables(old)
            .find(|(known, _)| *known == name)
            .map(|(_, table)| table);
        compare(
            &name,
            before.unwrap_or(&Table::default()),
            table,
            (old, new),
            &mut changes,
        );
    }
    for (name, table) in tables(old) {
        if !tables(new).any(|(known, _)| known == name) {
            compare(&name, table, &Table::default(), (old, new), &mut changes);
        }
    }
    let cost = format!("{} ms, {dropped} connections dropped", took.as_millis());
    let mut lines = String::new();
    for (index, change) in changes.iter().take(SHOWN).enumerate() {
        let head = if index == 0 { "reloaded" } else { "" };
        let _ = writeln!(
            lines,
            "  {head:<9} {change}{}",
            if index == 0 {
                format!("   {cost}")
            } else {
                String::new()
            }
        );
    }
    match changes.len() {
        0 => {
            let _ = writeln!(lines, "  reloaded  no arm is different   {cost}");
        }
        many if many > SHOWN => {
            let _ = writeln!(lines, "            and {} more", many - SHOWN);
        }
        _ => {}
    }
    lines
}

/// Tables by what they are called.
fn tables(mesh: &Mesh) -> impl Iterator<Item = (String, &Table)> {
    let hosts = mesh.gateways.iter().flat_map(|gateway| {
        gateway.hosts.iter().map(move |host| {
            let names: Vec<String> = host.patterns.iter().map(ToString::to_string).collect();
            (
                format!("{} {}", gateway.qualified_name(), names.join(", ")),
                &host.table,
            )
        })
    });
    let routes = mesh
        .services
        .iter()
        .filter_map(|service| Some((service.qualified_name(), service.route.as_ref()?)));
    hosts.chain(routes)
}

fn compare(
    table: &str,
    old: &Table,
    new: &Table,
    (old_mesh, new_mesh): (&Mesh, &Mesh),
    changes: &mut Vec<String>,
) {
    let find = |arms: &[Arm], name: &str| arms.iter().position(|arm| arm.name == name);
    for arm in &new.arms {
        let action = show(&arm.action, new_mesh);
        match find(&old.arms, &arm.name).map(|index| &old.arms[index]) {
            None => changes.push(format!("{table}: + {} -> {action}", arm.name)),
            Some(before) => {
                let was = show(&before.action, old_mesh);
                if was != action {
                    changes.push(format!("{table}: {} -> {was}, now {action}", arm.name));
                } else if !same_policy(before, arm) {
                    changes.push(format!(
                        "{table}: {} says other things about traffic",
                        arm.name
                    ));
                } else if before.methods != arm.methods || before.paths != arm.paths {
                    changes.push(format!("{table}: {} takes other requests", arm.name));
                }
            }
        }
    }
    for arm in old
        .arms
        .iter()
        .filter(|arm| find(&new.arms, &arm.name).is_none())
    {
        changes.push(format!("{table}: - {}", arm.name));
    }
}

/// Whether two arms say the same about traffic, wherever they say it.
fn same_policy(old: &Arm, new: &Arm) -> bool {
    old.policy.disagreements(&new.policy).is_empty() && {
        let says = |arm: &Arm| {
            [arm.policy.timeouts.request, arm.policy.timeouts.connect]
                .map(|said| said.map(|said| said.value))
        };
        says(old) == says(new)
    }
}

/// An action as it could be written, shares computed.
fn show(action: &Action, mesh: &Mesh) -> String {
    match action {
        Action::Forward(target) => show_target(*target, mesh),
        Action::Split(shares) => {
            let shares = shares.iter().map(|share| {
                let percent = Percent::from_millionths(share.parts.min(WHOLE));
                let percent = percent.map_or_else(String::new, |percent| percent.to_string());
                format!("{percent} {}", show_target(share.target, mesh))
            });
            format!("split {}", shares.collect::<Vec<_>>().join(", "))
        }
        Action::Redirect(redirect) => match &redirect.to {
            RedirectTo::Url(url) => format!("redirect {} {url}", redirect.status),
            RedirectTo::Parts { .. } => format!("redirect {}", redirect.status),
        },
        Action::Respond { status, .. } => format!("respond {status}"),
    }
}

fn show_target(target: Target, mesh: &Mesh) -> String {
    let service = &mesh[target.service()];
    match target {
        Target::Service(_) => service.qualified_name(),
        Target::Own(_) => "self".to_owned(),
        Target::Version(_, version) => {
            let name = service
                .versions
                .get(version as usize)
                .map_or("", |version| &version.name);
            format!("{}.{name}", service.name)
        }
    }
}

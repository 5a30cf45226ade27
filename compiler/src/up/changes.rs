//! What a reload changed, in the words of the policy.

use crate::model::Mesh;
use crate::spell::{Statement, statements};
use std::fmt::Write as _;
use std::time::Duration;

/// Lines shown for one reload.
const SHOWN: usize = 5;

/// The lines about a reload.
pub(super) fn describe(old: &Mesh, new: &Mesh, took: Duration, dropped: u64) -> String {
    let changes = changes(&statements(old), &statements(new));
    let cost = format!("{} ms, {dropped} connections dropped", took.as_millis());
    let mut lines = String::new();
    let Some((first, more)) = changes.split_first() else {
        return format!("  reloaded  nothing means something else   {cost}\n");
    };
    // Writing to a string does not fail.
    let _ = writeln!(lines, "  reloaded  {first}   {cost}");
    for change in more.iter().take(SHOWN - 1) {
        let _ = writeln!(lines, "            {change}");
    }
    if changes.len() > SHOWN {
        let _ = writeln!(lines, "            and {} more", changes.len() - SHOWN);
    }
    lines
}

/// A line for each statement that is new, gone or says something else.
fn changes(old: &[Statement], new: &[Statement]) -> Vec<String> {
    let mut gone: Vec<&Statement> = old.iter().filter(|it| !new.contains(it)).collect();
    let mut changes = Vec::new();
    for statement in new.iter().filter(|it| !old.contains(it)) {
        let Statement { place, text, key } = statement;
        let before = gone
            .iter()
            .position(|it| it.place == *place && it.key == *key);
        changes.push(match before {
            Some(before) => format!("{place}: {}, now {text}", gone.remove(before).text),
            None => format!("{place}: + {text}"),
        });
    }
    let gone = gone.into_iter();
    changes.extend(gone.map(|Statement { place, text, .. }| format!("{place}: - {text}")));
    changes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::compile::{Selection, check};
    use crate::project::Project;

    fn told(old: &str, new: &str) -> Vec<String> {
        let said = |text: &str| {
            let text = format!("mesh t {{ mtls off; authz open-by-default }}\n{text}");
            let project = Project::of_texts([("t.mesh", text.as_str())]);
            statements(&check(project, &Selection::default()).mesh.unwrap())
        };
        changes(&said(old), &said(new))
    }

    const SHOP: &str = "service shop {
        version v1 { endpoints 127.0.0.1:1 }
        version v2 { endpoints 127.0.0.1:2 }
        timeout 3s
        route { POST /a -> v1 { retry off }; otherwise -> split 10% v2, rest v1 }
    }";

    #[test]
    fn changes_are_told_in_words_of_the_policy() {
        assert_eq!(told(SHOP, SHOP), [""; 0]);
        assert_eq!(
            told(SHOP, &SHOP.replace("10%", "50%")),
            [
                "service shop, route: otherwise -> split 10% v2, 90% v1, now otherwise -> split 50% v2, 50% v1"
            ]
        );
        assert_eq!(
            told(SHOP, &SHOP.replace("3s", "5s").replace("retry off", "")),
            [
                "service shop: timeout 3s, now timeout 5s",
                "service shop, route, POST /a: - retry off"
            ]
        );
        assert_eq!(
            told(
                SHOP,
                &SHOP
                    .replace("version v2 { endpoints 127.0.0.1:2 }", "")
                    .replace("split 10% v2, rest v1", "v1")
            ),
            [
                "service shop, route: otherwise -> split 10% v2, 90% v1, now otherwise -> v1",
                "service shop: - version v2 { endpoints 127.0.0.1:2 }"
            ]
        );
    }
}

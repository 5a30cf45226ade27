//! What people read of a bundle.

use super::node::Node;
use super::{Inspection, Need};
use crate::report::{Style, count};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Writing to a string does not fail.
macro_rules! line {
    ($text:expr, $($arguments:tt)*) => {
        {
            let _ = writeln!($text, $($arguments)*);
        }
    };
}

/// Needs and tables shown; all of them are in the JSON.
const SHOWN: usize = 40;

/// All of it.
pub fn describe(of: &Inspection, style: Style) -> String {
    let mut text = String::new();
    line!(text, "bundle    {}", of.bundle);
    let what = match &of.slice {
        Some(node) => format!("the slice of {node}"),
        None => "the whole mesh".to_owned(),
    };
    line!(text, "mesh      {}, {what}", of.mesh);
    line!(text, "format    {}, {} bytes", of.format, of.bytes);
    if of.signatures.is_empty() {
        line!(text, "signed    by nobody");
    }
    for signature in &of.signatures {
        let mut validity = String::new();
        for (word, moment) in [
            ("from", &signature.valid_from),
            ("until", &signature.valid_until),
        ] {
            if let Some(moment) = moment {
                let _ = write!(validity, ", valid {word} {moment}");
            }
        }
        let (key, sequence) = (&signature.key, signature.sequence);
        line!(
            text,
            "signed    by key {key}, sequence {sequence}{validity}"
        );
    }
    for fact in &of.provenance {
        match fact.key.split_once(' ') {
            Some((kind, name)) => line!(text, "{kind:<9} {name} = {}", fact.value),
            None => line!(text, "{:<9} {}", fact.key, fact.value),
        }
    }
    for check in &of.checks {
        let counted = match check.kind {
            "test" => count(check.count as usize, "request"),
            _ => count(check.count as usize, "claim"),
        };
        line!(
            text,
            "{:<9} \"{}\" held, {counted}{}",
            check.kind,
            check.title,
            at(check.place.as_ref())
        );
    }
    if of.samples > 0 {
        let requests = count(of.samples, "request");
        line!(
            text,
            "tried     with {requests} of them by each node before it serves"
        );
    }
    for suppression in &of.suppressions {
        let reason = match &suppression.reason {
            Some(reason) => format!("here: {reason}"),
            None => "everywhere".to_owned(),
        };
        let (code, lint) = (&suppression.code, &suppression.lint);
        line!(
            text,
            "silenced  {code} {lint} {reason}{}",
            at(suppression.place.as_ref())
        );
    }
    line!(text, "nodes     {}", list(&of.nodes));
    needs(&mut text, &of.needs);
    tables(&mut text, of, style);
    sections(&mut text, of, style);
    text
}

fn at(place: Option<&String>) -> String {
    place.map_or(String::new(), |place| format!("  {place}"))
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names if names.len() > SHOWN => {
            format!("{}, … ({} in all)", names[..SHOWN].join(", "), names.len())
        }
        names => names.join(", "),
    }
}

/// What this version does not act on, each feature once.
fn needs(text: &mut String, needs: &[Need]) {
    let mut known = BTreeSet::new();
    for need in needs.iter().filter(|need| !need.acted_on) {
        if !known.insert(&need.feature) {
            continue;
        }
        let what = if need.protection {
            "a protection that meshd of this version does not provide"
        } else {
            "meshd of this version does not act on it"
        };
        line!(
            text,
            "needs     {}: {what}{}",
            need.feature,
            at(need.place.as_ref())
        );
    }
}

fn tables(text: &mut String, of: &Inspection, style: Style) {
    if of.tables.is_empty() {
        return;
    }
    let shown = &of.tables[..of.tables.len().min(SHOWN)];
    let width = shown
        .iter()
        .map(|table| table.decides.chars().count())
        .max();
    let width = width.unwrap_or_default().max(6);
    let head = format!(
        "{:<width$}  {:>7}  {:>6}  {:>12}  {:>10}",
        "tables", "entries", "fields", "path classes", "code bytes"
    );
    line!(text, "\n{}", style.bold(head));
    for table in shown {
        line!(
            text,
            "{:<width$}  {:>7}  {:>6}  {:>12}  {:>10}{}",
            table.decides,
            table.entries,
            table.facets,
            table.path_classes,
            table.code_bytes,
            at(table.place.as_ref())
        );
    }
    if let Some(more @ 1..) = of.tables.len().checked_sub(shown.len()) {
        line!(text, "and {more} more; --format json has them all");
    }
}

fn sections(text: &mut String, of: &Inspection, style: Style) {
    let head = format!(
        "{:<18}  {:>8}  {:>6}  {:>10}",
        "sections", "records", "stride", "bytes"
    );
    line!(text, "\n{}", style.bold(head));
    for section in &of.sections {
        let name = match section.name {
            Some(name) => name.to_owned(),
            None => format!("{} (not known here)", section.number),
        };
        line!(
            text,
            "{name:<18}  {:>8}  {:>6}  {:>10}",
            section.records,
            section.stride,
            section.bytes
        );
    }
    let sum: u64 = of.sections.iter().map(|section| section.bytes).sum();
    let rest = of.bytes as u64 - sum - of.signature_bytes as u64;
    line!(
        text,
        "{:<18}  {:>8}  {:>6}  {:>10}",
        "header, padding",
        "",
        "",
        rest
    );
    if of.signature_bytes > 0 {
        line!(
            text,
            "{:<18}  {:>8}  {:>6}  {:>10}",
            "signatures",
            of.signatures.len(),
            "",
            of.signature_bytes
        );
    }
}

/// What a bundle holds for a node.
pub fn describe_node(node: &Node) -> String {
    let mut text = String::new();
    line!(text, "node      {}", node.node);
    for listener in &node.listeners {
        line!(text, "listens   {listener}");
    }
    for host in &node.hosts {
        line!(
            text,
            "serves    {}, {}{}",
            host.name,
            count(host.arms, "arm"),
            at(host.place.as_ref())
        );
    }
    if !node.endpoints.is_empty() {
        line!(text, "before    {}", list(&node.endpoints));
    }
    line!(text, "enforces  {} of its own", count(node.rules, "rule"));
    line!(text, "sends to  {}", list(&node.sends_to));
    needs(&mut text, &node.lacking);
    text
}

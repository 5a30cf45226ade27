//! The decisions on the way of a request, line by line.

use super::why_not::{PassedOver, passed_over};
use super::written::Written;
use super::{destination, target};
use crate::report::count;
use crate::spell::percent;
use mesh_bundle::Bundle;
use mesh_bundle::format::{
    Action, Arm, Gateway, Id, Location, Redirect, Run, Service, Share, Table, Target,
};
use mesh_bundle::journey::{self, Entry, Request, Step};
use serde::Serialize;
use std::fmt::Write as _;

/// A decision: who made it, where that is written, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The gateway, sidecar or service that decided.
    pub who: String,
    /// `file:line`, or none for what the edition or nobody says.
    pub place: Option<String>,
    /// What was decided.
    pub what: String,
    /// For an arm: those before it that have the request's path, and why they did not take it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<PassedOver>,
    /// For an arm: how many others stand before it.
    #[serde(skip)]
    pub others: usize,
}

/// The decisions on a way, in order; with the mesh at hand, also which arms were passed over.
pub fn lines(
    bundle: &Bundle,
    written: Option<Written<'_>>,
    entry: Entry,
    request: &Request,
    steps: &[Step],
) -> Vec<Line> {
    let mut telling = Telling {
        bundle,
        written,
        who: match entry {
            Entry::Gateway(gateway, _) => gateway_name(bundle, gateway),
            Entry::Sidecar(service) => destination(bundle, service, Id::NONE),
        },
        request: journey::entered(bundle, entry, request),
        lines: Vec::new(),
    };
    for step in steps {
        telling.step(step);
    }
    telling.lines
}

fn gateway_name(bundle: &Bundle, gateway: Id<Gateway>) -> String {
    let gateway = bundle.gateway(gateway);
    bundle.qualified(gateway.namespace, gateway.name)
}

struct Telling<'t> {
    bundle: &'t Bundle,
    written: Option<Written<'t>>,
    /// Who decides.
    who: String,
    /// The request as it is by now.
    request: Request,
    lines: Vec<Line>,
}

impl Telling<'_> {
    fn say(&mut self, location: Location, what: String) {
        self.lines.push(Line {
            who: self.who.clone(),
            place: self.bundle.place(location),
            what,
            passed_over: Vec::new(),
            others: 0,
        });
    }

    fn step(&mut self, step: &Step) {
        let bundle = self.bundle;
        match step {
            Step::Host(host) => {
                let block = bundle.host_block(*host);
                self.say(block.location, format!("host {}", bundle.str(block.name)));
            }
            Step::Announced(request) => {
                let what = format!("preflight, asked as {}", request.method);
                self.say(Location::NOWHERE, what);
                self.request = (**request).clone();
            }
            Step::Held(require) => {
                let require = bundle.require(*require);
                let provider = require.provider.get() as usize;
                let what = match require.kind {
                    0 => format!("require jwt {}", bundle.str(bundle.jwts()[provider].name)),
                    _ => format!("require key {}", bundle.str(bundle.keys()[provider].name)),
                };
                self.say(require.location, what);
            }
            Step::Arm(table, arm) => {
                if let Some(service) = routed(bundle, *table) {
                    self.who = destination(bundle, service, Id::NONE);
                }
                let record = bundle.arm(*arm);
                self.say(record.location, describe(bundle, record));
                self.pass_over(*table, *arm);
            }
            Step::Drew(shares, drawn) => {
                let (part, to) = share(bundle, *shares, *drawn);
                self.say(Location::NOWHERE, format!("{} → {to}", percent(part)));
            }
            Step::Allowed(_, rule) => {
                let rule = bundle.rule(*rule);
                self.say(rule.location, bundle.str(rule.name).to_owned());
            }
            Step::Forwarded(request) => {
                let changes = changes(&self.request, request);
                if !changes.is_empty() {
                    self.say(Location::NOWHERE, changes.join(", "));
                }
                self.request = (**request).clone();
            }
        }
    }
}

impl Telling<'_> {
    /// Adds to the line of an arm which others it stands behind.
    fn pass_over(&mut self, table: Id<Table>, arm: Id<Arm>) {
        let Some(written) = &self.written else { return };
        let Some(taken) = written.arm(table, arm) else {
            return;
        };
        let Ok(path) = self.request.normal_path(self.bundle) else {
            return;
        };
        let (over, others) = passed_over(written, &taken, &self.request.plain(&path));
        if let Some(line) = self.lines.last_mut() {
            (line.passed_over, line.others) = (over, others);
        }
    }
}

/// The service whose route a table is.
fn routed(bundle: &Bundle, table: Id<Table>) -> Option<Id<Service>> {
    let mut services = bundle.services().iter();
    let index = services.position(|service| service.route == table)?;
    Some(Id::new(index as u32))
}

/// `GET /api/** -> cart`.
pub(crate) fn describe(bundle: &Bundle, arm: &Arm) -> String {
    let (name, text, action) = (
        bundle.str(arm.name),
        bundle.str(arm.text),
        action(bundle, arm),
    );
    if name == text {
        format!("{text} -> {action}")
    } else {
        format!("{name}: {text} -> {action}")
    }
}

fn action(bundle: &Bundle, arm: &Arm) -> String {
    match arm.action() {
        Action::Forward(to) => target(bundle, to),
        Action::Split(shares) => format!("split {}", parts(bundle, shares)),
        Action::Redirect(redirect) => {
            let redirect: &Redirect = bundle.redirect(redirect);
            format!("redirect {}", redirect.status.get())
        }
        Action::Respond { status, .. } => format!("respond {status}"),
    }
}

/// `90% v1, 10% v2`.
fn parts(bundle: &Bundle, shares: Run<Share>) -> String {
    let parts = (0..shares.len()).map(|index| {
        let (part, to) = share(bundle, shares, index);
        format!("{} {to}", percent(part))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// A share of a split: its millionths, and its target.
pub(crate) fn share(bundle: &Bundle, shares: Run<Share>, index: usize) -> (u32, String) {
    let shares = &bundle.shares()[shares.range()];
    let start = index
        .checked_sub(1)
        .map_or(0, |before| shares[before].end.get());
    let share = &shares[index];
    let to = Target::from_words(share.service.index() as u32, share.version.get());
    (share.end.get() - start, target(bundle, to))
}

/// What is other than it was.
fn changes(before: &Request, after: &Request) -> Vec<String> {
    let mut changes = Vec::new();
    if before.path != after.path {
        changes.push(format!("path is now {}", after.path));
    }
    if before.host != after.host {
        changes.push(format!("host is now {}", after.host));
    }
    let gone = |one: &Request, other: &Request| -> Vec<(String, String)> {
        let headers = one.headers.iter();
        headers
            .filter(|it| !other.headers.contains(it))
            .cloned()
            .collect()
    };
    let set = gone(after, before);
    for (name, value) in &set {
        changes.push(format!("header {name} is now {value:?}"));
    }
    for (name, _) in gone(before, after) {
        if !set.iter().any(|(known, _)| *known == name) {
            changes.push(format!("header {name} is gone"));
        }
    }
    changes
}

/// Lines in columns.
pub fn table(lines: &[Line]) -> String {
    let width = |of: fn(&Line) -> &str| lines.iter().map(|line| of(line).chars().count()).max();
    let who = width(|line| &line.who).unwrap_or_default();
    let place = width(Line::place).unwrap_or_default();
    let mut text = String::new();
    // Writing into a String cannot fail.
    let mut row = |name: &str, at: &str, what: &str| {
        let _ = writeln!(text, "{name:who$}  {at:place$}  {what}");
    };
    let mut last = "";
    for line in lines {
        let name = if line.who == last {
            ""
        } else {
            line.who.as_str()
        };
        last = &line.who;
        row(name, line.place(), &line.what);
        for over in &line.passed_over {
            let (at, what) = (after_colon(&over.place), &over.text);
            row("", "", &format!("  not {at}  {what}   {}", over.because));
        }
        if line.others > 0 && !line.passed_over.is_empty() {
            let others = count(line.others, "arm");
            row("", "", &format!("  nor {others} for other paths"));
        }
    }
    text
}

/// The line of a place whose file was named before.
fn after_colon(place: &str) -> &str {
    place.rsplit_once(':').map_or(place, |(_, line)| line)
}

impl Line {
    fn place(&self) -> &str {
        self.place.as_deref().unwrap_or_default()
    }
}

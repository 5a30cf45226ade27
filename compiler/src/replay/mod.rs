//! Recorded requests, put before another policy: which of them would meet something else.
//!
//! ```text
//! access log ─ line ─▶ Line ─┬─▶ what became of it, or what becomes of it in OLD ─┐
//!                            └─ worlds ─ journey ─▶ what becomes of it in NEW ─────┴─▶ Verdict ─▶ Group, counted
//! ```
//!
//! A line of the log tells which fields the decisions on its request asked for, and what they held
//! ([`mesh_bundle::asked`]). What another policy asks beyond them is not guessed: the request is put before it in every
//! *world*, and where these do not agree it is counted as unknown, with all that may become of it.
//!
//! Lines are read one by one and not kept: the memory that a log takes does not grow with it. Requests that are alike
//! in all that is asked come to the same, which is remembered for the last few thousand.

mod given;
mod line;
mod outcome;
mod told;
mod values;
mod worlds;

#[cfg(test)]
mod tests;

pub use told::{SCHEMA, human, json};
pub use worlds::Kind;

use self::line::{Line, MAX_LENGTH, Next, Passed};
use self::worlds::{Asking, Becomes, Verdict};
use mesh_bundle::Bundle;
use mesh_bundle::asked::Key;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, BufRead};
use std::rc::Rc;

/// Requests whose verdict is remembered.
const MAX_REMEMBERED: usize = 8_192;
/// Groups that are told apart; what more there are is counted together.
const MAX_GROUPS: usize = 1_000;
/// Bad lines that are told.
const MAX_BAD: usize = 3;
/// Lines between two reports of progress.
const STRIDE: u64 = 1_024;

/// What a log comes to.
#[derive(Debug, Default)]
pub struct Replay {
    /// Lines that were read.
    pub lines: u64,
    /// Of requests that were put before the new policy: how many come to what.
    pub counts: BTreeMap<Kind, u64>,
    /// Requests of which not all that may become of them was looked at.
    pub incomplete: u64,
    passed: BTreeMap<Passed, u64>,
    groups: Vec<Group>,
    /// Of each group its place, by what it stands for.
    places: HashMap<(Kind, String, String), usize>,
    /// Requests that belong to no group any more, there being too many.
    ungrouped: u64,
    bad: Bad,
}

/// Lines that are none of an access log.
#[derive(Debug, Default, Serialize)]
struct Bad {
    count: u64,
    /// The first of them.
    first: Vec<BadLine>,
}

#[derive(Debug, Serialize)]
struct BadLine {
    line: u64,
    why: String,
}

/// Requests that came to one thing and come to another.
#[derive(Debug, Serialize)]
struct Group {
    kind: Kind,
    was: String,
    becomes: Vec<Becomes>,
    count: u64,
    example: Example,
}

/// The first request of a group.
#[derive(Debug, Serialize)]
struct Example {
    /// Its line in the log.
    line: u64,
    ts: String,
    node: String,
    request: String,
    /// The status that it got.
    code: u16,
    /// The arm that decided, as the log says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    arm: Option<String>,
}

impl Replay {
    /// Puts the requests of a log before a policy. What became of them is what the log says, or what becomes of them
    /// in `old`. `progress` is told now and then how many lines and bytes are done.
    pub fn of(
        log: &mut impl BufRead,
        old: Option<&Bundle>,
        new: &Bundle,
        key: Option<Key>,
        mut progress: impl FnMut(u64, u64),
    ) -> io::Result<Self> {
        let mut replay = Self::default();
        let mut asking = Remembering::new(Asking::new(old, new, key));
        let mut buffer = Vec::new();
        let mut bytes = 0;
        loop {
            let next = line::next(log, &mut buffer)?;
            if next == Next::End {
                return Ok(replay);
            }
            replay.lines += 1;
            bytes += buffer.len() as u64 + 1;
            if replay.lines.is_multiple_of(STRIDE) {
                progress(replay.lines, bytes);
            }
            if next == Next::TooLong {
                replay.is_bad(format!("it is longer than {MAX_LENGTH} bytes"));
            } else if !buffer.trim_ascii().is_empty() {
                match Line::parse(&buffer) {
                    Ok(line) => replay.ask(&line, &mut asking),
                    Err(why) => replay.is_bad(why),
                }
            }
        }
    }

    /// How many requests come to this.
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// How many lines are none of an access log.
    pub fn bad(&self) -> u64 {
        self.bad.count
    }

    /// Whether no line was one of an access log.
    pub fn is_nothing_else(&self) -> bool {
        self.counts.is_empty() && self.passed.is_empty()
    }

    fn is_bad(&mut self, why: String) {
        self.bad.count += 1;
        if self.bad.first.len() < MAX_BAD {
            let line = self.lines;
            self.bad.first.push(BadLine { line, why });
        }
    }

    fn ask(&mut self, line: &Line, asking: &mut Remembering<'_>) {
        if let Some(passed) = line.passed_over() {
            *self.passed.entry(passed).or_default() += 1;
            return;
        }
        let verdict = asking.ask(line);
        *self.counts.entry(verdict.kind).or_default() += 1;
        self.incomplete += u64::from(verdict.incomplete);
        if verdict.kind != Kind::Same {
            self.group(line, &verdict);
        }
    }

    fn group(&mut self, line: &Line, verdict: &Verdict) {
        let becomes: Vec<&str> = verdict.becomes.iter().map(|it| &*it.outcome).collect();
        let key = (verdict.kind, verdict.was.clone(), becomes.join("\n"));
        if let Some(&place) = self.places.get(&key) {
            self.groups[place].count += 1;
            return;
        }
        if self.groups.len() == MAX_GROUPS {
            self.ungrouped += 1;
            return;
        }
        self.places.insert(key, self.groups.len());
        let host = line.host.as_deref().unwrap_or_default();
        self.groups.push(Group {
            kind: verdict.kind,
            was: verdict.was.clone(),
            becomes: verdict.becomes.clone(),
            count: 1,
            example: Example {
                line: self.lines,
                ts: line.ts.clone(),
                node: line.node.clone(),
                request: format!("{} {}://{host}{}", line.method, line.scheme, line.path),
                code: line.code,
                arm: line.arm.clone(),
            },
        });
    }

    /// Groups, the worst kinds first, and of each kind the largest.
    fn sorted(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.iter().collect();
        groups.sort_by_key(|group| (group.kind, std::cmp::Reverse(group.count)));
        groups
    }
}

/// Asks, and remembers what it was told.
struct Remembering<'b> {
    asking: Asking<'b>,
    by_agent: bool,
    verdicts: HashMap<String, Rc<Verdict>>,
}

impl<'b> Remembering<'b> {
    fn new(asking: Asking<'b>) -> Self {
        Self {
            by_agent: asking.tests("header.user-agent"),
            asking,
            verdicts: HashMap::new(),
        }
    }

    fn ask(&mut self, line: &Line) -> Rc<Verdict> {
        let key = self.key(line);
        if let Some(known) = self.verdicts.get(&key) {
            return Rc::clone(known);
        }
        let verdict = Rc::new(self.asking.ask(line));
        if self.verdicts.len() == MAX_REMEMBERED {
            self.verdicts.clear();
        }
        self.verdicts.insert(key, Rc::clone(&verdict));
        verdict
    }

    /// All that a verdict depends on.
    fn key(&self, line: &Line) -> String {
        let mut key = String::new();
        let agent = line.user_agent.as_ref().filter(|_| self.by_agent);
        // Writing into a String cannot fail. Debug forms cannot run into each other.
        let _ = write!(
            key,
            "{:?}",
            (
                (&line.node, line.entrance, &line.scheme, line.port),
                (&line.method, &line.host, &line.path, line.client_ip),
                (line.code, &line.service, &line.bundle),
                (agent, &line.asked),
            )
        );
        key
    }
}

//! What becomes of a request of which not everything is known: in every world that fits the line.
//!
//! A field that a policy asks for and the line does not tell may hold anything. Its values are tried, one for each
//! class that policies tell apart, and only where a decision asks: first one field, then, in each of these worlds, the
//! next that is asked. What is the same in all worlds is certain however little is known. A field of which the line
//! tells nothing is supposed to come once: that rules refuse what comes twice would make every line uncertain.

use super::given::{Fields, Given, Names};
use super::line::{Line, Recorded};
use super::outcome::{self, Outcome, Told};
use super::values::{Tested, Values};
use mesh_bundle::Bundle;
use mesh_bundle::asked::{self, Key};
use mesh_bundle::decide::Field;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Worlds that are looked at for one request.
const MAX_WORLDS: usize = 2_000;

/// What a line comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Something else becomes of the request.
    Changed,
    /// That depends on what the line does not tell.
    Unknown,
    /// It is drawn: what became of the request is one of several ends that it may meet.
    Split,
    /// The same becomes of it.
    Same,
}

/// What a line comes to, and in which worlds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: Kind,
    /// What became of the request.
    pub(super) was: String,
    /// What becomes of it, each once, with a world in which it does.
    pub(super) becomes: Vec<Becomes>,
    /// Whether there are worlds that were not looked at.
    pub(super) incomplete: bool,
}

/// What becomes of a request in a world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Becomes {
    pub(super) outcome: String,
    /// Where it is redirected to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<String>,
    /// What is supposed of fields that the line does not tell.
    #[serde(rename = "if", skip_serializing_if = "Vec::is_empty")]
    pub(super) supposed: Vec<String>,
}

/// A mesh that is asked.
pub(super) struct Side<'b> {
    bundle: &'b Bundle,
    id: String,
    names: Names,
}

impl<'b> Side<'b> {
    fn new(bundle: &'b Bundle) -> Self {
        Self {
            bundle,
            id: bundle.id().to_string(),
            names: Names::of(bundle),
        }
    }
}

/// The meshes that are asked, and what they ask for.
pub(super) struct Asking<'b> {
    old: Option<Side<'b>>,
    new: Side<'b>,
    tested: Tested<'b>,
    key: Option<Key>,
    values: HashMap<String, Rc<Values>>,
}

/// A world: what is supposed, and what becomes of the request then.
struct World {
    supposed: Vec<(String, Given)>,
    old: Option<Outcome>,
    new: Outcome,
}

impl<'b> Asking<'b> {
    pub(super) fn new(old: Option<&'b Bundle>, new: &'b Bundle, key: Option<Key>) -> Self {
        let mut tested = Tested::default();
        for bundle in old.into_iter().chain([new]) {
            tested.add(bundle);
        }
        Self {
            old: old.map(Side::new),
            new: Side::new(new),
            tested,
            key,
            values: HashMap::new(),
        }
    }

    /// Whether any policy asks for a field.
    pub(super) fn tests(&self, name: &str) -> bool {
        self.tested.tests(name)
    }

    /// What a line comes to.
    pub(super) fn ask(&mut self, line: &Line) -> Verdict {
        let known = known(line);
        let (mut worlds, incomplete) = self.worlds(line, &known);
        // What the log says of the old mesh's own decision rules worlds out.
        if self.old.as_ref().is_some_and(|old| old.id == line.bundle) {
            let fits = |world: &World| {
                let old = world.old.as_ref();
                old.is_none_or(|old| old.told_by(line) != Told::No)
            };
            if worlds.iter().any(fits) {
                worlds.retain(fits);
            }
        }
        let kind = |world: &World| match &world.old {
            Some(old) if *old == world.new => Kind::Same,
            Some(_) => Kind::Changed,
            None => match world.new.told_by(line) {
                Told::Whole => Kind::Same,
                Told::OneOfSeveral => Kind::Split,
                Told::No => Kind::Changed,
            },
        };
        let mut kinds: Vec<Kind> = worlds.iter().map(kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let kind = match kinds[..] {
            [one] => one,
            [Kind::Split, Kind::Same] => Kind::Split,
            _ => Kind::Unknown,
        };
        let was = was(line, &worlds);
        let becomes = becomes(&worlds, &was, kind == Kind::Unknown || kinds.len() > 1);
        Verdict {
            // What holds of those that were looked at need not hold of the others.
            kind: if incomplete { Kind::Unknown } else { kind },
            was,
            becomes,
            incomplete,
        }
    }

    /// All worlds that fit what is known, and whether some are missing.
    fn worlds(&mut self, line: &Line, known: &Fields) -> (Vec<World>, bool) {
        let old_entry = self.old.as_ref().map(|it| outcome::entry(it.bundle, line));
        let new_entry = outcome::entry(self.new.bundle, line);
        let twice = self.hidden_twice(line);
        let mut worlds = Vec::new();
        let mut incomplete = false;
        let mut open: Vec<Vec<(String, Given)>> = vec![Vec::new()];
        while let Some(supposed) = open.pop() {
            let asked = RefCell::new(Vec::new());
            let of = |side: &Side<'_>, entry| {
                let fields = supposed.iter().map(|(name, given)| (name, given));
                let request = side.names.request(line, known.iter().chain(fields));
                let watch = |field: Field<'_>| {
                    asked.borrow_mut().extend(asked::name(side.bundle, field));
                };
                Outcome::of(side.bundle, entry, &request, &watch)
            };
            let old = self.old.as_ref().zip(old_entry);
            let old = old.map(|(side, entry)| of(side, entry));
            let new = of(&self.new, new_entry);
            let is_known = |name: &String| {
                known.contains_key(name) || supposed.iter().any(|(known, _)| known == name)
            };
            let mut needed = asked.into_inner().into_iter().chain(twice.iter().cloned());
            let unknown = needed.find(|name| !is_known(name));
            let Some(unknown) = unknown else {
                worlds.push(World { supposed, old, new });
                continue;
            };
            let (values, complete) = self.possible(line, &unknown);
            incomplete |= !complete;
            let room = MAX_WORLDS.saturating_sub(worlds.len() + open.len());
            incomplete |= values.len() > room;
            // One at least: what was begun is ended. The last is looked at first, so absence stands at the end.
            for given in values.into_iter().take(room.max(1)).rev() {
                let mut more = supposed.clone();
                more.push((unknown.clone(), given));
                open.push(more);
            }
        }
        (worlds, incomplete)
    }

    /// Fields that came more than once, of which the line hides what they hold. Rules that test one refuse the request
    /// before they ask for any.
    fn hidden_twice(&self, line: &Line) -> Vec<String> {
        let recorded = line.asked.iter().flatten();
        let hidden = recorded.filter(|(name, recorded)| {
            let recorded = recorded.as_ref().map(Recorded::seen);
            recorded.is_some_and(|(seen, repeated)| repeated && seen.text().is_none())
                && self.tests(name)
        });
        hidden.map(|(name, _)| name.clone()).collect()
    }

    /// The values that a field may have in view of what the line says of it, and whether these are all.
    fn possible(&mut self, line: &Line, name: &str) -> (Vec<Given>, bool) {
        let values = self.values.get(name).cloned().unwrap_or_else(|| {
            let values = Rc::new(self.tested.values(name));
            self.values.insert(name.to_owned(), Rc::clone(&values));
            values
        });
        let recorded = line.asked.as_ref().and_then(|it| it.get(name)?.as_ref());
        let Some((recorded, repeated)) = recorded.map(Recorded::seen) else {
            return (values.all.clone(), values.complete);
        };
        let values = if repeated {
            Rc::new(self.tested.values_repeated(name))
        } else {
            values
        };
        // It was there, and the log hides what it was.
        let hash_of =
            |given: &Given| recorded.is_hash_of(self.key.as_ref(), name, given.exactly()?);
        let mut all = values.all.iter();
        if let Some(given) = all.find(|given| hash_of(given) == Some(true)) {
            return (vec![given.clone()], true);
        }
        let there = values.all.iter().filter(|given| **given != Given::Absent);
        let possible = there.filter(|given| hash_of(given) != Some(false));
        (possible.cloned().collect(), values.complete)
    }
}

/// What a line tells of fields, whatever is asked.
fn known(line: &Line) -> Fields {
    let mut known = Fields::new();
    let agent = line.user_agent.clone();
    let agent = agent.map_or(Given::Absent, Given::Text);
    known.insert("header.user-agent".to_owned(), agent);
    for (name, recorded) in line.asked.iter().flatten() {
        let given = match recorded {
            None | Some(Recorded::Valid(false)) => Given::Absent,
            Some(Recorded::Valid(true)) => Given::Valid,
            Some(Recorded::Text(text)) => Given::Text(text.clone()),
            Some(Recorded::Hash { .. }) => continue,
            Some(Recorded::Repeated { repeated }) => match repeated.text() {
                Some(text) => Given::Repeated(Box::new(Given::Text(text.to_owned()))),
                None => continue,
            },
            Some(Recorded::List(members)) => {
                let texts: Option<Vec<&str>> = members.iter().map(Recorded::text).collect();
                let Some(texts) = texts else { continue };
                Given::List(texts.into_iter().map(str::to_owned).collect())
            }
        };
        known.insert(name.clone(), given);
    }
    known
}

/// What became of the request: in the old mesh if there is one, else as the line says.
fn was(line: &Line, worlds: &[World]) -> String {
    let mut texts: Vec<String> = worlds
        .iter()
        .filter_map(|it| it.old.as_ref().map(Outcome::text))
        .collect();
    texts.sort();
    texts.dedup();
    match texts.len() {
        0 => outcome::logged(line),
        1..=MAX_TOLD => texts.join(" or "),
        more => {
            let texts = texts[..MAX_TOLD - 1].join(" or ");
            format!("{texts} or one of {} others", more - MAX_TOLD + 1)
        }
    }
}

/// Outcomes that are told one by one.
const MAX_TOLD: usize = 4;

fn becomes(worlds: &[World], was: &str, says_why: bool) -> Vec<Becomes> {
    let mut all: Vec<Becomes> = Vec::new();
    for world in worlds {
        let outcome = match &world.old {
            Some(old) if *old == world.new => world.new.text(),
            Some(_) => world.new.text_beside(was),
            None => world.new.text(),
        };
        let supposed = world.supposed.iter().filter(|_| says_why);
        let becomes = || Becomes {
            outcome: outcome.clone(),
            location: world.new.location().map(str::to_owned),
            supposed: supposed
                .map(|(name, given)| given.of(name).to_string())
                .collect(),
        };
        match all.iter_mut().find(|known| known.outcome == outcome) {
            None => all.push(becomes()),
            // The less is supposed, the better it is understood.
            Some(known) if known.supposed.len() > world.supposed.len() => *known = becomes(),
            Some(_) => {}
        }
    }
    all
}

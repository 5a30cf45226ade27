//! What tables on the way see of a request, said of the request as it came in.
//!
//! Proxies change requests: they put themselves in as the caller, rewrite path and host, set and remove headers. A
//! [`Seen`] is all that happened up to some table, and [`Seen::asks`] says what the table asks of the request as it
//! was before any of it. What cannot be said exactly is left free, either way: a proof then holds for more requests
//! than there are, never for fewer, and a request that is found has to be tried.

use super::paths::{Before, Change};
use crate::model::condition::{Condition, Field, Predicate, Test, TextPattern};
use crate::model::policy::{HeaderOperation, PathRewrite, Policy};
use mesh_lang::source::Span;
use mesh_lang::value::{HostPattern, PathPattern};
use std::collections::BTreeMap;

/// What was made of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    /// Who sends it on, as `namespace/name`; none: it comes from whom it came.
    source: Option<String>,
    /// Whether nobody proved who sends it.
    nameless: bool,
    host: Option<String>,
    /// What became of the path, one change after the other; none where that is not known.
    path: Option<Vec<Change>>,
    /// Headers that are not what they were.
    headers: BTreeMap<String, Header>,
    /// How often something was changed: what is not known before is not what is not known behind.
    changes: u32,
}

/// What became of a header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Header {
    Is(String),
    Gone,
    /// Some of it is known, or nothing.
    Unknown,
}

/// A level of policy, and what the path is like where its arm took it.
pub(super) type Level<'p> = (&'p Policy, Option<&'p PathPattern>);

/// No header has such a name: tests of what is not known are of these.
const FREE: char = '?';

/// "Of all these".
pub(super) fn all(parts: Vec<Condition>) -> Condition {
    Condition::And(parts)
}

/// Not this.
pub(super) fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

/// "Always", or "never".
fn constant(holds: bool) -> Condition {
    if holds {
        Condition::And(Vec::new())
    } else {
        Condition::Or(Vec::new())
    }
}

impl Seen {
    /// A request as it comes in.
    pub(super) fn untouched() -> Self {
        Self {
            path: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// The same, sent on by somebody.
    pub(super) fn from(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// The same, where nobody knows who sends it.
    pub(super) fn nameless(mut self) -> Self {
        self.nameless = true;
        self
    }

    /// What levels make of it, strongest first; each may say a part.
    pub(super) fn changed(&self, levels: &[Level<'_>]) -> Self {
        let mut seen = self.clone();
        seen.change(levels);
        if seen != *self {
            seen.changes += 1;
        }
        seen
    }

    fn change(&mut self, levels: &[Level<'_>]) {
        let (mut path, mut host) = (None, None);
        for (level, pattern) in levels {
            let rewrite = &level.rewrite;
            if path.is_none() {
                let said = rewrite.path.as_ref();
                path = said.map(|said| change(&said.value, *pattern));
            }
            if host.is_none() {
                host = rewrite.host.as_ref().map(|said| said.value.clone());
            }
            if rewrite.off.is_some() {
                break;
            }
        }
        match path {
            Some(Some(change)) => {
                if let Some(changes) = &mut self.path {
                    changes.push(change);
                }
            }
            Some(None) => self.path = None,
            None => {}
        }
        if host.is_some() {
            self.host = host;
        }
        for operation in operations(levels) {
            self.change_header(operation);
        }
    }

    fn change_header(&mut self, operation: &HeaderOperation) {
        let (name, now) = match operation {
            HeaderOperation::Set(name, value) => (name, Header::Is(value.clone())),
            HeaderOperation::Remove(name) => (name, Header::Gone),
            HeaderOperation::Add(name, value) => match self.headers.get(name) {
                Some(Header::Gone) => (name, Header::Is(value.clone())),
                _ => (name, Header::Unknown),
            },
        };
        self.headers.insert(name.clone(), now);
    }

    /// What a condition asks that is put to what is seen.
    pub(super) fn asks(&self, condition: &Condition) -> Condition {
        match condition {
            Condition::And(parts) => {
                Condition::And(parts.iter().map(|part| self.asks(part)).collect())
            }
            Condition::Or(parts) => {
                Condition::Or(parts.iter().map(|part| self.asks(part)).collect())
            }
            Condition::Not(part) => not(self.asks(part)),
            Condition::Test(test) => self.test(test),
        }
    }

    fn test(&self, test: &Test) -> Condition {
        let same = || Condition::Test(test.clone());
        match &test.field {
            Field::Source | Field::SourceNamespace if self.nameless => constant(false),
            Field::Source => match &self.source {
                Some(source) => self.known(test, source),
                None => same(),
            },
            Field::SourceNamespace => match &self.source {
                Some(source) => self.known(test, source.split('/').next().unwrap_or_default()),
                None => same(),
            },
            Field::Host => match &self.host {
                Some(host) => self.known(test, host),
                None => same(),
            },
            Field::Path => self.path(test),
            Field::Header(name) => match self.headers.get(name) {
                Some(Header::Is(value)) => self.known(test, value),
                Some(Header::Gone) => constant(false),
                Some(Header::Unknown) => self.free(test),
                None => same(),
            },
            Field::Cookie(_) => match self.headers.get("cookie") {
                Some(Header::Gone) => constant(false),
                Some(Header::Is(_) | Header::Unknown) => self.free(test),
                None => same(),
            },
            _ => same(),
        }
    }

    fn path(&self, test: &Test) -> Condition {
        let Some(changes) = &self.path else {
            return self.free(test);
        };
        if changes.is_empty() {
            return Condition::Test(test.clone());
        }
        if let Some(path) = changes.last().and_then(Change::constant)
            && !matches!(test.predicate, Predicate::Paths(_))
        {
            return self.known(test, &path);
        }
        match &test.predicate {
            Predicate::Paths(patterns) => self.takes(patterns, test.span),
            Predicate::OneOf(paths) => {
                let patterns = paths.iter().map(|path| PathPattern::parse(path).ok());
                match patterns.collect::<Option<Vec<_>>>() {
                    Some(patterns) if patterns.iter().all(PathPattern::is_exact) => {
                        self.takes(&patterns, test.span)
                    }
                    _ => self.free(test),
                }
            }
            Predicate::Present => constant(true),
            _ => self.free(test),
        }
    }

    /// "One of these takes the path."
    pub(super) fn takes(&self, patterns: &[PathPattern], span: Span) -> Condition {
        let test = |patterns: Vec<PathPattern>| {
            let predicate = Predicate::Paths(patterns);
            let field = Field::Path;
            Test {
                field,
                predicate,
                span,
            }
        };
        let Some(changes) = &self.path else {
            return self.free_pattern(patterns, span);
        };
        if changes.is_empty() {
            return Condition::Test(test(patterns.to_vec()));
        }
        let mut parts = Vec::new();
        for pattern in patterns {
            parts.push(match before(changes, pattern) {
                Some(Before::All) => constant(true),
                Some(Before::These(patterns)) => Condition::Test(test(patterns)),
                None => self.free_pattern(std::slice::from_ref(pattern), span),
            });
        }
        Condition::Or(parts)
    }

    fn known(&self, test: &Test, value: &str) -> Condition {
        holds(&test.predicate, value).map_or_else(|| self.free(test), constant)
    }

    /// A test that may come out either way, the same wherever it is asked of what is seen here.
    fn free(&self, test: &Test) -> Condition {
        self.free_named(&format!("{:?} {:?}", test.field, test.predicate), test.span)
    }

    fn free_pattern(&self, patterns: &[PathPattern], span: Span) -> Condition {
        let each = patterns.iter();
        let each = each.map(|pattern| self.free_named(&pattern.to_string(), span));
        Condition::Or(each.collect())
    }

    fn free_named(&self, what: &str, span: Span) -> Condition {
        Condition::Test(Test {
            field: Field::Header(format!("{FREE}{} {what}", self.changes)),
            predicate: Predicate::Present,
            span,
        })
    }

    /// Whether the path comes as it was.
    pub(super) fn keeps_path(&self) -> bool {
        self.path.as_ref().is_some_and(Vec::is_empty)
    }
}

/// The paths from which changes, one after the other, lead to a pattern.
fn before(changes: &[Change], pattern: &PathPattern) -> Option<Before> {
    let mut patterns = vec![pattern.clone()];
    for change in changes.iter().rev() {
        let mut earlier = Vec::new();
        for pattern in &patterns {
            match change.before(pattern)? {
                Before::All => return Some(Before::All),
                Before::These(these) => earlier.extend(these),
            }
        }
        patterns = earlier;
    }
    Some(Before::These(patterns))
}

fn change(rewrite: &PathRewrite, pattern: Option<&PathPattern>) -> Option<Change> {
    match rewrite {
        PathRewrite::Prefix(prefix) => Some(Change::swap(pattern, prefix)),
        PathRewrite::Template(template) => Change::template(pattern, template),
    }
}

/// What levels do to headers, in the order in which it happens: what the weakest says first.
fn operations<'p>(levels: &[Level<'p>]) -> Vec<&'p HeaderOperation> {
    let mut all = Vec::new();
    for (level, _) in levels {
        let own = level.request_headers.each.iter().map(|said| &said.value);
        all.splice(0..0, own);
        if level.request_headers.off.is_some() {
            break;
        }
    }
    all
}

/// What comes of a test of a text that is known; none where that is not found out here.
fn holds(predicate: &Predicate, value: &str) -> Option<bool> {
    Some(match predicate {
        Predicate::Present => true,
        Predicate::OneOf(values) => values.iter().any(|it| it == value),
        Predicate::Text(TextPattern::Prefix(text)) => value.starts_with(&**text),
        Predicate::Text(TextPattern::Suffix(text)) => value.ends_with(&**text),
        Predicate::Text(TextPattern::Contains(text)) => value.contains(&**text),
        Predicate::Hosts(patterns) => patterns.iter().any(|pattern| serves(pattern, value)),
        Predicate::Between(low, high) => match value.parse::<i64>() {
            Ok(number) => (*low..=*high).contains(&number),
            Err(_) => return None,
        },
        Predicate::Text(TextPattern::Regex(_))
        | Predicate::Paths(_)
        | Predicate::Networks(_)
        | Predicate::Member(_) => return None,
    })
}

/// Whether a pattern takes a host.
pub(super) fn serves(pattern: &HostPattern, host: &str) -> bool {
    match pattern {
        HostPattern::Any => true,
        HostPattern::Exact(name) => name == host,
        HostPattern::Suffix(suffix) => host
            .strip_suffix(suffix.as_str())
            .is_some_and(|front| front.len() > 1 && front.ends_with('.')),
    }
}

/// Whether a header only stands for something that is not known.
pub(super) fn is_free(header: &str) -> bool {
    header.starts_with(FREE)
}

//! Conditions: what `when` asks.

use super::Resolver;
use super::arms::Room;
use super::problems;
use super::values::Due;
use crate::model::Table;
use crate::model::condition::{Condition, Field, Predicate, Test, TextPattern};
use crate::model::regex::{self, RegexError};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::nearest::nearest;
use mesh_lang::source::Span;
use mesh_lang::value::{Cidr, HostPattern, Integer, Method, Name, PathPattern, Port, ValueError};
use mesh_lang::view::{self, Compare, Text, Value};
use mesh_lang::vocabulary;

/// Named conditions within named conditions; deeper is a circle, or might as well be.
const MAX_NAMES: usize = 64;

impl<'t> Resolver<'t> {
    /// A condition of an arm; `None` where it does not resolve, which was reported.
    pub(super) fn condition(
        &mut self,
        condition: view::Condition<'t>,
        room: Room,
        namespace: &str,
    ) -> Option<Condition> {
        let place = Asked {
            room,
            namespace,
            names: 0,
        };
        self.any_condition(condition, &place)
    }

    fn any_condition(
        &mut self,
        condition: view::Condition<'t>,
        place: &Asked<'_>,
    ) -> Option<Condition> {
        match condition {
            view::Condition::Or(parts) => {
                let parts: Vec<_> = parts
                    .iter()
                    .map(|part| self.any_condition(part, place))
                    .collect();
                Some(Condition::Or(parts.into_iter().collect::<Option<_>>()?))
            }
            view::Condition::And(parts) => {
                let parts: Vec<_> = parts
                    .iter()
                    .map(|part| self.any_condition(part, place))
                    .collect();
                Some(Condition::And(parts.into_iter().collect::<Option<_>>()?))
            }
            view::Condition::Not(part) => {
                let part = self.any_condition(part.first()?, place)?;
                Some(Condition::Not(Box::new(part)))
            }
            view::Condition::Paren(part) => self.any_condition(part.first()?, place),
            view::Condition::Test(test) => self.test(test, place),
        }
    }

    fn test(&mut self, test: view::Test<'t>, place: &Asked<'_>) -> Option<Condition> {
        let written = test.field()?;
        let found = vocabulary::Field::find(written.text, test.index().is_some());
        let Some((field, key)) = found else {
            if test.comparison().is_none() && Name::is_label(written.text) {
                return self.named(written, place);
            }
            return None; // reported by the check against the vocabulary
        };
        let key = match test.index() {
            Some(index) => index.unescaped().into_owned(),
            None => key.to_owned(),
        };
        let field = match field.head {
            "method" => Field::Method,
            "path" => Field::Path,
            "host" => Field::Host,
            "scheme" => Field::Scheme,
            "port" => Field::Port,
            "header" => Field::Header(key.to_ascii_lowercase()),
            "query" => Field::Query(key),
            "cookie" => Field::Cookie(key),
            // A client of a gateway has no identity here: nothing authenticates it.
            "source" | "source.namespace" if place.room == Room::Host => {
                self.without_effect(test.span(), &format!("{} at a gateway", written.text));
                return None;
            }
            "source" => Field::Source,
            "source.namespace" => Field::SourceNamespace,
            "source.ip" => Field::SourceIp,
            "client-ip" => Field::ClientIp,
            "grpc.service" | "grpc.method" => return self.grpc_test(test, written),
            _ => {
                self.without_effect(test.span(), written.text);
                return None;
            }
        };
        let comparison = test.comparison().unwrap_or(Compare::Present);
        let predicate = self.predicate(&field, comparison, test, place)?;
        Some(negate_if(
            is_negative(comparison),
            field,
            predicate,
            test.span(),
        ))
    }

    /// A named condition.
    fn named(&mut self, name: Text<'t>, place: &Asked<'_>) -> Option<Condition> {
        if place.names == MAX_NAMES {
            let message = "this condition stands for itself, by way of others";
            self.report(Diagnostic::new(Code::CyclicValue, message).primary(name.span, ""));
            return None;
        }
        let condition = self.named_condition(name)?;
        let place = Asked {
            names: place.names + 1,
            ..*place
        };
        self.any_condition(condition, &place)
    }

    /// What a comparison asks, its negation aside.
    fn predicate(
        &mut self,
        field: &Field,
        comparison: Compare,
        test: view::Test<'t>,
        place: &Asked<'_>,
    ) -> Option<Predicate> {
        use Compare::{
            Absent, Contains, EndsWith, Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual,
            Matches, NotEqual, NotIn, Present, StartsWith,
        };
        if matches!(comparison, Present | Absent) {
            return Some(Predicate::Present);
        }
        let value = test.value()?;
        match comparison {
            Equal | NotEqual | In | NotIn => self.one_of(field, value, place),
            Matches | StartsWith | EndsWith | Contains => {
                let text = self.read(value, |text| Ok(text.to_owned()))?;
                let text: Box<str> = text.into();
                let pattern = match comparison {
                    StartsWith => TextPattern::Prefix(text),
                    EndsWith => TextPattern::Suffix(text),
                    Contains => TextPattern::Contains(text),
                    _ => self.regex(value, text)?,
                };
                Some(Predicate::Text(pattern))
            }
            Less | LessOrEqual | Greater | GreaterOrEqual => {
                let number = self.read(value, Integer::parse)?;
                let number = i64::try_from(number.0).unwrap_or(i64::MAX);
                Some(match comparison {
                    Less => Predicate::Between(i64::MIN, number.saturating_sub(1)),
                    LessOrEqual => Predicate::Between(i64::MIN, number),
                    Greater => Predicate::Between(number.saturating_add(1), i64::MAX),
                    _ => Predicate::Between(number, i64::MAX),
                })
            }
            Present | Absent => Some(Predicate::Present),
        }
    }

    /// "It is this value, or one of these."
    fn one_of(&mut self, field: &Field, value: Value<'t>, place: &Asked<'_>) -> Option<Predicate> {
        let values = match field {
            // Words in these places are names of their own kinds, not of params.
            Field::Source | Field::SourceNamespace | Field::Host | Field::Scheme => {
                self.words(value)
            }
            _ => self.list(value),
        };
        let texts = |it: &mut Self, parse: fn(&str) -> Result<String, ValueError>| {
            let texts: Vec<_> = values.iter().map(|due| it.read_due(*due, parse)).collect();
            texts.into_iter().collect::<Option<Vec<String>>>()
        };
        match field {
            Field::Method => {
                texts(self, |text| Ok(Method::parse(text)?.to_string())).map(Predicate::OneOf)
            }
            Field::Scheme | Field::Header(_) | Field::Query(_) | Field::Cookie(_) => {
                texts(self, |text| Ok(text.to_owned())).map(Predicate::OneOf)
            }
            Field::Path => {
                let patterns: Vec<_> = values
                    .iter()
                    .map(|due| self.read_due(*due, PathPattern::parse))
                    .collect();
                Some(Predicate::Paths(
                    patterns.into_iter().collect::<Option<_>>()?,
                ))
            }
            Field::Host => {
                let patterns: Vec<_> = values
                    .iter()
                    .map(|due| self.read_due(*due, HostPattern::parse))
                    .collect();
                Some(Predicate::Hosts(
                    patterns.into_iter().collect::<Option<_>>()?,
                ))
            }
            Field::Port => {
                let ports: Vec<_> = values
                    .iter()
                    .map(|due| {
                        self.read_due(*due, |text| Ok(Port::parse(text)?.number().to_string()))
                    })
                    .collect();
                Some(Predicate::OneOf(ports.into_iter().collect::<Option<_>>()?))
            }
            Field::Source => {
                let callers: Vec<_> = values.iter().map(|due| self.caller(*due, place)).collect();
                Some(Predicate::OneOf(
                    callers.into_iter().collect::<Option<_>>()?,
                ))
            }
            Field::SourceNamespace => {
                let namespaces: Vec<_> = values.iter().map(|due| self.namespace(*due)).collect();
                Some(Predicate::OneOf(
                    namespaces.into_iter().collect::<Option<_>>()?,
                ))
            }
            Field::SourceIp | Field::ClientIp => {
                let networks: Vec<_> = values
                    .iter()
                    .map(|due| self.read_due(*due, Cidr::parse))
                    .collect();
                Some(Predicate::Networks(
                    networks.into_iter().collect::<Option<_>>()?,
                ))
            }
        }
    }

    /// The words of a list whose words are not names of params.
    fn words(&mut self, value: Value<'t>) -> Vec<Due<'t>> {
        match value {
            Value::List(list) => list
                .values()
                .map(|value| Due {
                    value,
                    span: value.span(),
                })
                .collect(),
            Value::Word(word) if self.is_named_value(word.text) => self.list(value),
            value => vec![Due {
                value,
                span: value.span(),
            }],
        }
    }

    /// A service or gateway, as the decision code names it.
    fn caller(&mut self, due: Due<'t>, place: &Asked<'_>) -> Option<String> {
        let Value::Word(word) = due.value else {
            self.report(problems::bad_value(
                due.span,
                "a service or gateway is due here",
            ));
            return None;
        };
        let target = match mesh_lang::value::Target::parse(word.text) {
            Ok(target) => target,
            Err(error) => {
                self.report(problems::value(due.span, &error));
                return None;
            }
        };
        // Anyone may be named as a caller, private or not.
        let namespace = self.find_caller(place.namespace, word, &target)?;
        if let Some(version) = &target.version {
            let message =
                format!("a caller is a service; version `{version}` has no identity of its own");
            self.report(problems::bad_value(due.span, message));
            return None;
        }
        Some(format!("{namespace}/{}", target.name))
    }

    fn namespace(&mut self, due: Due<'t>) -> Option<String> {
        let name = due.text()?.into_owned();
        if self.names.namespaces().any(|known| known == name) {
            return Some(name);
        }
        let near = nearest(&name, self.names.namespaces());
        let diagnostic = problems::unknown(due.span, "namespace", &name, near);
        self.report(diagnostic);
        None
    }

    fn regex(&mut self, value: Value<'t>, pattern: Box<str>) -> Option<TextPattern> {
        match regex::check(&pattern) {
            Ok(()) => Some(TextPattern::Regex(pattern)),
            Err(error) => {
                let span = regex_span(value, &error);
                let message = format!("this regular expression cannot be used: {error}");
                self.report(
                    Diagnostic::new(Code::BadRegex, message)
                        .primary(span, "")
                        .help("patterns match the whole value, as in `r\".*[0-4]\"`; there is no look-around"),
                );
                None
            }
        }
    }

    /// `grpc.service == "shop.v1.Cart"`: a set of paths.
    fn grpc_test(&mut self, test: view::Test<'t>, field: Text<'t>) -> Option<Condition> {
        let comparison = test.comparison()?;
        if !matches!(
            comparison,
            Compare::Equal | Compare::NotEqual | Compare::In | Compare::NotIn
        ) {
            let what = format!("{} {}", field.text, comparison.word());
            self.without_effect(test.span(), &what);
            return None;
        }
        let is_service = field.text == "grpc.service";
        let mut patterns = Vec::new();
        for due in self.list(test.value()?) {
            patterns.push(self.read_due(due, |text| {
                if text.is_empty() || text.contains('/') {
                    return Err(ValueError::new(format!("`{text}` is no name in gRPC")));
                }
                PathPattern::parse(&if is_service {
                    format!("/{text}/*")
                } else {
                    format!("/*/{text}")
                })
            })?);
        }
        let predicate = Predicate::Paths(patterns);
        Some(negate_if(
            is_negative(comparison),
            Field::Path,
            predicate,
            test.span(),
        ))
    }
}

/// Where a condition stands.
#[derive(Clone, Copy, Debug)]
struct Asked<'p> {
    room: Room,
    namespace: &'p str,
    /// How many names led here.
    names: usize,
}

fn is_negative(comparison: Compare) -> bool {
    matches!(
        comparison,
        Compare::NotEqual | Compare::NotIn | Compare::Absent
    )
}

fn negate_if(negative: bool, field: Field, predicate: Predicate, span: Span) -> Condition {
    let test = Condition::Test(Test {
        field,
        predicate,
        span,
    });
    if negative {
        Condition::Not(Box::new(test))
    } else {
        test
    }
}

/// The part of a raw string that a regular expression's error is about.
fn regex_span(value: Value<'_>, error: &RegexError) -> Span {
    let span = value.span();
    match (value, error) {
        (Value::Str(string), RegexError::Syntax { at, .. }) if string.raw().starts_with("r\"") => {
            let start = span.start + 2 + at.start as u32;
            Span::new(
                span.file,
                start,
                (start + at.len().max(1) as u32).min(span.end),
            )
        }
        _ => span,
    }
}

/// The first test of an address in a table, if there is one.
pub(super) fn address_test(table: &Table) -> Option<Span> {
    let conditions = table.arms.iter().filter_map(|arm| arm.condition.as_ref());
    let mut tests = conditions.flat_map(Condition::tests);
    let test = tests.find(|test| matches!(test.field, Field::SourceIp | Field::ClientIp));
    test.map(|test| test.span)
}

//! Conditions: what `when`, `unless` and `where` ask.

use super::values::Due;
use super::{Resolver, Room};
use crate::model::condition::{Condition, Field, Predicate, Test, TextPattern};
use crate::model::credential::TokenPlace;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::{Cidr, HostPattern, Integer, Method, Name, PathPattern, Port, ValueError};
use mesh_lang::view::{self, Compare, Text, Value};
use mesh_lang::vocabulary;

/// Named conditions within named conditions; deeper is a circle, or might as well be.
const MAX_NAMES: usize = 64;

impl<'t> Resolver<'t> {
    /// A condition on requests; `None` where it does not resolve, which was reported.
    pub(super) fn condition(&mut self, condition: view::Condition<'t>) -> Option<Condition> {
        self.any_condition(condition, 0)
    }

    /// What an inventory's `where` asks: fields of its entries, as text.
    pub(super) fn inventory_clause(&mut self, clause: view::Clause<'t>) -> Option<Condition> {
        let scope = super::Scope {
            room: Room::Inventory,
            ..self.scope
        };
        let condition = clause.condition()?;
        self.in_scope(scope, |it| it.condition(condition))
    }

    /// `names`: how many names led here.
    fn any_condition(&mut self, condition: view::Condition<'t>, names: usize) -> Option<Condition> {
        let all = |it: &mut Self, parts: view::Operands<'t>| {
            let parts: Vec<_> = parts
                .iter()
                .map(|part| it.any_condition(part, names))
                .collect();
            parts.into_iter().collect::<Option<Vec<_>>>()
        };
        match condition {
            view::Condition::Or(parts) => all(self, parts).map(Condition::Or),
            view::Condition::And(parts) => all(self, parts).map(Condition::And),
            view::Condition::Not(part) => {
                let part = self.any_condition(part.first()?, names)?;
                Some(Condition::Not(Box::new(part)))
            }
            view::Condition::Paren(part) => self.any_condition(part.first()?, names),
            view::Condition::Test(test) => self.test(test, names),
        }
    }

    fn test(&mut self, test: view::Test<'t>, names: usize) -> Option<Condition> {
        let written = test.field()?;
        if self.scope.room == Room::Inventory {
            return self.inventory_test(test, written);
        }
        let found = vocabulary::Field::find(written.text, test.index().is_some());
        let Some((field, key)) = found else {
            if test.comparison().is_none() && Name::is_label(written.text) {
                return self.named(written, names);
            }
            return None; // reported by the check against the vocabulary
        };
        if matches!(field.head, "grpc.service" | "grpc.method") {
            return self.grpc_test(test, field.head == "grpc.service");
        }
        let key = match (field.head, test.index()) {
            // `jwt.corp["https://a.example/roles"]` has its token before the brackets.
            ("jwt", Some(index)) => {
                let (jwt, _) = self.find_in("jwt", at(written, key), |names| &names.jwts)?;
                Field::Claim(jwt, vec![index.unescaped().into_owned()])
            }
            (_, Some(index)) => self.field(field.head, written, &index.unescaped())?,
            (_, None) => self.field(field.head, written, key)?,
        };
        if self.scope.room == Room::Host && matches!(key, Field::Source | Field::SourceNamespace) {
            let message = format!(
                "a gateway's clients have no identity in the mesh, so that `{}` is never there",
                written.text
            );
            self.report(
                Diagnostic::new(Code::BadComparison, message)
                    .primary(test.span(), "")
                    .help("test a token, an API key, a client certificate or `client-ip`"),
            );
            return None;
        }
        self.check_carrier(&key, test.span())?;
        let comparison = test.comparison().unwrap_or(Compare::Present);
        self.comparison(&key, comparison, test)
    }

    /// The field that a word names: what it starts with, and what stands behind the dot.
    fn field(&mut self, head: &str, written: Text<'t>, key: &str) -> Option<Field> {
        Some(match head {
            "method" => Field::Method,
            "path" => Field::Path,
            "host" => Field::Host,
            "scheme" => Field::Scheme,
            "port" => Field::Port,
            "header" => Field::Header(key.to_ascii_lowercase()),
            "query" => Field::Query(key.to_owned()),
            "cookie" => Field::Cookie(key.to_owned()),
            "source" => Field::Source,
            "source.namespace" => Field::SourceNamespace,
            "source.ip" => Field::SourceIp,
            "client-ip" => Field::ClientIp,
            "client-cert.san" => Field::ClientCertSan,
            "jwt" => {
                let mut parts = key.split('.');
                let name = at(written, parts.next()?);
                let (jwt, _) = self.find_in("jwt", name, |names| &names.jwts)?;
                let claim: Vec<String> = parts.map(str::to_owned).collect();
                if claim.is_empty() {
                    Field::Jwt(jwt)
                } else {
                    Field::Claim(jwt, claim)
                }
            }
            "key" => {
                let name = at(written, key);
                let (keys, _) = self.find_in("keys", name, |names| &names.keys)?;
                Field::Key(keys)
            }
            _ => return None,
        })
    }

    /// A field among arguments: `cookie.session`.
    pub(super) fn field_argument(&mut self, value: Value<'t>) -> Option<Field> {
        let Value::Word(word) = value else {
            return None;
        };
        let (field, key) = vocabulary::Field::find(word.text, false)?;
        let found = self.field(field.head, word, key)?;
        self.check_carrier(&found, word.span)?;
        Some(found)
    }

    /// A header, cookie or parameter that carries a token or key is no field: who knows it is let in.
    fn check_carrier(&mut self, field: &Field, span: Span) -> Option<()> {
        let place = match field {
            Field::Header(name) => TokenPlace::Header(name.clone(), String::new()),
            Field::Cookie(name) => TokenPlace::Cookie(name.clone()),
            Field::Query(name) => TokenPlace::Query(name.clone()),
            _ => return Some(()),
        };
        let Some((instead, declared)) = self.carries(&place) else {
            return Some(());
        };
        let message =
            format!("this carries what proves `{instead}`, and is verified, not compared");
        let mut diagnostic = Diagnostic::new(Code::CredentialAsField, message).primary(span, "");
        if let Some(declared) = declared {
            diagnostic = diagnostic.secondary(declared, "said here");
        }
        self.report(diagnostic.help(format!("test `{instead}`")));
        None
    }

    /// A field of an entry of the inventory.
    fn inventory_test(&mut self, test: view::Test<'t>, written: Text<'t>) -> Option<Condition> {
        let name = match test.index() {
            Some(index) => format!("{}.{}", written.text, index.unescaped()),
            None => written.text.to_owned(),
        };
        let comparison = test.comparison().unwrap_or(Compare::Present);
        self.comparison(&Field::Inventory(name), comparison, test)
    }

    /// A named condition.
    fn named(&mut self, name: Text<'t>, names: usize) -> Option<Condition> {
        if names == MAX_NAMES {
            let message = "this condition stands for itself, by way of others";
            self.report(Diagnostic::new(Code::CyclicValue, message).primary(name.span, ""));
            return None;
        }
        let condition = self.named_condition(name)?;
        self.any_condition(condition, names + 1)
    }

    /// What a comparison asks of a field.
    fn comparison(
        &mut self,
        field: &Field,
        comparison: Compare,
        test: view::Test<'t>,
    ) -> Option<Condition> {
        let predicate = self.predicate(field, comparison, test)?;
        let negative = is_negative(comparison);
        Some(match (field, predicate) {
            // A list has several values: each is asked for by itself.
            (Field::ClientCertSan, Predicate::OneOf(values)) => {
                let members = values.into_iter().map(Predicate::Member);
                let tests = members.map(|it| negate_if(false, field.clone(), it, test.span()));
                let any = any_of(tests.collect());
                if negative {
                    Condition::Not(Box::new(any))
                } else {
                    any
                }
            }
            (_, predicate) => negate_if(negative, field.clone(), predicate, test.span()),
        })
    }

    /// What a comparison asks, its negation aside.
    fn predicate(
        &mut self,
        field: &Field,
        comparison: Compare,
        test: view::Test<'t>,
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
            Equal | NotEqual | In | NotIn => self.one_of(field, value),
            Contains if matches!(field, Field::Claim(..)) => {
                let member = self.read(value, |text| Ok(text.to_owned()))?;
                Some(Predicate::Member(member))
            }
            Matches | StartsWith | EndsWith | Contains => {
                let text = self.read(value, |text| Ok(text.to_owned()))?;
                let text: Box<str> = text.into();
                let pattern = match comparison {
                    StartsWith => TextPattern::Prefix(text),
                    EndsWith => TextPattern::Suffix(text),
                    Contains => TextPattern::Contains(text),
                    _ => self.regex(test, value, text)?,
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
    fn one_of(&mut self, field: &Field, value: Value<'t>) -> Option<Predicate> {
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
            Field::Scheme
            | Field::Header(_)
            | Field::Query(_)
            | Field::Cookie(_)
            | Field::ClientCertSan
            | Field::Claim(..)
            | Field::Key(_)
            | Field::Inventory(_) => texts(self, |text| Ok(text.to_owned())).map(Predicate::OneOf),
            // By itself it is present or absent.
            Field::Jwt(_) => None,
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
                let callers: Vec<_> = values.iter().map(|due| self.caller(*due)).collect();
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
    fn caller(&mut self, due: Due<'t>) -> Option<String> {
        let Value::Word(word) = due.value else {
            self.refuse(due.span, "a service or gateway is due here");
            return None;
        };
        let text = Text {
            text: word.text,
            span: due.span,
        };
        self.find_caller(text)?;
        Some(self.names.identity_of(self.scope.namespace, word.text))
    }

    fn namespace(&mut self, due: Due<'t>) -> Option<String> {
        let text = due.text()?;
        self.find_namespace(Text {
            text: &text,
            span: due.span,
        })
    }

    /// `grpc.service == "shop.v1.Cart"`: a set of paths, as gRPC calls are `/SERVICE/METHOD`.
    fn grpc_test(&mut self, test: view::Test<'t>, is_service: bool) -> Option<Condition> {
        let comparison = test.comparison().unwrap_or(Compare::Present);
        let call = |segment: &str| {
            let other = "*";
            let (service, method) = if is_service {
                (segment, other)
            } else {
                (other, segment)
            };
            PathPattern::parse(&format!("/{service}/{method}"))
        };
        let paths = |patterns| Predicate::Paths(patterns);
        let condition = match comparison {
            Compare::Present | Compare::Absent => {
                let any = call("*").ok()?;
                negate_if(false, Field::Path, paths(vec![any]), test.span())
            }
            Compare::Equal | Compare::NotEqual | Compare::In | Compare::NotIn => {
                let mut patterns = Vec::new();
                for due in self.list(test.value()?) {
                    patterns.push(self.read_due(due, |text| {
                        if text.is_empty() || text.contains(['/', '*', '{', '}']) {
                            return Err(ValueError::new(format!("`{text}` is no name in gRPC")));
                        }
                        call(text)
                    })?);
                }
                negate_if(false, Field::Path, paths(patterns), test.span())
            }
            _ => {
                let value = test.value()?;
                let text = self.read(value, |text| Ok(text.to_owned()))?;
                let quoted = regex_syntax::escape(&text);
                let name = match comparison {
                    Compare::StartsWith => format!("{quoted}[^/]*"),
                    Compare::EndsWith => format!("[^/]*{quoted}"),
                    Compare::Contains => format!("[^/]*{quoted}[^/]*"),
                    _ => {
                        self.regex(test, value, text.as_str().into())?;
                        format!("(?:{text})")
                    }
                };
                // A path of two segments has one slash in its middle: what matches before it, or
                // behind it, is the name.
                let regex = if is_service {
                    format!("/{name}/[^/]+")
                } else {
                    format!("/[^/]+/{name}")
                };
                let any = paths(vec![call("*").ok()?]);
                let text = Predicate::Text(TextPattern::Regex(regex.into()));
                Condition::And(vec![
                    negate_if(false, Field::Path, any, test.span()),
                    negate_if(false, Field::Path, text, test.span()),
                ])
            }
        };
        Some(if is_negative(comparison) {
            Condition::Not(Box::new(condition))
        } else {
            condition
        })
    }
}

/// A part of a word, at the place of the word.
fn at<'t>(word: Text<'t>, part: &str) -> Text<'t> {
    let start = word.text.find(part).unwrap_or(0);
    Text {
        text: &word.text[start..start + part.len()],
        span: word.span,
    }
}

fn any_of(mut conditions: Vec<Condition>) -> Condition {
    match conditions.len() {
        1 => conditions.remove(0),
        _ => Condition::Or(conditions),
    }
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

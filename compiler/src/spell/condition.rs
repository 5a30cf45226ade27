//! Conditions as they are written.

use super::Place;
use super::value::{list, path, quotes, regex};
use crate::model::condition::{Condition, Field, Predicate, Test, TextPattern};
use mesh_lang::value::quote;

impl Place<'_> {
    /// A condition.
    pub(crate) fn condition(&self, condition: &Condition) -> String {
        let joined = |parts: &[Condition], word: &str| {
            let parts: Vec<String> = parts.iter().map(|part| self.unit(part)).collect();
            parts.join(word)
        };
        match condition {
            Condition::Or(parts) => joined(parts, " or "),
            Condition::And(parts) => joined(parts, " and "),
            Condition::Not(part) => match &**part {
                Condition::Test(test) => self
                    .negative(test)
                    .unwrap_or_else(|| format!("not {}", self.test(test))),
                other => format!("not {}", self.unit(other)),
            },
            Condition::Test(test) => self.test(test),
        }
    }

    /// A condition among others.
    fn unit(&self, condition: &Condition) -> String {
        match condition {
            Condition::Or(_) | Condition::And(_) => format!("({})", self.condition(condition)),
            Condition::Not(_) | Condition::Test(_) => self.condition(condition),
        }
    }

    fn test(&self, test: &Test) -> String {
        let field = self.field(&test.field);
        match &test.predicate {
            Predicate::Present => format!("{field} present"),
            Predicate::Text(pattern) => format!("{field} {}", text_pattern(pattern)),
            // A negative number is none that can be written.
            Predicate::Between(i64::MIN, high) if *high < i64::MAX => {
                format!("{field} < {}", high + 1)
            }
            Predicate::Between(i64::MIN, high) => format!("{field} <= {high}"),
            Predicate::Between(low, _) => format!("{field} >= {low}"),
            Predicate::Member(value) if test.field == Field::ClientCertSan => {
                format!("{field} == {}", quote(value))
            }
            Predicate::Member(value) => format!("{field} contains {}", quote(value)),
            some => format!("{field} {}", set(&test.field, some, "==", "in")),
        }
    }

    /// The opposite of a test, where a comparison says that.
    fn negative(&self, test: &Test) -> Option<String> {
        let field = self.field(&test.field);
        match &test.predicate {
            Predicate::Present => Some(format!("{field} absent")),
            Predicate::Member(value) if test.field == Field::ClientCertSan => {
                Some(format!("{field} != {}", quote(value)))
            }
            Predicate::Text(_) | Predicate::Between(..) | Predicate::Member(_) => None,
            some => Some(format!(
                "{field} {}",
                set(&test.field, some, "!=", "not in")
            )),
        }
    }
}

/// `== a` or `in [a, b]`.
fn set(field: &Field, predicate: &Predicate, one: &str, many: &str) -> String {
    let (text, count) = match predicate {
        Predicate::OneOf(values) => (values_of(field, values), values.len()),
        Predicate::Paths(patterns) => (list(patterns.iter().map(path)), patterns.len()),
        Predicate::Hosts(patterns) => (list(patterns), patterns.len()),
        Predicate::Networks(networks) => (list(networks), networks.len()),
        _ => (String::new(), 0),
    };
    if count == 1 {
        format!("{one} {text}")
    } else {
        format!("{many} [{text}]")
    }
}

/// Values that a field may be: words of the mesh and of HTTP as such, other texts in quotes.
fn values_of(field: &Field, values: &[String]) -> String {
    match field {
        Field::Method | Field::Scheme | Field::Port | Field::Source | Field::SourceNamespace => {
            list(values)
        }
        _ => quotes(values),
    }
}

fn text_pattern(pattern: &TextPattern) -> String {
    match pattern {
        TextPattern::Prefix(text) => format!("starts-with {}", quote(text)),
        TextPattern::Suffix(text) => format!("ends-with {}", quote(text)),
        TextPattern::Contains(text) => format!("contains {}", quote(text)),
        TextPattern::Regex(pattern) => format!("matches {}", regex(pattern)),
    }
}

//! Whether arguments have the shape that a statement gives them.
//!
//! In: arguments and shapes. Out: nothing if they fit; else a [`Mismatch`]: the furthest place up
//! to which some way of reading them goes, and all that would fit there.

use super::kind::{Misfit, is_reference};
use super::shape::{alternatives, has_word};
use super::{FieldUse, Key, Kind, Shape, Subject, field};
use crate::codes::Code;
use crate::source::Span;
use crate::value::ValueError;
use crate::view::{Arg, Clause, Value};

/// Where arguments stop to fit.
#[derive(Debug, Clone, Default)]
pub(super) struct Mismatch {
    /// The index of the argument; the number of arguments if one is missing.
    pub(super) at: usize,
    /// What would fit there.
    pub(super) expected: Vec<Expectation>,
    /// What is wrong with an argument that looks right.
    pub(super) error: Option<ValueError>,
    /// How the arguments before it are read, if that was asked for.
    read: Vec<Leaf>,
}

/// An argument, by its index, and the shape that it is read as.
type Leaf = (usize, &'static Shape);

/// Something that would fit.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expectation {
    /// This.
    Shape(&'static Shape),
    /// A comma and one more of a list.
    Comma,
    /// Nothing more.
    End,
}

impl Mismatch {
    /// "a duration such as `250ms` or `off`".
    pub(super) fn phrase(&self) -> String {
        let mut phrases: Vec<String> = Vec::new();
        for expectation in &self.expected {
            let phrase = match expectation {
                Expectation::Shape(shape) => shape.phrase(),
                Expectation::Comma => "`,`".to_owned(),
                Expectation::End => "the end of the statement".to_owned(),
            };
            if !phrases.contains(&phrase) {
                phrases.push(phrase);
            }
        }
        alternatives(&phrases)
    }

    /// Adds what would fit at the same place in another form.
    pub(super) fn join(&mut self, other: Self) {
        self.expected.extend(other.expected);
        self.error = self.error.take().or(other.error);
    }

    /// The fixed words that would fit.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.expected
            .iter()
            .filter_map(|expectation| match expectation {
                Expectation::Shape(Shape::Word(word)) => Some(*word),
                _ => None,
            })
    }

    /// Whether a value of this kind would fit.
    pub(super) fn expects(&self, kind: Kind) -> bool {
        self.expected.iter().any(
            |expectation| matches!(expectation, Expectation::Shape(Shape::Value(found)) if *found == kind),
        )
    }
}

/// What arguments that fit hold besides words and values.
#[derive(Debug, Default)]
pub(super) struct Fitting<'t> {
    /// The conditions, and what they are about.
    pub(super) clauses: Vec<(Clause<'t>, Subject)>,
    /// The values that look right but are not.
    pub(super) errors: Vec<(Span, ValueError)>,
    /// How each argument is read, if that was asked for.
    read: Vec<Leaf>,
}

/// How arguments that may be unfinished are read, and what would fit behind them.
#[derive(Debug, Default)]
pub struct Reading {
    /// The arguments that fit, by their index, and the shape that each is read as. A field with its index in
    /// brackets is two arguments and read as one.
    pub read: Vec<(usize, &'static Shape)>,
    /// What would fit behind the last argument, if all before it do; words and values, no groups of them.
    pub next: Vec<&'static Shape>,
    /// Whether a comma and one more of a list would.
    pub comma: bool,
}

/// Reads `args` as `shapes`, as far as they fit.
pub(super) fn reading(shapes: &'static [Shape], args: &[Arg<'_>]) -> Reading {
    let mut reader = Reader::new(shapes, args);
    reader.with_reading = true;
    let reached = reader.seq(shapes, 0);
    let at_end = reader.furthest.at == args.len();
    let expected = std::mem::take(&mut reader.furthest.expected);
    let mut reading = Reading {
        read: match reached {
            Some(at) if at == args.len() => reader.fitting.read,
            _ => reader.furthest.read,
        },
        ..Reading::default()
    };
    for expectation in expected.into_iter().filter(|_| at_end) {
        match expectation {
            Expectation::Shape(shape) => reading.next.push(shape),
            Expectation::Comma => reading.comma = true,
            Expectation::End => {}
        }
    }
    reading
}

/// Reads `args` as `shapes`.
pub(super) fn fit<'t>(shapes: &'static [Shape], args: &[Arg<'t>]) -> Result<Fitting<'t>, Mismatch> {
    let read = |with_params, with_errors| {
        let mut reader = Reader::new(shapes, args);
        reader.with_params = with_params;
        reader.with_errors = with_errors;
        match reader.seq(shapes, 0) {
            Some(at) if at == args.len() => Ok(reader.fitting),
            reached => {
                if let Some(at) = reached {
                    reader.missed(at, Expectation::End, None);
                }
                Err(reader.furthest)
            }
        }
    };
    let mismatch = match read(true, false) {
        Ok(fitting) => return Ok(fitting),
        Err(mismatch) => mismatch,
    };
    if mismatch.error.is_some()
        && let Ok(fitting) = read(true, true)
    {
        return Ok(fitting);
    }
    if mismatch.at == args.len() {
        // `mirror v3` lacks its percentage, not a target behind the percentage `v3`.
        match read(false, false) {
            Err(strict) if strict.expects(Kind::Percent) => return Err(strict),
            _ => {}
        }
    }
    Err(mismatch)
}

struct Reader<'a, 't> {
    /// All shapes: a word that is fixed in one of them refers to nothing.
    shapes: &'static [Shape],
    args: &'a [Arg<'t>],
    /// Whether a bare name may refer to a parameter.
    with_params: bool,
    /// Whether a value that looks right is taken, though it is not.
    with_errors: bool,
    /// Whether it is noted how each argument is read.
    with_reading: bool,
    furthest: Mismatch,
    fitting: Fitting<'t>,
}

impl<'a, 't> Reader<'a, 't> {
    fn new(shapes: &'static [Shape], args: &'a [Arg<'t>]) -> Self {
        Self {
            shapes,
            args,
            with_params: true,
            with_errors: false,
            with_reading: false,
            furthest: Mismatch::default(),
            fitting: Fitting::default(),
        }
    }

    fn seq(&mut self, shapes: &'static [Shape], at: usize) -> Option<usize> {
        shapes.iter().try_fold(at, |at, shape| self.one(shape, at))
    }

    /// Where reading goes on behind `shape` at `at`.
    fn one(&mut self, shape: &'static Shape, at: usize) -> Option<usize> {
        match shape {
            Shape::Seq(shapes) => self.seq(shapes, at),
            Shape::Optional(shapes) => {
                let read = self.tried(|reader| reader.seq(shapes, at));
                Some(read.unwrap_or(at))
            }
            Shape::OneOf(shapes) => self.one_of(shapes, at),
            Shape::List(element) => {
                let mut at = self.one(element, at)?;
                while let Some(Arg::Comma(_)) = self.args.get(at) {
                    at = self.one(element, at + 1)?;
                }
                self.missed(at, Expectation::Comma, None);
                Some(at)
            }
            Shape::Word(_)
            | Shape::Value(_)
            | Shape::Field(_)
            | Shape::Arrow
            | Shape::Clause(..) => match self.leaf(shape, at) {
                Ok(taken) => {
                    if self.with_reading {
                        self.fitting.read.push((at, shape));
                    }
                    Some(at + taken)
                }
                Err(Misfit::Wrong(error)) if self.with_errors => {
                    self.fitting.errors.push((self.args[at].span(), error));
                    Some(at + 1)
                }
                Err(misfit) => {
                    let error = match misfit {
                        Misfit::OtherKind => None,
                        Misfit::Wrong(error) => Some(error),
                    };
                    self.missed(at, Expectation::Shape(shape), error);
                    None
                }
            },
        }
    }

    /// The first shape that fits; only if none does, the first one that a wrong value would fit.
    fn one_of(&mut self, shapes: &'static [Shape], at: usize) -> Option<usize> {
        let with_errors = self.with_errors;
        for allowed in [false, true] {
            self.with_errors = allowed && with_errors;
            let mut read = shapes
                .iter()
                .filter_map(|shape| self.tried(|reader| reader.one(shape, at)));
            if let Some(read) = read.next() {
                self.with_errors = with_errors;
                return Some(read);
            }
        }
        self.with_errors = with_errors;
        None
    }

    /// What `read` gives; if it does not fit, nothing of it is kept.
    fn tried(&mut self, read: impl FnOnce(&mut Self) -> Option<usize>) -> Option<usize> {
        let clauses = self.fitting.clauses.len();
        let errors = self.fitting.errors.len();
        let leaves = self.fitting.read.len();
        let read = read(self);
        if read.is_none() {
            self.fitting.clauses.truncate(clauses);
            self.fitting.errors.truncate(errors);
            self.fitting.read.truncate(leaves);
        }
        read
    }

    /// How many arguments `shape` takes at `at`.
    fn leaf(&mut self, shape: &'static Shape, at: usize) -> Result<usize, Misfit> {
        let Some(&arg) = self.args.get(at) else {
            return Err(Misfit::OtherKind);
        };
        match (shape, arg) {
            (Shape::Word(word), Arg::Value(Value::Word(found))) if found.text == *word => Ok(1),
            (Shape::Value(kind), Arg::Value(value)) if self.may_be(*kind, value) => {
                kind.fit(value).map(|()| 1)
            }
            (Shape::Field(usage), Arg::Value(Value::Word(_))) => self.field(*usage, at),
            (Shape::Arrow, Arg::Arrow(target)) => {
                crate::value::Target::parse(target.text)?;
                Ok(1)
            }
            (Shape::Clause(kinds, subject), Arg::Clause(clause))
                if kinds.contains(&clause.kind()) =>
            {
                self.fitting.clauses.push((clause, *subject));
                Ok(1)
            }
            _ => Err(Misfit::OtherKind),
        }
    }

    /// Whether `value` may be one of this kind: a word that would be a reference must not be a word
    /// of the statement.
    fn may_be(&self, kind: Kind, value: Value<'_>) -> bool {
        match value {
            Value::Word(word) if kind.takes_params() && is_reference(word) => {
                self.with_params && !has_word(self.shapes, word.text)
            }
            _ => true,
        }
    }

    /// A field, which takes two arguments if a name in brackets stands right behind it.
    fn field(&self, usage: FieldUse, at: usize) -> Result<usize, Misfit> {
        let Some(Arg::Value(Value::Word(word))) = self.args.get(at) else {
            return Err(Misfit::OtherKind);
        };
        let has_index = self
            .args
            .get(at + 1)
            .is_some_and(|next| is_index(*next, word.span));
        match field::Field::find(word.text, has_index) {
            Some((field, key)) if usage.fields().contains(&field.name) => {
                if !has_index {
                    check_key(field.key, key)?;
                }
                Ok(1 + usize::from(has_index))
            }
            Some(_) => Err(Misfit::OtherKind),
            None if is_reference(*word) && !has_index => Err(Misfit::OtherKind),
            None => Err(ValueError::with_code(
                Code::UnknownField,
                format!("requests have no field `{}`", word.text),
            )
            .into()),
        }
    }

    /// Notes that something else than `expectation` stands at `at`.
    fn missed(&mut self, at: usize, expectation: Expectation, error: Option<ValueError>) {
        if at > self.furthest.at {
            self.furthest = Mismatch {
                at,
                read: self.fitting.read.clone(),
                ..Mismatch::default()
            };
        }
        if at == self.furthest.at {
            self.furthest.expected.push(expectation);
            // The first of several: shapes name what is meant most often first.
            if self.furthest.error.is_none() {
                self.furthest.error = error;
            }
        }
    }
}

/// Whether `arg` is the `["X_Y"]` of the field that ends where it starts.
fn is_index(arg: Arg<'_>, field: Span) -> bool {
    match arg {
        Arg::Value(Value::List(list)) => {
            let mut values = list.values();
            list.span().start == field.end
                && matches!(values.next(), Some(Value::Str(_)))
                && values.next().is_none()
        }
        _ => false,
    }
}

/// What stands behind the dot of a field among arguments and conditions has to be a name of its
/// kind.
pub(super) fn check_key(key: Key, text: &str) -> Result<(), ValueError> {
    use crate::value::{HeaderName, Name};
    match key {
        Key::None => Ok(()),
        Key::Free => HeaderName::parse(text).map(drop),
        Key::Jwt | Key::Keys | Key::Claim => {
            let name = text.split('.').next().unwrap_or_default();
            Name::check_reference(name).map_err(ValueError::alone)
        }
    }
}

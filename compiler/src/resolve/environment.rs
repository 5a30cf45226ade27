//! Environments: what `env prod { set service reviews.timeout = 1s }` puts in place of what is written.
//!
//! An environment may set parameters, and leaves that are written: it changes values and never adds a
//! statement, so that what a reader of the mesh sees is all there is. The statement that is set is found
//! by its path before anything is read; whoever reads it then sees the other arguments
//! ([`Resolver::args`]), and findings and logs point at the line of the environment.

use super::Resolver;
use super::problems;
use crate::model::Environment;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::nearest::nearest;
use mesh_lang::source::Span;
use mesh_lang::view::{
    Arg, Block, BlockItem, Item, ItemKind, Set, Setting, Statement, Text, Value,
};
use mesh_lang::vocabulary::{self, Place};
use std::collections::HashMap;

/// What the environment puts in place of arguments.
#[derive(Debug, Default)]
pub(super) struct Overlay<'t> {
    /// By the statement's place.
    by_setting: HashMap<Span, Instead<'t>>,
}

/// Arguments in place of those that are written.
#[derive(Clone, Debug)]
pub(super) struct Instead<'t> {
    pub(super) args: Vec<Arg<'t>>,
    /// The `set`.
    pub(super) span: Span,
}

impl<'t> Overlay<'t> {
    /// What stands in place of the arguments of a setting.
    pub(super) fn of(&self, setting: Setting<'t>) -> Option<&Instead<'t>> {
        if self.by_setting.is_empty() {
            return None;
        }
        self.by_setting.get(&setting.head_span())
    }
}

/// A path of a `set`: `payments/ledger.timeout.connect`.
struct Path<'t> {
    text: Text<'t>,
    namespace: Option<&'t str>,
    words: Vec<&'t str>,
}

impl<'t> Path<'t> {
    fn new(text: Text<'t>) -> Self {
        let (namespace, path) = match text.text.split_once('/') {
            Some((namespace, path)) => (Some(namespace), path),
            None => (None, text.text),
        };
        Self {
            text,
            namespace,
            words: path.split('.').collect(),
        }
    }
}

impl<'t> Resolver<'t> {
    /// The environments, by name; of two of one name the second is reported.
    pub(super) fn environments(&mut self) -> Vec<(&'t str, BlockItem<'t>)> {
        let mut known: Vec<(&'t str, BlockItem<'t>)> = Vec::new();
        for (_, item) in self.items() {
            let Item::Block(block) = item else { continue };
            if block.kind() != ItemKind::Env {
                continue;
            }
            let Some(name) = block.name() else { continue };
            match known.iter().find(|(first, _)| *first == name.text) {
                Some((_, first)) => {
                    let first = first.name().map_or(first.span(), |name| name.span);
                    self.report(problems::duplicate(
                        name,
                        first,
                        "the environments of a mesh",
                    ));
                }
                None => known.push((name.text, block)),
            }
        }
        known
    }

    /// Puts an environment in force.
    pub(super) fn apply_environment(&mut self, name: &str) -> Option<Environment> {
        let known = self.environments();
        let Some((name, item)) = known.iter().find(|(known, _)| *known == name) else {
            let near = nearest(name, known.iter().map(|(known, _)| *known));
            let message = format!("no environment is called `{name}`");
            let diagnostic = Diagnostic::new(Code::UnresolvedRef, message);
            self.report(match near {
                Some(near) => diagnostic.help(format!("perhaps `{near}` is meant")),
                None => diagnostic
                    .help("environments are declared: `env prod { set param canary = 25% }`"),
            });
            return None;
        };
        let mut sets = Vec::new();
        for statement in item.block().into_iter().flat_map(Block::statements) {
            let Statement::Set(set) = statement else {
                continue; // reported
            };
            let text = self.input.sources.text(set.span());
            let text = text.strip_prefix("set").unwrap_or(text);
            sets.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
            self.apply_set(set);
        }
        Some(Environment {
            name: (*name).to_owned(),
            span: item.name().map_or(item.span(), |name| name.span),
            sets,
        })
    }

    fn apply_set(&mut self, set: Set<'t>) {
        let (Some(kind), Some(text)) = (set.kind(), set.path()) else {
            return; // the parser has said so
        };
        let path = Path::new(text);
        let values: Vec<Value<'t>> = set.values().collect();
        if kind.text == "param" {
            let namespace = path.namespace.unwrap_or(crate::model::DEFAULT_NAMESPACE);
            let name = Text {
                text: path.words[0],
                span: text.span,
            };
            match *values {
                [value] => self.give_param(namespace, name, value),
                _ => self.refuse(set.span(), "a param has one value; a list stands in `[…]`"),
            }
            return;
        }
        let Some((place, item)) = self.settable(kind, &path) else {
            return;
        };
        if let Some((place, setting)) = self.leaf(&path, place, item) {
            self.put(set, place, setting, &values);
        }
    }

    /// The item that a path starts with, and the place that its block is.
    fn settable(&mut self, kind: Text<'t>, path: &Path<'t>) -> Option<(Place, BlockItem<'t>)> {
        let place = vocabulary::item(kind.text)?.place?;
        let name = path.words[0];
        let namespace = path.namespace.unwrap_or(crate::model::DEFAULT_NAMESPACE);
        let mut names = Vec::new();
        for (inside, item) in self.items() {
            let Item::Block(block) = item else { continue };
            let Some(known) = block.name() else { continue };
            if block.kind().word() != kind.text || inside != namespace {
                continue;
            }
            if known.text == name {
                return Some((place, block));
            }
            names.push(known.text);
        }
        let near = nearest(name, names);
        self.report(problems::unknown(path.text.span, kind.text, name, near));
        None
    }

    /// The setting that a path leads to, and the place where it stands.
    fn leaf(
        &mut self,
        path: &Path<'t>,
        mut place: Place,
        item: BlockItem<'t>,
    ) -> Option<(Place, Setting<'t>)> {
        let mut block = item.block();
        let mut words = path.words[1..].iter().peekable();
        while let Some(&word) = words.next() {
            let is_meant = |setting: &Setting<'t>| {
                setting.keyword().text == word
                    || setting.keyword().text == "version"
                        && setting.args().next().is_some_and(
                            |arg| matches!(arg, Arg::Value(Value::Word(name)) if name.text == word),
                        )
            };
            let all: Vec<Setting<'t>> = Self::settings(block).collect();
            let meant: Vec<Setting<'t>> = all.iter().copied().filter(is_meant).collect();
            let setting = match *meant {
                [one] => one,
                [] => {
                    let near = nearest(word, all.iter().map(|setting| setting.keyword().text));
                    self.report(problems::not_written(path.text, word, near));
                    return None;
                }
                [first, second, ..] => {
                    let message = format!(
                        "`{word}` stands there more than once; which is meant cannot be said"
                    );
                    self.report(
                        problems::bad_value(path.text.span, message)
                            .secondary(first.head_span(), "here")
                            .secondary(second.head_span(), "and here"),
                    );
                    return None;
                }
            };
            if words.peek().is_none() {
                return Some((place, setting));
            }
            let form = vocabulary::form_of(setting, place)?;
            place = form.body.place().unwrap_or(place);
            block = setting.block();
        }
        None
    }

    /// Puts values in place of the arguments of a setting: of all of them where that is a statement, else
    /// of the first for which it is.
    fn put(&mut self, set: Set<'t>, place: Place, setting: Setting<'t>, values: &[Value<'t>]) {
        let Some(form) = vocabulary::form_of(setting, place) else {
            return; // reported where it is written
        };
        let mut whole = Vec::new();
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                whole.push(Arg::Comma(value.span()));
            }
            whole.push(Arg::Value(*value));
        }
        let written: Vec<Arg<'t>> = setting.args().collect();
        let mut candidates = vec![whole];
        if let [value] = *values {
            for (index, arg) in written.iter().enumerate() {
                if matches!(arg, Arg::Value(_)) {
                    let mut args = written.clone();
                    args[index] = Arg::Value(value);
                    candidates.push(args);
                }
            }
        }
        if let Some(args) = candidates
            .into_iter()
            .find(|args| vocabulary::fits(form, args))
        {
            let span = set.span();
            let instead = Instead { args, span };
            let key = setting.head_span();
            if let Some(first) = self.environment.by_setting.insert(key, instead) {
                let diagnostic =
                    Diagnostic::new(Code::RepeatedStatement, "the environment sets this twice");
                self.report(
                    diagnostic
                        .primary(span, "again here")
                        .secondary(first.span, "set here"),
                );
            }
        } else {
            let word = setting.keyword().text;
            let message = format!("this is no value for `{word}`");
            let span = values.first().map_or(set.span(), |first| {
                first
                    .span()
                    .to(values.last().map_or(first.span(), |last| last.span()))
            });
            self.report(
                Diagnostic::new(Code::BadArguments, message)
                    .primary(span, "")
                    .secondary(setting.head_span(), "set in place of this")
                    .help(format!("it is written `{}`", form.signature())),
            );
        }
    }
}

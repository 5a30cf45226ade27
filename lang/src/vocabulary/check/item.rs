//! Items.

use super::{Checker, message};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::value::{HostPattern, Name, Target, ValueError};
use crate::view::{BlockItem, Item, ItemKind, Let, Param, Set, Text, Value};
use crate::vocabulary::{FIELDS, Field, Place, Subject, item, kind};

/// What an `env` may set something of.
const SETTABLE: &[&str] = &[
    "param", "mesh", "service", "external", "gateway", "policy", "jwt", "keys",
];

impl Checker {
    pub(super) fn item(&mut self, item: Item<'_>, places: &[Place]) {
        let in_namespace = places.contains(&Place::Namespace);
        let nested_namespace =
            matches!(item, Item::Block(item) if item.kind() == ItemKind::Namespace) && in_namespace;
        if nested_namespace || !(in_namespace || places.contains(&Place::File)) {
            let allowed: &[Place] = if nested_namespace {
                &[Place::File]
            } else {
                &[Place::File, Place::Namespace]
            };
            let word = item.node().own_tokens().next();
            if let Some(word) = word {
                let what = format!("`{}`", word.text());
                self.report(message::misplaced(&what, word.span(), allowed, places));
            }
        }
        match item {
            Item::Import(import) => {
                if let Some(path) = import.path()
                    && path.unescaped().is_empty()
                {
                    let error = ValueError::new("an `import` names a directory");
                    self.report(message::bad_value(path.span(), &error));
                }
            }
            Item::Param(param) => self.param(param),
            Item::Let(binding) => self.binding(binding),
            Item::Block(item) => self.block_item(item),
        }
    }

    fn param(&mut self, param: Param<'_>) {
        if let Some(name) = param.name() {
            self.value(name, Name::check(name.text));
        }
        if let Some(value) = param.value() {
            self.any_value(value);
        }
    }

    fn binding(&mut self, binding: Let<'_>) {
        if let Some(name) = binding.name() {
            let is_field = FIELDS.iter().any(|field| field.head == name.text);
            let checked = Name::check(name.text);
            self.value(
                name,
                checked.and_then(|()| {
                    if is_field {
                        let message = format!("`{}` is a field of requests", name.text);
                        Err(ValueError::with_code(Code::ReservedName, message))
                    } else {
                        Ok(())
                    }
                }),
            );
        }
        if let Some(condition) = binding.condition() {
            self.condition(condition, Subject::Request);
        }
        let Some(value) = binding.value() else {
            return;
        };
        // A field by itself is a condition, though it is read as a value.
        let field = match value {
            Value::Word(word) => Field::find(word.text, false),
            _ => None,
        };
        match field {
            Some((field, _)) => self.lone_field(field, value.span()),
            None => self.any_value(value),
        }
    }

    fn block_item(&mut self, item: BlockItem<'_>) {
        let entry = self::item(item.kind().word());
        match item.kind() {
            ItemKind::Routes => {
                let mut names = item.names();
                if let Some(gateway) = names.next() {
                    self.value(gateway, Target::parse(gateway.text));
                }
                if let Some(host) = names.next() {
                    self.value(host, HostPattern::parse(host.text));
                }
            }
            _ => {
                if let Some(name) = item.name() {
                    self.value(name, Name::check(name.text));
                }
            }
        }
        let (Some(block), Some(entry)) = (item.block(), entry) else {
            return;
        };
        if let Some(place) = entry.place {
            let head = item.keyword().map_or(item.span(), |word| {
                item.name()
                    .map_or(word.span, |name| word.span.to(name.span))
            });
            self.block(block, head, &[place], entry.needs);
        }
    }

    /// `set KIND NAME = VALUE` of an environment.
    pub(super) fn set(&mut self, set: Set<'_>) {
        let Some(kind) = set.kind() else { return };
        if !SETTABLE.contains(&kind.text) {
            let words: Vec<_> = SETTABLE.iter().map(|word| format!("`{word}`")).collect();
            let message = format!("an environment sets nothing of a `{}`", kind.text);
            self.report(
                Diagnostic::new(Code::BadArguments, message)
                    .primary(kind.span, "")
                    .help(format!("it sets something of {}", words.join(", "))),
            );
            return;
        }
        if let Some(path) = set.path() {
            let is_param = kind.text == "param";
            self.value(path, check_set_path(path.text, is_param));
        }
        for value in set.values() {
            self.any_value(value);
        }
    }

    fn any_value(&mut self, value: Value<'_>) {
        if let Value::List(list) = value {
            for value in list.values() {
                self.any_value(value);
            }
        } else if let Err(error) = kind::check_any(value) {
            self.report(message::bad_value(value.span(), &error));
        }
    }

    /// Reports a word that is not what it has to be.
    pub(super) fn value<T>(&mut self, word: Text<'_>, checked: Result<T, ValueError>) {
        if let Err(error) = checked {
            self.report(message::bad_value(word.span, &error));
        }
    }
}

/// `canary` of a parameter; `[NAMESPACE/]NAME.STATEMENT` of anything else, with the statements
/// around it in between.
fn check_set_path(text: &str, is_param: bool) -> Result<(), ValueError> {
    let (namespace, path) = match text.split_once('/') {
        Some((namespace, path)) => (Some(namespace), path),
        None => (None, text),
    };
    let check_label = |text| Name::check_label(text).map_err(ValueError::alone);
    namespace.map_or(Ok(()), check_label)?;
    let words = path.split('.').count();
    if is_param && words > 1 {
        return Err(ValueError::new(format!("`{text}` is no parameter")));
    }
    if !is_param && words < 2 {
        return Err(ValueError::new(format!(
            "`{text}` does not say what of it is set, as `{text}.timeout` does"
        )));
    }
    path.split('.').try_for_each(check_label)
}

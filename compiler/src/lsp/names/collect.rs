//! From the tree of a file to the names that it declares and uses.
//!
//! A walk over all statements. What a word among the arguments of a statement is, the vocabulary says; of
//! statements that do not fit their form, as far as they do.

use super::{Declared, FileNames, Kind, Means, Part, Role, Set, Used};
use mesh_lang::parser::Change;
use mesh_lang::source::Span;
use mesh_lang::tree::Tree;
use mesh_lang::value::{Name, RESERVED};
use mesh_lang::view::{
    self, Action, Arg, Arm, BlockItem, Claim, Clause, ClauseKind, Compare, Condition, Item,
    ItemKind, Request, Requirement, Rule, Setting, Statement, Step, Test, Text, Value, Who,
};
use mesh_lang::vocabulary::{self, Field, Kind as ValueKind, Place, Shape};

impl FileNames {
    /// Reads the names of a file.
    pub(in crate::lsp) fn read(tree: &Tree) -> Self {
        let mut names = Self::of_items(tree, tree.statements());
        names.declared.shrink_to_fit();
        names.used.shrink_to_fit();
        names
    }

    /// Reads the names of a file again, of which only whole items have changed: those that `change` is about.
    pub(in crate::lsp) fn read_again(&self, tree: &Tree, change: &Change) -> Self {
        let range = change.new_range();
        let changed = tree.statements().filter(|it| {
            let span = it.span();
            range.start <= span.start && span.start < range.end
        });
        let new = Self::of_items(tree, changed);
        let is_before = |start: u32| start < change.old.start;
        let before = self.declared.partition_point(|it| is_before(it.item.start));
        let behind = self
            .declared
            .partition_point(|it| it.item.start < change.old.end);
        // What stands behind is called by other numbers, and lies elsewhere.
        let moves = Moves {
            change,
            from: behind as u32,
            to: (before + new.declared.len()) as u32,
        };
        let mut declared = self.declared[..before].to_vec();
        declared.extend(new.declared.iter().map(|it| Declared {
            service: it.service.map(|index| index + before as u32),
            ..*it
        }));
        declared.extend(self.declared[behind..].iter().map(|it| moves.declared(it)));
        let first = self.used.partition_point(|it| is_before(it.at.start));
        let last = self.used.partition_point(|it| it.at.start < change.old.end);
        let mut used = self.used[..first].to_vec();
        used.extend(new.used.iter().map(|it| Used {
            within: it.within.map(|index| index + before as u32),
            gateway: it.gateway.map(|index| index + before as u32),
            ..*it
        }));
        used.extend(self.used[last..].iter().map(|it| moves.used(it)));
        Self {
            tree: tree.clone(),
            declared,
            used,
        }
    }

    fn of_items<'t>(tree: &Tree, items: impl Iterator<Item = Statement<'t>>) -> Self {
        let mut collector = Collector::default();
        collector.statements(items, &[Place::File]);
        let Collector {
            declared, mut used, ..
        } = collector;
        // Versions refer to their services by index, which come before them.
        debug_assert!(declared.is_sorted_by_key(|it| it.item.start));
        used.sort_by_key(|it| (it.at.start, it.at.end));
        Self {
            tree: tree.clone(),
            declared,
            used,
        }
    }
}

/// How what stands behind a change is told in the new text.
struct Moves<'c> {
    change: &'c Change,
    /// The first declaration behind it, by its old number and its new one.
    from: u32,
    to: u32,
}

impl Moves<'_> {
    fn offset(&self, offset: u32) -> u32 {
        offset - self.change.old.end + self.change.new_range().end
    }

    fn part(&self, part: Part) -> Part {
        Part {
            start: self.offset(part.start),
            end: self.offset(part.end),
        }
    }

    fn index(&self, index: u32) -> u32 {
        index - self.from + self.to
    }

    fn declared(&self, it: &Declared) -> Declared {
        Declared {
            name: self.part(it.name),
            item: self.part(it.item),
            namespace: it.namespace.map(|part| self.part(part)),
            service: it.service.map(|index| self.index(index)),
            // Items stand in no table.
            table: if it.table == 0 {
                0
            } else {
                self.offset(it.table)
            },
            ..*it
        }
    }

    fn used(&self, it: &Used) -> Used {
        Used {
            at: self.part(it.at),
            means: self.means(it.means),
            namespace: it.namespace.map(|part| self.part(part)),
            within: it.within.map(|index| self.index(index)),
            gateway: it.gateway.map(|index| self.index(index)),
            ..*it
        }
    }

    fn means(&self, means: Means) -> Means {
        let part = |it: Option<Part>| it.map(|part| self.part(part));
        match means {
            Means::Namespace | Means::Value { .. } => means,
            Means::Entity {
                qualifier,
                or_version,
                or_value,
            } => Means::Entity {
                qualifier: part(qualifier),
                or_version,
                or_value,
            },
            Means::Version { qualifier, service } => Means::Version {
                qualifier: part(qualifier),
                service: self.part(service),
            },
            Means::Param { qualifier } => Means::Param {
                qualifier: part(qualifier),
            },
            Means::Reference { set, qualifier } => Means::Reference {
                set,
                qualifier: part(qualifier),
            },
        }
    }
}

/// Where the walk is.
#[derive(Default)]
struct Collector {
    declared: Vec<Declared>,
    used: Vec<Used>,
    namespace: Option<Part>,
    /// The service or external around, and the gateway.
    service: Option<u32>,
    gateway: Option<u32>,
    /// Whether a bare name may be a version of the service around, or of those that use the policy.
    in_room: bool,
    /// Where the block starts that arms and rules stand in.
    table: u32,
}

/// A target taken apart: `[NAMESPACE/]NAME[.VERSION]`.
struct Target {
    namespace: Option<Part>,
    name: Part,
    version: Option<Part>,
}

impl Target {
    fn of(word: Text<'_>) -> Self {
        let Span { start, end, .. } = word.span;
        let slash = word.text.find('/');
        let from = slash.map_or(0, |slash| slash + 1);
        let dot = word.text[from..].find('.').map(|dot| from + dot);
        let at = |offset: usize| start + offset as u32;
        Self {
            namespace: slash.map(|slash| Part {
                start,
                end: at(slash),
            }),
            name: Part {
                start: at(from),
                end: dot.map_or(end, at),
            },
            version: dot.map(|dot| Part {
                start: at(dot + 1),
                end,
            }),
        }
    }
}

/// A part of a word.
fn within(word: Text<'_>, part: &str) -> Part {
    let before = part
        .as_ptr()
        .addr()
        .saturating_sub(word.text.as_ptr().addr());
    let start = word.span.start + before as u32;
    Part {
        start,
        end: start + part.len() as u32,
    }
}

/// Whether a word may be the name of a param or a let.
fn is_name(word: &str) -> bool {
    Name::is_label(word) && !RESERVED.contains(&word)
}

impl Collector {
    fn declare(&mut self, kind: Kind, name: Text<'_>, item: Span) -> u32 {
        self.declared.push(Declared {
            kind,
            name: name.span.into(),
            item: item.into(),
            namespace: self.namespace,
            service: self.service,
            table: self.table,
            exported: false,
        });
        self.declared.len() as u32 - 1
    }

    fn add(&mut self, at: Part, means: Means, role: Role) {
        if at.start < at.end {
            self.used.push(Used {
                at,
                means,
                role,
                namespace: self.namespace,
                within: self.service,
                gateway: self.gateway,
            });
        }
    }

    fn statements<'t>(
        &mut self,
        statements: impl Iterator<Item = Statement<'t>>,
        places: &[Place],
    ) {
        for statement in statements {
            self.statement(statement, places);
        }
    }

    fn statement(&mut self, statement: Statement<'_>, places: &[Place]) {
        match statement {
            Statement::Item(item) => self.item(item),
            Statement::Arm(arm) => self.arm(arm),
            Statement::Rule(rule) => self.rule(rule),
            Statement::Setting(setting) => self.setting(setting, places),
            Statement::Claim(claim) => self.claim(claim),
            Statement::Step(step) => self.step(step),
            Statement::Set(set) => self.set(set),
            Statement::Error(_) => {}
        }
        if !matches!(statement, Statement::Item(_) | Statement::Setting(_)) {
            self.block(statement, places);
        }
    }

    /// The block of a statement that stands in `places`.
    fn block(&mut self, statement: Statement<'_>, places: &[Place]) {
        let Some(block) = statement.block() else {
            return;
        };
        let inside = vocabulary::places_inside(statement, places);
        let table = std::mem::replace(&mut self.table, block.span().start);
        self.statements(block.statements(), &inside);
        self.table = table;
    }

    // ── Items ──

    fn item(&mut self, item: Item<'_>) {
        match item {
            Item::Import(_) => {}
            Item::Param(param) => {
                if let Some(name) = param.name() {
                    self.declare(Kind::Param, name, param.span());
                }
                if let Some(value) = param.value() {
                    self.value(value, false);
                }
            }
            Item::Let(binding) => {
                let kind = match binding.condition() {
                    Some(_) => Kind::Condition,
                    None => Kind::Let,
                };
                if let Some(name) = binding.name() {
                    self.declare(kind, name, binding.span());
                }
                if let Some(condition) = binding.condition() {
                    self.condition(condition);
                }
                if let Some(value) = binding.value() {
                    self.value(value, false);
                }
            }
            Item::Block(item) => self.block_item(item),
        }
    }

    fn block_item(&mut self, item: BlockItem<'_>) {
        let kind = match item.kind() {
            ItemKind::Mesh => Some(Kind::Mesh),
            ItemKind::Service => Some(Kind::Service),
            ItemKind::External => Some(Kind::External),
            ItemKind::Gateway => Some(Kind::Gateway),
            ItemKind::Policy => Some(Kind::Policy),
            ItemKind::Jwt => Some(Kind::Jwt),
            ItemKind::Keys => Some(Kind::Keys),
            ItemKind::Namespace => Some(Kind::Namespace),
            ItemKind::Env => Some(Kind::Env),
            ItemKind::Routes | ItemKind::Assert | ItemKind::Test => None,
        };
        let index = kind.zip(item.name()).map(|(kind, name)| {
            let index = self.declare(kind, name, item.span());
            self.declared[index as usize].exported = item.exported();
            index
        });
        if item.kind() == ItemKind::Routes
            && let Some(gateway) = item.name()
        {
            self.target(gateway, Role::Other, false);
        }
        let around = (self.namespace, self.service, self.gateway, self.in_room);
        match kind {
            Some(Kind::Namespace) => self.namespace = item.name().map(|name| name.span.into()),
            Some(Kind::Service | Kind::External) => self.service = index,
            Some(Kind::Gateway) => self.gateway = index,
            _ => {}
        }
        self.in_room = matches!(kind, Some(Kind::Service | Kind::External | Kind::Policy));
        self.block(Statement::Item(Item::Block(item)), &[Place::File]);
        (self.namespace, self.service, self.gateway, self.in_room) = around;
    }

    // ── Arms and rules ──

    fn arm(&mut self, arm: Arm<'_>) {
        if let Some(name) = arm.name() {
            self.declare(Kind::Arm, name, arm.span());
        }
        if let Some(condition) = arm.condition() {
            self.condition(condition);
        }
        if let Some(action) = arm.action() {
            self.action(action, Role::Forward);
        }
    }

    fn action(&mut self, action: Action<'_>, role: Role) {
        match action {
            Action::Forward(target) => self.target(target, role, true),
            Action::Split(split) => {
                for part in split.parts() {
                    if let Some(share) = part.share().filter(|_| !part.is_rest()) {
                        self.word(share, true);
                    }
                    if let Some(target) = part.target() {
                        self.target(target, role, true);
                    }
                }
            }
            Action::Redirect(redirect) => redirect.values().for_each(|it| self.value(it, true)),
            Action::Respond(respond) => {
                let is_fixed =
                    |value: &Value<'_>| matches!(value, Value::Word(word) if word.text == "file");
                let values = respond.values().filter(|value| !is_fixed(value));
                values.for_each(|it| self.value(it, true));
            }
        }
    }

    fn rule(&mut self, rule: Rule<'_>) {
        if let Some(name) = rule.name() {
            self.declare(Kind::Rule, name, rule.span());
        }
        let role = if rule.allows() {
            Role::Allow
        } else {
            Role::Deny
        };
        rule.who().for_each(|who| self.who(who, role));
        if let Some(clause) = rule.clause() {
            self.clause(clause);
        }
    }

    fn who(&mut self, who: Who<'_>, role: Role) {
        match who {
            Who::Anyone(_) | Who::Internet(_) | Who::AnyService(_) => {}
            Who::Namespace(name) => self.add(name.span.into(), Means::Namespace, role),
            Who::Target(target) => self.target(target, role, false),
        }
    }

    /// A service, an external or a gateway, or a version of a service.
    fn target(&mut self, word: Text<'_>, role: Role, or_version: bool) {
        if word.text == "self" {
            return;
        }
        let target = Target::of(word);
        if let Some(namespace) = target.namespace {
            self.add(namespace, Means::Namespace, Role::Other);
        }
        let is_bare = target.namespace.is_none() && target.version.is_none();
        let means = Means::Entity {
            qualifier: target.namespace,
            or_version: or_version && is_bare && self.in_room,
            or_value: false,
        };
        self.add(target.name, means, role);
        if let Some(version) = target.version {
            let means = Means::Version {
                qualifier: target.namespace,
                service: target.name,
            };
            self.add(version, means, Role::Other);
        }
    }

    /// A policy, an issuer of tokens or API keys: `[NAMESPACE/]NAME`.
    fn reference(&mut self, word: Text<'_>, set: Set) {
        let (qualifier, name) = match word.text.split_once('/') {
            Some((namespace, name)) => (Some(within(word, namespace)), name),
            None => (None, word.text),
        };
        if let Some(namespace) = qualifier {
            self.add(namespace, Means::Namespace, Role::Other);
        }
        self.add(
            within(word, name),
            Means::Reference { set, qualifier },
            Role::Other,
        );
    }

    // ── Settings ──

    fn setting(&mut self, setting: Setting<'_>, places: &[Place]) {
        let form = places
            .iter()
            .find_map(|it| vocabulary::form_of(setting, *it));
        let word = setting.keyword().text;
        if word == "version"
            && places.contains(&Place::Service)
            && let Some(Value::Word(name)) = setting.values().next()
        {
            self.declare(Kind::Version, name, setting.span());
        }
        if let Some(form) = form {
            let args: Vec<Arg<'_>> = setting.args().collect();
            let reading = vocabulary::read(setting, form);
            for (index, shape) in reading.read {
                let before = index.checked_sub(1).and_then(|index| args.get(index));
                self.argument(word, args[index], shape, before);
            }
        }
        self.block(Statement::Setting(setting), places);
    }

    /// An argument of the statement `word`, which is read as `shape`.
    fn argument(&mut self, word: &str, arg: Arg<'_>, shape: &Shape, before: Option<&Arg<'_>>) {
        let is_behind =
            |text: &str| matches!(before, Some(Arg::Value(Value::Word(it))) if it.text == text);
        match (shape, arg) {
            (Shape::Arrow, Arg::Arrow(target)) => self.target(target, Role::Forward, true),
            (Shape::Clause(..), Arg::Clause(clause)) => self.clause(clause),
            (Shape::Field(_), Arg::Value(Value::Word(field))) => self.field(field, false),
            (Shape::Value(ValueKind::Target), Arg::Value(Value::Word(target))) => match word {
                "calls" => self.target(target, Role::Call, false),
                "mirror" => self.target(target, Role::Mirror, true),
                "failover" => self.target(target, Role::Failover, true),
                _ => self.target(target, Role::Other, true),
            },
            (Shape::Value(ValueKind::Name), Arg::Value(Value::Word(name))) if word == "open" => {
                self.add(name.span.into(), Means::Namespace, Role::Other);
            }
            (Shape::Value(ValueKind::Reference), Arg::Value(Value::Word(name))) => {
                let set = match word {
                    "use" => Set::Policy,
                    "jwt" => Set::Jwt,
                    "key" => Set::Keys,
                    _ if is_behind("jwt") => Set::Jwt,
                    _ if is_behind("key") => Set::Keys,
                    _ => return,
                };
                self.reference(name, set);
            }
            (Shape::Value(kind), Arg::Value(value)) if kind.takes_params() => {
                self.value(value, true);
            }
            // A name there may be that of a param, which holds one.
            (
                Shape::Value(ValueKind::Host | ValueKind::HostName | ValueKind::Scheme),
                Arg::Value(value),
            ) => {
                self.value(value, false);
            }
            _ => {}
        }
    }

    /// `set KIND NAME = VALUE` of an environment.
    fn set(&mut self, set: view::Set<'_>) {
        set.values().for_each(|value| self.value(value, true));
        let (Some(kind), Some(path)) = (set.kind(), set.path()) else {
            return;
        };
        let (namespace, rest) = match path.text.split_once('/') {
            Some((namespace, rest)) => (Some(within(path, namespace)), rest),
            None => (None, path.text),
        };
        if let Some(namespace) = namespace {
            self.add(namespace, Means::Namespace, Role::Other);
        }
        let mut words = rest.split('.');
        let Some(name) = words.next() else { return };
        let at = within(path, name);
        // Environments stand at top level, and say where what they set stands.
        let means = match kind.text {
            "param" => Means::Param {
                qualifier: namespace,
            },
            "service" | "external" | "gateway" => Means::Entity {
                qualifier: namespace,
                or_version: false,
                or_value: false,
            },
            "policy" => Means::Reference {
                set: Set::Policy,
                qualifier: namespace,
            },
            "jwt" => Means::Reference {
                set: Set::Jwt,
                qualifier: namespace,
            },
            "keys" => Means::Reference {
                set: Set::Keys,
                qualifier: namespace,
            },
            _ => return,
        };
        self.add(at, means, Role::Other);
        if kind.text == "service"
            && let Some(version) = words.next()
            && vocabulary::statements_in(Place::Service).all(|it| it.word != version)
        {
            let means = Means::Version {
                qualifier: namespace,
                service: at,
            };
            self.add(within(path, version), means, Role::Other);
        }
    }

    // ── Proofs ──

    fn claim(&mut self, claim: Claim<'_>) {
        match claim {
            Claim::Reaches(reaches) => {
                reaches.who().for_each(|who| self.who(who, Role::Other));
                if let Some(target) = reaches.target() {
                    self.target(target, Role::Other, false);
                }
                if let Some(host) = reaches.host() {
                    self.word(host, false);
                }
                if let Some(clause) = reaches.condition() {
                    self.clause(clause);
                }
            }
            Claim::EveryRoute(every) => {
                if let Some(gateway) = every.gateway() {
                    self.target(gateway, Role::Other, false);
                }
                if let Some(who) = every.to() {
                    self.who(who, Role::Other);
                }
                match every.requirement() {
                    Some(Requirement::Has(test)) => {
                        if let Some(value) = test.value() {
                            self.value(value, true);
                        }
                    }
                    Some(Requirement::Requires(kind, name)) => {
                        let set = if kind.text == "jwt" {
                            Set::Jwt
                        } else {
                            Set::Keys
                        };
                        self.reference(name, set);
                    }
                    None => {}
                }
            }
        }
    }

    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Request(request) => self.request(request),
            Step::Expect(expect) => {
                if let Some(status) = expect.status() {
                    self.word(status, true);
                }
                if let Some(action) = expect.action() {
                    self.action(action, Role::Other);
                }
            }
        }
    }

    fn request(&mut self, request: Request<'_>) {
        let from = request.from();
        if let Some(who) = from {
            self.who(who, Role::Other);
        }
        let Some(url) = request.url() else { return };
        self.value(url, false);
        // A request of a service names the service that it calls as the host.
        let word = match url {
            Value::Word(word) => word,
            Value::Str(string) => Text {
                span: string.span(),
                text: string.raw(),
            },
            _ => return,
        };
        if let (Some(Who::Target(_)), Some((_, rest))) = (from, word.text.split_once("://")) {
            let end = rest.find(['/', ':', '?', '#', '"']).unwrap_or(rest.len());
            let host = &rest[..end];
            let (name, namespace) = match host.split_once('.') {
                None => (host, None),
                Some((name, namespace)) => (name, Some(namespace)),
            };
            if is_name(name) && namespace.is_none_or(is_name_of_namespace) {
                let means = Means::Entity {
                    qualifier: namespace.map(|namespace| within(word, namespace)),
                    or_version: false,
                    or_value: false,
                };
                self.add(within(word, name), means, Role::Other);
                if let Some(namespace) = namespace {
                    self.add(within(word, namespace), Means::Namespace, Role::Other);
                }
            }
        }
    }

    // ── Conditions and values ──

    fn clause(&mut self, clause: Clause<'_>) {
        let Some(condition) = clause.condition() else {
            return;
        };
        if clause.kind() == ClauseKind::Where {
            self.inventory(condition);
        } else {
            self.condition(condition);
        }
    }

    fn condition(&mut self, condition: Condition<'_>) {
        match condition {
            Condition::Or(parts)
            | Condition::And(parts)
            | Condition::Not(parts)
            | Condition::Paren(parts) => {
                parts.iter().for_each(|part| self.condition(part));
            }
            Condition::Test(test) => self.test(test),
        }
    }

    /// The condition on an inventory, whose fields are its own.
    fn inventory(&mut self, condition: Condition<'_>) {
        match condition {
            Condition::Or(parts)
            | Condition::And(parts)
            | Condition::Not(parts)
            | Condition::Paren(parts) => {
                parts.iter().for_each(|part| self.inventory(part));
            }
            Condition::Test(test) => {
                if let Some(value) = test.value() {
                    self.value(value, true);
                }
            }
        }
    }

    fn test(&mut self, test: Test<'_>) {
        let Some(field) = test.field() else { return };
        let has_index = test.index().is_some();
        let found = Field::find(field.text, has_index);
        if found.is_none() && test.comparison().is_none() && is_name(field.text) {
            self.add(
                field.span.into(),
                Means::Value { certain: true },
                Role::Other,
            );
        }
        self.field(field, has_index);
        let Some(value) = test
            .value()
            .filter(|_| test.comparison().is_some_and(Compare::takes_value))
        else {
            return;
        };
        match found.map(|(field, _)| field.head) {
            Some("source") => self.each_word(value, |it, word, or_value| {
                let target = Target::of(word);
                if let Some(namespace) = target.namespace {
                    it.add(namespace, Means::Namespace, Role::Other);
                }
                let means = Means::Entity {
                    qualifier: target.namespace,
                    or_version: false,
                    or_value,
                };
                it.add(target.name, means, Role::Other);
            }),
            Some("source.namespace") => self.each_word(value, |it, word, _| {
                it.add(word.span.into(), Means::Namespace, Role::Other);
            }),
            Some("host" | "scheme") => self.value(value, false),
            _ => self.value(value, true),
        }
    }

    /// The words of a list, or one word, which may be a param or a let instead.
    fn each_word(&mut self, value: Value<'_>, add: impl Fn(&mut Self, Text<'_>, bool)) {
        match value {
            Value::Word(word) => add(self, word, true),
            Value::List(list) => {
                for value in list.values() {
                    if let Value::Word(word) = value {
                        add(self, word, false);
                    }
                }
            }
            _ => {}
        }
    }

    /// The token or key that a field is about.
    fn field(&mut self, field: Text<'_>, has_index: bool) {
        let Some((found, key)) = Field::find(field.text, has_index) else {
            return;
        };
        let set = match found.head {
            "jwt" => Set::Jwt,
            "key" => Set::Keys,
            _ => return,
        };
        let end = key.find('.').unwrap_or(key.len());
        let name = &key[..end];
        let span = within(field, name).span(field.span.file);
        self.reference(Text { span, text: name }, set);
    }

    /// A value, in which names are those of params and lets.
    fn value(&mut self, value: Value<'_>, certain: bool) {
        match value {
            Value::Word(word) => self.word(word, certain),
            Value::List(list) => list.values().for_each(|value| self.value(value, certain)),
            Value::Range(..) | Value::Path(_) | Value::Str(_) => {}
        }
    }

    fn word(&mut self, word: Text<'_>, certain: bool) {
        if is_name(word.text) {
            self.add(word.span.into(), Means::Value { certain }, Role::Other);
        }
    }
}

/// Whether what stands behind the first label of a host may be a namespace.
fn is_name_of_namespace(text: &str) -> bool {
    Name::is_label(text)
}

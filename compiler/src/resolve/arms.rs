//! Tables of arms: a gateway host's, a service's `route`.

use super::Resolver;
use super::problems;
use crate::model::timeouts::Timeouts;
use crate::model::{
    Action, Arm, Redirect, RedirectPath, RedirectTo, ServiceId, Share, Table, Target,
};
use mesh_bundle::route::WHOLE;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::nearest::nearest;
use mesh_lang::source::Span;
use mesh_lang::value::{self, HostPattern, PathPattern, Percent, Port, Segment, Status};
use mesh_lang::view::{self, Block, Setting, Statement, Text, Value};
use mesh_lang::vocabulary::Place;
use std::borrow::Cow;

/// The room that arms are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// A gateway's host.
    Host,
    /// The route of a service.
    Route(ServiceId),
}

impl Room {
    /// The place of an arm's block.
    fn arm_place(self) -> Place {
        match self {
            Self::Host => Place::Arm,
            Self::Route(_) => Place::RouteArm,
        }
    }
}

/// The status of a redirect that names none: found for now, ask here again.
const REDIRECT_STATUS: u16 = 302;
/// The largest body of an answer, in bytes.
const MAX_BODY: usize = 1 << 20;

impl<'t> Resolver<'t> {
    /// The arms of a block. An arm that does not resolve is left out; it has been reported.
    pub(super) fn table(&mut self, block: Option<Block<'t>>, room: Room, namespace: &str) -> Table {
        let mut table = Table::default();
        let mut names: Vec<Text<'t>> = Vec::new();
        let statements = block.into_iter().flat_map(Block::statements);
        for statement in statements {
            let Statement::Arm(arm) = statement else {
                continue; // settings are their block's, the rest was reported
            };
            if let Some(name) = arm.name() {
                match names.iter().find(|known| known.text == name.text) {
                    Some(first) => {
                        let diagnostic =
                            problems::duplicate(name, first.span, "the arms of a table");
                        self.report(diagnostic);
                    }
                    None => names.push(name),
                }
            }
            table.arms.extend(self.arm(arm, room, namespace));
        }
        self.check_shadows(&table);
        table
    }

    fn arm(&mut self, arm: view::Arm<'t>, room: Room, namespace: &str) -> Option<Arm> {
        let head = arm.head_span();
        let text = self.input.sources.text(head);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let paths = arm.paths().map(|value| self.path_pattern(value));
        let paths: Vec<Option<PathPattern>> = paths.collect();
        let condition = arm.condition();
        let condition = condition.map(|condition| self.condition(condition, room, namespace));
        let action = self.action(arm, room, namespace);
        let timeouts = self.arm_block(arm, room);
        Some(Arm {
            name: arm.name().map_or(text, |name| name.text.to_owned()),
            span: head,
            methods: arm.methods().map(|method| method.text.to_owned()).collect(),
            paths: paths.into_iter().collect::<Option<_>>()?,
            condition: match condition {
                Some(condition) => Some(condition?),
                None => None,
            },
            action: self.check_action(action?, arm, head)?,
            timeouts,
        })
    }

    /// A path pattern, written as a path or as a string.
    pub(super) fn path_pattern(&mut self, value: Value<'t>) -> Option<PathPattern> {
        let text = value.path()?;
        match PathPattern::parse(&text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.report(problems::value(value.span(), &error));
                None
            }
        }
    }

    /// What an arm's block sets. The parts of a redirect are read with its action.
    fn arm_block(&mut self, arm: view::Arm<'t>, room: Room) -> Timeouts {
        let mut timeouts = Timeouts::default();
        match arm.action() {
            Some(view::Action::Redirect(redirect)) if redirect.url().is_none() => {}
            Some(view::Action::Redirect(_) | view::Action::Respond(_)) => {
                for setting in Self::settings(arm.block()) {
                    let what = setting.keyword().text;
                    let message =
                        format!("`{what}` says nothing about an arm that answers by itself");
                    self.report(problems::bad_value(setting.head_span(), message));
                }
            }
            Some(view::Action::Forward(_) | view::Action::Split(_)) | None => {
                for setting in Self::settings(arm.block()) {
                    self.policy_setting(setting, room.arm_place(), &mut timeouts);
                }
            }
        }
        timeouts
    }

    fn action(&mut self, arm: view::Arm<'t>, room: Room, namespace: &str) -> Option<Action> {
        match arm.action()? {
            view::Action::Forward(target) => {
                Some(Action::Forward(self.target(target, room, namespace)?))
            }
            view::Action::Split(split) => self.split(split, room, namespace),
            view::Action::Redirect(redirect) => self.redirect(redirect, arm),
            view::Action::Respond(respond) => self.respond(respond),
        }
    }

    /// Where an arm sends requests.
    fn target(&mut self, text: Text<'t>, room: Room, namespace: &str) -> Option<Target> {
        let target = match value::Target::parse(text.text) {
            Ok(target) => target,
            Err(error) => {
                self.report(problems::value(text.span, &error));
                return None;
            }
        };
        let own = match room {
            Room::Host => None,
            Room::Route(service) => Some(service),
        };
        if target.is_self() {
            if own.is_none() {
                self.report(problems::self_outside(text));
            }
            return own.map(Target::Own);
        }
        // In a service's own room a bare name is one of its versions first.
        if let (Some(own), None, None) = (own, &target.namespace, &target.version)
            && let Some(version) = self.names.version(own, target.name.as_str())
        {
            return Some(Target::Version(own, version));
        }
        let own_versions = own.map_or_else(Vec::new, |own| {
            self.names.versions(own).map(str::to_owned).collect()
        });
        let (service, version) = self.find_service(namespace, text, &own_versions)?;
        let Some(version) = version else {
            return Some(if Some(service) == own {
                Target::Own(service)
            } else {
                Target::Service(service)
            });
        };
        let found = self.names.version(service, &version);
        if found.is_none() {
            let near = nearest(&version, self.names.versions(service));
            let name = target.name.as_str();
            let near = near.map(|near| format!("{name}.{near}"));
            let kind = format!("version of `{name}`");
            self.report(problems::unknown(
                text.span,
                &kind,
                &version,
                near.as_deref(),
            ));
        }
        found.map(|version| Target::Version(service, version))
    }

    fn split(&mut self, split: view::Split<'t>, room: Room, namespace: &str) -> Option<Action> {
        let mut shares: Vec<(Span, Share)> = Vec::new();
        let mut rest: Option<(Span, usize)> = None;
        let mut complete = true;
        for part in split.parts() {
            let target = part
                .target()
                .and_then(|target| self.target(target, room, namespace));
            let share = part.share();
            let parts = if part.is_rest() {
                // A second one was reported by the check against the vocabulary.
                rest.is_none().then(|| {
                    rest = Some((part.span(), shares.len()));
                    0
                })
            } else {
                share.and_then(|share| {
                    self.read(Value::Word(share), Percent::parse)
                        .map(Percent::millionths)
                })
            };
            match (target, parts, share) {
                (Some(target), Some(parts), Some(share)) => {
                    shares.push((share.span, Share { parts, target }));
                }
                _ => complete = false,
            }
        }
        if !complete {
            return None;
        }
        let sum: u64 = shares.iter().map(|(_, share)| u64::from(share.parts)).sum();
        let left = u64::from(WHOLE).checked_sub(sum);
        match (rest, left) {
            (Some((_, index)), Some(left)) if left > 0 => shares[index].1.parts = left as u32,
            (None, Some(0)) => {}
            (rest, _) => {
                let rest = rest.map(|(span, _)| span);
                self.report(problems::shares(split.span(), sum, &shares, rest));
                return None;
            }
        }
        Some(Action::Split(
            shares.into_iter().map(|(_, share)| share).collect(),
        ))
    }

    fn redirect(&mut self, redirect: view::Redirect<'t>, arm: view::Arm<'t>) -> Option<Action> {
        let status = match redirect.code() {
            Some(code) => self.read(Value::Word(code), Status::parse)?.number(),
            None => REDIRECT_STATUS,
        };
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            let message = format!("`{status}` redirects nobody; 301, 302, 303, 307 and 308 do");
            self.report(problems::bad_value(redirect.span(), message));
            return None;
        }
        let to = match redirect.url() {
            Some(url) => RedirectTo::Url(self.redirect_url(url)?),
            None => self.redirect_parts(redirect.span(), arm)?,
        };
        Some(Action::Redirect(Redirect { status, to }))
    }

    fn redirect_url(&mut self, value: Value<'t>) -> Option<String> {
        let url = self.read(value, |text| Ok(text.to_owned()))?;
        if url.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
            return Some(url);
        }
        let message = "a URL has no spaces and only ASCII characters; escape others as `%20`";
        self.report(problems::bad_value(value.span(), message));
        None
    }

    fn redirect_parts(&mut self, redirect: Span, arm: view::Arm<'t>) -> Option<RedirectTo> {
        let (mut scheme, mut host, mut port, mut path) = (None, None, None, RedirectPath::Keep);
        let mut paths: Vec<Span> = Vec::new();
        for setting in Self::settings(arm.block()) {
            let value = setting.values().next();
            let Some(value) = value else { continue };
            match setting.keyword().text {
                "scheme" => scheme = self.read_word(value, |text| Ok(text.to_owned())),
                "host" => host = self.redirect_host(value),
                "port" => port = self.read(value, Port::parse).map(Port::number),
                "path" => {
                    paths.push(setting.head_span());
                    path = self.fixed_path(value).map_or(path, RedirectPath::Whole);
                }
                "prefix" => {
                    paths.push(setting.head_span());
                    path = self.fixed_path(value).map_or(path, RedirectPath::Prefix);
                }
                _ => self.other_setting(setting, Place::Redirect),
            }
        }
        if let [first, second, ..] = paths[..] {
            self.report(
                problems::bad_value(
                    second,
                    "`path` and `prefix` both say what becomes of the path",
                )
                .secondary(first, "said here"),
            );
            return None;
        }
        if scheme.is_none() && host.is_none() && port.is_none() && path == RedirectPath::Keep {
            self.report(
                Diagnostic::new(Code::MissingBlock, "this redirect does not say where to")
                    .primary(redirect, "")
                    .help("give it a URL, or the parts that change: `redirect { scheme https }`"),
            );
            return None;
        }
        Some(RedirectTo::Parts {
            scheme,
            host,
            port,
            path,
        })
    }

    fn redirect_host(&mut self, value: Value<'t>) -> Option<String> {
        match self.read_word(value, HostPattern::parse)? {
            HostPattern::Exact(host) => Some(host),
            HostPattern::Suffix(_) | HostPattern::Any => {
                self.report(problems::bad_value(
                    value.span(),
                    "a redirect leads to one host",
                ));
                None
            }
        }
    }

    /// A path without captures.
    fn fixed_path(&mut self, value: Value<'t>) -> Option<String> {
        let due = self.due(value)?;
        let pattern = self.read_due(due, PathPattern::parse)?;
        if !pattern.is_exact() {
            self.without_effect(value.span(), "a capture in a redirect");
            return None;
        }
        due.text().map(Cow::into_owned)
    }

    fn respond(&mut self, respond: view::Respond<'t>) -> Option<Action> {
        let code = respond.status()?;
        let status = self.read(Value::Word(code), Status::parse)?.number();
        if status < 200 {
            let message = format!("`{status}` is no answer: another one has to follow it");
            self.report(problems::bad_value(code.span, message));
            return None;
        }
        let Some(value) = respond.body() else {
            return Some(Action::Respond { status, body: None });
        };
        let text = self.read(value, |text| Ok(text.to_owned()))?;
        let body = if respond.is_file() {
            self.file(value.span(), &text)?
        } else {
            text.into_bytes()
        };
        if body.len() > MAX_BODY {
            let message = format!(
                "the body has {} bytes; at most {MAX_BODY} go into a bundle",
                body.len()
            );
            self.report(problems::bad_value(value.span(), message));
            return None;
        }
        if matches!(status, 204 | 205 | 304) {
            let message = format!("an answer of `{status}` has no body");
            self.report(problems::bad_value(value.span(), message));
            return None;
        }
        let body = Some(body);
        Some(Action::Respond { status, body })
    }

    /// The content of a file beside the policy.
    fn file(&mut self, span: Span, name: &str) -> Option<Vec<u8>> {
        match std::fs::read(self.input.root.join(name)) {
            Ok(content) => Some(content),
            Err(error) => {
                let message = format!("`{name}` cannot be read: {error}");
                let help = "the path is relative to the mesh's directory";
                self.report(
                    Diagnostic::new(Code::UnreadableFile, message)
                        .primary(span, "")
                        .help(help),
                );
                None
            }
        }
    }

    /// Whether what an arm does goes together with what it takes.
    fn check_action(&mut self, action: Action, arm: view::Arm<'t>, head: Span) -> Option<Action> {
        let replaces_prefix = matches!(
            &action,
            Action::Redirect(Redirect {
                to: RedirectTo::Parts {
                    path: RedirectPath::Prefix(_),
                    ..
                },
                ..
            })
        );
        let ends_in_rest = |value: Value<'t>| {
            let pattern = PathPattern::parse(&value.path()?).ok()?;
            let last = pattern.segments().last()?.clone();
            matches!(last, Segment::Rest { .. }).then_some(())
        };
        if replaces_prefix
            && (arm.paths().next().is_none()
                || arm.paths().any(|path| ends_in_rest(path).is_none()))
        {
            let message = "`prefix` replaces what stands before `/**`; this arm does not end in it";
            let span: Span = Self::settings(arm.block())
                .find(|setting: &Setting<'t>| setting.keyword().text == "prefix")
                .map_or(head, Setting::head_span);
            self.report(problems::bad_value(span, message).secondary(head, ""));
            return None;
        }
        Some(action)
    }

    /// Arms behind one that takes every request.
    fn check_shadows(&mut self, table: &Table) {
        let takes_all = |arm: &Arm| {
            let any_path = arm.paths.is_empty()
                || arm
                    .paths
                    .iter()
                    .any(|path| matches!(path.segments(), [Segment::Rest { .. }]));
            arm.methods.is_empty() && any_path && arm.condition.is_none()
        };
        let Some(last) = table.arms.iter().position(takes_all) else {
            return;
        };
        for arm in &table.arms[last + 1..] {
            let diagnostic = problems::shadowed(arm.span, table.arms[last].span);
            self.report(diagnostic);
        }
    }
}

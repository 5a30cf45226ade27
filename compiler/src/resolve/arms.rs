//! Tables of arms: a gateway host's, a service's `route`, a fragment's.

use super::problems;
use super::{Resolver, Room};
use crate::files;
use crate::model::policy::{PathRewrite, Policy};
use crate::model::said::Origin;
use crate::model::{Action, Arm, Body, Redirect, RedirectPath, RedirectTo, Share, Table, Target};
use mesh_bundle::format::MAX_TEMPLATE_PARTS;
use mesh_bundle::route::WHOLE;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::nearest::nearest;
use mesh_lang::source::Span;
use mesh_lang::value::{self, PathPattern, Percent, Port, Segment, Status, Url};
use mesh_lang::view::{self, Block, Statement, Text, Value};
use std::borrow::Cow;

/// The status of a redirect that names none: found for now, ask here again.
const REDIRECT_STATUS: u16 = 302;
/// Segments of a path that is put together: each makes two parts at most.
const MAX_TEMPLATE: usize = MAX_TEMPLATE_PARTS / 2;
/// The largest body of an answer, in bytes.
const MAX_BODY: usize = 1 << 20;

impl<'t> Resolver<'t> {
    /// The arms of a block. An arm that does not resolve is left out; it has been reported.
    pub(super) fn table(&mut self, block: Option<Block<'t>>) -> Table {
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
            table.arms.extend(self.arm(arm));
        }
        table
    }

    fn arm(&mut self, arm: view::Arm<'t>) -> Option<Arm> {
        let head = arm.head_span();
        let text = self.input.sources.text(head);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let paths = arm.paths().map(|value| self.path_pattern(value));
        let paths: Vec<Option<PathPattern>> = paths.collect();
        let condition = arm.condition();
        let condition = condition.map(|condition| self.condition(condition));
        let action = self.action(arm);
        let policy = self.arm_policy(arm);
        let arm = Arm {
            name: arm.name().map_or(text, |name| name.text.to_owned()),
            span: head,
            methods: arm.methods().map(|method| method.text.to_owned()).collect(),
            paths: paths.into_iter().collect::<Option<_>>()?,
            condition: match condition {
                Some(condition) => Some(condition?),
                None => None,
            },
            action: action?,
            policy,
            fragment: None,
        };
        self.check_arm(&arm)?;
        Some(arm)
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
    fn arm_policy(&mut self, arm: view::Arm<'t>) -> Policy {
        let policy = self.policy(arm.block());
        if matches!(
            arm.action(),
            Some(view::Action::Redirect(_) | view::Action::Respond(_))
        ) {
            for (what, origin) in policy.of_forwarding() {
                let span = match origin {
                    Origin::Written(span) | Origin::Used { used: span, .. } => span,
                    Origin::Edition => arm.head_span(),
                };
                let message = format!("`{what}` says nothing about an arm that answers by itself");
                self.refuse(span, message);
            }
        }
        if matches!(self.scope.room, Room::Route(_)) {
            // Written out it was reported as misplaced; a policy may bring it in.
            let required = policy.requires.iter().map(|said| ("require", said.origin));
            let limited = policy.rate_limits.each.iter();
            let limited = limited.map(|said| ("rate-limit", said.origin));
            for (what, origin) in required.chain(limited) {
                if let Origin::Used { written, used } = origin {
                    self.report(problems::not_in_a_route(what, written, used));
                }
            }
        }
        policy
    }

    fn action(&mut self, arm: view::Arm<'t>) -> Option<Action> {
        match arm.action()? {
            view::Action::Forward(target) => Some(Action::Forward(self.target(target)?)),
            view::Action::Split(split) => self.split(split),
            view::Action::Redirect(redirect) => self.redirect(redirect, arm),
            view::Action::Respond(respond) => self.respond(respond),
        }
    }

    /// Where requests are sent.
    pub(super) fn target(&mut self, text: Text<'t>) -> Option<Target> {
        let target = match value::Target::parse(text.text) {
            Ok(target) => target,
            Err(error) => {
                self.report(problems::value(text.span, &error));
                return None;
            }
        };
        let own = match self.scope.room {
            Room::Route(service) | Room::Service(service) => Some(service),
            _ => None,
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
        let (service, version) = self.find_service(text, &own_versions)?;
        let Some(version) = version else {
            return Some(if Some(service) == own {
                Target::Own(service)
            } else {
                Target::Service(service)
            });
        };
        let found = self.names.version(service, version.as_str());
        if found.is_none() {
            let near = nearest(version.as_str(), self.names.versions(service));
            let name = target.name.as_str();
            let near = near.map(|near| format!("{name}.{near}"));
            let kind = format!("version of `{name}`");
            self.report(problems::unknown(
                text.span,
                &kind,
                version.as_str(),
                near.as_deref(),
            ));
        }
        found.map(|version| Target::Version(service, version))
    }

    pub(super) fn split(&mut self, split: view::Split<'t>) -> Option<Action> {
        let mut shares: Vec<(Span, Share)> = Vec::new();
        let mut rest: Option<(Span, usize)> = None;
        // A share that is a parameter may one day be all, as at the end of a canary.
        let mut varies = false;
        let mut complete = true;
        for part in split.parts() {
            let target = part.target().and_then(|target| self.target(target));
            let share = part.share();
            let parts = if part.is_rest() {
                // A second one was reported by the check against the vocabulary.
                rest.is_none().then(|| {
                    rest = Some((part.span(), shares.len()));
                    0
                })
            } else {
                share.and_then(|share| {
                    varies |= value::Name::is_label(share.text);
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
            (Some((_, index)), Some(left)) if left > 0 || varies => {
                shares[index].1.parts = left as u32;
            }
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
            let Some(value) = self.args(setting).value() else {
                continue;
            };
            match setting.keyword().text {
                "scheme" => scheme = self.read_word(value, |text| Ok(text.to_owned())),
                "host" => host = self.one_host(value),
                "port" => port = self.read(value, Port::parse).map(Port::number),
                "path" => {
                    paths.push(setting.head_span());
                    let pattern = self.read(value, PathPattern::parse);
                    path = pattern.map_or(path, RedirectPath::Whole);
                }
                "prefix" => {
                    paths.push(setting.head_span());
                    path = self.fixed_path(value).map_or(path, RedirectPath::Prefix);
                }
                _ => {}
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

    /// A path without captures.
    pub(super) fn fixed_path(&mut self, value: Value<'t>) -> Option<String> {
        let due = self.due(value)?;
        let pattern = self.read_due(due, PathPattern::parse)?;
        if !pattern.is_exact() {
            let message = "this takes the place of a prefix, which captures nothing";
            self.refuse(value.span(), message);
            return None;
        }
        due.text().map(Cow::into_owned)
    }

    /// A URL of HTTP.
    pub(super) fn url(&mut self, value: Value<'t>) -> Option<String> {
        self.read(value, |text| Url::parse(text).map(|_| text.to_owned()))
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
            Body {
                bytes: self.file(value.span(), &text)?,
                file: Some(text),
            }
        } else {
            Body {
                bytes: text.into_bytes(),
                file: None,
            }
        };
        if body.bytes.len() > MAX_BODY {
            let message = format!(
                "the body has {} bytes; at most {MAX_BODY} go into a bundle",
                body.bytes.len()
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
        match files::read(&self.input.root.join(name), MAX_BODY as u64) {
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
    fn check_arm(&mut self, arm: &Arm) -> Option<()> {
        let redirect = match &arm.action {
            Action::Redirect(Redirect {
                to: RedirectTo::Parts { path, .. },
                ..
            }) => match path {
                RedirectPath::Whole(template) => Some((Ok(template), arm.span)),
                RedirectPath::Prefix(_) => Some((Err("prefix"), arm.span)),
                RedirectPath::Keep => None,
            },
            _ => None,
        };
        let rewrite = arm.policy.rewrite.path.as_ref().map(|said| {
            let span = match said.origin {
                Origin::Written(span) | Origin::Used { used: span, .. } => span,
                Origin::Edition => arm.span,
            };
            match &said.value {
                PathRewrite::Template(template) => (Ok(template), span),
                PathRewrite::Prefix(_) => (Err("rewrite prefix"), span),
            }
        });
        for (what, span) in redirect.into_iter().chain(rewrite) {
            match what {
                Err(word) => self.check_prefix(arm, word, span)?,
                Ok(template) => self.check_captures(arm, template, span)?,
            }
        }
        Some(())
    }

    /// A prefix is what stands before `/**`.
    fn check_prefix(&mut self, arm: &Arm, word: &str, span: Span) -> Option<()> {
        let ends_in_rest =
            |pattern: &PathPattern| matches!(pattern.segments().last(), Some(Segment::Rest { .. }));
        if !arm.paths.is_empty() && arm.paths.iter().all(ends_in_rest) {
            return Some(());
        }
        let message =
            format!("`{word}` replaces what stands before `/**`; this arm does not end in it");
        let diagnostic = problems::bad_value(span, message);
        self.report(if span == arm.span {
            diagnostic
        } else {
            diagnostic.secondary(arm.span, "")
        });
        None
    }

    /// Each path of the arm captures what a template fills in.
    fn check_captures(&mut self, arm: &Arm, template: &PathPattern, span: Span) -> Option<()> {
        if template.segments().len() > MAX_TEMPLATE {
            let message = format!("at most {MAX_TEMPLATE} segments are put together");
            self.refuse(span, message);
            return None;
        }
        let is_rest = |name: &str| {
            let segments = arm.paths.iter().flat_map(PathPattern::segments);
            let mut rests = segments.filter(|segment| matches!(segment, Segment::Rest { .. }));
            rests.any(|rest| rest.name() == Some(name))
        };
        for segment in template.segments() {
            if let Segment::Partial { name, .. } = segment
                && is_rest(name)
            {
                let message = format!(
                    "`{{{name}}}` is any number of segments, and here a part of one is due"
                );
                self.refuse(span, message);
                return None;
            }
        }
        for name in template.names() {
            let captures = |pattern: &PathPattern| pattern.names().any(|known| known == name);
            if !arm.paths.is_empty() && arm.paths.iter().all(captures) {
                continue;
            }
            let known = arm.paths.iter().flat_map(PathPattern::names);
            let near = nearest(name, known).map(|near| format!("{{{near}}}"));
            let written = format!("{{{name}}}");
            let message = match &near {
                _ if arm.paths.len() > 1 => {
                    format!("not each path of this arm captures `{written}`")
                }
                _ => format!("no path of this arm captures `{written}`"),
            };
            let mut diagnostic = Diagnostic::new(Code::UnresolvedRef, message).primary(span, "");
            if span != arm.span {
                diagnostic = diagnostic.secondary(arm.span, "captured here or nowhere");
            }
            self.report(match near {
                Some(near) => diagnostic.help(format!("perhaps `{near}` is meant")),
                None => diagnostic,
            });
            return None;
        }
        Some(())
    }
}

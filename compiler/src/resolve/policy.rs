//! What a block says about traffic: a level of the mesh.
//!
//! Each statement has one function. A `use` brings in the statements of a policy below those of the
//! block, read as if they stood there: their targets and names are looked up where the policy stands,
//! their conditions hold for the requests of the block.

use super::problems;
use super::{Resolver, Scope};
use crate::model::credential::Credential;
use crate::model::policy::{
    Budget, BudgetFloor, Cors, Fault, FaultKind, HeaderOperation, Mirror, OnFailure, PathRewrite,
    Policy, RateLimit, Require, Retry, RetryOn,
};
use crate::model::said::{Many, Said, Switch};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::{Date, DurationRange, HeaderName, Method, PathPattern, Status};
use mesh_lang::view::{Block, Setting, Value};

/// Policies within policies; deeper is a circle, or might as well be.
const MAX_USES: usize = 16;

impl<'t> Resolver<'t> {
    /// What a block says about traffic, its policies below. Statements that are not about traffic are
    /// left to whoever reads the block.
    pub(super) fn policy(&mut self, block: Option<Block<'t>>) -> Policy {
        let mut uses = Vec::new();
        self.policy_of(block, &mut uses)
    }

    fn policy_of(&mut self, block: Option<Block<'t>>, uses: &mut Vec<Span>) -> Policy {
        let mut policy = Policy::default();
        let mut used: Vec<(Policy, Span)> = Vec::new();
        for setting in Self::settings(block) {
            match setting.keyword().text {
                "use" => {
                    for name in self.args(setting).values() {
                        used.extend(self.used(name, uses).map(|it| (it, name.span())));
                    }
                }
                _ => self.policy_setting(setting, &mut policy),
            }
        }
        let mut below: Option<Policy> = None;
        for (next, span) in used {
            below = Some(match below {
                None => next,
                Some(first) => {
                    self.check_agreement(&policy, &first, &next, span);
                    first.over(next)
                }
            });
        }
        match below {
            Some(below) => policy.over(below),
            None => policy,
        }
    }

    /// What the policy of a name says, as the block that uses it sees it.
    fn used(&mut self, name: Value<'t>, uses: &mut Vec<Span>) -> Option<Policy> {
        let Value::Word(name) = name else { return None };
        let ((namespace, item), declared) =
            self.find_in("policy", name, |names| &names.policies)?;
        if uses.contains(&declared) || uses.len() == MAX_USES {
            let message = format!("policy `{}` uses itself, by way of others", name.text);
            self.report(
                Diagnostic::new(Code::CyclicValue, message)
                    .primary(name.span, "")
                    .secondary(declared, "declared here"),
            );
            return None;
        }
        uses.push(declared);
        let scope = Scope {
            namespace,
            ..self.scope
        };
        let policy = self.in_scope(scope, |it| it.policy_of(item.block(), uses));
        uses.pop();
        Some(policy.used(name.span))
    }

    /// Two policies of one block say different things about one thing, and the block does not say.
    fn check_agreement(&mut self, block: &Policy, first: &Policy, second: &Policy, used: Span) {
        let disagreements = first.disagreements(second).into_iter();
        for (what, a, b) in disagreements.filter(|(what, ..)| !block.says(what)) {
            let message = format!("two policies used here disagree about `{what}`");
            let mut diagnostic = Diagnostic::new(Code::PolicyConflict, message).primary(used, "");
            for span in [a.span(), b.span()].into_iter().flatten() {
                diagnostic = diagnostic.secondary(span, "");
            }
            let help = format!("say `{what}` in the block itself, or use one of them");
            self.report(diagnostic.help(help));
        }
    }

    fn policy_setting(&mut self, setting: Setting<'t>, into: &mut Policy) {
        match setting.keyword().text {
            "timeout" => self.timeout(setting, into),
            "retry" => into.retry = self.retry(setting),
            "hedge" => into.hedge = self.hedge(setting),
            "sticky" => {
                into.sticky = self.one_or_off(setting, Self::field_argument);
            }
            "cors" if self.says(setting, "off") => {
                into.cors = Some(self.said(setting, Switch::Off));
            }
            "cors" => {
                let cors = Switch::On(self.cors(setting));
                into.cors = Some(self.said(setting, cors));
            }
            "max-body" => into.max_body = self.one_or_off(setting, Self::bytes),
            "buffer" => into.buffer = self.one_or_off(setting, Self::bytes),
            "compress" => {
                let switch = if self.says(setting, "off") {
                    Switch::Off
                } else {
                    Switch::On(())
                };
                into.compress = Some(self.said(setting, switch));
            }
            "rewrite" => self.rewrite(setting, into),
            "rate-limit" => {
                let limit = self.rate_limit(setting);
                self.add(setting, &mut into.rate_limits, limit);
            }
            "mirror" => {
                let mirror = self.mirror(setting);
                self.add(setting, &mut into.mirrors, mirror);
            }
            "fault" => {
                let fault = self.fault(setting);
                self.add(setting, &mut into.faults, fault);
            }
            "request-header" => self.headers(setting, &mut into.request_headers),
            "response-header" => self.headers(setting, &mut into.response_headers),
            "require" => {
                if let Some(require) = self.require(setting) {
                    into.requires.push(self.said(setting, require));
                }
            }
            "accept" => {
                let mut args = self.args(setting);
                if let Some(credential) = self.credential(&mut args) {
                    into.accepts.push(self.said(setting, credential));
                }
            }
            _ => {}
        }
    }

    /// Adds one of several, or takes back those of the levels outside.
    fn add<T>(&mut self, setting: Setting<'t>, into: &mut Many<T>, one: Option<T>) {
        if self.says(setting, "off") {
            into.off = Some(self.said(setting, ()).origin);
        } else if let Some(one) = one {
            into.each.push(self.said(setting, one));
        }
    }

    fn timeout(&mut self, setting: Setting<'t>, into: &mut Policy) {
        let timeouts = &mut into.timeouts;
        if self.args(setting).0.is_empty() {
            // Only the block says something.
        } else {
            timeouts.request = self.one_or_off(setting, Self::milliseconds);
        }
        for inner in Self::settings(setting.block()) {
            match inner.keyword().text {
                "connect" => timeouts.connect = self.one_or_off(inner, Self::milliseconds),
                "idle" => timeouts.idle = self.one_or_off(inner, Self::milliseconds),
                _ => {}
            }
        }
    }

    fn retry(&mut self, setting: Setting<'t>) -> Option<Said<Switch<Retry>>> {
        let mut args = self.args(setting);
        if args.word("off") {
            return Some(self.said(setting, Switch::Off));
        }
        let attempts = args.value()?;
        let attempts = self.count(attempts);
        args.word("on");
        let mut on = Vec::new();
        while let Some(value) = args.value() {
            if let Some(condition) = self.retry_condition(value, &mut args) {
                if on.contains(&condition) {
                    let message = format!("`{condition}` is listed twice");
                    self.refuse(value.span(), message);
                } else {
                    on.push(condition);
                }
            }
            args.comma();
        }
        let mut retry = Retry {
            attempts: attempts?,
            on,
            per_try: None,
            backoff: Said::edition(Retry::BACKOFF),
            budget: Said::edition(Retry::BUDGET),
            any_method: None,
        };
        for inner in Self::settings(setting.block()) {
            match inner.keyword().text {
                "per-try" => retry.per_try = self.one(inner, Self::milliseconds),
                "backoff" => {
                    let backoff = self.one(inner, Self::milliseconds_range);
                    retry.backoff = backoff.unwrap_or(retry.backoff);
                }
                "budget" => {
                    let budget = self.budget(inner);
                    retry.budget = budget.unwrap_or(retry.budget);
                }
                "methods" => retry.any_method = Some(self.said(inner, ())),
                _ => {}
            }
        }
        Some(self.said(setting, Switch::On(retry)))
    }

    fn retry_condition(
        &mut self,
        value: Value<'t>,
        args: &mut super::statement::Args<'t>,
    ) -> Option<RetryOn> {
        let Value::Word(word) = value else {
            return None;
        };
        let find = |words: &[(&str, RetryOn)], text: &str| {
            words
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, on)| *on)
        };
        if word.text == "grpc" {
            return find(RetryOn::GRPC_WORDS, args.any_word()?.text);
        }
        if let Some(known) = find(RetryOn::WORDS, word.text) {
            return Some(known);
        }
        let status = self.read(value, Status::parse)?.number();
        if (400..500).contains(&status) && !matches!(status, 408 | 409 | 425 | 429) {
            let message = format!(
                "`{status}` says that the request is at fault; the same request again fares no better"
            );
            self.report(
                Diagnostic::new(Code::RetryOnClientError, message)
                    .primary(word.span, "")
                    .help("leave it out; of the 4xx, 408, 409, 425 and 429 may be tried again"),
            );
            return None;
        }
        Some(RetryOn::Status(status))
    }

    fn milliseconds_range(&mut self, value: Value<'t>) -> Option<(u32, u32)> {
        let due = self.due(value)?;
        let Value::Range(low, high) = due.value else {
            self.refuse(due.span, "a range is due here, such as `25ms..250ms`");
            return None;
        };
        match DurationRange::parse(low.text, high.text) {
            Ok(range) => Some((
                self.whole_milliseconds(low.span, range.from)?,
                self.whole_milliseconds(high.span, range.to)?,
            )),
            Err(error) => {
                self.report(problems::value(due.span, &error));
                None
            }
        }
    }

    fn budget(&mut self, setting: Setting<'t>) -> Option<Said<Budget>> {
        let mut args = self.args(setting);
        let share = args.value()?;
        let share = self.millionths(share)?;
        let mut budget = Budget {
            share,
            ..Retry::BUDGET
        };
        if args.word("min") {
            let rate = args.value()?;
            budget.least = BudgetFloor::Rate(self.rate(rate)?);
        }
        if args.word("over") {
            let window = args.value()?;
            budget.over = Some(self.milliseconds(window)?);
        }
        Some(self.said(setting, budget))
    }

    fn hedge(&mut self, setting: Setting<'t>) -> Option<Said<Switch<u32>>> {
        let mut args = self.args(setting);
        if args.word("off") {
            return Some(self.said(setting, Switch::Off));
        }
        args.word("after");
        let after = args.value()?;
        let after = self.milliseconds(after)?;
        Some(self.said(setting, Switch::On(after)))
    }

    fn cors(&mut self, setting: Setting<'t>) -> Cors {
        let mut cors = Cors {
            origins: Vec::new(),
            methods: Said::edition(
                Cors::METHODS
                    .iter()
                    .map(|method| (*method).to_owned())
                    .collect(),
            ),
            headers: Vec::new(),
            expose: Vec::new(),
            credentials: false,
            max_age: None,
        };
        let header = |it: &mut Self, value: Value<'t>| {
            let name = it.plain_word(value)?;
            HeaderName::parse(&name).ok().map(|name| name.to_string())
        };
        let mut any_origin = None;
        for inner in Self::settings(setting.block()) {
            let values = self.args(inner).values();
            match inner.keyword().text {
                "origins" => {
                    for value in values {
                        for due in self.list(value) {
                            let origin = self.read_due(due, |text| Ok(text.to_owned()));
                            if origin.as_deref() == Some("*") {
                                any_origin = Some(due.span);
                            }
                            cors.origins.extend(origin);
                        }
                    }
                }
                "methods" => {
                    let methods = values
                        .into_iter()
                        .filter_map(|value| self.plain_word(value));
                    let methods = methods
                        .filter(|method| Method::parse(method).is_ok())
                        .collect();
                    cors.methods = self.said(inner, methods);
                }
                "headers" => {
                    cors.headers = values
                        .into_iter()
                        .filter_map(|it| header(self, it))
                        .collect();
                }
                "expose" => {
                    cors.expose = values
                        .into_iter()
                        .filter_map(|it| header(self, it))
                        .collect();
                }
                "credentials" => cors.credentials = true,
                "max-age" => cors.max_age = self.one(inner, Self::seconds),
                _ => {}
            }
        }
        if let Some(span) = any_origin
            && cors.origins.len() > 1
        {
            self.refuse(span, "`*` is every origin; the others add nothing");
        }
        cors
    }

    /// A time in whole seconds, none at all included.
    fn seconds(&mut self, value: Value<'t>) -> Option<u32> {
        self.read(value, |text| {
            let duration = mesh_lang::value::Duration::parse(text)?;
            let seconds = duration.to_std().as_secs();
            u32::try_from(seconds).map_err(|_| {
                mesh_lang::value::ValueError::new(format!("`{text}` is longer than a century"))
            })
        })
    }

    fn rewrite(&mut self, setting: Setting<'t>, into: &mut Policy) {
        let mut args = self.args(setting);
        if args.word("off") {
            into.rewrite.off = Some(self.said(setting, ()));
        } else if args.word("host") {
            if let Some(host) = args.value().and_then(|value| self.one_host(value)) {
                into.rewrite.host = Some(self.said(setting, host));
            }
        } else {
            let is_prefix = args.word("prefix");
            args.word("path");
            let rewrite = args.value().and_then(|value| {
                if is_prefix {
                    self.fixed_path(value).map(PathRewrite::Prefix)
                } else {
                    let pattern = self.read(value, PathPattern::parse)?;
                    Some(PathRewrite::Template(pattern))
                }
            });
            if let Some(rewrite) = rewrite {
                match &into.rewrite.path {
                    Some(first) => {
                        let message =
                            "`rewrite path` and `rewrite prefix` both say what becomes of the path";
                        let diagnostic = problems::bad_value(setting.head_span(), message);
                        let first = first.span().unwrap_or(setting.head_span());
                        self.report(diagnostic.secondary(first, "said here"));
                    }
                    None => into.rewrite.path = Some(self.said(setting, rewrite)),
                }
            }
        }
    }

    pub(super) fn rate_limit(&mut self, setting: Setting<'t>) -> Option<RateLimit> {
        let mut args = self.args(setting);
        if args.word("off") {
            return None;
        }
        let shared = args.word("shared");
        let rate = args.value()?;
        let rate = self.rate(rate);
        let mut burst = None;
        let mut per = Vec::new();
        let mut on_failure = None;
        for inner in Self::settings(setting.block()) {
            match inner.keyword().text {
                "burst" => burst = self.one(inner, Self::count),
                "per" => {
                    for value in self.args(inner).values() {
                        per.extend(self.field_argument(value));
                    }
                }
                "on-failure" => on_failure = Some(self.on_failure(inner)),
                _ => {}
            }
        }
        Some(RateLimit {
            rate: rate?,
            burst,
            per,
            shared: shared.then(|| on_failure.unwrap_or(OnFailure::Closed)),
        })
    }

    /// `on-failure open | closed`.
    pub(super) fn on_failure(&self, setting: Setting<'t>) -> OnFailure {
        if self.says(setting, "open") {
            OnFailure::Open
        } else {
            OnFailure::Closed
        }
    }

    fn mirror(&mut self, setting: Setting<'t>) -> Option<Mirror> {
        let mut args = self.args(setting);
        if args.word("off") {
            return None;
        }
        let share = args.value()?;
        let share = self.millionths(share);
        let target = args.any_word()?;
        let target = self.target(target);
        let any_method = Self::setting(setting.block(), "methods").map(|it| self.said(it, ()));
        Some(Mirror {
            share: share?,
            target: target?,
            any_method,
        })
    }

    fn fault(&mut self, setting: Setting<'t>) -> Option<Fault> {
        let mut args = self.args(setting);
        if args.word("off") {
            return None;
        }
        let share = args.value()?;
        let share = self.millionths(share);
        let kind = if args.word("delay") {
            let delay = args.value()?;
            self.milliseconds(delay).map(FaultKind::Delay)
        } else {
            args.word("abort");
            let status = args.value()?;
            let status = self.read(status, Status::parse)?.number();
            if status < 200 {
                let message = format!("`{status}` is no answer: another one has to follow it");
                self.refuse(setting.head_span(), message);
                return None;
            }
            Some(FaultKind::Abort(status))
        };
        let until = if args.word("until") {
            let date = args.value()?;
            Some(self.read(date, Date::parse)?)
        } else {
            None
        };
        Some(Fault {
            share: share?,
            kind: kind?,
            until,
        })
    }

    fn headers(&mut self, setting: Setting<'t>, into: &mut Many<HeaderOperation>) {
        let mut args = self.args(setting);
        if args.word("off") {
            into.off = Some(self.said(setting, ()).origin);
            return;
        }
        if args.word("remove") {
            for value in args.values() {
                if let Some(name) = self.header_name(value) {
                    into.each
                        .push(self.said(setting, HeaderOperation::Remove(name)));
                }
            }
            return;
        }
        let sets = args.word("set");
        args.word("add");
        let (Some(name), Some(text)) = (args.value(), args.value()) else {
            return;
        };
        let (name, text) = (self.header_name(name), self.text(text));
        if let (Some(name), Some(text)) = (name, text) {
            into.each.push(self.said(
                setting,
                if sets {
                    HeaderOperation::Set(name, text)
                } else {
                    HeaderOperation::Add(name, text)
                },
            ));
        }
    }

    /// The name of a header that may be changed, in lower case.
    fn header_name(&mut self, value: Value<'t>) -> Option<String> {
        let name = self.plain_word(value)?;
        let name = HeaderName::parse(&name).ok()?.to_string();
        // RFC 9110 §7.6.1, and what frames a message: the proxy's own business.
        let help = match name.as_str() {
            "host" => "`rewrite host` changes the host",
            "content-length" | "transfer-encoding" | "connection" | "te" | "trailer"
            | "upgrade" | "keep-alive" | "proxy-connection" => {
                "it says how a message is framed or a connection is used, hop by hop"
            }
            _ => return Some(name),
        };
        let message = format!("`{name}` is not changed by hand");
        self.report(problems::bad_value(value.span(), message).help(help));
        None
    }

    fn require(&mut self, setting: Setting<'t>) -> Option<Require> {
        let mut args = self.args(setting);
        let credential = self.credential(&mut args);
        let condition = match args.clause() {
            Some(clause) => Some(self.clause(clause)?),
            None => None,
        };
        Some(Require {
            credential: credential?,
            condition,
        })
    }

    /// `jwt corp`, `key partners`.
    pub(super) fn credential(
        &mut self,
        args: &mut super::statement::Args<'t>,
    ) -> Option<Credential> {
        let kind = args.any_word()?;
        let name = args.any_word()?;
        self.find_credential(kind.text, name)
    }

    /// The token or key of this name.
    pub(super) fn find_credential(
        &mut self,
        kind: &str,
        name: mesh_lang::view::Text<'t>,
    ) -> Option<Credential> {
        if kind == "jwt" {
            let (jwt, _) = self.find_in("jwt", name, |names| &names.jwts)?;
            Some(Credential::Jwt(jwt))
        } else {
            let (keys, _) = self.find_in("keys", name, |names| &names.keys)?;
            Some(Credential::Key(keys))
        }
    }
}

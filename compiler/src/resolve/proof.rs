//! `assert` and `test` items.

use super::Resolver;
use super::names::Entity;
use super::problems;
use crate::model::proof::{
    Assertion, Claim, ClaimKind, ClaimValue, EveryRoute, Expect, Property, Quantity, Reaches,
    RouteTarget, Sender, Step, TestCase, TestRequest, TokenClaim,
};
use crate::model::{Body, ServiceId, Target};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::{self, Host, HostPattern, Scheme, Status, Url};
use mesh_lang::view::{self, Block, BlockItem, Setting, Statement, Text, Value, Verb};
use std::net::IpAddr;

/// A day in milliseconds: rates are compared by what they let through in that time, a whole number for
/// every unit.
const DAY: u64 = 24 * 60 * 60 * 1000;

impl<'t> Resolver<'t> {
    pub(super) fn assertion(&mut self, item: BlockItem<'t>) -> Assertion {
        let mut claims = Vec::new();
        for statement in item.block().into_iter().flat_map(Block::statements) {
            if let Statement::Claim(claim) = statement {
                let kind = match claim {
                    view::Claim::Reaches(reaches) => self.reaches(reaches).map(ClaimKind::Reaches),
                    view::Claim::EveryRoute(every) => {
                        self.every_route(every).map(ClaimKind::EveryRoute)
                    }
                };
                let span = claim.span();
                claims.extend(kind.map(|kind| Claim { span, kind }));
            }
        }
        Assertion {
            namespace: self.scope.namespace.to_owned(),
            title: item
                .title()
                .map_or_else(String::new, |title| title.unescaped().into_owned()),
            span: item
                .title()
                .map_or(item.head_span(), mesh_lang::view::Str::span),
            whole: item.span(),
            claims,
        }
    }

    fn reaches(&mut self, claim: view::Reaches<'t>) -> Option<Reaches> {
        let verb = claim.verb()?;
        let who: Vec<Option<Sender>> = claim.who().map(|who| self.sender(who)).collect();
        let target = self.any_target(claim.target()?);
        let paths: Vec<_> = claim.paths().map(|path| self.path_pattern(path)).collect();
        let condition = match claim.condition() {
            Some(clause) => Some(self.clause(clause)?),
            None => None,
        };
        let at = match claim.host() {
            Some(host) => Some(self.read_word(Value::Word(host), HostPattern::parse)?),
            None => None,
        };
        if let (Some(host), Verb::Never | Verb::Only) = (claim.host(), verb) {
            let message =
                "`at` says where requests of an `always` are sent; the others speak of every host";
            self.refuse(host.span, message);
            return None;
        }
        Some(Reaches {
            verb,
            who: who.into_iter().collect::<Option<_>>()?,
            target: target?,
            methods: claim
                .methods()
                .map(|method| method.text.to_owned())
                .collect(),
            paths: paths.into_iter().collect::<Option<_>>()?,
            transitively: claim.is_transitive(),
            at,
            condition,
        })
    }

    fn sender(&mut self, who: view::Who<'t>) -> Option<Sender> {
        Some(match who {
            view::Who::Internet(_) => Sender::Internet,
            view::Who::Anyone(_) => Sender::Anyone,
            view::Who::AnyService(_) => Sender::AnyService,
            view::Who::Namespace(name) => Sender::Namespace(self.find_namespace(name)?),
            view::Who::Target(name) => match self.find_caller(name)? {
                Entity::Service(service) => Sender::Service(service),
                Entity::Gateway(gateway) => Sender::Gateway(gateway),
            },
        })
    }

    /// A service or a version of one, private or not: a claim sends nothing.
    fn any_target(&mut self, text: Text<'t>) -> Option<Target> {
        let target = value::Target::parse(text.text).ok()?;
        let whole = match &target.version {
            Some(version) => {
                let end = text.text.len() - version.as_str().len() - 1;
                Text {
                    text: &text.text[..end],
                    span: text.span,
                }
            }
            None => text,
        };
        let service = match self.find_caller(whole)? {
            Entity::Service(service) => service,
            Entity::Gateway(_) => {
                self.report(problems::not_a_service(text, text.span));
                return None;
            }
        };
        let Some(version) = target.version else {
            return Some(Target::Service(service));
        };
        let found = self.names.version(service, version.as_str());
        if found.is_none() {
            let kind = format!("version of `{}`", target.name);
            let diagnostic = problems::unknown(text.span, &kind, version.as_str(), None);
            self.report(diagnostic);
        }
        found.map(|version| Target::Version(service, version))
    }

    fn every_route(&mut self, claim: view::EveryRoute<'t>) -> Option<EveryRoute> {
        let gateway = self.find_gateway(claim.gateway()?);
        let to = match claim.to() {
            None => None,
            Some(view::Who::Namespace(name)) => {
                Some(RouteTarget::Namespace(self.find_namespace(name)?))
            }
            Some(view::Who::Target(name)) => Some(RouteTarget::Target(self.any_target(name)?)),
            Some(other) => {
                let message = "routes lead to a service, a version or a namespace";
                self.refuse(other.span(), message);
                return None;
            }
        };
        let has = match claim.requirement()? {
            view::Requirement::Requires(kind, name) => {
                Property::Requires(self.find_credential(kind.text, name)?)
            }
            view::Requirement::Has(test) => self.property(test)?,
        };
        Some(EveryRoute {
            gateway: gateway?,
            to,
            has,
        })
    }

    fn property(&mut self, test: view::Test<'t>) -> Option<Property> {
        let value = test.value()?;
        let compare = test.comparison()?;
        let (of, with) = match test.field()?.text {
            "timeout" => (Quantity::Timeout, u64::from(self.milliseconds(value)?)),
            "retry" => {
                let count = self.read(value, value::Integer::parse)?;
                (Quantity::Retry, count.0)
            }
            "max-body" => (Quantity::MaxBody, self.bytes(value)?),
            "rate-limit" => {
                let rate = self.rate(value)?;
                let a_day = u64::from(rate.count) * (DAY / u64::from(rate.per));
                (Quantity::RateLimit, a_day)
            }
            _ => return None, // reported by the check against the vocabulary
        };
        Some(Property::Compare { of, compare, with })
    }

    pub(super) fn test_case(&mut self, item: BlockItem<'t>) -> TestCase {
        let mut steps = Vec::new();
        for statement in item.block().into_iter().flat_map(Block::statements) {
            let Statement::Step(step) = statement else {
                continue;
            };
            match step {
                view::Step::Request(request) => {
                    let request = self.test_request(request);
                    steps.extend(request.map(|request| Step::Request(Box::new(request))));
                }
                view::Step::Expect(expect) => {
                    let none_yet = !steps.iter().any(|step| matches!(step, Step::Request(_)));
                    if none_yet && !item.block().is_some_and(has_broken_request) {
                        let message = "nothing was requested yet of which this could be expected";
                        self.refuse(expect.span(), message);
                    }
                    let expected = self.expect(expect);
                    steps.extend(expected.map(|it| Step::Expect(it, expect.span())));
                }
            }
        }
        TestCase {
            namespace: self.scope.namespace.to_owned(),
            title: item
                .title()
                .map_or_else(String::new, |title| title.unescaped().into_owned()),
            span: item
                .title()
                .map_or(item.head_span(), mesh_lang::view::Str::span),
            steps,
        }
    }

    fn expect(&mut self, expect: view::Expect<'t>) -> Option<Expect> {
        if let Some(status) = expect.status() {
            let status = self.read(Value::Word(status), Status::parse)?;
            return Some(Expect::Status(status.number()));
        }
        match expect.action()? {
            view::Action::Forward(target) => {
                let target = self.any_target(target)?;
                Some(Expect::Action(crate::model::Action::Forward(target)))
            }
            view::Action::Split(split) => self.split(split).map(Expect::Action),
            view::Action::Redirect(redirect) => {
                let status = match redirect.code() {
                    Some(code) => self.read(Value::Word(code), Status::parse)?.number(),
                    None => {
                        return self.nothing_expected(redirect.span(), "a status: `redirect 301`");
                    }
                };
                let to = match redirect.url() {
                    Some(url) => crate::model::RedirectTo::Url(self.text(url)?),
                    None => return Some(Expect::Status(status)),
                };
                Some(Expect::Action(crate::model::Action::Redirect(
                    crate::model::Redirect { status, to },
                )))
            }
            view::Action::Respond(respond) => {
                let status = self.read(Value::Word(respond.status()?), Status::parse)?;
                let body = match respond.body() {
                    Some(body) if !respond.is_file() => Some(Body {
                        bytes: self.text(body)?.into_bytes(),
                        file: None,
                    }),
                    _ => return Some(Expect::Status(status.number())),
                };
                Some(Expect::Action(crate::model::Action::Respond {
                    status: status.number(),
                    body,
                }))
            }
        }
    }

    fn nothing_expected(&mut self, span: Span, what: &str) -> Option<Expect> {
        self.report(
            Diagnostic::new(Code::BadArguments, format!("an expectation says {what}"))
                .primary(span, ""),
        );
        None
    }

    fn test_request(&mut self, request: view::Request<'t>) -> Option<TestRequest> {
        let method = request.method()?.text.to_owned();
        let url = request.url()?;
        let from = match request.from() {
            None | Some(view::Who::Internet(_) | view::Who::Anyone(_)) => None,
            Some(view::Who::Target(name)) => Some(self.calling_service(name)?),
            Some(other) => {
                let message = "a request comes from one service, or from the internet";
                self.refuse(other.span(), message);
                return None;
            }
        };
        let due = self.read_word(url, Url::parse)?;
        let (path, query) = match due.path_and_query.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (due.path_and_query.clone(), None),
        };
        let host = match &due.host {
            Host::Name(name) => name.clone(),
            Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
            Host::Ip(IpAddr::V4(ip)) => ip.to_string(),
        };
        let mut made = TestRequest {
            span: request.span(),
            method,
            https: due.scheme == Scheme::Https,
            host,
            port: due.port.map(value::Port::number),
            path: if path.is_empty() {
                "/".to_owned()
            } else {
                path
            },
            query,
            from,
            headers: Vec::new(),
            cookies: Vec::new(),
            client_ip: None,
            tokens: Vec::new(),
            keys: Vec::new(),
        };
        for setting in Self::settings(request.block()) {
            self.request_setting(setting, &mut made);
        }
        Some(made)
    }

    fn calling_service(&mut self, name: Text<'t>) -> Option<ServiceId> {
        match self.find_caller(name)? {
            Entity::Service(service) => Some(service),
            Entity::Gateway(_) => {
                let message =
                    "a gateway sends on what comes in; leave `from` out and name its host";
                self.refuse(name.span, message);
                None
            }
        }
    }

    fn request_setting(&mut self, setting: Setting<'t>, into: &mut TestRequest) {
        let mut args = self.args(setting);
        match setting.keyword().text {
            word @ ("header" | "cookie") => {
                let (Some(name), Some(text)) = (args.value(), args.value()) else {
                    return;
                };
                let (Some(name), Some(text)) = (self.plain_word(name), self.text(text)) else {
                    return;
                };
                if word == "header" {
                    into.headers.push((name.to_ascii_lowercase(), text));
                } else {
                    into.cookies.push((name, text));
                }
            }
            "client-ip" => {
                let ip = args.value();
                into.client_ip = ip.and_then(|ip| {
                    self.read(ip, |text| {
                        text.parse()
                            .map_err(|_| value::ValueError::new(format!("`{text}` is no address")))
                    })
                });
            }
            "jwt" => {
                let Some(name) = args.any_word() else { return };
                let Some((jwt, _)) = self.find_in("jwt", name, |names| &names.jwts) else {
                    return;
                };
                let mut claims = Vec::new();
                self.token_claims(setting.block(), &mut Vec::new(), &mut claims);
                into.tokens.push((jwt, claims));
            }
            "key" => {
                let Some(name) = args.any_word() else { return };
                let consumer = args.value().and_then(|consumer| self.text(consumer));
                let keys = self.find_in("keys", name, |names| &names.keys);
                if let (Some((keys, _)), Some(consumer)) = (keys, consumer) {
                    into.keys.push((keys, consumer));
                }
            }
            _ => {}
        }
    }

    /// The claims of a token, those of objects under their names.
    fn token_claims(
        &mut self,
        block: Option<Block<'t>>,
        path: &mut Vec<String>,
        into: &mut Vec<TokenClaim>,
    ) {
        for setting in Self::settings(block) {
            path.push(setting.keyword().text.to_owned());
            if setting.block().is_some() {
                self.token_claims(setting.block(), path, into);
            } else {
                let values = self.args(setting).values();
                let value = match *values {
                    [Value::List(_)] | [_, _, ..] => ClaimValue::List(self.texts(values)),
                    [value] => {
                        if let Some(text) = self.text(value) {
                            ClaimValue::Scalar(text)
                        } else {
                            path.pop();
                            continue;
                        }
                    }
                    [] => ClaimValue::List(Vec::new()),
                };
                into.push(TokenClaim {
                    path: path.clone(),
                    value,
                });
            }
            path.pop();
        }
    }
}

/// Whether a request of a test did not parse.
fn has_broken_request(block: Block<'_>) -> bool {
    block.statements().any(|statement| {
        matches!(statement, Statement::Error(_))
            || matches!(statement, Statement::Step(view::Step::Request(_)))
    })
}

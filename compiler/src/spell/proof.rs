//! Claims and tests.

use super::value::{duration, list, quotes, requests, size};
use super::{Line, Place};
use crate::model::proof::{
    Assertion, Claim, ClaimKind, ClaimValue, EveryRoute, Expect, Property, Quantity, Reaches,
    RouteTarget, Sender, Step, TestCase, TestRequest, TokenClaim,
};
use mesh_lang::value::quote;

impl Place<'_> {
    pub(super) fn assertion(&self, assertion: &Assertion) -> Line {
        let claims = assertion.claims.iter();
        let claims = claims.map(|claim| Line::new(self.claim(claim)).at(claim.span));
        Line::new(format!("assert {}", quote(&assertion.title)))
            .at(assertion.span)
            .with(claims.collect())
    }

    /// A claim.
    pub(crate) fn claim(&self, claim: &Claim) -> String {
        match &claim.kind {
            ClaimKind::Reaches(reaches) => self.reaches(reaches),
            ClaimKind::EveryRoute(every) => self.every_route(every),
        }
    }

    fn reaches(&self, claim: &Reaches) -> String {
        let who = list(claim.who.iter().map(|who| self.sender(who)));
        let verb = if claim.who.len() == 1 {
            "reaches"
        } else {
            "reach"
        };
        let mut parts = vec![
            claim.verb.word().to_owned(),
            who,
            verb.to_owned(),
            self.target(claim.target),
        ];
        let what = requests(&claim.methods, &claim.paths, None, |_| String::new());
        if !what.is_empty() {
            parts.push(what);
        }
        if claim.transitively {
            parts.push("transitively".to_owned());
        }
        parts.extend(claim.at.as_ref().map(|host| format!("at {host}")));
        let condition = claim.condition.as_ref();
        parts.extend(condition.map(|it| format!("when {}", self.condition(it))));
        parts.join(" ")
    }

    /// Whoever sends requests.
    pub(crate) fn sender(&self, sender: &Sender) -> String {
        match sender {
            Sender::Internet => "internet".to_owned(),
            Sender::Anyone => "anyone".to_owned(),
            Sender::AnyService => "any service".to_owned(),
            Sender::Namespace(name) => format!("namespace {name}"),
            Sender::Service(service) => self.service(*service),
            Sender::Gateway(gateway) => self.gateway(*gateway),
        }
    }

    fn every_route(&self, claim: &EveryRoute) -> String {
        let mut text = format!("every route in {}", self.gateway(claim.gateway));
        match &claim.to {
            None => {}
            Some(RouteTarget::Namespace(name)) => text = format!("{text} to namespace {name}"),
            Some(RouteTarget::Target(target)) => {
                text = format!("{text} to {}", self.target(*target));
            }
        }
        match &claim.has {
            Property::Requires(credential) => {
                format!("{text} requires {}", self.credential(*credential))
            }
            Property::Compare { of, compare, with } => {
                let (word, value) = match of {
                    Quantity::Timeout => ("timeout", duration(*with as u32)),
                    Quantity::Retry => ("retry", with.to_string()),
                    Quantity::MaxBody => ("max-body", size(*with)),
                    Quantity::RateLimit => ("rate-limit", rate(*with)),
                };
                format!("{text} has {word} {} {value}", compare.word())
            }
        }
    }

    pub(super) fn test_case(&self, test: &TestCase) -> Line {
        let steps = test.steps.iter().map(|step| match step {
            Step::Request(request) => self.request(request).at(request.span),
            Step::Expect(expect, span) => Line::new(self.expect(expect)).at(*span),
        });
        Line::new(format!("test {}", quote(&test.title)))
            .at(test.span)
            .with(steps.collect())
    }

    /// A request.
    pub(crate) fn request(&self, request: &TestRequest) -> Line {
        let mut text = format!("request {} {}", request.method, quote(&request.url()));
        if let Some(from) = request.from {
            text = format!("{text} from {}", self.service(from));
        }
        let mut block = Vec::new();
        for (name, value) in &request.headers {
            let name = super::value::word(name);
            block.push(Line::new(format!("header {name} {}", quote(value))));
        }
        for (name, value) in &request.cookies {
            let name = super::value::word(name);
            block.push(Line::new(format!("cookie {name} {}", quote(value))));
        }
        block.extend(
            request
                .client_ip
                .map(|ip| Line::new(format!("client-ip {ip}"))),
        );
        for (jwt, claims) in &request.tokens {
            let claims = claims.iter().map(token_claim).collect();
            block.push(Line::new(format!("jwt {}", self.jwt(*jwt))).with(claims));
        }
        for (keys, consumer) in &request.keys {
            let keys = self.keys(*keys);
            block.push(Line::new(format!("key {keys} {}", quote(consumer))));
        }
        Line::new(text).perhaps_with(block)
    }

    fn expect(&self, expect: &Expect) -> String {
        match expect {
            Expect::Status(status) => format!("expect {status}"),
            Expect::Action(action) => format!("expect {}", self.action(action)),
        }
    }
}

/// So many requests a day.
fn rate(a_day: u64) -> String {
    let units = [(86_400, "s"), (1_440, "min"), (24, "h")];
    let unit = units.iter().find(|(count, _)| a_day.is_multiple_of(*count));
    let (count, unit) = unit.unwrap_or(&(1, "d"));
    format!("{}/{unit}", a_day / count)
}

fn token_claim(claim: &TokenClaim) -> Line {
    let value = match &claim.value {
        ClaimValue::Scalar(text) => quote(text),
        ClaimValue::List(values) => format!("[{}]", quotes(values)),
    };
    let mut path = claim.path.iter().rev();
    let name = path.next().map_or("", String::as_str);
    let innermost = Line::new(format!("{name} {value}"));
    path.fold(innermost, |inner, outer| Line::new(outer).with(vec![inner]))
}

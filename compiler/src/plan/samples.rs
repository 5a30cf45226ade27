//! A sample of the mesh's tests, as records: nodes hold the bundle against them before they serve it.
//!
//! Of a slice those are left that its node decides alone. Which those are, and which take too many ways, is
//! found by trying them: what does not pass is left out, and laid out again. That a test fails is told where the
//! tests are run, and then no bundle is written.

use super::Planner;
use super::slice::Scope;
use crate::model::proof::{Expect, Step, TestCase, TestRequest};
use crate::model::{Action, Mesh, RedirectTo, Target};
use crate::testing::request::request as as_sent;
use mesh_bundle::format::{
    self as format, Id, MAX_SAMPLE_PARTS, MAX_SAMPLES, SampleExpect, SampleFactKind, extend,
};
use mesh_bundle::journey::Held;
use mesh_lang::source::Span;
use zerocopy::little_endian::{U16, U32};

/// A request, and what is to come of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample<'m> {
    test: &'m TestCase,
    request: &'m TestRequest,
    expect: &'m Expect,
    span: Span,
}

/// Some of the requests that a mesh's tests send: as many as there may be, from all of the tests.
pub(super) fn choose<'m>(mesh: &'m Mesh, scope: &Scope) -> Vec<Sample<'m>> {
    let mut all = Vec::new();
    for test in &mesh.tests {
        let mut last = None;
        for step in &test.steps {
            match (step, last) {
                (Step::Request(request), _) => last = Some(&**request),
                (Step::Expect(expect, span), Some(request)) => all.push(Sample {
                    test,
                    request,
                    expect,
                    span: *span,
                }),
                (Step::Expect(..), None) => {}
            }
        }
    }
    all.retain(|sample| concerns(scope, sample));
    let count = all.len();
    if count > MAX_SAMPLES {
        let chosen = (0..MAX_SAMPLES).map(|index| all[index * count / MAX_SAMPLES]);
        all = chosen.collect();
    }
    all
}

/// Whether a bundle can know who sends it, and where it is to arrive.
fn concerns(scope: &Scope, sample: &Sample<'_>) -> bool {
    let targets = match sample.expect {
        Expect::Status(_) => Vec::new(),
        Expect::Action(action) => action.targets(),
    };
    let request = sample.request;
    let enters = match request.from {
        Some(service) => scope.holds_sidecar(service),
        None => scope.has_gateways(),
    };
    let parts = request.headers.len() + request.cookies.len() + claims(request);
    let small = parts.max(targets.len()) <= MAX_SAMPLE_PARTS / 2;
    enters
        && small
        && targets
            .iter()
            .all(|it| scope.record(it.service()).is_some())
}

/// Records that tokens and keys take at most.
fn claims(request: &TestRequest) -> usize {
    let tokens = as_sent(request).tokens;
    let claims = tokens.iter().flat_map(|(_, claims)| claims);
    let members = claims.map(|(_, held)| match held {
        Held::Scalar(_) => 1,
        Held::List(members) => 1 + members.len(),
    });
    tokens.len() + members.sum::<usize>() + request.keys.len()
}

impl Planner<'_> {
    pub(super) fn samples(&mut self, samples: &[Sample<'_>]) {
        for sample in samples {
            let sent = as_sent(sample.request);
            let facts = self.facts_of(&sent);
            let (expect, status, text, targets) = self.expectation(sample.expect);
            let record = format::Sample {
                title: self.draft.string(&sample.test.title),
                location: self.location(sample.span),
                from: match sample.request.from {
                    Some(service) => self.service_record(service),
                    None => Id::NONE,
                },
                https: u8::from(sample.request.https),
                port: U16::new(sample.request.port.unwrap_or_default()),
                method: self.draft.string(&sent.method),
                host: self.draft.string(&sent.host),
                path: self.draft.string(&sent.path),
                query: self.opt_string(sent.query.as_deref()),
                client: format::address_bytes(sent.client_ip),
                facts: extend(&mut self.draft.sample_facts, facts),
                expect: expect.code(),
                status: U16::new(status),
                text,
                targets: extend(&mut self.draft.sample_targets, targets),
            };
            self.draft.samples.push(record);
        }
    }

    fn facts_of(&mut self, sent: &mesh_bundle::journey::Request) -> Vec<format::SampleFact> {
        let mut facts = Vec::new();
        let mut add =
            |kind: SampleFactKind, provider: u32, name: Option<&str>, value: Option<&str>| {
                facts.push(format::SampleFact {
                    kind: kind.code(),
                    provider: U32::new(provider),
                    name: self.opt_string(name),
                    value: self.opt_string(value),
                });
            };
        for (name, value) in &sent.headers {
            add(SampleFactKind::Header, 0, Some(name), Some(value));
        }
        for (provider, claims) in &sent.tokens {
            add(SampleFactKind::Token, *provider, None, None);
            for (path, held) in claims {
                match held {
                    Held::Scalar(text) => {
                        add(SampleFactKind::Claim, *provider, Some(path), Some(text));
                    }
                    Held::List(members) => {
                        add(SampleFactKind::ClaimList, *provider, Some(path), None);
                        for member in members {
                            add(SampleFactKind::ClaimMember, *provider, None, Some(member));
                        }
                    }
                }
            }
        }
        for (provider, consumer) in &sent.keys {
            add(SampleFactKind::Key, *provider, None, Some(consumer));
        }
        facts
    }

    /// The kind of an expectation, its status, its text and its targets.
    fn expectation(
        &mut self,
        expect: &Expect,
    ) -> (SampleExpect, u16, format::StrId, Vec<format::SampleTarget>) {
        let action = match expect {
            Expect::Status(status) => {
                return (SampleExpect::Status, *status, Id::NONE, Vec::new());
            }
            Expect::Action(action) => action,
        };
        match action {
            Action::Forward(to) => {
                let target = self.sample_target(*to, mesh_bundle::route::WHOLE);
                (SampleExpect::Arrival, 0, Id::NONE, vec![target])
            }
            Action::Split(shares) => {
                let targets = shares
                    .iter()
                    .map(|it| self.sample_target(it.target, it.parts));
                (SampleExpect::Shares, 0, Id::NONE, targets.collect())
            }
            Action::Redirect(redirect) => match &redirect.to {
                RedirectTo::Url(location) => {
                    let text = self.draft.string(location);
                    (SampleExpect::Redirect, redirect.status, text, Vec::new())
                }
                // A test names a whole URL or none.
                RedirectTo::Parts { .. } => {
                    (SampleExpect::Status, redirect.status, Id::NONE, Vec::new())
                }
            },
            Action::Respond { status, body } => match body {
                Some(body) => {
                    let text = self.draft.bytes(&body.bytes);
                    (SampleExpect::Answer, *status, text, Vec::new())
                }
                None => (SampleExpect::Status, *status, Id::NONE, Vec::new()),
            },
        }
    }

    fn sample_target(&self, target: Target, share: u32) -> format::SampleTarget {
        let (service, version) = self.target_words(target);
        format::SampleTarget {
            service: Id::new(service),
            version: U32::new(version),
            share: U32::new(share),
        }
    }
}

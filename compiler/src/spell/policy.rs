//! What a level says about traffic.

use super::value::{duration, list, path, percent, quotes, rate, seconds, size};
use super::{Line, Place};
use crate::model::policy::{
    BudgetFloor, Cors, Fault, FaultKind, HeaderOperation, Mirror, OnFailure, PathRewrite, Policy,
    RateLimit, Require, Retry, Rewrite, Timeouts,
};
use crate::model::said::{Many, Said, Switch};
use mesh_lang::value::quote;

impl Place<'_> {
    /// The statements of a level.
    pub(crate) fn policy(&self, policy: &Policy) -> Vec<Line> {
        let mut lines = Vec::new();
        lines.extend(timeout(&policy.timeouts));
        lines.extend(policy.retry.as_ref().map(|it| choice("retry", it, retry)));
        lines.extend(policy.hedge.as_ref().map(|it| {
            choice("hedge", it, |after| {
                Line::new(format!("hedge after {}", duration(*after)))
            })
        }));
        lines.extend(policy.sticky.as_ref().map(|it| {
            choice("sticky", it, |field| {
                Line::new(format!("sticky {}", self.field(field)))
            })
        }));
        lines.extend(policy.cors.as_ref().map(|it| choice("cors", it, cors)));
        for (word, said) in [("max-body", &policy.max_body), ("buffer", &policy.buffer)] {
            lines.extend(said.as_ref().map(|it| {
                choice(word, it, |bytes| {
                    Line::new(format!("{word} {}", size(*bytes)))
                })
            }));
        }
        lines.extend(
            policy
                .compress
                .as_ref()
                .map(|it| choice("compress", it, |()| Line::new("compress"))),
        );
        lines.extend(rewrite(&policy.rewrite));
        lines.extend(policy.requires.iter().map(|it| self.require(it)));
        lines.extend(policy.accepts.iter().map(|it| {
            Line::said(it, |credential| {
                format!("accept {}", self.credential(*credential))
            })
        }));
        lines.extend(self.rate_limits(&policy.rate_limits));
        lines.extend(many("mirror", &policy.mirrors, |it| self.mirror(it)));
        lines.extend(many("fault", &policy.faults, fault));
        for (word, headers) in [
            ("request-header", &policy.request_headers),
            ("response-header", &policy.response_headers),
        ] {
            lines.extend(many(word, headers, |it| header(word, it)));
        }
        lines
    }

    pub(super) fn rate_limits(&self, limits: &Many<RateLimit>) -> Vec<Line> {
        many("rate-limit", limits, |it| self.rate_limit(it))
    }

    fn rate_limit(&self, limit: &RateLimit) -> Line {
        let shared = if limit.shared.is_some() {
            "shared "
        } else {
            ""
        };
        let mut block = Vec::new();
        block.extend(
            limit
                .burst
                .map(|it| Line::said(&it, |burst| format!("burst {burst}"))),
        );
        if !limit.per.is_empty() {
            let fields = limit.per.iter().map(|field| self.field(field));
            block.push(Line::new(format!("per {}", list(fields))));
        }
        block.extend(limit.shared.map(on_failure));
        Line::new(format!("rate-limit {shared}{}", rate(limit.rate))).perhaps_with(block)
    }

    fn mirror(&self, mirror: &Mirror) -> Line {
        let (share, target) = (percent(mirror.share), self.target(mirror.target));
        Line::new(format!("mirror {share} {target}")).perhaps_with(any_method(mirror.any_method))
    }

    fn require(&self, said: &Said<Require>) -> Line {
        Line::said(said, |require| {
            let credential = self.credential(require.credential);
            match &require.condition {
                None => format!("require {credential}"),
                Some(condition) => {
                    format!("require {credential} when {}", self.condition(condition))
                }
            }
        })
    }
}

/// What happens when nobody answers a remote question.
pub(super) fn on_failure(on_failure: OnFailure) -> Line {
    Line::new(match on_failure {
        OnFailure::Open => "on-failure open",
        OnFailure::Closed => "on-failure closed",
    })
}

/// A statement that may be `off`.
pub(super) fn choice<T>(word: &str, said: &Said<Switch<T>>, on: impl FnOnce(&T) -> Line) -> Line {
    let line = match &said.value {
        Switch::Off => Line::new(format!("{word} off")),
        Switch::On(value) => on(value),
    };
    line.by(said.origin)
}

/// Statements of which there may be several.
fn many<T>(word: &str, many: &Many<T>, each: impl Fn(&T) -> Line) -> Vec<Line> {
    let off = many
        .off
        .map(|origin| Line::new(format!("{word} off")).by(origin));
    let lines = many
        .each
        .iter()
        .map(|said| each(&said.value).by(said.origin));
    off.into_iter().chain(lines).collect()
}

fn timeout(timeouts: &Timeouts) -> Option<Line> {
    let time = |word: &'static str, said: Option<Said<Switch<u32>>>| {
        said.map(|said| {
            choice(word, &said, |time| {
                Line::new(format!("{word} {}", duration(*time)))
            })
        })
    };
    let inner = [
        time("connect", timeouts.connect),
        time("idle", timeouts.idle),
    ];
    let inner: Vec<Line> = inner.into_iter().flatten().collect();
    match time("timeout", timeouts.request) {
        Some(whole) => Some(whole.perhaps_with(inner)),
        None if inner.is_empty() => None,
        None => Some(Line::new("timeout").with(inner)),
    }
}

fn retry(retry: &Retry) -> Line {
    let budget = |budget: &crate::model::policy::Budget| {
        let mut text = format!("budget {}", percent(budget.share));
        if let BudgetFloor::Rate(least) = budget.least {
            text = format!("{text} min {}", rate(least));
        }
        match budget.over {
            Some(window) => format!("{text} over {}", duration(window)),
            None => text,
        }
    };
    let mut block = Vec::new();
    block.extend(
        retry
            .per_try
            .map(|it| Line::said(&it, |time| format!("per-try {}", duration(*time)))),
    );
    block.push(Line::said(&retry.backoff, |(first, longest)| {
        format!("backoff {}..{}", duration(*first), duration(*longest))
    }));
    block.push(Line::said(&retry.budget, budget));
    block.extend(any_method(retry.any_method));
    Line::new(format!("retry {} on {}", retry.attempts, list(&retry.on))).with(block)
}

fn any_method(said: Option<Said<()>>) -> Vec<Line> {
    let line = said.map(|it| Line::said(&it, |()| "methods any".to_owned()));
    line.into_iter().collect()
}

fn cors(cors: &Cors) -> Line {
    let mut block = vec![
        Line::new(format!("origins {}", quotes(&cors.origins))),
        Line::said(&cors.methods, |methods| {
            format!("methods {}", list(methods))
        }),
    ];
    for (word, names) in [("headers", &cors.headers), ("expose", &cors.expose)] {
        if !names.is_empty() {
            let names = names.iter().map(|name| super::value::word(name));
            block.push(Line::new(format!("{word} {}", list(names))));
        }
    }
    if cors.credentials {
        block.push(Line::new("credentials"));
    }
    block.extend(
        cors.max_age
            .map(|it| Line::said(&it, |age| format!("max-age {}", seconds(*age)))),
    );
    Line::new("cors").with(block)
}

fn rewrite(rewrite: &Rewrite) -> Vec<Line> {
    let off = rewrite
        .off
        .map(|it| Line::said(&it, |()| "rewrite off".to_owned()));
    let path = rewrite.path.as_ref().map(|it| {
        Line::said(it, |path_rewrite| match path_rewrite {
            PathRewrite::Template(template) => format!("rewrite path {}", path(template)),
            PathRewrite::Prefix(prefix) => format!("rewrite prefix {}", quote(prefix)),
        })
    });
    let host = rewrite.host.as_ref();
    let host = host.map(|it| Line::said(it, |host| format!("rewrite host {host}")));
    [off, path, host].into_iter().flatten().collect()
}

fn fault(fault: &Fault) -> Line {
    let share = percent(fault.share);
    let text = match fault.kind {
        FaultKind::Delay(time) => format!("fault {share} delay {}", duration(time)),
        FaultKind::Abort(status) => format!("fault {share} abort {status}"),
    };
    Line::new(match fault.until {
        Some(day) => format!("{text} until {day}"),
        None => text,
    })
}

fn header(word: &str, operation: &HeaderOperation) -> Line {
    let name = super::value::word;
    Line::new(match operation {
        HeaderOperation::Set(header, value) => {
            format!("{word} set {} {}", name(header), quote(value))
        }
        HeaderOperation::Add(header, value) => {
            format!("{word} add {} {}", name(header), quote(value))
        }
        HeaderOperation::Remove(header) => format!("{word} remove {}", name(header)),
    })
}

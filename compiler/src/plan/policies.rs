//! What levels say about traffic, as records.

use super::arms::Captured;
use super::{PlanError, Planner};
use crate::model::credential::Credential;
use crate::model::policy::{
    BudgetFloor, Cors, Fault, FaultKind, HeaderOperation, Mirror, OnFailure, PathRewrite, Policy,
    RateLimit, Require, Retry, RetryOn, Rewrite,
};
use crate::model::said::{Many, Said, Switch};
use mesh_bundle::format::{self as format, Id, RetryCondition, Run, SizeSetting, extend};
use zerocopy::IntoBytes as _;
use zerocopy::little_endian::{U16, U32};

impl Planner<'_> {
    /// The record of what a level says; none where it says nothing. `captures` are those of the arm whose
    /// level it is.
    pub(super) fn policy(
        &mut self,
        level: &Policy,
        captures: &[Captured<'_>],
    ) -> Result<Id<format::Policy>, PlanError> {
        if level.is_empty() {
            return Ok(Id::NONE);
        }
        let compress = level.compress.as_ref().map(|said| Said {
            value: match said.value {
                Switch::Off => Switch::Off,
                Switch::On(()) => Switch::On(1),
            },
            origin: said.origin,
        });
        let record = format::Policy {
            request: self.switch(level.timeouts.request),
            connect: self.switch(level.timeouts.connect),
            idle: self.switch(level.timeouts.idle),
            hedge: self.switch(level.hedge),
            compress: self.switch(compress),
            max_body: self.size(level.max_body),
            buffer: self.size(level.buffer),
            retry: self.choice(level.retry.as_ref(), Self::retry),
            cors: self.choice(level.cors.as_ref(), Self::cors),
            sticky: self.choice(level.sticky.as_ref(), Self::one_field_ref),
            rewrite: self.rewrite(&level.rewrite, captures),
            off: off(level),
            rate_limits: self.rate_limits(&level.rate_limits),
            mirrors: self.mirrors(&level.mirrors),
            faults: self.faults(&level.faults),
            request_headers: self.headers(&level.request_headers),
            response_headers: self.headers(&level.response_headers),
            requires: self.requires(&level.requires)?,
            accepts: self.accepts(&level.accepts),
        };
        let next = Id::new(self.draft.policies.len() as u32);
        Ok(*self
            .policies
            .entry(record.as_bytes().to_vec())
            .or_insert_with(|| {
                self.draft.policies.push(record);
                next
            }))
    }

    fn size(&mut self, said: Option<Said<Switch<u64>>>) -> SizeSetting {
        let Some(said) = said else {
            return SizeSetting::default();
        };
        let location = self.opt_location(said.span());
        let value = match said.value {
            Switch::Off => SizeSetting::OFF,
            Switch::On(bytes) => bytes.min(SizeSetting::MAX),
        };
        SizeSetting::new(value, location)
    }

    fn retry(&mut self, retry: &Retry) -> Id<format::Retry> {
        let mut on = 0;
        let mut statuses = Vec::new();
        for condition in &retry.on {
            match retry_bit(*condition) {
                Ok(bit) => on |= 1 << bit.code(),
                Err(status) => statuses.push(status_range(status, status)),
            }
        }
        let (first, most) = retry.backoff.value;
        let backoff = Said {
            value: first,
            origin: retry.backoff.origin,
        };
        let budget = retry.budget.value;
        let share = Said {
            value: budget.share,
            origin: retry.budget.origin,
        };
        let (least, per) = match budget.least {
            BudgetFloor::Concurrent(count) => (count, 0),
            BudgetFloor::Rate(rate) => (rate.count, rate.per),
        };
        let record = format::Retry {
            attempts: U32::new(retry.attempts),
            on: U32::new(on),
            statuses: extend(&mut self.draft.status_ranges, statuses),
            per_try: self.opt_setting(retry.per_try),
            backoff: self.setting(backoff),
            backoff_most: U32::new(most),
            budget: self.setting(share),
            budget_least: U32::new(least),
            budget_per: U32::new(per),
            budget_over: U32::new(budget.over.unwrap_or_default()),
            any_method: self.flag(retry.any_method),
        };
        push(&mut self.draft.retries, record)
    }

    fn cors(&mut self, cors: &Cors) -> Id<format::Cors> {
        let record = format::Cors {
            origins: self.texts(&cors.origins),
            methods: self.texts(&cors.methods.value),
            methods_location: self.opt_location(cors.methods.span()),
            headers: self.texts(&cors.headers),
            expose: self.texts(&cors.expose),
            credentials: u8::from(cors.credentials),
            max_age: self.opt_setting(cors.max_age),
        };
        push(&mut self.draft.corses, record)
    }

    fn rewrite(&mut self, rewrite: &Rewrite, captures: &[Captured<'_>]) -> Id<format::Rewrite> {
        if rewrite.path.is_none() && rewrite.host.is_none() {
            return Id::NONE;
        }
        let path = rewrite.path.as_ref();
        let (template, prefix) = match path.map(|said| &said.value) {
            Some(PathRewrite::Template(template)) => (self.template(template, captures), None),
            Some(PathRewrite::Prefix(prefix)) => (Run::EMPTY, Some(prefix.as_str())),
            None => (Run::EMPTY, None),
        };
        let host = rewrite.host.as_ref();
        let record = format::Rewrite {
            path: template,
            prefix: self.opt_string(prefix),
            path_location: self.opt_location(path.and_then(Said::span)),
            host: self.opt_string(host.map(|said| said.value.as_str())),
            host_location: self.opt_location(host.and_then(Said::span)),
        };
        push(&mut self.draft.rewrites, record)
    }

    pub(super) fn rate_limits(&mut self, limits: &Many<RateLimit>) -> Run<format::RateLimit> {
        let limits: Vec<_> = limits
            .each
            .iter()
            .map(|said| {
                let limit = &said.value;
                let counter = match limit.shared {
                    None => format::Counter::Own,
                    Some(OnFailure::Open) => format::Counter::SharedOpen,
                    Some(OnFailure::Closed) => format::Counter::SharedClosed,
                };
                format::RateLimit {
                    count: U32::new(limit.rate.count),
                    per: U32::new(limit.rate.per),
                    burst: self.opt_setting(limit.burst),
                    fields: self.field_refs(&limit.per),
                    counter: counter.code(),
                    location: self.opt_location(said.span()),
                }
            })
            .collect();
        extend(&mut self.draft.rate_limits, limits)
    }

    fn mirrors(&mut self, mirrors: &Many<Mirror>) -> Run<format::Mirror> {
        let mirrors: Vec<_> = mirrors
            .each
            .iter()
            .map(|said| {
                let (service, version) = self.target_words(said.value.target);
                format::Mirror {
                    share: U32::new(said.value.share),
                    service: Id::new(service),
                    version: U32::new(version),
                    any_method: self.flag(said.value.any_method),
                    location: self.opt_location(said.span()),
                }
            })
            .collect();
        extend(&mut self.draft.mirrors, mirrors)
    }

    fn faults(&mut self, faults: &Many<Fault>) -> Run<format::Fault> {
        let faults: Vec<_> = faults
            .each
            .iter()
            .map(|said| {
                let fault = &said.value;
                let (kind, value) = match fault.kind {
                    FaultKind::Delay(milliseconds) => (0, milliseconds),
                    FaultKind::Abort(status) => (1, u32::from(status)),
                };
                let (year, month, day) = fault
                    .until
                    .map_or((0, 0, 0), |date| (date.year, date.month, date.day));
                format::Fault {
                    share: U32::new(fault.share),
                    kind,
                    value: U32::new(value),
                    until_year: U16::new(year),
                    until_month: month,
                    until_day: day,
                    location: self.opt_location(said.span()),
                }
            })
            .collect();
        extend(&mut self.draft.faults, faults)
    }

    fn headers(&mut self, headers: &Many<HeaderOperation>) -> Run<format::HeaderOperation> {
        let headers: Vec<_> = headers
            .each
            .iter()
            .map(|said| {
                let (kind, name, value) = match &said.value {
                    HeaderOperation::Set(name, value) => {
                        (format::HeaderOp::Set, name, Some(value.as_str()))
                    }
                    HeaderOperation::Add(name, value) => {
                        (format::HeaderOp::Add, name, Some(value.as_str()))
                    }
                    HeaderOperation::Remove(name) => (format::HeaderOp::Remove, name, None),
                };
                format::HeaderOperation {
                    kind: kind.code(),
                    name: self.draft.string(name),
                    value: self.opt_string(value),
                    location: self.opt_location(said.span()),
                }
            })
            .collect();
        extend(&mut self.draft.header_operations, headers)
    }

    fn requires(&mut self, requires: &[Said<Require>]) -> Result<Run<format::Require>, PlanError> {
        let mut records = Vec::with_capacity(requires.len());
        for said in requires {
            let (kind, provider) = credential(said.value.credential);
            let span = said.span();
            let condition = match (&said.value.condition, span) {
                (Some(condition), Some(span)) => self.condition_table(condition, span)?,
                _ => Id::NONE,
            };
            records.push(format::Require {
                kind,
                provider: U32::new(provider),
                condition,
                location: self.opt_location(span),
            });
        }
        Ok(extend(&mut self.draft.requires, records))
    }

    fn accepts(&mut self, accepts: &[Said<Credential>]) -> Run<format::Accept> {
        let accepts: Vec<_> = accepts
            .iter()
            .map(|said| {
                let (kind, provider) = credential(said.value);
                format::Accept {
                    kind,
                    provider: U32::new(provider),
                    location: self.opt_location(said.span()),
                }
            })
            .collect();
        extend(&mut self.draft.accepts, accepts)
    }
}

/// Appends a record and says which it is.
pub(super) fn push<R>(section: &mut Vec<R>, record: R) -> Id<R> {
    let run = extend(section, [record]);
    Id::new(run.start() as u32)
}

fn credential(of: Credential) -> (u8, u32) {
    match of {
        Credential::Jwt(jwt) => (0, jwt.0),
        Credential::Key(keys) => (1, keys.0),
    }
}

/// What the level takes back of the levels outside.
fn off(level: &Policy) -> u8 {
    let bit = |is: bool, bit: u8| if is { bit } else { 0 };
    bit(
        level.rate_limits.off.is_some(),
        format::Policy::OFF_RATE_LIMITS,
    ) | bit(level.mirrors.off.is_some(), format::Policy::OFF_MIRRORS)
        | bit(level.faults.off.is_some(), format::Policy::OFF_FAULTS)
        | bit(
            level.request_headers.off.is_some(),
            format::Policy::OFF_REQUEST_HEADERS,
        )
        | bit(
            level.response_headers.off.is_some(),
            format::Policy::OFF_RESPONSE_HEADERS,
        )
        | bit(level.rewrite.off.is_some(), format::Policy::OFF_REWRITE)
}

/// The bit of a condition; of a status, the status.
fn retry_bit(on: RetryOn) -> Result<RetryCondition, u16> {
    Ok(match on {
        RetryOn::ServerError => RetryCondition::ServerError,
        RetryOn::GatewayError => RetryCondition::GatewayError,
        RetryOn::Reset => RetryCondition::Reset,
        RetryOn::ConnectFailure => RetryCondition::ConnectFailure,
        RetryOn::RefusedStream => RetryCondition::RefusedStream,
        RetryOn::Retriable4xx => RetryCondition::Retriable4xx,
        RetryOn::Timeout => RetryCondition::Timeout,
        RetryOn::GrpcCancelled => RetryCondition::GrpcCancelled,
        RetryOn::GrpcDeadlineExceeded => RetryCondition::GrpcDeadlineExceeded,
        RetryOn::GrpcInternal => RetryCondition::GrpcInternal,
        RetryOn::GrpcResourceExhausted => RetryCondition::GrpcResourceExhausted,
        RetryOn::GrpcUnavailable => RetryCondition::GrpcUnavailable,
        RetryOn::Status(status) => return Err(status),
    })
}

/// Statuses from one to another.
pub(super) fn status_range(low: u16, high: u16) -> format::StatusRange {
    format::StatusRange {
        low: U16::new(low),
        high: U16::new(high),
    }
}
